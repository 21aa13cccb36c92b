import io

import numpy as np
import pytest
from rich.console import Console

from scratchnet import step
from scratchnet.stepper.cases import systems
from scratchnet.stepper.display import terminal


@pytest.fixture(scope="module")
def recording():
    return systems.case("lstm", time=2).record()


def screen(**options):
    return Console(file=io.StringIO(), width=160, emoji=False, highlight=False, **options)


def said(recording, index):
    console = screen()
    terminal.show(recording, index, console)
    return console.file.getvalue()


def test_frame_shows_line_equation_and_numbers(recording):
    frame = next(f for f in recording.at(function="lstm_step", t=1) if "c" in f.changed)
    assert recording.text(frame) == "c = f * c_prev + i * g  # (4)"
    text = said(recording, frame.i)
    (current,) = [line for line in text.splitlines() if line.lstrip().startswith(">")]
    assert current.split(maxsplit=2)[1:] == [str(frame.line), current.split(maxsplit=2)[2]]
    assert "c = f * c_prev + i * g" in current
    assert "c = f ⊙ c_(t−1) + i ⊙ g" in text
    assert "backward" not in text.splitlines()[0]
    assert "t = 1" in text.splitlines()[0]
    for name in ("f", "c_prev", "i", "g"):
        assert f"read {name}  B 2 × H 4" in text
    assert "written c  B 2 × H 4" in text
    for x in recording.array(frame, "c").ravel():
        assert f"{x:.4f}" in text


@pytest.mark.slow
def test_all_frames_one_after_the_other(recording):
    console = screen()
    terminal.show_all(recording, console)
    text = console.file.getvalue()
    for i in range(len(recording)):
        assert f"{i} of {len(recording) - 1}  " in text


@pytest.mark.slow
def test_every_system_can_be_shown():
    for case in systems.cases(time=3).values():
        recording = case.record()
        for index in range(0, len(recording), 7):
            assert f"{index} of " in said(recording, index)


def walked(recording, keys, index=0):
    """Return the frames that were shown."""
    waiting, console = iter(keys), screen()
    terminal.walk(recording, console, lambda: next(waiting), index)
    lines = console.file.getvalue().splitlines()
    ending = f" of {len(recording) - 1}  "
    return [int(line.split(" of ")[0]) for line in lines if ending in line]


def test_keys(recording):
    assert walked(recording, ["n", "n", "p", "q"]) == [0, 1, 2, 1]
    assert walked(recording, ["p", "\x1b[C", "\x1b[D", "q"]) == [0, 0, 1, 0]
    assert walked(recording, ["4", "2", "\r", "q"]) == [0, 0, 0, 42]
    assert walked(recording, ["4", "2", "\x7f", "\r", "q"])[-1] == 4
    assert walked(recording, [*"99999", "\r", "n", "q"])[-1] == len(recording) - 1
    assert walked(recording, ["x", "q"]) == [0, 0]
    assert walked(recording, ["q"], index=7) == [7]


def test_space_goes_over_calls(recording):
    call = recording.at(function="sigmoid")[0]
    before = recording.frames[call.i - 1]
    after = walked(recording, [" ", "q"], before.i)[-1]
    assert recording.frames[after].depth == before.depth
    assert recording.text(after).startswith("i, f, o = ")


def special(x):
    y = x / np.array([0.0, 1.0, 0.0])
    n = 3
    nothing = np.zeros((0, 2))
    big = np.arange(900.0).reshape(30, 30)
    return y, n, nothing, big


def test_what_is_not_finite_empty_or_large():
    with np.errstate(all="ignore"):
        recording = step(special, np.array([1.0, 2.0, 0.0]))
    console = screen()
    terminal.show_all(recording, console)
    text = console.file.getvalue()
    for expected in ("inf", "2.0000", "nan", "written n = 3", "empty", "22 more rows"):
        assert expected in text


def test_colours_only_where_the_terminal_has_them(recording):
    plain, coloured = screen(), screen(force_terminal=True, color_system="truecolor")
    for console in (plain, coloured):
        terminal.show(recording, 60, console)
    assert "\x1b[" not in plain.file.getvalue()
    assert "\x1b[" in coloured.file.getvalue()
