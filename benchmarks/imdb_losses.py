"""The first 100 losses of both engines on the film reviews, from the same start and batches.

Adam's betas are numbers that float32 holds exactly: Keras rounds its own to float32, in float64
too, and in 100 steps over 500 words a difference in the eighth digit grows to one in the first.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from keras_impl.models import TWINS
from keras_impl.optimizers import densify
from keras_impl.parity.oracle import keras_floats
from scratchnet.experiments import imdb
from scratchnet.optimizers import Adam

STEPS = 100
BETAS = {"beta_1": 0.875, "beta_2": 0.9990234375}


def losses(steps: int = STEPS) -> list[tuple[float, float]]:
    """Return scratchnet's and Keras's loss of each step, in float64."""
    problem = imdb.problem(dtype="float64")
    found = []
    with keras_floats("float64"):
        model, twin = problem.build_model(), TWINS["imdb"](**problem.architecture)
        twin.set_weights(model.get_weights())
        model.compile(Adam(0.001, **BETAS), "binary_crossentropy")
        twin.compile(keras.optimizers.Adam(0.001, **BETAS), "binary_crossentropy")
        densify(twin.optimizer)
        twin.make_train_function()
        for rows in problem.batches(0)[:steps]:
            x, y = problem.x_train[rows], problem.y_train[rows].astype("float64")
            ours = model.train_on_batch(x, y)
            twin.reset_metrics()
            logs = twin.train_function(iter([(tf.constant(x), tf.constant(y))]))
            found.append((float(ours), float(logs["loss"])))
    return found


def summary() -> str:
    """Return how far apart the losses ever are."""
    found = losses()
    worst = max(abs(ours - theirs) for ours, theirs in found)
    return (
        f"The first {len(found)} losses of both engines, float64, as published, from the same "
        f"start and batches: {found[0][0]:.12f} and {found[0][1]:.12f} at first, "
        f"{found[-1][0]:.12f} and {found[-1][1]:.12f} at last, never further apart than "
        f"{worst:.1e} (`python benchmarks/imdb_losses.py`, with betas that float32 holds exactly)."
    )


if __name__ == "__main__":
    print(summary())
