"""What commands make of a target, and how they say no to an option."""

from __future__ import annotations

from typing import NoReturn


def is_keras_file(target: str) -> bool:
    """Whether a target means a model that Keras saved."""
    return target.endswith(".keras")


def refuse(option: str, because: str) -> NoReturn:
    """Raise the error that says what is wrong with an option, and what to do."""
    from scratchnet.errors import InputError

    raise InputError(f"{option}: {because}" + ("" if because.endswith(("?", ".")) else "."))
