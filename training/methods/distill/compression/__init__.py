"""Students with fewer blocks."""
