"""Datasets, losses, methods and one loop; each script leaves a folder that from_pretrained reads."""
