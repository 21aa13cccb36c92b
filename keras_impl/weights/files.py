"""Reading a ``.keras`` file as data: nothing in it is run, and its size is known beforehand."""

from __future__ import annotations

import json
import math
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
from keras.src.backend.common import global_state

from keras_impl.weights.descriptions import REMEDY, check_description, reason
from scratchnet.archive import one_line
from scratchnet.errors import CheckpointError, InputError

SUFFIX = ".keras"
CONFIG = "config.json"
CONFIG_LIMIT = 2**22
EXPANSION = 20
"""How many times its size a file may become: Keras compresses nothing, another program may have."""

LEAST = 2**20
"""Bytes that any file may become."""

BYTES = 4
"""Of a number among the weights, or fewer: a bound need not be exact."""


def load(path: str | Path, left_out: list[str] | None = None) -> keras.Model:
    """Return the model in a ``.keras`` file, without its optimizer, loss and metrics.

    Raises
    ------
    InputError
        If the model has layers or settings that scratchnet has not: all of them are named, whether
        or not they can be loaded.
    CheckpointError
        If the file is missing, damaged, of another program, or made to harm.
    """
    path = Path(path)
    description = _description(path)
    try:
        if isinstance(description, dict):
            description["compile_config"] = None
        check_description(description, None if left_out is None else [])
        with warnings.catch_warnings():
            # Keras says that a model in a model loses masks; its layers pass them on nonetheless
            warnings.simplefilter("ignore")
            _check_weights(description, path.stat().st_size)
            return keras.models.load_model(str(path), compile=False, safe_mode=True)
    except (InputError, CheckpointError) as error:
        raise type(error)(f"{path}: {error}") from None
    except Exception as error:  # Keras answers damage with whatever it runs into
        raise CheckpointError(
            f"{path}: expected a whole .keras file, got one that Keras cannot load "
            f"({reason(error)}). {REMEDY}"
        ) from error


def _description(path: Path) -> Any:
    """Return what the file says of its model, once its members are known to be of decent size."""
    if path.suffix != SUFFIX or not path.is_file():
        got = (
            "a folder" if path.is_dir() else path.suffix or "none" if path.is_file() else "no file"
        )
        raise CheckpointError(
            f"{path}: expected a .keras file, got {got}. Name one that model.save('….keras') wrote."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            return json.loads(archive.read(CONFIG))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except Exception as error:  # zipfile answers damage with whatever it runs into
        raise CheckpointError(
            f"{path}: expected a whole .keras file, got one that is damaged or of another program "
            f"({one_line(repr(error))}). {REMEDY}"
        ) from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    members = {info.filename: info.file_size for info in archive.infolist()}
    if CONFIG not in members or members[CONFIG] > CONFIG_LIMIT:
        got = f"one of {members[CONFIG]}" if CONFIG in members else "none"
        raise CheckpointError(
            f"expected a {CONFIG} of at most {CONFIG_LIMIT} bytes, got {got}. {REMEDY}"
        )
    claimed = sum(info.file_size for info in archive.infolist())
    if claimed > max(EXPANSION * size, LEAST):
        raise CheckpointError(
            f"expected {size} bytes to become at most {EXPANSION} times as many, got {claimed}. "
            f"{REMEDY}"
        )


def _check_weights(description: Any, size: int) -> None:
    """Make sure that the file can hold the weights its layers have, before any are allocated."""
    with _no_arrays():
        model = keras.saving.deserialize_keras_object(_stateless(description), safe_mode=True)
        needed = sum(BYTES * math.prod(variable.shape) for variable in model.variables)
    if needed > max(EXPANSION * size, LEAST):
        raise CheckpointError(
            f"expected weights for all layers, got a file of {size} bytes for {needed} bytes of "
            f"them. {REMEDY}"
        )


def _stateless(value: Any) -> Any:
    """Return a description without the states of layers, which are made at once: no weights."""
    if isinstance(value, dict):
        return {key: key != "stateful" and _stateless(inner) for key, inner in value.items()}
    return [_stateless(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def _no_arrays() -> Iterator[None]:
    """Let what is built have shapes alone: the values of variables are put off for good."""
    key = "uninitialized_variables"
    waiting = list(global_state.get_global_attribute(key, []))
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(key, waiting)
