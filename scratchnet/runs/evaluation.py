"""How good a trained model is."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from typing import Any

import numpy as np

from scratchnet.backend import Array, to_host
from scratchnet.device import clearly, moved, to_device
from scratchnet.errors import NonFiniteError
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Chain, Language
from scratchnet.experiments.scores import scores
from scratchnet.generation import OneStep
from scratchnet.model import Sequential

BATCH = 256
"""Rows of a batch: only speed depends on it."""


@clearly
def predict(model: Sequential, x: Array) -> Array:
    """Return the model's outputs, on the host, computed where the model is.

    Raises
    ------
    DeviceError
        If the device has too little memory.
    NonFiniteError
        If they are not finite.
    """
    outputs = model.predict(to_device(x, model.device), batch_size=BATCH)
    return _finite(to_host(outputs), "outputs")


def _finite(value: Any, name: str) -> Any:
    if not np.isfinite(value).all():
        raise NonFiniteError(
            f"{name}: expected finite numbers of the model, got others. Train again, with other "
            "data or a smaller learning rate."
        )
    return value


@clearly
def evaluate(model: Sequential, problem: Problem) -> dict[str, Any]:
    """Return the loss on the test rows and what their kind lets one say about it.

    Where outputs are classes, that is the scores of each; of a text, perplexity and bits; and
    whatever the problem measures by letting the network write.  ``held_out`` says whether those
    rows are others than the ones trained on.

    Raises
    ------
    DeviceError
        If the device has too little memory.
    NonFiniteError
        If the outputs or the loss are not finite.
    """
    results: dict[str, Any] = {"rows": len(problem.x_test), "held_out": problem.held_out}
    of_reader = _of_text if isinstance(problem.reader, Language) else _of_classes
    return {**results, **of_reader(model, problem)}


def perplexity(loss: float) -> float | None:
    r"""Return :math:`e^{loss}`; None where no number is that large."""
    return math.exp(loss) if loss < math.log(sys.float_info.max) else None


def _loss(model: Sequential, problem: Problem) -> float:
    x, y = moved((problem.x_test, problem.y_test), model.device)
    return _finite(model.evaluate(x, y, batch_size=BATCH, return_dict=True)["loss"], "loss")


def _of_text(model: Sequential, problem: Problem) -> dict[str, Any]:
    loss = _loss(model, problem)
    found = {"loss": loss, "perplexity": perplexity(loss), "bits": loss / math.log(2)}
    if problem.measure is not None:
        found |= problem.measure(OneStep(model))
    return found


def _of_classes(model: Sequential, problem: Problem) -> dict[str, Any]:
    reader = problem.reader
    assert not isinstance(reader, (Chain, Language))
    y_pred = predict(model, problem.x_test)
    y_true = problem.y_test.reshape(y_pred.shape)
    results: dict[str, Any] = {}
    if model.loss is not None:
        results["loss"] = _loss(model, problem)
    if reader.cut_off is not None:
        results["scores"] = {
            name: asdict(scores(y_true[:, i], y_pred[:, i], reader.cut_off))
            for i, name in enumerate(reader.outputs)
        }
    results["pairs"] = [
        {"calculated": calculated.tolist(), "expected": expected.tolist()}
        for calculated, expected in zip(y_pred[:10], y_true[:10], strict=True)
    ]
    return results
