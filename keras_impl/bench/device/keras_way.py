"""Keras's training step on a GPU, with whichever backend it has."""

from __future__ import annotations

import importlib
import os
from typing import Any

from keras_impl.bench.device.clock import Clock
from keras_impl.bench.device.ways import KERAS, AbsentError, Way, in_turn
from keras_impl.bench.device.work import DeviceWork


def make(work: DeviceWork, device: str) -> Way:
    """Return Keras's way; see `ways.keras`."""
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # leave memory to the others
    try:
        keras = importlib.import_module("keras")
    except ImportError as error:
        raise AbsentError(f"Keras has no backend: {str(error).partition(chr(10))[0]}") from None
    backend = keras.backend.backend()
    if device == "gpu" and not sees_gpu(backend):
        raise AbsentError(f"Keras's backend, {backend}, sees no GPU")
    from keras_impl.weights import to_keras

    twin = to_keras(work.build_model())
    twin.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    tensor = keras.ops.convert_to_tensor
    batches = [(tensor(x), tensor(y)) for x, y in work.batches()]
    # the loss comes as a NumPy number: everything before it is done
    return Way(KERAS, Clock(), in_turn(twin.train_on_batch, batches))


def sees_gpu(backend: str) -> bool:
    """Return whether a backend that is installed has a GPU to compute on."""
    module: Any = importlib.import_module(backend)
    if backend == "tensorflow":
        return bool(module.config.list_physical_devices("GPU"))
    if backend == "torch":
        return bool(module.cuda.is_available())
    return any(one.platform == "gpu" for one in module.devices())
