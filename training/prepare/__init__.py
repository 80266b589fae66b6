"""Data and assets made once, before a training or for the page."""
