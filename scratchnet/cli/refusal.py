"""How a command says no to an option."""

from __future__ import annotations

from typing import NoReturn


def refuse(option: str, because: str) -> NoReturn:
    """Raise the error that says what is wrong with an option, and what to do."""
    from scratchnet.errors import InputError

    raise InputError(f"{option}: {because}" + ("" if because.endswith(("?", ".")) else "."))
