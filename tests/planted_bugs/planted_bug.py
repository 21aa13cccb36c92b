"""One wrong line, and how it gets into the engine and out again."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from tests.kernels.dividing import divided
from tests.layers.recurrent_cases import recurrent


@dataclass(frozen=True)
class PlantedBug:
    """A line of the engine, and what to put in its place.

    ``layer`` is a key of ``LAYERS``: one that the bug shows in; ``arguments`` are those that it has
    to be made with for that.  What shows only where there are chunks of steps and parts of a batch
    is ``divided``; ``beyond_check`` are bugs that can have the right gradients, if only because of
    what memory happens to hold, in a small float64 layer that goes forward and back once, which is
    what `gradcheck.check_layer` looks at.
    """

    description: str
    layer: str
    function: FunctionType
    right: str
    wrong: str
    arguments: dict[str, Any] = field(default_factory=dict)
    divided: bool = False
    beyond_check: bool = False

    @property
    def arrangement(self) -> str:
        """Return where the bug is: on the page, in its kernel, or in the loop around either."""
        module = self.function.__module__
        if ".equations." in module or module.endswith(".page_sweep"):
            return "page"
        return "kernel" if ".kernels." in module else "loop"

    @property
    def on_page(self) -> bool:
        """Return whether the layer has to run the page for the bug to show."""
        return self.arrangement == "page" or self.layer == "gru_reset_before"

    @property
    def name(self) -> str:
        return f"{self.layer} {self.arrangement}: {self.description}"

    @property
    def line(self) -> int:
        """Return the number of the line, in the function's file, that is wrong while planted."""
        source, first = self._source()
        return first + source[: source.index(self.right)].count("\n")

    def make_layer(self, units: int, features: int, **arguments: Any) -> Any:
        """Make a layer, with random weights, that runs through the bug while it is planted."""
        arguments = {**self.arguments, **arguments}
        return recurrent(self.layer, units, features, page=self.on_page, **arguments)

    def situation(self) -> AbstractContextManager[None]:
        """Have small layers divide their work as large ones do, where the bug needs it."""
        return divided(steps=3, rows=1) if self.divided else nullcontext()

    @contextmanager
    def plant(self) -> Iterator[None]:
        """Have the bug in the engine inside this block."""
        kept, self.function.__code__ = self.function.__code__, self._wrong_code()
        try:
            yield
        finally:
            self.function.__code__ = kept

    def _source(self) -> tuple[str, int]:
        lines, first = inspect.getsourcelines(self.function)
        source = textwrap.dedent("".join(lines))
        found = source.count(self.right)
        assert found == 1, f"{self.name}: the line to get wrong is there {found} times"
        return source, first

    def _wrong_code(self) -> CodeType:
        source, first = self._source()
        tree = ast.increment_lineno(ast.parse(source.replace(self.right, self.wrong)), first - 1)
        module = compile(tree, self.function.__code__.co_filename, "exec")
        return next(
            code
            for code in module.co_consts
            if isinstance(code, CodeType) and code.co_name == self.function.__name__
        )
