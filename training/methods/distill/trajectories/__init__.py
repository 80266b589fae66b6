"""Students that follow the teacher's trajectories."""
