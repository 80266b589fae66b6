"""MC-VTON: try-on by FLUX with two conditions and nothing else (arXiv 2501.03630)."""
