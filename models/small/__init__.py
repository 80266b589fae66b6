"""Small networks that stand alone: one look or a few, super-resolution, patch judges."""
