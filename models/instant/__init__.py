"""Instant makeup: geometric transfer in the canonical face, on a CPU."""
