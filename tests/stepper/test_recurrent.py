"""The recorded page of a recurrent layer: its equations in order, its numbers the layer's own."""

import json
import re
import time

import numpy as np
import pytest

from scratchnet.layers import GRU, LSTM, SimpleRNN
from scratchnet.stepper import step

B, T, D, H = 2, 6, 3, 4


def forward_and_backward(layer, x, dy):
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    return y, dx


def made(kind, page=None, seed=0, **options):
    rng = np.random.default_rng(seed)
    layer = kind(H, return_sequences=True, dtype="float64", page=page, **options)
    layer.build((None, T, D))
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
    return layer, rng.standard_normal((B, T, D)), rng.standard_normal((B, T, H))


@pytest.fixture(scope="module")
def lstm():
    layer, x, dy = made(LSTM)
    return step(forward_and_backward, layer, x, dy), layer, x, dy


def cited(recording, **what):
    """Return (t, cited equations) of every line that cites one."""
    found = []
    for frame in recording.at(**what):
        comment = re.search(r"#\s*(\(\d'?\)(?:, \(\d'?\))*)", recording.text(frame))
        if comment and frame.event != "call":
            found.append((frame.t, comment[1]))
    return found


def test_the_equations_come_in_order(lstm):
    recording = lstm[0]
    one_step = ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"]
    assert cited(recording, function="lstm_step") == [(t, n) for t in range(T) for n in one_step]
    back = [n for n, times in zip("654321", (2, 1, 4, 1, 3, 3), strict=True) for _ in range(times)]
    assert cited(recording, function="lstm_step_backward") == [
        (t, f"({n}')") for t in reversed(range(T)) for n in back
    ]
    phases = [frame.phase for frame in recording.frames]
    first = phases.index("backward")
    inside = [f for f in recording.frames[first:] if f.depth > 0]
    assert {frame.phase for frame in inside} == {"backward"}


@pytest.mark.parametrize("kind", [SimpleRNN, GRU, LSTM])
def test_the_values_are_those_of_the_layer(kind):
    layer, x, dy = made(kind, page=True)
    recording = step(forward_and_backward, layer, x, dy)
    other, _, _ = made(kind, page=False)
    y, dx = forward_and_backward(other, x, dy)
    name = {SimpleRNN: "simple_rnn_step", GRU: "gru_step", LSTM: "lstm_step"}[kind]
    steps = recording.at(function=name, event="return")
    backs = recording.at(function=f"{name}_backward", event="return")
    assert [f.t for f in steps] == list(range(T))
    assert [f.t for f in backs] == list(range(T))[::-1]
    for frame in steps:
        np.testing.assert_allclose(recording.array(frame, "h"), y[:, frame.t], rtol=1e-12)
        np.testing.assert_array_equal(recording.array(frame, "x"), x[:, frame.t])
    for frame in backs:
        np.testing.assert_allclose(recording.array(frame, "dx"), dx[:, frame.t], rtol=1e-10)
    total = sum(recording.array(frame, "dWx") for frame in backs)
    np.testing.assert_allclose(total, other.grads["kernel"], rtol=1e-10)
    np.testing.assert_array_equal(recording.result[0], forward_and_backward(layer, x, dy)[0])
    last = recording.at(function="PageSweep.step_backward", event="return")[-1]
    np.testing.assert_array_equal(
        recording.array(last, "self.dweights['kernel']"), layer.grads["kernel"]
    )


def test_states_and_their_parts(lstm):
    recording = lstm[0]
    for frame in recording.at(function="lstm_step", event="return"):
        shown = {name: recording.values[number] for name, number in frame.locals.items()}
        assert shown["h_prev"].view_of[::2] == ("self.states[0]", f"[{frame.t}]")
        assert shown["x"].view_of[::2] == ("self.x", f"[{frame.t}]")
        for k, gate in enumerate("ifgo"):
            assert shown[f"a_{gate}"].view_of[::2] == ("a", f"[:, {k * H}:{(k + 1) * H}]")
        axes = {name: value.axes for name, value in shown.items()}
        assert axes["Wx"] == ("D", "4H")
        assert axes["a"] == ("B", "4H")
        assert {axes[n] for n in ("i", "a_f", "c", "c_prev", "h")} == {("B", "H")}
    for frame in recording.at(function="lstm_step_backward", event="return"):
        for name in ("dh", "dc", "do", "dc_prev", "da_i"):
            assert recording.values[frame.locals[name]].axes == ("B", "H")


def test_a_wholly_written_loop_over_time_is_known(lstm):
    recording = lstm[0]
    loops = [f for f in recording.frames if recording.text(f).startswith("for t in range(")]
    assert [f.t for f in loops] == [*range(T), None]
    assert [list(f.changed) for f in loops] == [["t"]] * T + [[]]


def test_the_json_is_what_the_page_was_promised(lstm):
    recording = lstm[0]
    data = json.loads(recording.to_json())
    assert set(data) == {
        *("version", "title", "files", "functions", "frames"),
        *("values", "network", "result", "truncated"),
    }
    assert data["version"] == 1
    assert all(not file["name"].startswith("/") for file in data["files"])
    names = [file["name"] for file in data["files"]]
    page = data["files"][names.index("scratchnet/equations/lstm.py")]
    for frame in data["frames"]:
        function = data["functions"][frame["function"]]
        file = data["files"][function["file"]]
        assert function["first"] <= frame["line"] <= function["last"]
        assert file["lines"][frame["line"] - file["first"]].strip() == recording.text(frame["i"])
        for number in (*frame["changed"].values(), *frame["locals"].values()):
            assert 0 <= number < len(data["values"])
    for value in data["values"]:
        assert list(np.shape(value["data"])) == value["shape"]
        if value["view_of"]:
            assert value["view_of"]["value"] < len(data["values"])
    line = next(k for k, text in enumerate(page["lines"], 1) if "# (4)" in text)
    assert page["equations"][str(line)] == (r"c = f \odot c_{t-1} + i \odot g \quad \text{(4)}")
    assert data["network"]["kind"] == "lstm"
    assert (data["network"]["T"], data["network"]["gates"]) == (T, ["i", "f", "g", "o"])
    assert len(recording.to_json()) < 2_000_000


def test_equal_values_are_kept_once(lstm):
    recording = lstm[0]
    kept = [(v.content, v.view_of, v.axes) for v in recording.values]
    assert len(kept) == len(set(kept))


@pytest.mark.slow  # the machine may be busy with other things
def test_recording_is_quick():
    layer, x, dy = made(LSTM)

    def seconds():
        start = time.perf_counter()
        step(forward_and_backward, layer, x, dy)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 1


def test_masks_and_dropout_and_other_wrappers_are_recorded():
    layer, x, dy = made(GRU, recurrent_dropout=0.5, reset_after=False)

    def masked(layer, x, dy):
        mask = np.arange(T) < 4
        y = layer.forward(x, training=True, mask=np.stack([mask, ~mask]))
        layer.backward(dy)
        return y

    recording = step(masked, layer, x, dy)
    assert recording.truncated is None
    assert recording.at(function="gru_reset_before_step_backward")
    lines = {recording.text(f) for f in recording.frames}
    assert "stack[t + 1] = array_module(stack).where(now, stack[t + 1], stack[t])" in lines
