"""How the cost of a training step grows with T, B, H and V, one size changed at a time.

The work is the char LSTM's, 128×40×57→128.  What it costs to compute grows as T·B·H·(V + H) does:
in T and in B the time should be a straight line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from keras_impl.bench.floor import flops, training_products
from keras_impl.bench.race import ROUNDS, Stopped, Timing, race
from keras_impl.bench.works.engines import KERAS_STEP, SCRATCH, KerasSteps, ScratchSteps, candidate
from keras_impl.bench.works.work import DTYPE
from keras_impl.models import TWINS
from keras_impl.parity.oracle import keras_floats
from scratchnet.experiments import language

BASE = {"T": 40, "B": 128, "H": 128, "V": 57}
VALUES: dict[str, tuple[int, ...]] = {
    "T": (10, 20, 40, 80, 160),
    "B": (32, 64, 128, 256, 512),
    "H": (32, 64, 128, 256),
    "V": (57, 128, 512, 2048),
}
SECONDS = 180.0
"""For all races together; compiling Keras's step for each point comes on top."""
UNITS = 15
BATCHES = 3
TOLERANCE = 1e-5
"""Of the first loss, which is compared before a race."""

Progress = Callable[[str, int, int], None]


def measure(
    threads: int,
    progress: Progress = lambda what, done, total: None,
    values: Mapping[str, Sequence[int]] = VALUES,
    base: Mapping[str, int] = BASE,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    units: int = UNITS,
) -> list[dict[str, Any]]:
    """Return a curve for each size: scratchnet's and Keras's step at each of its values.

    Parameters
    ----------
    threads : int
        That everyone was given with `threads.pin`.
    progress : function
        Called with what is being done, how many points are done, and of how many.
    values : mapping
        By the name of a size, what it is set to.
    base : mapping
        What the other sizes are meanwhile.
    seconds, rounds : float, int
        For all races together; blocks of each engine in a race, at most.
    units : int
        Counted steps of a block.

    Returns
    -------
    list of dict
        ``axis``, its ``values``, the other sizes as ``base``, ``threads``; by engine a step's
        ``seconds`` at each value, ``exponents`` (see `exponent`) and ``last_exponents``, those of
        the two largest values alone; ``points`` with the ``flops`` of a step's matrix products and
        the ``timings``.

    Raises
    ------
    RuntimeError
        The engines' first losses differ.
    Stopped
        The user did; the curves of two points or more that were raced are in it.
    """
    points = {
        tuple(({**base, axis: value}).items()): None
        for axis, several in values.items()
        for value in several
    }
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    try:
        for done, point in enumerate(points):  # the base is a point of every curve, raced once
            sizes = dict(point)
            said = ", ".join(f"{axis} = {value}" for axis, value in sizes.items())
            progress(f"how cost grows: {said}", done, len(points))
            found[point] = _point(sizes, rounds, seconds / len(points), units)
    except KeyboardInterrupt:
        raise Stopped(_curves(found, values, base, threads)) from None
    return _curves(found, values, base, threads)


def _curves(
    found: Mapping[tuple[Any, ...], dict[str, Any]],
    values: Mapping[str, Sequence[int]],
    base: Mapping[str, int],
    threads: int,
) -> list[dict[str, Any]]:
    """Return the curves of two points or more, made of the points that were found."""
    curves = []
    for axis, several in values.items():
        at = {value: tuple(({**base, axis: value}).items()) for value in several}
        points = [{"value": n, **found[point]} for n, point in at.items() if point in found]
        if len(points) > 1:
            others = {name: size for name, size in base.items() if name != axis}
            curves.append(_curve(axis, points, others, threads))
    return curves


def _curve(
    axis: str, points: list[dict[str, Any]], base: dict[str, int], threads: int
) -> dict[str, Any]:
    values = [point["value"] for point in points]
    seconds = {
        engine: [_least(point["timings"], engine) for point in points]
        for engine in (SCRATCH, "Keras")
    }
    return {
        "axis": axis,
        "base": base,
        "threads": threads,
        "values": values,
        "seconds": seconds,
        "exponents": {engine: exponent(values, times) for engine, times in seconds.items()},
        "last_exponents": {
            engine: exponent(values[-2:], times[-2:]) for engine, times in seconds.items()
        },
        "points": points,
    }


def _least(timings: list[dict[str, Any]], engine: str) -> float:
    return next(float(one["seconds"]) for one in timings if one["engine"] == engine)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    r"""Return p of the best :math:`c\,n^p`: the slope of log seconds over log size.

    1 is a straight line through the origin; what a step costs whatever the size brings p below it.
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)


def _point(sizes: Mapping[str, int], rounds: int, seconds: float, units: int) -> dict[str, Any]:
    architecture: dict[str, Any] = {
        "vocabulary": sizes["V"],
        "window": sizes["T"],
        "units": sizes["H"],
    }
    rng = np.random.default_rng(0)
    batches = [
        (
            rng.integers(0, sizes["V"], (sizes["B"], sizes["T"]), dtype="int32"),
            rng.integers(0, sizes["V"], sizes["B"], dtype="int32"),
        )
        for _ in range(BATCHES)
    ]
    with keras_floats(DTYPE):
        model = language.build_model(**architecture)
        products = training_products(model, sizes["B"])
        twin = TWINS["nietzsche"](**architecture, jit_compile=False)
        twin.set_weights(model.get_weights())
        ours, theirs = ScratchSteps(model), KerasSteps(twin)
        _require_agreement(ours, theirs, batches[0], sizes)
        candidates = [
            candidate(theirs, "Keras", batches, units),
            candidate(ours, SCRATCH, batches, units),
        ]
        timings = race(candidates, KERAS_STEP, rounds, seconds)
    return {"flops": flops(products), "timings": [_as_json(one) for one in timings]}


def _as_json(timing: Timing) -> dict[str, Any]:
    return {**asdict(timing), "blocks": list(timing.blocks), "spread": list(timing.spread)}


def _require_agreement(ours: Any, theirs: Any, batch: Any, sizes: Mapping[str, int]) -> None:
    """Make the first step on both sides; raise if the losses are not the same."""
    a, b = (float(engine.step(*engine.prepare(*batch))) for engine in (ours, theirs))
    if not math.isclose(a, b, rel_tol=TOLERANCE):
        raise RuntimeError(f"curves at {dict(sizes)}: the first losses are {a} and {b}, not equal")
