"""What Keras's optimizers need to do as their equations say."""

from __future__ import annotations

import keras


def densify(optimizer: keras.optimizers.Optimizer) -> None:
    """Make it add up the slices of a gradient before it does anything else with them.

    With TensorFlow an embedding's gradient has a slice for every id in the batch.  Keras squares
    each of the slices of an id that is repeated, instead of their sum, and where an RMSprop step
    divides slices by NaN it fails with an error about indices.  Other backends have no slices.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    apply = optimizer.apply
    optimizer.apply = lambda grads, *variables: apply(
        [tf.convert_to_tensor(gradient) for gradient in grads], *variables
    )
