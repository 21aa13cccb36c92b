"""What the parity tests of a GPU found, read from the file that pytest writes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from scratchnet.errors import DataError


@dataclass(frozen=True)
class Parity:
    """How many tests did what."""

    passed: int
    skipped: int
    failed: tuple[str, ...]
    """Names of the tests that failed, or could not be run."""
    seconds: float
    status: int = 0
    """Pytest's own."""

    @property
    def ok(self) -> bool:
        """Whether tests were run, and none failed."""
        return self.passed > 0 and not self.failed and self.status == 0

    def said(self) -> list[str]:
        """Return it in words, a paragraph each."""
        line = (
            f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped, in "
            f"{self.seconds:.0f} s."
        )
        if not (self.passed or self.failed):
            line = f"No parity test was run: {self.skipped} skipped."
        if self.status not in (0, 1, 5):
            line += f" pytest was stopped, status {self.status}: there are more tests."
        return [line, *("FAILED: `" + name.replace("`", "'") + "`" for name in self.failed)]


def read_junit(path: Path, status: int = 0) -> Parity:
    """Return what pytest's ``--junit-xml`` says, beside its exit status.

    Raises
    ------
    DataError
        There is no such file, or pytest did not write it.
    """
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        seconds = sum(float(case.get("time", 0)) for case in cases)
    except (OSError, ValueError, ElementTree.ParseError):
        raise DataError(
            f"{path}: expected pytest's report, got something else, or no file. Write one with "
            "pytest --junit-xml FILE."
        ) from None
    by_end: dict[str, list[str]] = {"passed": [], "skipped": [], "failed": []}
    for case in cases:
        ends = {one.tag for one in case}
        end = "failed" if ends & {"failure", "error"} else "skipped" if "skipped" in ends else ""
        name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
        by_end[end or "passed"].append(name)
    failed = tuple(dict.fromkeys(by_end["failed"]))
    return Parity(len(by_end["passed"]), len(by_end["skipped"]), failed, seconds, status)
