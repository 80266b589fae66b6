"""The Looks tab."""
