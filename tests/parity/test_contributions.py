"""Gradient × input of each token, against TensorFlow's tape."""

import keras
import pytest
import tensorflow as tf

from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import to_keras
from scratchnet.contributions import contributions
from tests.helpers import GRADIENT_TOLERANCE, assert_agrees, assert_not_negligible
from tests.test_contributions import IDS, STACKS, built


def from_the_tape(model, ids):
    """The same by Keras: the last activation taken off, the embedded sequence watched."""
    with keras_floats(model.dtype):
        embedding, *above = to_keras(model, batch_size=1).layers
        above[-1].activation = keras.activations.linear
        x = tf.constant(ids[None])
        e, mask = embedding(x), embedding.compute_mask(x)
        with tf.GradientTape() as tape:
            tape.watch(e)
            h = e
            for layer in above:
                takes_mask = mask is not None and h.shape.rank == 3
                h = layer(h, mask=mask) if takes_mask else layer(h)
                mask = mask if h.shape.rank == 3 else None
        return tf.reduce_sum(tape.gradient(h, e) * e, axis=-1)[0].numpy()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("stack", ["lstm", "gru", "two"])
def test_tape(stack, dtype, masked):
    model = built(*STACKS[stack](mask_zero=masked), dtype=dtype)
    reference = from_the_tape(model, IDS)
    assert_not_negligible(reference, 1e-2)
    assert_agrees(contributions(model, IDS), reference, GRADIENT_TOLERANCE[dtype])
    assert (reference[:2] == 0).all() == masked
