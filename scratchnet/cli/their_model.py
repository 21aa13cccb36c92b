"""The user's own Keras model, as commands take it: ``their.keras``."""

from __future__ import annotations

import importlib.util
from typing import Any, NamedTuple

from scratchnet.errors import InputError, MissingExtraError
from scratchnet.model import Sequential


class TheirModel(NamedTuple):
    """A model from a ``.keras`` file."""

    model: Sequential
    twins: list[Any]
    """Its Keras layers, one for each of scratchnet's."""
    left_out: list[str]
    """What it has that matters to training or rounding alone."""


def read(path: str) -> TheirModel:
    """Read a ``.keras`` file.

    Raises
    ------
    InputError, CheckpointError
        If scratchnet cannot do what it does, or it is damaged.
    MissingExtraError
        If Keras is not installed.
    """
    if not all(importlib.util.find_spec(module) for module in ("keras", "tensorflow")):
        raise MissingExtraError(
            f'{path}: Keras, which reads it, is not installed: pip install "scratchnet[keras]"'
        )
    from scratchnet.cli.quiet import import_tensorflow

    import_tensorflow()
    from keras_impl import weights

    left_out: list[str] = []
    theirs = weights.load(path, left_out)
    try:
        model, twins = weights.from_keras(theirs, left_out), weights.chain(theirs)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not model.layers or not model.built:
        raise InputError(
            f"{path}: expected a model with weights, got one that was not built. Save it after it "
            "has seen an input."
        )
    return TheirModel(model, twins, left_out)
