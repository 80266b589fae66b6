"""FLUX-Makeup (arXiv 2508.05069): reference makeup as extra keys and values of FLUX.1-Kontext."""
