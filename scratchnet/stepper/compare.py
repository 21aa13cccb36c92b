"""Two recordings of one function, line beside line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchnet.files import write_whole
from scratchnet.stepper.frame import Frame
from scratchnet.stepper.tracing.values import Value

if TYPE_CHECKING:
    from scratchnet.stepper.recording import Recording

Pair = tuple[int | None, int | None]
"""A frame of the first and of the second recording; None where one has no such line."""


@dataclass(frozen=True)
class Difference:
    """A line after which the two runs have different numbers."""

    first: Frame
    second: Frame
    values: dict[str, tuple[Value, Value]]
    """By variable: what the line left there in the one run and in the other."""

    def __repr__(self) -> str:
        return f"Difference at frame {self.first.i}: {', '.join(self.values)}"


class Comparison:
    """Two recordings side by side.

    Attributes
    ----------
    first, second : Recording
    """

    def __init__(self, first: Recording, second: Recording) -> None:
        self.first, self.second = first, second

    @cached_property
    def pairs(self) -> list[Pair]:
        """Which frames belong together; where the runs took other ways, one of them is None."""
        keys = [[_key(run, frame) for frame in run.frames] for run in (self.first, self.second)]
        if keys[0] == keys[1]:
            return [(i, i) for i in range(len(keys[0]))]
        same = 0
        while same < min(map(len, keys)) and keys[0][same] == keys[1][same]:
            same += 1
        pairs: list[Pair] = [(i, i) for i in range(same)]
        matcher = difflib.SequenceMatcher(None, keys[0][same:], keys[1][same:], autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                pairs += [(same + a + k, same + c + k) for k in range(b - a)]
            else:
                pairs += [(same + i, None) for i in range(a, b)]
                pairs += [(None, same + j) for j in range(c, d)]
        return pairs

    def __iter__(self) -> Iterator[Difference]:
        """Yield the lines that wrote different numbers in the two runs."""
        for i, j in self.pairs:
            if i is None or j is None:
                continue
            first, second = self.first.frames[i], self.second.frames[j]
            values = {
                name: (self.first.values[first.locals[name]], self.second.values[other])
                for name, other in second.changed.items() | first.changed.items()
                if name in first.locals and name in second.locals
                for other in (second.locals[name],)
            }
            differing = {
                name: values[name]
                for name in first.locals
                if name in values and values[name][0].content != values[name][1].content
            }
            if differing:
                yield Difference(first, second, differing)

    def to_dict(self) -> dict[str, Any]:
        """Return both recordings, and which of their frames belong together and differ.

        ``differences`` names, for every line that wrote different numbers, its frame in each
        recording and the variables.
        """
        return {
            "version": 1,
            "title": self.first.title,
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "pairs": [list(pair) for pair in self.pairs],
            "differences": [
                {"first": d.first.i, "second": d.second.i, "names": list(d.values)} for d in self
            ],
        }

    def to_json(self) -> str:
        """Return `to_dict` as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write the page that shows both."""
        from scratchnet.stepper.display.page import render_beside

        write_whole(Path(path), render_beside(self).encode())


def _key(run: Recording, frame: Frame) -> tuple[str, int, str, int | None]:
    return run.functions[frame.function].name, frame.line, frame.event, frame.t
