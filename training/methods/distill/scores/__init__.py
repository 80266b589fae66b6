"""Students that match distributions by the difference of two scores."""
