"""Keras's own format: the model with its preprocessing, to go on with in Keras.

Whoever loads it imports `keras_impl.preprocessing` first, which registers the layers.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from keras_impl.export.samples import Raw
from keras_impl.preprocessing import with_preprocessing
from scratchnet.backend import Array
from scratchnet.runs import Run

SUFFIX = ".keras"


def write(path: Path, core: keras.Model, run: Run) -> None:
    """Write the model."""
    with_preprocessing(core, run.reader).save(path)


def answers(path: Path, run: Run, raw: Raw) -> Array:
    """Return the outputs of the model that was written."""
    model = keras.saving.load_model(path)
    return keras.ops.convert_to_numpy(
        model(keras.ops.convert_to_tensor(np.asarray(raw), model.inputs[0].dtype))
    )
