"""Makeup pipelines."""
