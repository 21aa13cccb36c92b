"""What the page draws of a network: which value stands where, and from which frame on.

A *series* is a list of ``[frame, value]`` in the order of execution: what a place shows at a frame
is the last entry that is not later.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scratchnet.stepper.frame import Frame
    from scratchnet.stepper.recording import Recording
    from scratchnet.stepper.tracing.values import Content

Series = list[list[int]]

ACTIVATIONS = "scratchnet/equations/activations.py"


def drawing(recording: Recording) -> dict[str, Any] | None:
    """Return what to draw, or None where no network was seen."""
    network = recording.network
    if network is None:
        return None
    if network["kind"] in ("dense", "perceptron"):
        return _layers(recording, network["function"])
    return _unrolled(recording, network)


def _unrolled(recording: Recording, network: dict[str, Any]) -> dict[str, Any]:
    """Return the cells of a recurrent network, a column a time step."""
    forward, backward = network["function"], f"{network['function']}_backward"
    rows = [cell["name"] for cell in network["cells"]]
    gradients = {cell["gradient"]: row for row, cell in enumerate(network["cells"])}
    columns: list[dict[str, Any]] = [
        {"values": [[] for _ in rows], "gradients": [[] for _ in rows], "earlier": {}}
        for _ in range(network["T"])
    ]
    lit: list[list[Any] | None] = []
    level, current = 0, None
    for frame in reversed(recording.frames):  # a caller's line is done after what it called
        name = recording.functions[frame.function].name
        if name in (forward, backward):
            level, current = frame.depth, [frame.t or 0, _rows(frame, network), name == backward]
        elif current is not None and frame.depth <= level:
            current = None
        lit.append(current)
    for frame in recording.frames:
        name = recording.functions[frame.function].name
        if name not in (forward, backward):
            continue
        column = columns[frame.t or 0]
        for changed, value in frame.changed.items():
            if name == forward and changed in rows:
                column["values"][rows.index(changed)].append([frame.i, value])
            elif name == backward and changed in gradients:
                column["gradients"][gradients[changed]].append([frame.i, value])
            elif name == backward and changed in ("dh_prev", "dc_prev"):
                column["earlier"].setdefault(changed[1], []).append([frame.i, value])
    return {
        "kind": "unrolled",
        "rows": network["cells"],
        "gates": network["gates"],
        "columns": columns,
        "lit": lit[::-1],
    }


def _rows(frame: Frame, network: dict[str, Any]) -> list[int]:
    """Return which cells a line computes."""
    found = []
    for row, cell in enumerate(network["cells"]):
        gate = cell["name"] in network["gates"]
        name = cell["name"]
        names = {name, cell["gradient"], f"a_{name}", f"da_{name}", *(("a", "da") if gate else ())}
        if names & frame.changed.keys():
            found.append(row)
    return found


@dataclass
class _Layer:
    """One dense layer, or one neuron."""

    names: dict[str, str]
    """What the caller calls its input, sum and output."""
    series: dict[str, Series] = field(default_factory=dict)
    spans: list[list[Any]] = field(default_factory=list)
    """First and last frame of its calls, and whether they go back."""

    def add(self, key: str, frame: int, value: int | None) -> None:
        if value is not None:
            self.series.setdefault(key, []).append([frame, value])


def _layers(recording: Recording, function: str) -> dict[str, Any]:
    """Return the layers that dense calls form, a layer after the one that computed its input."""
    layers: list[_Layer] = []
    of_input: dict[tuple[Content, Content], int] = {}
    previous, began = -1, 0
    for start, end, name in _calls(recording, (function, f"{function}_backward")):
        given, last = recording.frames[start].changed, recording.frames[end]
        x, W = given.get("x"), given.get("W", given.get("w"))
        if x is None or W is None:
            continue
        caller = _caller_line(recording, end)
        key = _content(recording, x), _content(recording, W)
        if name == function:
            chained = previous >= 0 and _written(recording, x, began, start)
            previous, began = (previous + 1 if chained else 0), start
            of_input[key] = previous
            if previous == len(layers):
                layers.append(
                    _Layer({"x": _name(recording, caller.locals if caller else {}, x, "x")})
                )
            layer = layers[previous]
            for part, value in (("x", x), ("W", W), ("b", given.get("b"))):
                layer.add(part, start, value)
            inner = next((key for key in ("a", "z") if key in last.locals), None)
            if inner is not None:
                a = last.locals[inner]
                layer.add("a", end, a)
                layer.names.setdefault(
                    "a", _name(recording, caller.changed if caller else {}, a, inner)
                )
                done = _activated(recording, start, a)
                if done is not None:
                    y_name, y = next(iter(done.changed.items()))
                    layer.names.setdefault("y", y_name)
                    layer.add("y", done.i, y)
        elif key in of_input:
            previous = -1  # what goes forward after this begins anew
            layer = layers[of_input[key]]
            layer.add("da", start, given.get("da", given.get("dy")))
            for part in ("dx", "dW", "db"):
                layer.add(part, end if caller is None else caller.i, _answer(last, caller, part))
        else:
            continue
        layer.spans.append([start, end if caller is None else caller.i, name != function])
    return {
        "kind": "layers",
        "neuron": function == "perceptron",
        "layers": [{"names": each.names, "spans": each.spans, **each.series} for each in layers],
    }


def _calls(recording: Recording, names: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Yield the first and the last frame of each call of these functions."""
    wanted = {k: f.name for k, f in enumerate(recording.functions) if f.name in names}
    ends = {frame.call: frame.i for frame in recording.frames}
    for frame in recording.frames:
        if frame.function in wanted and frame.event == "call":
            yield frame.i, ends[frame.call], wanted[frame.function]


