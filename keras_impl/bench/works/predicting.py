"""Rows predicted, as a work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_impl.bench.floor import inference_products
from keras_impl.bench.race import FEWEST_UNITS, Candidate, stepwise
from keras_impl.bench.works.engines import SCRATCH
from keras_impl.bench.works.work import DTYPE, Work
from keras_impl.parity.compare import FORWARD_TOLERANCE, Agreement, difference
from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import to_keras
from scratchnet import Sequential, experiments
from scratchnet.backend import Array

ROWS = 10_000
ONE_BATCH = "Keras, compiled predict step"


def predict() -> Work:
    """Outputs for rows of the Wisconsin data, taken again and again until there are 10,000."""
    problem = experiments.get("wisconsin").module().problem(dtype=DTYPE)
    x = np.resize(problem.x_train, (ROWS, problem.x_train.shape[1])).astype(DTYPE)
    build = problem.build_model
    return Work(
        "predict",
        f"prediction of {ROWS:,} wisconsin rows",
        f"{ROWS:,} rows",
        0.5,
        0.2,
        inference_products(build(), ROWS),
        lambda threads, peers: _predicting(build(), x),
        lambda threads, peers: _prediction_agreement(build(), x),
        ONE_BATCH,
    )


def _predictors(model: Sequential, x: Array) -> dict[str, Callable[[], Array]]:
    """Return every way of predicting the rows; the first is the baseline."""
    with keras_floats(DTYPE):
        twins = {}
        for way, jit_compile in ((ONE_BATCH, False), (f"{ONE_BATCH}, XLA", True)):
            twins[way] = twin = to_keras(model)
            twin.compile(jit_compile=jit_compile)
            twin.make_predict_function()
    tensor = tf.constant(x)

    def compiled(way: str) -> Callable[[], Array]:
        predict_function = twins[way].predict_function
        return lambda: predict_function([(tensor,)]).numpy()

    twin = twins[ONE_BATCH]
    return {
        ONE_BATCH: compiled(ONE_BATCH),
        SCRATCH: lambda: model.predict(x, batch_size=len(x)),
        f"{ONE_BATCH}, XLA": compiled(f"{ONE_BATCH}, XLA"),
        "Keras, model.predict in one batch": lambda: twin.predict(x, batch_size=len(x), verbose=0),
        "Keras, model.predict in batches of 32": lambda: twin.predict(x, verbose=0),
        "scratchnet, in batches of 32": lambda: model.predict(x),
    }


def _predicting(model: Sequential, x: Array) -> list[Candidate]:
    return [
        Candidate(
            name,
            name.partition(",")[0],
            stepwise(_ignoring_batches(run), [(None, None)], FEWEST_UNITS),
        )
        for name, run in _predictors(model, x).items()
    ]


def _ignoring_batches(run: Callable[[], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: run()


def _prediction_agreement(model: Sequential, x: Array) -> list[Agreement]:
    found = _predictors(model, x)
    reference = found[ONE_BATCH]()
    return [
        Agreement(f"{name}, outputs", difference(run(), reference), FORWARD_TOLERANCE[DTYPE])
        for name, run in found.items()
    ]
