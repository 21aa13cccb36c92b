"""A learner's file, how it is to be called, and one way to get it wrong."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "codes"
SIZES = {"B": 3, "T": 5, "D": 4, "H": 2}


@dataclass(frozen=True)
class LearnerCode:
    """A correct implementation.

    ``style`` is ``"class"``, ``"pair"`` or ``"cell"`` (a pair that makes one time step).  Shapes
    are written in letters, ``"B T 4H"`` or ``"D+H 1"``, whose numbers are ``sizes``: ``arrays``
    holds those of what ``forward`` is given, in its order; a class is given its input alone, and
    built from the sizes named in ``built_with``, whose defaults in the file are those of ``sizes``.
    ``ids`` are arrays of integers: shape, and the size that they are below.
    """

    key: str
    names: str
    style: str
    like: str
    arrays: dict[str, str]
    ids: dict[str, tuple[str, str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=lambda: dict(SIZES))
    built_with: str = ""
    masked: bool = False
    dtype: str = "float64"
    about: str = ""
    """Gate order, layout and so on: what the checker has to find out."""
    file: str = ""

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.file or self.key}.py"

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def target(self) -> str:
        """Return what ``check_file`` is given for the correct file."""
        return f"{self.path}:{self.names}"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: self.shape(letters) for name, letters in self.arrays.items()}

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of ``check_file`` and ``check_class`` for this code."""
        arguments: dict[str, Any] = {"like": self.like} if self.like else {}
        if self.ids:
            ids = {
                name: (self.shape(letters), self.sizes[below])
                for name, (letters, below) in self.ids.items()
            }
            arguments["ids"] = ids
        if self.arrays and self.style == "class":
            (arguments["input_shape"],) = self.shapes.values()
        elif self.arrays:
            arguments["shapes"] = self.shapes
        return arguments

    @property
    def mask(self) -> np.ndarray | None:
        """Return a mask with gaps, a row of nothing and a row of everything; None without one."""
        if not self.masked:
            return None
        mask = np.random.default_rng(0).random((self.sizes["B"], self.sizes["T"])) > 0.4
        mask[0], mask[-1] = False, True
        return mask

    def shape(self, letters: str) -> tuple[int, ...]:
        """Return the numbers of a shape in letters."""
        return tuple(sum(map(self._size, axis.split("+"))) for axis in letters.split())

    def at(self, **sizes: int) -> LearnerCode:
        """Return the same code called with arrays of other sizes: ``code.at(B=1, T=1)``."""
        return replace(self, sizes={**self.sizes, **sizes})

    def load(self, path: Path | None = None) -> Any:
        """Return the function pair, or a function of no arguments that makes an instance."""
        module = self.module(path or self.path)
        things = [getattr(module, name) for name in self.names.split(",")]
        if self.style != "class":
            return tuple(things)
        sizes = [self.sizes[letter] for letter in self.built_with.split()]
        return lambda: things[0](*sizes)

    def module(self, path: Path) -> ModuleType:
        """Return the module that a file makes."""
        specification = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    def _size(self, term: str) -> int:
        number, letter = re.fullmatch(r"(\d*)([A-Z]?)", term).groups()
        return int(number or 1) * (self.sizes[letter] if letter else 1)


@dataclass(frozen=True)
class LearnerBug:
    """A place in a learner's file, and what to put there instead.

    ``id`` is the finding to expect, ``also`` other findings that describe it as well, ``wrong_in``
    the arrays whose gradient is wrong (none where the gradients are right and something else is
    written to), ``gate`` the gate (of ``i f g o`` or ``z r n``) it is in.  ``known`` says where
    a bug really was found.
    """

    description: str
    code: LearnerCode
    id: str
    wrong_in: str
    right: str
    wrong: str
    gate: str = ""
    also: tuple[str, ...] = ()
    known: str = ""

    @property
    def name(self) -> str:
        return f"{self.code.key}: {self.description}"

    @property
    def arrays(self) -> tuple[str, ...]:
        return tuple(self.wrong_in.split())

    @property
    def shows(self) -> str:
        """Return where it shows: in the gradients, or in what is left behind for later."""
        places = {"stale": "second call", "upstream-modified": "upstream"}
        return {**places, "cache-modified": "second backward"}.get(self.id, "gradients")

    @property
    def source(self) -> str:
        """Return the file with the bug in it."""
        source = self.code.source
        found = source.count(self.right)
        assert found == 1, f"{self.name}: the text to get wrong is there {found} times"
        return source.replace(self.right, self.wrong)

    @property
    def line(self) -> int:
        """Return the number of the first line that is wrong."""
        right, wrong = self.code.source.splitlines(), self.source.splitlines()
        pairs = enumerate(zip(right, wrong, strict=False), 1)
        return next(number for number, (one, other) in pairs if one != other)

    def write(self, folder: Path) -> Path:
        """Write the wrong file into the folder and return where it is."""
        path = folder / self.code.path.name
        path.write_text(self.source, encoding="utf-8")
        return path

    def target(self, folder: Path) -> str:
        """Write the wrong file and return what ``check_file`` is given for it."""
        return f"{self.write(folder)}:{self.code.names}"
