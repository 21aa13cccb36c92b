"""A SavedModel, for TensorFlow Serving and whatever else runs TensorFlow without this project.

Its signature ``serve`` (``serving_default`` too) takes ``rows`` or ``texts`` by name and returns
``outputs``; ``assets.extra/description.json`` says what they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_impl.export.description import OUTPUT, described
from keras_impl.export.samples import Raw
from keras_impl.preprocessing import with_preprocessing
from scratchnet.backend import Array
from scratchnet.runs import Run

SUFFIX = ""
SIGNATURE = "serve"
EXTRA = Path("assets.extra/description.json")
"""Where TensorFlow Serving leaves room for a user's own files."""


def write(path: Path, core: keras.Model, run: Run) -> None:
    """Write the model."""
    model = with_preprocessing(core, run.reader)
    (raw,) = model.inputs

    def serve(given: Any) -> dict[str, Any]:
        return {OUTPUT: model(given, training=False)}

    archive = keras.export.ExportArchive()
    for layer in model.layers:  # the endpoint's variables are found without; tables are not
        if (table := getattr(layer, "lookup", None)) is not None:
            archive.track(table)
    archive.add_endpoint(
        SIGNATURE, serve, [keras.InputSpec(shape=raw.shape, dtype=raw.dtype, name=raw.name)]
    )
    archive.write_out(str(path), verbose=False)
    (path / EXTRA).parent.mkdir()
    text = json.dumps(described(run, run.dtype), indent=2)
    (path / EXTRA).write_text(text, encoding="utf-8")


def answers(path: Path, run: Run, raw: Raw) -> Array:
    """Return the outputs of the model that was written."""
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures[SIGNATURE]
    ((name, spec),) = serve.structured_input_signature[1].items()
    return serve(**{name: tf.constant(raw, spec.dtype)})[OUTPUT].numpy()
