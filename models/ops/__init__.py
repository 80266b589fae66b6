"""Image operations without state."""
