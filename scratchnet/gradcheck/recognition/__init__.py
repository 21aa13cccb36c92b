"""Finding out what someone's forward pass computes, and how they laid it out, by trying."""

from __future__ import annotations

import numpy as np

from scratchnet.gradcheck.recognition.arrangement import Arrangement, Block
from scratchnet.gradcheck.recognition.feedforward import recognise_dense, recognise_embedding
from scratchnet.gradcheck.recognition.recurrent import recognise_recurrent
from scratchnet.gradcheck.subject import Subject, resampled

__all__ = ["KINDS", "Arrangement", "Block", "recognise"]

KINDS = ("simple_rnn", "lstm", "gru", "dense", "embedding")
"""What can be recognised."""


def recognise(subject: Subject, rng: np.random.Generator, like: str = "") -> Arrangement | None:
    """Return how the subject's forward pass is one of the layers known here, or None.

    An arrangement counts only if it gives the same numbers as the code, for the subject's own
    arrays and for other random ones.

    Parameters
    ----------
    like : str
        The only kind to try; every kind if empty.
    """
    samples = [
        (arrays, subject.run(arrays)) for arrays in (subject.arrays, resampled(subject, rng))
    ]
    found = None
    if like in ("", "embedding"):
        found = recognise_embedding(subject, samples)
    if found is None and like in ("", "dense"):
        found = recognise_dense(subject, samples)
    if found is None and like in ("", "simple_rnn", "lstm", "gru"):
        found = recognise_recurrent(subject, samples, like)
    return found
