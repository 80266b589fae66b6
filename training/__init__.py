"""Datasets, losses, methods and one loop; what a script leaves, from_pretrained reads."""
