"""``model.keras``: Keras's own file of the model, and in it how far its training has got."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path

import keras

from scratchnet.archive import one_line
from scratchnet.errors import CheckpointError
from scratchnet.files import write_whole
from scratchnet.progress import Progress
from scratchnet.runs.folder import KERAS_MODEL

PROGRESS = "progress.json"
"""How far a training has got, inside ``model.keras``: the two are only ever written together."""
LONGEST = 100_000
"""Bytes that are read of it."""


class Saved:
    """What a `Keeper` saves: the twin, and in the same file how far it has got."""

    def __init__(self, twin: keras.Model) -> None:
        self.twin, self.epoch, self.batch = twin, 0, 0

    def save(self, path: Path) -> None:
        """Write both, whole or not at all."""
        sums = _sums(self.twin) if self.batch else {}
        progress = Progress(self.epoch, self.batch, sums)
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / KERAS_MODEL
            self.twin.save(draft)
            with zipfile.ZipFile(draft, "a") as archive:
                archive.writestr(PROGRESS, json.dumps(asdict(progress)))
            write_whole(path, draft.read_bytes())


def reached(folder: Path) -> Progress:
    """Return how far the training in a folder has got: nowhere without a ``model.keras``.

    Raises
    ------
    CheckpointError
        If that file does not say so.
    """
    path = folder / KERAS_MODEL
    if not path.exists():
        return Progress()
    try:
        with zipfile.ZipFile(path) as archive, archive.open(PROGRESS) as file:
            return Progress.from_config(json.loads(file.read(LONGEST)))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise _foreign(path, error) from error


def load(twin: keras.Model, folder: Path) -> Progress:
    """Give the twin the weights and the optimizer's state that were saved, if there are any.

    Raises
    ------
    CheckpointError
        If the file is not one of this twin.
    """
    progress, path = reached(folder), folder / KERAS_MODEL
    if path.exists():
        try:
            twin.optimizer.build(twin.trainable_variables)
            twin.load_weights(path)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise _foreign(path, error) from error
    return progress


def restore_sums(twin: keras.Model, progress: Progress) -> None:
    """Go on with what loss and metrics had come to."""
    sums = [value for pair in progress.sums.values() for value in pair]
    for variable, value in zip(twin.metrics_variables, sums, strict=True):
        variable.assign(value)


def _sums(twin: keras.Model) -> dict[str, list[float]]:
    """Return what loss and metrics, all of them means, have come to: sums and counts."""
    to_numpy = keras.ops.convert_to_numpy
    values = [float(to_numpy(variable)) for variable in twin.metrics_variables]
    pairs = zip(values[::2], values[1::2], strict=True)
    return dict(zip(twin.get_metrics_result(), map(list, pairs), strict=True))


def _foreign(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path}: expected a model that train --engine keras left here, got {one_line(str(error))}."
        " Train again, or restore the file."
    )
