"""`python -m app` is `mirra`."""

from app.cli import main

main()
