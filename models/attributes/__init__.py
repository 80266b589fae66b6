"""Colour, place and finish of the shades in a product picture."""
