"""The Try-on tab."""
