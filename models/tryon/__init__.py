"""What every try-on needs to know of garments and persons."""
