"""Where output goes: results to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

UNLIMITED = 1_000
"""Columns off a terminal: in a file or a pipe no table is squeezed and no sentence broken."""


def results() -> Console:
    """Return the console on stdout; in colour on a terminal alone, never with ``NO_COLOR``."""
    return _console(stderr=False)


def progress() -> Console:
    """Return the console on stderr."""
    return _console(stderr=True)


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout, for another program."""
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console
