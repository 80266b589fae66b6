"""Catalogue: product pictures in, shades out, found again by colour."""
