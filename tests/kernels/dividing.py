"""Small layers that divide time into chunks and the batch into parts, as large ones do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scratchnet.kernels import sweep, threads


class Steps(int):
    """As ``sweep.CHUNK``: a chunk of so many steps, however large a step is."""

    def __floordiv__(self, numbers: Any) -> int:
        return int(self)


@contextmanager
def divided(steps: int | None = None, rows: int | None = None) -> Iterator[None]:
    """Have chunks of so many steps, and parts of so many rows or a few more; None: as ever."""
    with pytest.MonkeyPatch.context() as patch:
        if steps is not None:
            patch.setattr(sweep, "CHUNK", Steps(steps))
        if rows is not None:
            patch.setattr(threads, "FEWEST_ROWS", rows)
            patch.setattr(threads, "USUAL_ROWS", rows)
        yield
