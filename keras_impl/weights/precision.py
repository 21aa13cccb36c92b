"""What of a Keras layer matters to its training, or to its rounding, alone."""

from __future__ import annotations

import keras

from scratchnet.arguments import DTYPES
from scratchnet.errors import InputError

TRAINING_ONLY = ("_regularizer", "_constraint")
"""Ends of the names of settings that change how a layer is trained, and not what it computes."""


def checked_dtype(twin: keras.Layer, where: str, left_out: list[str] | None) -> str:
    """Return the one dtype that the layer's twin has.

    Raises
    ------
    InputError
        If there is none, unless reduced precision may be left out.
    """
    if {twin.compute_dtype, twin.variable_dtype} in ({dtype} for dtype in DTYPES):
        return str(twin.compute_dtype)
    if left_out is not None:
        left_out.append(f"{where}: its computation in {twin.compute_dtype}")
        return "float64" if twin.variable_dtype == "float64" else "float32"
    raise InputError(
        f"expected one dtype, {' or '.join(DTYPES)}, got computation in {twin.compute_dtype} on "
        f"weights of {twin.variable_dtype}. Rebuild it with one."
    )


def checked_training(twin: keras.Layer, where: str, left_out: list[str] | None) -> None:
    """Make sure that all of the layer's weights are numbers that train.

    Raises
    ------
    InputError
        If not, unless that may be left out.
    """
    quantized = getattr(twin.dtype_policy, "quantization_mode", None)
    changed = "quantized" if quantized else ""
    if getattr(twin, "lora_enabled", False):
        changed = "frozen and LoRA"
    if changed:
        raise InputError(f"expected weights that train, got {changed} ones. Rebuild it without.")
    if twin.trainable and not twin.non_trainable_weights:
        return
    if left_out is None:
        raise InputError(
            "expected weights that train, got frozen ones. Set trainable=True, or rebuild it."
        )
    left_out.append(f"{where}: that it is frozen")
