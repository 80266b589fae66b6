"""Rendered and photographed products."""
