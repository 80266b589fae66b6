"""BeautyBank: makeup as a code (after arXiv 2411.11231), in the canonical face's texture."""
