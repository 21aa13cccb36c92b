"""What was measured on a GPU, what follows from it, and what was not measured yet."""

from __future__ import annotations

import functools
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from keras_impl.bench.device import NAMES
from keras_impl.bench.device.floors import training_bytes
from keras_impl.bench.device.ways import CUDNN, ENGINES, SCRATCH
from keras_impl.bench.device.work import WORKS, DeviceWork
from keras_impl.bench.floor import flops, training_products
from scratchnet.errors import DataError

FORMAT = "scratchnet bench --device gpu"
VERSION = 1
NOT_MEASURED = "not measured yet"


@dataclass(frozen=True)
class Row:
    """One way of making the step, and what it took."""

    name: str
    blocks: tuple[float, ...] = ()
    """Seconds a step by the host's clock, round by round; none where it was not measured."""
    device_blocks: tuple[float, ...] = ()
    """The same between two of the device's events."""
    reason: str = NOT_MEASURED
    """Why there are none."""

    @property
    def engine(self) -> str:
        """Whose way it is."""
        return ENGINES[self.name]

    @property
    def seconds(self) -> float | None:
        """The median."""
        return statistics.median(self.blocks) if self.blocks else None

    @property
    def device_seconds(self) -> float | None:
        """The median by the device's events."""
        return statistics.median(self.device_blocks) if self.device_blocks else None


@dataclass(frozen=True)
class Measured:
    """One work, and every way of doing it."""

    name: str
    title: str
    required: float
    flops: int
    """Of a step's matrix products."""
    bytes: int
    """That a step has to move: see `floors`."""
    rows: tuple[Row, ...]
    misses: tuple[str, ...] = ()
    """What did not agree, broke or warned; what warned alone is timed."""
    complete: bool = True
    """Whether all rounds were run."""

    def row(self, name: str) -> Row:
        """Return what one way took."""
        return next(one for one in self.rows if one.name == name)

    def ratio(self, name: str) -> float | None:
        """Return a way's median over cuDNN's, where both were measured."""
        ours, theirs = self.row(name).seconds, self.row(CUDNN).seconds
        return None if ours is None or theirs is None else ours / theirs

    def spread(self, name: str) -> tuple[float, float] | None:
        """Return the quartiles of the rounds' own ratios."""
        ours, theirs = self.row(name).blocks, self.row(CUDNN).blocks
        ratios = [mine / cudnn for mine, cudnn in zip(ours, theirs, strict=False)]
        if not ratios:
            return None
        if len(ratios) == 1:
            return ratios[0], ratios[0]
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, high

    @property
    def verdict(self) -> str:
        """``required``, ``missed``, or empty where there is nothing to judge yet."""
        ratio = self.ratio(SCRATCH)
        if ratio is None:
            return ""
        return "required" if ratio <= self.required else "missed"


@dataclass
class DeviceResults:
    """Everything that one run found."""

    machine: dict[str, Any] = field(default_factory=dict)
    """See `machine.describe`; empty where nothing was measured yet."""
    product_rate: float | None = None
    """Operations a second of a large product in float32."""
    copy_rate: float | None = None
    """Bytes a second that a large copy reads and writes."""
    works: list[Measured] = field(default_factory=list)

    def floors(self, work: Measured) -> dict[str, float]:
        """Return the least seconds of a step, by what needs them; empty if nothing is measured."""
        if self.product_rate is None or self.copy_rate is None:
            return {}
        return {"arithmetic": work.flops / self.product_rate, "bytes": work.bytes / self.copy_rate}

    def share(self, work: Measured) -> tuple[float, str] | None:
        """Return the larger floor over scratchnet's seconds, and which floor it is."""
        floors, seconds = self.floors(work), work.row(SCRATCH).seconds
        if not floors or seconds is None:
            return None
        larger = max(floors, key=lambda name: floors[name])
        return floors[larger] / seconds, larger

    def add_missing(self, names: Sequence[str]) -> None:
        """Give each of these works that was not measured its rows, which say so."""
        there = {work.name for work in self.works}
        self.works += [described(WORKS[name], ()) for name in names if name not in there]

    @property
    def failed(self) -> bool:
        """Whether a way broke, warned, or computed something else than the others."""
        return any(work.misses for work in self.works)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, with what follows from the blocks."""
        works = []
        for work in self.works:
            share = self.share(work)
            rows = [
                {**asdict(one), "seconds": one.seconds, "engine": one.engine} for one in work.rows
            ]
            works.append(
                {
                    **asdict(work),
                    "rows": rows,
                    "ratio": work.ratio(SCRATCH),
                    "verdict": work.verdict or NOT_MEASURED,
                    "floor_seconds": self.floors(work) or None,
                    "floor_share": share and share[0],
                }
            )
        return {"format": FORMAT, "version": VERSION, **asdict(self), "works": works}

    def to_json(self) -> str:
        """Return the file's text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


@functools.cache
def counts(work: DeviceWork) -> tuple[int, int]:
    """Return the operations of a step's matrix products, and the bytes that it has to move."""
    model = work.build_model()
    return flops(training_products(model, work.batch)), training_bytes(model, work.batch)


def described(work: DeviceWork, rows: Sequence[Row], **more: Any) -> Measured:
    """Return a work's rows with the counts of its floors; a way without a row gets one."""
    found = {row.name: row for row in rows}
    return Measured(
        work.name,
        work.title,
        work.required,
        *counts(work),
        tuple(found.get(name, Row(name)) for name in ENGINES),
        **more,
    )


def nothing_yet() -> DeviceResults:
    """Return the results of having measured nothing."""
    found = DeviceResults()
    found.add_missing(NAMES)
    return found


def read(path: Path) -> DeviceResults:
    """Return the results in a file that ``scratchnet bench --device gpu --save`` wrote.

    Raises
    ------
    DataError
        There is no such file, or it holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if (found["format"], found["version"]) != (FORMAT, VERSION):
            raise ValueError(found["format"])
        works = [_work(one) for one in found["works"]]
        return DeviceResults(found["machine"], found["product_rate"], found["copy_rate"], works)
    except (OSError, ValueError, LookupError, TypeError):
        raise DataError(
            f"{path}: expected results of {FORMAT}, version {VERSION}, got something else, or no "
            f"file. Write one with {FORMAT} --save DIR."
        ) from None


def _work(found: dict[str, Any]) -> Measured:
    rows = tuple(
        Row(one["name"], tuple(one["blocks"]), tuple(one["device_blocks"]), one["reason"])
        for one in found["rows"]
    )
    kept = {name: found[name] for name in ("name", "title", "required", "flops", "bytes")}
    return Measured(**kept, rows=rows, misses=tuple(found["misses"]), complete=found["complete"])
