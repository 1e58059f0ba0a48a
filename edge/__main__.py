"""``python -m edge`` is ``edge``."""

from edge.cli import main

main()
