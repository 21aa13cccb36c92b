"""Training with Keras: the same problem, fed to ``model.fit`` as a practitioner would."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras

from keras_impl.models import TWINS
from keras_impl.parity.oracle import keras_floats
from scratchnet import Sequential
from scratchnet.errors import NonFiniteError
from scratchnet.experiments.problem import Problem
from scratchnet.runs import HISTORY, MODEL

KERAS_MODEL = "model.keras"


class _SaveForBoth(keras.callbacks.Callback):
    """Saves, after every epoch, the file that either engine reads."""

    def __init__(self, model: Sequential, path: Path) -> None:
        super().__init__()
        self.scratch, self.path = model, path

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not math.isfinite((logs or {})["loss"]):
            raise NonFiniteError(
                f"epoch {epoch + 1}: the loss is {(logs or {})['loss']}. "
                "Try a smaller learning rate"
            )
        self.scratch.set_weights(self.model.get_weights())
        self.scratch.save(self.path)


def train(problem: Problem, folder: Path) -> Sequential:
    """Train the experiment's twin from scratchnet's first weights; return it as scratchnet's.

    The folder gets Keras's own ``model.keras`` beside the files every run has.

    Raises
    ------
    NonFiniteError
        If the loss becomes NaN or infinite; the last whole model stays in the folder.
    """
    keras.utils.set_random_seed(problem.seed)
    model = problem.build_model()
    arrays = (problem.x_train, problem.y_train, problem.x_test, problem.y_test)
    x_train, y_train, x_test, y_test = (array.astype(problem.dtype) for array in arrays)
    with keras_floats(problem.dtype):
        twin = TWINS[problem.experiment]()
        twin.set_weights(model.get_weights())
        twin.fit(
            x_train,
            y_train,
            batch_size=problem.batch_size,
            epochs=problem.epochs,
            validation_data=(x_test, y_test),
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                keras.callbacks.CSVLogger(str(folder / HISTORY)),
                _SaveForBoth(model, folder / MODEL),
            ],
            verbose=0,
        )
        twin.save(folder / KERAS_MODEL)
    return model
