"""`python -m townhall.cli`."""

from townhall.cli import main

main()
