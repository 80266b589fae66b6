"""The page, one file per tab."""
