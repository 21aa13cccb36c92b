"""Text of others on the terminal: shown, never obeyed."""

from __future__ import annotations

from pathlib import Path

KEPT = "\n\t"


def visible(text: str) -> str:
    """Return a text with signs that a terminal obeys, such as escape, as Python writes them."""
    return "".join(map(_visible, text))


def _visible(sign: str) -> str:
    is_control = sign < " " or "\x7f" <= sign <= "\x9f"
    return ascii(sign)[1:-1] if is_control and sign not in KEPT else sign


def path_shown(path: Path) -> str:
    """Return a path as a command takes it, also one that begins like an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)
