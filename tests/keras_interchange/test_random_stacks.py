"""Models that plain Keras saved in a process of its own, read here: the same numbers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_impl.weights import from_keras
from scratchnet import Sequential
from scratchnet.layers import Dropout
from tests.helpers import FORWARD_TOLERANCE, GRADIENT_TOLERANCE, assert_agrees

COUNT = 20


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    program = Path(__file__).with_name("plain_keras.py")
    subprocess.run(
        [sys.executable, program, folder, str(COUNT)],
        check=True,
        timeout=200,
        capture_output=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    return folder


def without_dropout(model: Sequential) -> Sequential:
    """A gradient wants a training forward; Keras's was taken in inference."""
    for layer in model.layers:
        if isinstance(layer, Dropout):
            layer.rate = 0.0
    return model


@pytest.mark.parametrize("number", range(COUNT))
def test_outputs_and_gradients(saved, number):
    model = from_keras(saved / f"{number}.keras")
    with np.load(saved / f"{number}.npz") as file:
        theirs = dict(file)
    dtype = model.dtype
    assert theirs["y"].dtype == dtype
    assert_agrees(model.forward(theirs["x"]), theirs["y"], FORWARD_TOLERANCE[dtype], "y")
    model = without_dropout(from_keras(saved / f"{number}.keras"))  # states from zeros
    model.forward(theirs["x"], training=True)
    dx = model.backward(theirs["dy"])
    ours = [gradient for layer in model.layers for gradient in layer.grads.values()]
    names = [f"dw{i}" for i in range(len(ours))]
    assert [name for name in theirs if name.startswith("dw")] == names
    for name, gradient in zip(names, ours, strict=True):
        assert_agrees(gradient, theirs[name], GRADIENT_TOLERANCE[dtype], name)
    assert (dx is None) == ("dx" not in theirs)
    if dx is not None:
        assert_agrees(dx, theirs["dx"], GRADIENT_TOLERANCE[dtype], "dx")
