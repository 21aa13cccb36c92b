"""The line shown is the line executed; the values shown are the values at that moment."""

import numpy as np
import pytest
from hypothesis import given, settings

from scratchnet.stepper import step
from tests.stepper import programs

HEADER = "import numpy as np\n\n\ndef program(a, b, v, n):\n"
FIRST = HEADER.count("\n") + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("programs")


def same(value, expected):
    kind = {int: "int", float: "float"}.get(type(expected), str(getattr(expected, "dtype", "")))
    return value.content.dtype == kind and np.array_equal(value.array, expected)


@given(body=programs.programs)
@settings(max_examples=150)
def test_every_line_and_every_value(folder, body):
    made = programs.module(folder, HEADER + programs.source_of(body))

    def arguments():
        a = np.arange(6.0).reshape(2, 3)
        return {"a": a, "b": a[::-1] * 0.5, "v": np.array([0.25, -1.0, 2.0]), "n": 3}

    recording = step(made.program, **arguments())
    before = arguments()
    expected = programs.interpret(body, arguments(), FIRST)
    entered, *lines = recording.frames
    assert (entered.event, entered.line) == ("call", FIRST - 1)
    assert set(entered.locals) == set(entered.changed) == set(before)
    assert [frame.line for frame in lines] == [e.line for e in expected]
    for frame, e in zip(lines, expected, strict=True):
        assert frame.t == e.t
        assert set(frame.locals) == set(e.variables)
        assert all(same(recording.values[frame.locals[k]], x) for k, x in e.variables.items())
        differing = {
            k for k, x in e.variables.items() if k not in before or not np.array_equal(before[k], x)
        }
        assert set(frame.changed) == differing | e.targets
        assert all(frame.locals[k] == number for k, number in frame.changed.items())
        before = e.variables
    assert [frame.event for frame in lines] == ["line"] * (len(lines) - 1) + ["return"]


def test_what_a_line_reads(folder):
    made = programs.module(
        folder,
        "def program(a, b, c, state, rates):\n"
        "    a[b] += c[0]\n"
        "    d = a @ c.T if b else state[0]\n"
        "    a = rates['slow'] * sum(x for x in state)\n"
        "    return a - d\n",
    )
    square = np.eye(2)
    state, rates = (square * 2, square * 3), {"slow": 0.5, "fast": 2.0}
    recording = step(made.program, square + 1, 1, square, state, rates)
    assert [frame.read for frame in recording.frames] == [
        (),
        ("a", "b", "c"),
        ("b", "a", "c", "state[0]"),
        ("rates['slow']", "state[0]", "state[1]"),
        ("a", "d"),
    ]


def test_ways_through_a_program(folder):
    made = programs.module(
        folder,
        "def program(n):\n"  # 1
        "    while True:\n"
        "        n -= 1\n"
        "        if n < 0:\n"  # 4
        "            break\n"
        "    for k in range(2): n += k\n"
        "    try:\n"  # 7
        "        n = 1 / 0\n"
        "    except ZeroDivisionError as error:\n"
        "        n = 7\n"  # 10
        "    else:\n"
        "        n = 8\n"
        "    finally:\n"  # 13
        "        n += 1\n"
        "    match n:\n"
        "        case 8:\n"  # 16
        "            n = -1\n"
        "    with open(__file__) as file: n = 4\n"
        "    return [\n"  # 19
        "        n,\n"
        "    ][0]\n",
    )
    recording = step(made.program, 2)
    lines = [frame.line for frame in recording.frames if frame.line not in (2, 6, 7, 18)]
    assert lines == [1, 3, 4, 3, 4, 3, 4, 5, 8, 9, 10, 14, 15, 16, 17, 19]
    values = [recording.array(frame, "n").item() for frame in recording.at(line=3)]
    assert values == [1, 0, -1]
    assert recording.array(recording.at(line=6)[-1], "n").item() == 0
    assert len(recording.at(line=6)) > 1  # once for every time round
    assert recording.at(line=8)[0].changed == {}
    assert recording.result == recording.array(-1, "n").item() == 4


def test_what_comes_after_a_loop_over_time_has_no_time_step(folder):
    made = programs.module(
        folder,
        "def program(x):\n"
        "    for t, y in enumerate(x):\n"
        "        x = x + y\n"
        "    else:\n"
        "        x = x - 1\n"
        "    for t in x:\n"  # no whole numbers: no time steps
        "        y = t\n"
        "    return x\n",
    )
    recording = step(made.program, np.array([0.5, 1.5]))
    found = [(frame.line, frame.t) for frame in recording.frames[1:]]
    assert found[:6] == [(2, 0), (3, 0), (2, 1), (3, 1), (2, None), (5, None)]
    assert {t for line, t in found if line > 5} == {None}


def test_a_loop_without_a_line_of_its_own(folder):
    made = programs.module(
        folder, "def program(n):\n    while True:\n        if (n := n - 1) < 0: return n\n"
    )
    recording = step(made.program, 2)
    assert [recording.array(f, "n").item() for f in recording.at(line=3)] == [1, 0, -1]


def test_attributes_are_seen_and_no_property_runs(folder):
    made = programs.module(
        folder,
        "class Layer:\n"
        "    def __init__(self, w):\n"
        "        self.w = w\n"
        "        self.params = {'k': w * 2}\n"
        "    @property\n"
        "    def loud(self):\n"
        "        raise AssertionError\n"
        "    def forward(self, x):\n"
        "        self.y = x * self.w\n"
        "        self.params['k'] += 1\n"
        "        if x is None:\n"
        "            return self.loud\n"
        "        return self.y\n",
    )
    layer = made.Layer(np.array([1.0, 2.0]))
    recording = step(layer.forward, 3.0)
    frames = recording.at(event="line")
    assert frames[0].read == ("x", "self.w")
    assert list(frames[0].changed) == ["self.y"]
    assert list(frames[1].changed) == ["self.params['k']"]
    assert recording.array(frames[1], "self.params['k']").tolist() == [3.0, 5.0]
    assert set(recording.frames[-1].locals) == {"x", "self.w", "self.y", "self.params['k']"}


def test_numbers_of_every_kind(folder):
    made = programs.module(
        folder,
        "import numpy as np\n"
        "def program():\n"
        "    big = 2 ** 70\n"
        "    nan = np.array([1.0, np.nan, -np.inf])\n"
        "    one = np.float32(0.5)\n"
        "    yes = True\n"
        "    flags = np.array([True, False])\n"
        "    ids = [3, 1, 2]\n"
        "    words = ['a', 'b']\n"
        "    empty = np.zeros((0, 2))\n"
        "    odd = np.array([1 + 2j])\n",
    )
    recording = step(made.program)
    shown = {k: recording.values[v].to_dict() for k, v in recording.frames[-1].locals.items()}
    assert set(shown) == {"big", "nan", "one", "flags", "ids", "empty"}
    assert shown["big"]["data"] == 2**70
    assert shown["nan"]["data"] == [1.0, None, None]
    assert shown["nan"]["special"] == {"1": "nan", "2": "-inf"}
    assert (shown["one"]["data"], shown["one"]["dtype"]) == (0.5, "float32")
    assert shown["flags"]["data"] == [True, False]
    assert shown["ids"]["data"] == [3, 1, 2]
    assert shown["empty"]["shape"] == [0, 2]
