"""Persons and garments."""
