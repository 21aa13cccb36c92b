"""Writing a model, and loading it again to compare it with scratchnet before it takes its name."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from keras_impl.export import keras_file, onnx_file, saved_model
from keras_impl.export.comparison import compared
from keras_impl.export.plan import Plan
from keras_impl.export.samples import samples
from keras_impl.weights import to_keras
from scratchnet import runs

WRITERS = {"keras": keras_file, "savedmodel": saved_model, "onnx": onnx_file}
"""Each with ``write(path, core, run)`` and ``answers(path, run, raw)``."""


class Exported(NamedTuple):
    """How closely what was written agrees with scratchnet."""

    samples: int
    """Raw inputs that both were asked."""
    difference: float
    """The largest, over the largest magnitude of scratchnet's outputs."""


def write(plan: Plan) -> Exported:
    """Write the model of a run; nothing stays if it does not answer as scratchnet does.

    Raises
    ------
    InputError
        If Keras has no such layer.
    DataError, CheckpointError
        If the run's model is not whole.
    MissingExtraError
        If ONNX is asked for and not installed.
    DisagreementError
        If the outputs differ by more than 1e-5.
    """
    writer = WRITERS[plan.kind]
    model = runs.load_model(plan.folder, plan.run.reader)
    core = to_keras(model)
    raw, expected = samples(model, plan.run.reader)
    with _draft(plan.path) as draft:
        writer.write(draft, core, plan.run)
        difference = compared(writer.answers(draft, plan.run, raw), expected, plan.kind)
    return Exported(len(raw), difference)


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Give a name beside a path; what was written there takes the path's own, or nothing does."""
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        draft.rename(path)
    except BaseException:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        draft.unlink(missing_ok=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
