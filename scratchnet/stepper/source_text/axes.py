"""Names for the axes of arrays, from the shape tables of docstrings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ROW = re.compile(r"``([\w, ]+)``\s+(\([^)]*\))")
_PARAMETER = re.compile(r"^(\w+) : (?:tuple of )?array.*?shape (\([^)]*\))", re.MULTILINE)
_SYMBOL = re.compile(r"^(\d*)([A-Z])(?:\^\w)?$")


@dataclass
class Axes:
    """What a function's docstring says of its arrays' axes.

    Arrays that the docstring does not name get the letters whose sizes fit, where exactly one does.
    """

    named: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, docstrings: list[str]) -> Axes:
        """Read the tables of these docstrings; earlier ones win."""
        named: dict[str, tuple[str, ...]] = {}
        for docstring in docstrings:
            for pattern in (_ROW, _PARAMETER):
                for names, shape in pattern.findall(docstring):
                    letters = tuple(part.strip() for part in shape[1:-1].split(",") if part.strip())
                    if not all(_SYMBOL.match(letter) for letter in letters):
                        continue
                    for name in names.split(","):
                        named.setdefault(name.strip(), letters)
        return cls(named)

    def sizes(self, shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
        """Return what each letter, and each multiple such as 4H, stands for in this call."""
        sizes: dict[str, int] = {}
        for name, letters in self.named.items():
            for candidate in (name, f"d{name}"):
                shape = shapes.get(candidate)
                if shape is not None and len(shape) == len(letters):
                    for letter, size in zip(letters, shape, strict=True):
                        sizes.setdefault(letter, size)
        for letter, size in list(sizes.items()):
            match = _SYMBOL.match(letter)
            if match and match[1] and size % int(match[1]) == 0:
                sizes.setdefault(match[2], size // int(match[1]))
        return sizes

    def of_array(
        self, name: str, shape: tuple[int, ...], sizes: dict[str, int]
    ) -> tuple[str, ...] | None:
        """Return the names of an array's axes, or None where they are not known."""
        if not shape:
            return None
        name = name.partition("[")[0]
        letters = self.named.get(name) or self.named.get(name.removeprefix("d"))
        if letters and len(letters) == len(shape):
            if all(sizes.get(k, n) == n for k, n in zip(letters, shape, strict=True)):
                return letters
            return None
        found = []
        for n in shape:
            fitting = [letter for letter, size in sizes.items() if size == n]
            if len(fitting) != 1:
                return None
            found.append(fitting[0])
        return tuple(found)
