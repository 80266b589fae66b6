"""DM-VTON: distilled mobile try-on (arXiv 2308.13798)."""
