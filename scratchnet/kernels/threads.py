"""Work divided among threads, each with a BLAS of one thread.

NumPy leaves Python's lock while it computes, so threads that work on rows of their own go side by
side.  BLAS's own threads would divide single products, wait for one another after each, and stall
where another process holds a core.

How work is divided depends on its size alone, and sums are taken in a fixed order: how many threads
there are changes no bit of any result.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from scratchnet.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

THREADS_VARIABLE = "SCRATCHNET_THREADS"
"""How many threads to use; the cores that this process may run on unless it is set."""
USUAL_ROWS = 64
"""Of a part: enough for BLAS to reach its speed."""
FEWEST_ROWS = 32
"""With fewer rows, a call costs more than what it computes."""

Answer = TypeVar("Answer")


def count() -> int:
    """Return the number of threads in use.

    Raises
    ------
    InputError
        If ``SCRATCHNET_THREADS`` is not a whole number from 1 on.
    """
    given = os.environ.get(THREADS_VARIABLE, "")
    if not given:
        return _cores()
    if not given.isdecimal() or int(given) < 1:
        raise InputError(
            f"{THREADS_VARIABLE}: expected a whole number of threads from 1 on, got {given!r}. "
            "Unset it to use every core."
        )
    return int(given)


def parts(rows: int) -> list[slice]:
    """Divide rows into parts of about 64, into two of 32 or more rather than one."""
    number = max(1, min(rows // FEWEST_ROWS, max(2, rows // USUAL_ROWS)))
    return divided(rows, number)


def divided(total: int, number: int) -> list[slice]:
    """Divide ``total`` rows into a number of parts, as even as can be."""
    ends = [total * i // number for i in range(number + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def together(tasks: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Run tasks side by side, here too; return their answers in order.

    Returns when all have ended, or raises then what the first of the failed tasks raised.
    """
    with one_blas_thread():
        others = min(count(), len(tasks)) - 1
        if others < 1:
            return [task() for task in tasks]
        from concurrent.futures import wait  # not at import: it takes a tenth of NumPy's time

        answers: list[Any] = [None] * len(tasks)
        failures: dict[int, BaseException] = {}
        left = iter(enumerate(tasks))

        def run() -> None:
            for i, task in left:
                try:
                    answers[i] = task()
                except BaseException as failure:
                    failures[i] = failure

        futures: list[Future[None]] = []
        ended = False
        while not ended:  # Ctrl-C, too, leaves no thread behind that writes
            try:
                while len(futures) < others and _may_submit(futures, run):
                    pass
                run()
                wait([future for future in futures if not future.cancel()])
                ended = True
            except KeyboardInterrupt as stop:
                failures[-1] = stop
        if failures:
            raise failures[min(failures)]
        return answers


def _may_submit(futures: list[Future[None]], run: Callable[[], None]) -> bool:
    """Hand ``run`` to a thread, unless Python is ending and takes no more."""
    try:
        futures.append(_pool(count() - 1).submit(contextvars.copy_context().run, run))
    except RuntimeError:
        return False
    return True


_limited = threading.Lock()
_depth = 0
_before: list[int] = []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread; what it used before comes back at the end."""
    global _depth
    libraries, entered = _blas_libraries(), False
    try:
        with _limited:
            _depth, entered = _depth + 1, True
            if _depth == 1:
                _before[:] = [library.get_num_threads() for library in libraries]
                for library in libraries:
                    library.set_num_threads(1)
        yield
    finally:
        with _limited:
            _depth -= entered
            if entered and _depth == 0:
                for library, threads in zip(libraries, _before, strict=True):
                    library.set_num_threads(threads)


@functools.cache
def _blas_libraries() -> list[Any]:
    """Return what sets the threads of each BLAS that is loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


@functools.cache
def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, thread_name_prefix="scratchnet")


def _begin_anew() -> None:
    """Forget the threads, which do not survive a fork, and what they held."""
    global _limited, _depth
    _pool.cache_clear()
    _limited, _depth = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
