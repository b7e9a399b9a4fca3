"""``python -m blackstart``."""

from blackstart.cli import main

main()