def _caller_line(recording: Recording, end: int) -> Frame | None:
    """Return the caller's line, which is done once the call is."""
    depth = recording.frames[end].depth
    later = itertools.islice(recording.frames, end + 1, None)
    return next((frame for frame in later if frame.depth < depth), None)


def _content(recording: Recording, value: int) -> Content:
    """Return the numbers of a value: the caller's and the function's have other axes and owners."""
    return recording.values[value].content


def _name(recording: Recording, variables: Mapping[str, int], value: int, otherwise: str) -> str:
    """Return what the caller calls a value."""
    content = _content(recording, value)
    held = variables.items()
    return next((name for name, k in held if _content(recording, k) == content), otherwise)


def _activated(recording: Recording, start: int, a: int) -> Frame | None:
    """Return the caller's line that applies an activation to a layer's sum, if one does."""
    dense, depth = recording.frames[start].function, recording.frames[start].depth
    content, found = _content(recording, a), False
    for frame in itertools.islice(recording.frames, start + 1, None):
        called = recording.functions[frame.function]
        if frame.event == "call":
            if frame.function == dense or called.backward:
                return None
            if recording.files[called.file].name == ACTIVATIONS:
                given = frame.changed.values()
                found = found or any(_content(recording, value) == content for value in given)
        elif found and frame.depth < depth and frame.changed:
            (value, *_) = frame.changed.values()
            same = recording.values[value].shape == recording.values[a].shape
            return frame if same else None
    return None


def _answer(last: Frame, caller: Frame | None, key: str) -> int | None:
    """Return what came out as this gradient; the caller may name a dW ``dW_hidden``."""
    if key in last.locals:
        return last.locals[key]
    changed = {} if caller is None else caller.changed
    return next((value for name, value in changed.items() if name.startswith(key)), None)


def _written(recording: Recording, x: int, began: int, start: int) -> bool:
    """Whether an input was computed between two calls; a view of something is not."""
    content = _content(recording, x)
    return any(
        _content(recording, value) == content and not recording.values[value].view_of
        for frame in recording.frames[began + 1 : start]
        for value in frame.changed.values()
    )
