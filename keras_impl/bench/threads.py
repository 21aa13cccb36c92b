"""The same number of threads for everyone who races."""

from __future__ import annotations

import os
import sys

from threadpoolctl import threadpool_limits

from scratchnet.errors import InputError

VARIABLES = (
    "SCRATCHNET_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # of which XLA makes as many threads, JAX's and its own
)
"""From which libraries learn it, those that are not loaded yet and other processes' too."""


def available() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(threads: int) -> dict[str, str]:
    """Return the variables that give another process so many threads."""
    return dict.fromkeys(VARIABLES, str(threads))


def pin(threads: int) -> None:
    """Give NumPy's BLAS, scratchnet, TensorFlow, PyTorch and JAX so many threads.

    Call before TensorFlow computes anything.

    Raises
    ------
    InputError
        TensorFlow runs already, with another number of threads.
    """
    if "tensorflow" in sys.modules:
        _pin_tensorflow(threads)
    os.environ.update(environment(threads))
    threadpool_limits(threads, "blas")


def _pin_tensorflow(threads: int) -> None:
    from tensorflow import config

    try:
        config.threading.set_intra_op_parallelism_threads(threads)
        config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:  # it has its threads already
        started_with = config.threading.get_intra_op_parallelism_threads() or int(
            os.environ.get("TF_NUM_INTRAOP_THREADS") or available()
        )
        if started_with != threads:
            raise InputError(
                f"threads: expected {started_with}, which TensorFlow runs with already, got "
                f"{threads}. Choose the number in a new process, before TensorFlow is used."
            ) from None
