"""Between the page and the internet: request filter, guarded blocks, worker slots, sessions."""
