"""How fast both engines are, measured the same way for ``scratchnet bench`` and the suites."""

from __future__ import annotations

import difflib

from scratchnet.errors import InputError

NAMES = (
    "wisconsin",
    "nietzsche",
    "nietzsche-gru",
    "imdb",
    "shakespeare",
    "generate",
    "generate-window",
    "predict",
)
"""What can be measured: `keras_impl.bench.works.works.get` makes it."""


def check(name: str) -> None:
    """Raise unless there is a work of that name.

    Raises
    ------
    InputError
        The message lists those that there are.
    """
    if name not in NAMES:
        close = difflib.get_close_matches(name.lower(), NAMES, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise InputError(f"bench: expected one of {', '.join(NAMES)}, got {name[:40]!r}.{hint}")
