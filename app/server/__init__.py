"""What stands between the page and the internet: a gate, places to work at, visits that end."""
