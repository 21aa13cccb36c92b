"""From the one kind of file to the other, not before what was written has been read and tried."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np

from keras_impl.weights.chain import chain, through
from keras_impl.weights.files import load
from keras_impl.weights.models import from_keras, to_keras
from scratchnet import Sequential
from scratchnet.errors import InputError
from scratchnet.files import write_whole
from scratchnet.gradcheck.subjects.own_inputs import BATCH, random_input

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
"""Of outputs, over the largest of them."""

ROUNDED = 1e-2
"""The same where Keras computes in less than float32."""


def convert(source: Path, target: Path, batch_size: int | None = None) -> tuple[float, list[str]]:
    """Write a ``.keras`` file's model as ``.npz``, or an ``.npz`` file's as ``.keras``.

    Returns
    -------
    float
        The largest difference of the two files' outputs, over the largest output.
    list of str
        What a Keras model had that matters to training or rounding alone.

    Raises
    ------
    InputError, CheckpointError
        If the source cannot be read, or the other side does not have what is in it.
    """
    left_out: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / target.name
        if target.suffix == ".npz":
            model = from_keras(source, left_out)
            _check_built(source, model)
            model.save(draft)
            ours, theirs = Sequential.load(draft), load(source, left_out)
        else:
            ours = Sequential.load(source)
            _check_built(source, ours)
            to_keras(ours, batch_size).save(draft)
            theirs = load(draft)
        difference = _difference(ours, theirs)
        allowed = ROUNDED if left_out else TOLERANCE[ours.dtype]
        if not difference <= allowed:
            raise InputError(
                f"convert: expected outputs within {allowed:.0e} of each other, got "
                f"{difference:.1e}. Nothing was written: please report the model's layers."
            )
        write_whole(target, draft.read_bytes())
    return difference, list(dict.fromkeys(left_out))


def _check_built(source: Path, model: Sequential) -> None:
    if not model.built:
        raise InputError(
            f"{source}: expected a model with weights, got one that was not built. Save it after "
            "it has seen an input."
        )


def _difference(ours: Sequential, theirs: keras.Model) -> float:
    """Return how far apart outputs are on random inputs, over the largest of them."""
    batch = theirs.input_shape[0] or BATCH
    x = random_input("the model", ours, np.random.default_rng(0), batch=batch)
    y, reference = ours.forward(x), keras.ops.convert_to_numpy(through(chain(theirs), x))
    scale = float(np.abs(reference).max(initial=0.0)) or 1.0
    return float(np.abs(y - reference).max(initial=0.0)) / scale
