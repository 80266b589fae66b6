"""Shades found again: by colour, by skin, by what suits."""
