"""A recording as a page: one HTML file that needs nothing else, not even a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import TYPE_CHECKING, Any

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Number, String

from scratchnet.pages import templates
from scratchnet.stepper.display.drawing import drawing
from scratchnet.stepper.display.mathml import mathml, plain
from scratchnet.stepper.display.questions import vanishing, where_from

if TYPE_CHECKING:
    from scratchnet.stepper.compare import Comparison
    from scratchnet.stepper.recording import Recording
    from scratchnet.stepper.source_text.sources import SourceFile

SCRIPTS = (
    "data.js", "colours.js", "tooltip.js", "source.js", "arrays.js", "unrolled.js", "layers.js",
    "timeline.js", "questions.js", "page.js",
)  # fmt: skip

NOTHING = (
    "No line was recorded: lambdas are not looked into, and a generator or a coroutine has yet to "
    "run. Step through a function that calls it and uses what it gives."
)

CLASSES = {Comment: "c", String: "s", Number: "n", Keyword: "k"}
"""What is coloured in a line of source."""


def render(recording: Recording) -> str:
    """Return the page of one recording."""
    return _page(
        recording.title,
        recording.explanation,
        _notice(recording),
        {
            "runs": [_run(recording)],
            "moments": None,
            "where": where_from(recording),
            "vanishing": vanishing() if _recurrent(recording) else None,
        },
    )


def render_beside(comparison: Comparison) -> str:
    """Return the page of two recordings of one function, moment beside moment."""
    return _page(
        f"{comparison.first.title}, two runs",
        "",
        " ".join(
            f"{which} run: {said}"
            for which, run in (("First", comparison.first), ("Second", comparison.second))
            if (said := _notice(run))
        ),
        {
            "runs": [_run(comparison.first), _run(comparison.second)],
            "moments": [list(pair) for pair in comparison.pairs],
            "where": None,
            "vanishing": None,
        },
    )


def _recurrent(recording: Recording) -> bool:
    network = recording.network
    return network is not None and network["kind"] in ("simple_rnn", "lstm", "gru")


def _notice(recording: Recording) -> str:
    """Return what a reader must know of the recording as a whole: where it ends, and why."""
    if recording.truncated or recording.frames:
        return recording.truncated or ""
    return NOTHING


def _page(title: str, explanation: str, notice: str, data: dict[str, Any]) -> str:
    script = "\n".join(_source(name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    said = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (
        templates("scratchnet.stepper.display")
        .get_template("page.html.j2")
        .render(
            title=title,
            explanation=explanation,
            notice=notice,
            style=_source("page.css"),
            script=script,
            digest=digest,
            data=said.replace("<", r"\u003c"),  # so that nothing in it ends the script element
        )
    )


def _run(recording: Recording) -> dict[str, Any]:
    answer = recording.to_dict()
    for file, described in zip(recording.files, answer["files"], strict=True):
        described["lines"] = highlighted(described["lines"])
        described["equations"] = {
            line: {"mathml": mathml(latex), "plain": plain(latex)}
            for line, latex in described["equations"].items()
        }
        described["ends"] = _ends(file)
    for function in answer["functions"]:
        function["doc"] = mathml(function["doc"])
    answer["gradients"] = sorted(_gradient_names(recording))
    answer["drawing"] = drawing(recording)
    return answer


def _ends(file: SourceFile) -> dict[int, int]:
    """Return the last line of each statement of several; a header's ends before its body."""
    ends = {s.line: s.last[0] - s.header for s in file.statements.statements}
    return {line: end for line, end in ends.items() if end > line}


def _gradient_names(recording: Recording) -> set[str]:
    """Return the variables that are gradients: those named d and the name of another, as dWx."""
    names = {name for frame in recording.frames for name in frame.locals}
    bases = {_base(name) for name in names}
    return {
        name
        for name in names
        if "grads" in name
        or _base(name).startswith("d_")
        or (_base(name).startswith("d") and _base(name)[1:] in bases)
    }


def _base(name: str) -> str:
    return name.partition("[")[0].rpartition(".")[2]


def highlighted(lines: list[str]) -> list[str]:
    """Return lines of Python as HTML, escaped, with comments, strings and the like in spans."""
    answer, current = [], ""
    pieces = PythonLexer(stripnl=False, ensurenl=False).get_tokens("\n".join(lines))
    for kind, text in pieces:
        name = next((CLASSES[k] for k in kind.split()[::-1] if k in CLASSES), "")
        for number, part in enumerate(text.split("\n")):
            if number:
                answer.append(current)
                current = ""
            if part:
                said = html.escape(part)
                current += f'<span class="{name}">{said}</span>' if name else said
    return [*answer, current]


def _source(name: str) -> str:
    loader = templates("scratchnet.stepper.display").loader
    assert loader is not None
    return loader.get_source(templates("scratchnet.stepper.display"), name)[0]
