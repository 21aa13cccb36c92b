"""The transitions of a Markov chain, counted with TensorFlow's operations.

``MarkovChain(order).fit(text, counting=keras_impl.markov.count)`` is the same chain.
"""

from __future__ import annotations

import tensorflow as tf

from scratchnet.backend import Array


def count(ids: Array, order: int, vocabulary_size: int) -> list[tuple[Array, Array]]:
    """Return what `scratchnet.text.transitions.count` does: codes and counts of each length.

    Contexts are numbered by their rank, so that a code stays below int64's end at any order.
    """
    symbols = tf.convert_to_tensor(ids, dtype=tf.int64)
    contexts = tf.zeros_like(symbols)  # number of the context that starts at each place
    levels = []
    for length in range(order + 1):
        last = tf.size(symbols) - length
        pairs = contexts[:last] * vocabulary_size + symbols[length:]
        codes, _, counts = tf.unique_with_counts(tf.sort(pairs), out_idx=tf.int64)
        levels.append((codes.numpy(), counts.numpy()))
        contexts = tf.searchsorted(codes, pairs, out_type=tf.int64)
    return levels
