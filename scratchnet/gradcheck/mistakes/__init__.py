"""The mistakes that people make in a backward pass, each as code that makes it on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from scratchnet.gradcheck.mistakes.gates import gate_mistakes
from scratchnet.gradcheck.mistakes.local import local_mistakes
from scratchnet.gradcheck.mistakes.mistake import Mistake
from scratchnet.gradcheck.mistakes.products import product_mistakes
from scratchnet.gradcheck.mistakes.slopes import slope_mistakes
from scratchnet.gradcheck.mistakes.sums import sum_mistakes
from scratchnet.gradcheck.mistakes.time import time_mistakes
from scratchnet.gradcheck.references import Built

__all__ = ["Mistake", "all_mistakes"]


def all_mistakes(built: Built) -> Iterator[Mistake]:
    """Yield every mistake that can be made in this graph, the commonest first."""
    yield from time_mistakes(built)
    yield from gate_mistakes(built)
    yield from slope_mistakes(built)
    yield from local_mistakes(built)
    yield from product_mistakes(built)
    yield from sum_mistakes(built)
