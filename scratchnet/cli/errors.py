"""What the command line does with an error: one line on stderr, and a status that says so."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from scratchnet.cli.visible import visible
from scratchnet.errors import DeviceError, ScratchnetError

USAGE_OR_DATA = 2
INTERRUPTED = 130
READER_GONE = 1

REMEDIES = {
    errno.EDQUOT: "Make room, or write elsewhere.",
    errno.EFBIG: "Raise the limit on the size of files, or write elsewhere.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EROFS: "Write elsewhere.",
    errno.EACCES: "Change its permissions, or name another.",
    errno.EEXIST: "Name another, or remove it.",
    errno.EISDIR: "Name a file.",
    errno.ENOENT: "Check the path.",
    errno.ENOSPC: "Make room, or write elsewhere.",
    errno.ENOTDIR: "Name a path through folders alone.",
}
"""What to do about an error of the system."""

OPTIONS = {
    "stay on the CPU": "stay on the CPU with --device cpu",
    "a smaller batch_size": "a smaller --batch-size",
}
"""What advice about a device is called here."""


class Commands(TyperGroup):
    """The commands, with their errors shown as one line.

    Errors raised on purpose, and the system's (no such file, no space left), end with status 2; a
    wrong command or option too.  Anything else is a bug and keeps its traceback.
    """

    def main(self, args: Any = None, *positional: Any, **options: Any) -> Any:
        """Run the command that ``args`` names and leave the process with its status."""
        program = options.get("prog_name") or str(self.name)
        words = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in words  # a global option, but people add it at the end
        words = [word for word in words if word != "--debug"] or ["--help"]
        try:
            status = super().main(words, *positional, **{**options, "standalone_mode": False})
            sys.stdout.flush()
        except (ScratchnetError, OSError, MemoryError, typer.TyperException) as error:
            _give_up_unwritable_output()
            if isinstance(error, BrokenPipeError):
                sys.exit(READER_GONE)
            if debug:
                traceback.print_exc()
            _say(program, _message(error))
            sys.exit(USAGE_OR_DATA)
        if status == INTERRUPTED:
            _say(program, "interrupted.")
        sys.exit(status or 0)


def _give_up_unwritable_output() -> None:
    """Drop what a full disk or a closed pipe did not take, or Python fails on it again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _message(error: Exception) -> str:
    """Return what an error says, on one line."""
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        text = error.format_message()
        text += "" if text.endswith((".", "?")) else "."
        text += f" See {context.command_path} --help." if context else ""
    elif isinstance(error, MemoryError):
        text = f"there is not enough memory ({error}). Make the network, or what it reads, smaller."
    elif isinstance(error, OSError) and error.strerror and not isinstance(error, ScratchnetError):
        text = error.strerror
        if error.filename is not None:
            text = f"{error.filename}: {text}"
        if error.errno in REMEDIES:
            text += f". {REMEDIES[error.errno]}"
    else:
        text = str(error)
    if isinstance(error, DeviceError):
        for words, option in OPTIONS.items():
            text = text.replace(words, option)
        if error.__cause__ is not None:
            text += " --debug shows where."
    return " ".join(text.split())


def _say(program: str, message: str) -> None:
    if message:
        print(f"{program}: {visible(message)}", file=sys.stderr)
