"""Bare and made-up faces."""
