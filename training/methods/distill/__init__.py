"""One- and few-step generators from a many-step teacher: a dozen ways, side by side."""
