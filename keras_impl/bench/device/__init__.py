"""How fast training steps are on a GPU, beside cuDNN's: ``scratchnet bench --device gpu``.

Needs neither Keras nor TensorFlow, PyTorch nor a GPU to be imported: what is not there is said in
its row of the table.
"""

from __future__ import annotations

import difflib

from scratchnet.errors import InputError

NAMES = ("lstm-small", "gru-small", "lstm-large", "gru-large")
"""What can be measured: `keras_impl.bench.device.work.get` makes it."""


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
        raise InputError(
            f"bench --device gpu: expected one of {', '.join(NAMES)}, got {name[:40]!r}.{hint}"
        )
