"""Toys with exact answers: distributions whose densities, scores and flows are formulas."""
