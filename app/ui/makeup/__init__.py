"""The Makeup tab."""
