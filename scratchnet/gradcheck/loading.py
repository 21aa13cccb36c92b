"""Loading someone's code from the file that they name, and from nowhere else."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.user_code import one_line, place_of

MOST_NAMED = 12
"""Names that a message lists of a file."""


def load(target: str) -> list[Any]:
    """Return what ``FILE.py:NAME`` or ``FILE.py:NAME,NAME2`` names: classes, functions, instances.

    The file is run anew; while it runs, files beside it can be imported as when Python runs it.

    Raises
    ------
    InputError
        If the file cannot be run, or has no such names.
    """
    path, colon, names = target.rpartition(":")
    if not colon or names.endswith(".py") or "/" in names or "\\" in names:
        raise InputError(
            f"{target!r} names no class or function: write FILE.py:NAME, or "
            "FILE.py:forward,backward for a pair of functions"
        )
    wanted = [name.strip() for name in names.split(",")]
    if not all(name.isidentifier() for name in wanted):
        raise InputError(
            f"{names!r} in {target!r} is no name: write FILE.py:NAME, or FILE.py:forward,backward"
        )
    module = _module(Path(path))
    return [_found(module, name, path) for name in wanted]


def _module(file: Path) -> ModuleType:
    if file.suffix != ".py":
        raise InputError(
            f"{file} is no Python file: name one that ends in .py, as in mine.py:MyLSTM"
        )
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "does not exist"
        near = difflib.get_close_matches(
            file.name, [other.name for other in file.parent.glob("*.py")], n=1
        )
        raise InputError(
            f"{file} {what}" + (f"; did you mean {near[0]}?" if near else ": check the path")
        )
    file = file.resolve()
    name = "_scratchnet_user_" + hashlib.sha256(str(file).encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} cannot be imported: check that it is a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect finds a class's source through its module
    try:
        with _siblings_of(file):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise InputError(_message(file, error)) from error
    return module


def _message(file: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        at = f"{Path(error.filename or file).name}:{error.lineno}"
        return (
            f"{at} is not valid Python: {error.msg}; correct it, and `python {file.name}` will run"
        )
    place = place_of(error, str(file))
    if isinstance(error, UnicodeDecodeError):
        return f"{file.name} is not UTF-8 text: save it as UTF-8"
    if isinstance(error, SystemExit):
        return (
            f"{place} ends the program while it is imported: put what runs it under "
            "`if __name__ == '__main__':`"
        )
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{place} imports {error.name}, which is neither installed nor beside {file.name}: "
            "install it, or check its name"
        )
    return f"{place} raised {one_line(error)} while it was imported: correct that line"


@contextmanager
def _siblings_of(file: Path) -> Iterator[None]:
    """Let a file import those beside it; afterwards nothing is left of the path to them."""
    folder = str(file.parent)
    before = set(sys.modules)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and Path(origin).parent == file.parent and not name.startswith("_scratchnet"):
                # Another user's file of the same name must not get this one.
                sys.modules.pop(name)


def _found(module: ModuleType, name: str, path: str) -> Any:
    if not hasattr(module, name):
        own = [
            key
            for key, value in vars(module).items()
            if not key.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
        spelled = {key.lower(): key for key in own}
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        listed = ", ".join(own[:MOST_NAMED]) + " and others" * (len(own) > MOST_NAMED)
        raise InputError(
            f"{path} has no {name!r}"
            + (f"; did you mean {spelled[near[0]]!r}?" if near else "")
            + (f"; it has {listed}" if own else "; it defines no class or function")
        )
    found = getattr(module, name)
    usable = isinstance(found, type) or callable(found) or hasattr(found, "forward")
    if isinstance(found, ModuleType) or not usable:
        raise InputError(
            f"{name!r} in {path} is {_kind(found)}: name a class, an instance with forward and "
            "backward, or a function"
        )
    return found


def _kind(found: Any) -> str:
    return "a module" if isinstance(found, ModuleType) else f"of type {type(found).__name__}"
