"""Pictures in and out: decoding, headers, colours, text in PNGs."""
