"""Training on a FLUX: several processes, frozen weights, teachers and students."""
