"""Students that a discriminator judges."""
