"""Faces for parsing and for codes."""
