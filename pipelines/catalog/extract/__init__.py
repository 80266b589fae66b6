"""From one product picture to its shades."""
