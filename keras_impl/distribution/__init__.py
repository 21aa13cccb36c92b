"""Training on several machines: every worker computes its share of every batch.

``addresses`` says who they are, ``meeting`` brings them together and makes sure that they were
started alike, ``health`` notices within a stated time when one is gone, ``cluster`` is TensorFlow's
part in it, ``step`` what is computed for a batch, ``worker`` and ``loop`` the training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras_impl.distribution.addresses import WorkerError, check_workers

if TYPE_CHECKING:
    from keras_impl.distribution.loop import train

__all__ = ["WorkerError", "check_workers", "train"]


def __getattr__(name: str) -> Any:
    """Import TensorFlow only for those who train: addresses are checked in no time."""
    if name != "train":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from keras_impl.distribution.loop import train

    return train
