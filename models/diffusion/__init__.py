"""What FLUX and its students share: samplers, schedules, tokens, changes of frozen weights."""
