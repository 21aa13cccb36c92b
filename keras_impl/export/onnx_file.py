"""ONNX, for runtimes without TensorFlow.

Rows go in as they are.  ONNX has no strings to speak of: a model of texts takes ids, and how a text
becomes ids stands in its metadata.  ONNX Runtime's operators are those of float32; so is the model.
"""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_impl.export.description import IDS, OUTPUT, described
from keras_impl.export.samples import Raw
from keras_impl.preprocessing import with_preprocessing
from scratchnet.backend import Array
from scratchnet.errors import MissingExtraError
from scratchnet.experiments.readers import Columns, Language, Reviews
from scratchnet.runs import Run

SUFFIX = ".onnx"


def write(path: Path, core: keras.Model, run: Run) -> None:
    """Write the model, checked by ONNX.

    Raises
    ------
    MissingExtraError
        If the converter is not installed.
    """
    onnx = _installed()
    core = _in_float32(core)
    tables = isinstance(run.reader, Columns)
    model = with_preprocessing(core, run.reader) if tables else _of_ids(core, run.reader)
    (raw,) = model.inputs
    named = keras.Model(raw, {OUTPUT: model.outputs[0]})
    spec = keras.InputSpec(shape=raw.shape, dtype=raw.dtype, name=raw.name)
    with _quiet():
        named.export(str(path), format="onnx", verbose=False, input_signature=[spec])
    proto = onnx.load(str(path))
    for value in (*proto.graph.input, *proto.graph.output):
        for dimension, name in zip(
            value.type.tensor_type.shape.dim, ("batch", "time"), strict=False
        ):
            if not dimension.dim_value:
                dimension.dim_param = name
    says = described(run, "float32", of_ids=not tables)
    texts = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in says.items()
    }
    onnx.helper.set_model_props(proto, texts)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, str(path))


def answers(path: Path, run: Run, raw: Raw) -> Array:
    """Return the outputs of the model that was written, by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()

    def asked(x: Array, dtype: str) -> Array:
        return session.run([OUTPUT], {given.name: x.astype(dtype)})[0]

    reader = run.reader
    if isinstance(reader, Columns):
        return asked(np.asarray(raw), "float32")
    if isinstance(reader, Reviews):
        return asked(reader.inputs(list(raw)), "int32")
    assert isinstance(reader, Language)
    shown = (reader.inputs(text)[None, -reader.window :] for text in raw)
    return np.concatenate([asked(ids, "int32") for ids in shown])


def _installed() -> Any:
    try:
        import onnx
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f'ONNX needs {error.name}, which is not installed: pip install "scratchnet[export]"'
        ) from error
    return onnx


def _of_ids(core: keras.Model, reader: Any) -> keras.Model:
    """Return the core with an input of its own; of a text, any number of ids will do."""
    length = reader.length if isinstance(reader, Reviews) else None
    ids = x = keras.Input((length,), dtype="int32", name=IDS)
    for layer in core.layers:
        x = layer(x)
    return keras.Model(ids, x)


def _in_float32(core: keras.Model) -> keras.Model:
    """Return a model of that dtype, with the weights rounded to it."""
    if core.layers[0].variable_dtype == "float32":
        return core
    made = [
        type(layer).from_config({**layer.get_config(), "dtype": "float32"}) for layer in core.layers
    ]
    twin = keras.Sequential(made, name=core.name)
    twin.build(core.input_shape)
    twin.set_weights(core.get_weights())
    return twin


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converter's remarks, on NumPy and on its own doings, from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
