"""What the workers compute together: a batch's gradients, and the state that they begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_impl.distribution.cluster import Strategy
from scratchnet.backend import Array


class Figures(NamedTuple):
    """What all workers know of a batch."""

    loss: float
    """The mean over the whole batch."""
    metrics: Array
    """What to add to the metrics' variables but the loss's: a sum and a count each."""
    stop: bool
    """Whether a worker wants to stop before this batch."""


class Step:
    r"""One training step on shares of a batch.

    The loss of a batch is the mean over its rows, so with share :math:`n_k` of n rows at worker k

    .. math:: \nabla L = \sum_k \frac{n_k}{n} \nabla L_k

    All gradients, and the figures, travel as one tensor: a worker has all of a batch's sum or none
    of it.  Each then applies the same sum to variables of its own.

    Parameters
    ----------
    strategy : tf.distribute.MultiWorkerMirroredStrategy
    twin : keras.Model
        Compiled, its metrics built.
    signature : tuple of tf.TensorSpec
        Of inputs, targets and share, as the pipeline gives them.
    """

    def __init__(self, strategy: Strategy, twin: keras.Model, signature: Sequence[Any]) -> None:
        self.twin = twin
        variables = twin.trainable_variables
        sizes = [int(np.prod(variable.shape)) for variable in variables]
        of_metrics = list(twin.metrics_variables)[2:]
        dtype = variables[0].dtype

        @tf.function(input_signature=[*signature, tf.TensorSpec((), tf.bool)])
        def gathered(x: Any, y: Any, share: Any, stop: Any) -> Any:
            with tf.GradientTape() as tape:
                y_pred = twin(x, training=True)
                loss = twin.compute_loss(x, y, y_pred) * tf.cast(share, dtype)
            gradients = tape.gradient(loss, [variable.value for variable in variables])
            # The share of nothing has a row all the same: it counts for nothing here too.
            counts = tf.cast(share > 0, dtype)
            zeros = [(variable, tf.zeros(variable.shape, dtype)) for variable in of_metrics]
            with keras.StatelessScope(state_mapping=zeros) as scope:
                twin.compute_metrics(x, y, y_pred)
            sums = [counts * tf.cast(scope.get_current_value(v), dtype) for v in of_metrics]
            parts = [*gradients, [loss, tf.cast(stop, dtype)], *sums]
            flat = tf.concat([tf.reshape(tf.convert_to_tensor(p), [-1]) for p in parts], 0)
            flat = added(strategy, flat)
            return flat[: sum(sizes)], flat[sum(sizes) :]

        @tf.function
        def applied(flat: Any) -> None:
            parts = zip(tf.split(flat, sizes), variables, strict=True)
            twin.optimizer.apply([tf.reshape(part, v.shape) for part, v in parts], variables)

        self._gathered, self._applied = gathered, applied

    def __call__(self, x: Any, y: Any, share: Any, stop: bool) -> Figures:
        """Compute a batch with the other workers; unless one of them stops, apply it."""
        gradients, figures = self._gathered(x, y, share, tf.constant(stop))
        loss, stops, *metrics = figures.numpy()
        if not stops:
            self._applied(gradients)
        return Figures(float(loss), np.asarray(metrics, "float64"), bool(stops))


def added(strategy: Strategy, flat: Any) -> Any:
    """Return the sum of all workers' tensors.

    Nothing else is computed under the strategy, where Keras divides losses by the workers.
    """

    def summed(flat: Any) -> Any:
        placed = tf.identity(flat)  # on this replica's device, where the sum is to be
        return tf.distribute.get_replica_context().all_reduce("SUM", placed)

    return strategy.run(summed, (flat,))


def broadcast(strategy: Strategy, variables: Sequence[Any], numbers: Array, chief: bool) -> Array:
    """Give all workers the chief's variables and numbers; return the numbers.

    They travel as float64, which holds float32, and whole numbers below 2**53, exactly; the others
    add zeros.
    """
    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    own = np.concatenate([numbers, *(value.ravel() for value in values)]).astype("float64")
    together = tf.function(lambda flat: added(strategy, flat))
    flat = together(tf.constant(own if chief else np.zeros_like(own))).numpy()
    numbers, flat = np.split(flat, [len(numbers)])
    for variable, value in zip(variables, values, strict=True):
        mine, flat = np.split(flat, [value.size])
        variable.assign(mine.reshape(value.shape).astype(value.dtype))
    return numbers
