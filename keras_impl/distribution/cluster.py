"""TensorFlow's part: the strategy that adds up tensors across workers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended
from tensorflow.python.eager import context

from scratchnet.archive import one_line
from scratchnet.errors import InputError

Strategy = Any
LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)
"""What collectives raise when a worker is gone."""


def strategy_of(workers: tuple[str, ...], index: int) -> Strategy:
    """Return the strategy; nothing may have been computed with TensorFlow in this process before.

    Raises
    ------
    InputError
        If TensorFlow has computed already or has several GPUs, or the port is taken.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if len(gpus) > 1:
        raise InputError(
            f"--workers: expected one GPU a worker, got {len(gpus)}. Start one worker for each GPU,"
            " with CUDA_VISIBLE_DEVICES naming it."
        )
    # Both of TensorFlow's own watchmen stay off, for `health` is on: the one ends the process when
    # it misses a worker, the other takes a minute, and for those that have finished, too.
    context.context().configure_coordination_service(service_type="")
    CollectiveAllReduceExtended._enable_check_health = False
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(workers)}),
        task_type="worker",
        task_id=index,
        num_accelerators={"GPU": len(gpus)},
        rpc_layer="grpc",
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        raise InputError(
            "train: expected a process in which TensorFlow has not computed anything yet, got "
            f"{one_line(str(error))}. Train in a new process."
        ) from error
    except tf.errors.OpError as error:
        raise InputError(
            f"--workers: expected {workers[index]} to be free, got {one_line(error.message)}. "
            "Choose another port on all workers."
        ) from error


def abort(line: str) -> None:
    """End every collective that this process waits for."""
    context.context().abort_collective_ops(tf.errors.UNAVAILABLE, line)
