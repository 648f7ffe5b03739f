"""`python -m pipeline` is `catchment`."""

from pipeline.cli import main

main()
