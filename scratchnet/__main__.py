"""``python -m scratchnet`` is the command ``scratchnet``."""

from scratchnet.cli import main

main()
