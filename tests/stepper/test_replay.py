"""The same run again with something changed, and the two side by side."""

import functools
import json
import sys
import types

import numpy as np
import pytest

from scratchnet.equations.dense import dense
from scratchnet.errors import InputError
from scratchnet.layers import LSTM
from scratchnet.optimizers import SGD
from scratchnet.stepper import step
from scratchnet.stepper.tracing.given import Given

SCALE = 2.0


def forward_and_backward(layer, x, dy):
    layer.forward(x, training=True)
    return layer.backward(dy)


def recorded():
    rng = np.random.default_rng(1)
    layer = LSTM(4, return_sequences=True, dtype="float64")
    layer.build((None, 5, 3))
    x, dy = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 5, 4))
    return step(forward_and_backward, layer, x, dy), layer, x, dy


def test_names_of_a_line_lead_to_the_arguments():
    recording, layer, x, dy = recorded()
    frame = recording.at(function="lstm_step", t=2)[-1]
    weights = layer.get_weights()

    def by_hand(change):
        other = LSTM(4, return_sequences=True, dtype="float64", page=True)
        other.build((None, 5, 3))
        other.set_weights(weights)
        x_changed = x.copy()
        change(other.params, x_changed)
        return forward_and_backward(other, x_changed, dy)

    def set_weight(params, x):
        params["kernel"][0, 1] = 0.5

    def set_input(params, x):
        x[:, 2] *= 3

    def set_bias(params, x):
        params["bias"][...] = np.arange(16)

    cases = [
        ({"weight": ("Wx", (0, 1), 0.5)}, set_weight),
        ({"Wx": {(0, 1): 0.5}}, set_weight),
        ({"x": lambda x_t: x_t * 3}, set_input),
        ({"b": range(16)}, set_bias),
    ]
    for change, same in cases:
        changed = recording.replay(frame, **change)
        np.testing.assert_array_equal(changed.result, by_hand(same))
        assert np.abs(changed.result - recording.result).max() > 1e-3
    changed = recording.replay(frame.i, input=("x", (1, 0), lambda old: old + 1))
    np.testing.assert_array_equal(
        changed.result, by_hand(lambda params, x: x.__setitem__((1, 2, 0), x[1, 2, 0] + 1))
    )
    for before, now in zip(weights, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(before, now)


def test_a_replay_starts_from_what_was_there_before_the_run():
    def descend(optimizer, w, steps):
        for _ in range(steps):
            optimizer.apply_gradients([(2 * w, w)])
        return float(w[0])

    w = np.array([1.0])
    recording = step(descend, SGD(0.25), w, steps=3)
    assert w[0] == 0.125
    assert recording.replay(steps=1).result == 0.5
    assert recording.replay(learning_rate=0.5).result == 0.0
    assert recording.replay(w=[3.0]).result == 0.375
    assert recording.replay(w=lambda w: w + 1).replay(steps=2).result == 0.5
    assert recording.replay(w=lambda w: w * 0).result == 0.0
    assert w[0] == 0.125
    entered = recording.frames[0]
    assert recording.replay(entered, w={0: 2.0}).result == 0.25


def test_variables_from_around_and_defaults_can_change():
    factor = np.array([2.0, 3.0])

    def scaled(x, shift=1.0):
        return x * factor * SCALE + shift

    recording = step(scaled, 1.0)
    assert recording.result.tolist() == [5.0, 7.0]
    assert recording.replay(factor=[1.0, 1.0]).result.tolist() == [3.0, 3.0]
    assert recording.replay(SCALE=0.0).result.tolist() == [1.0, 1.0]
    assert recording.replay(shift=0.0).result.tolist() == [4.0, 6.0]
    assert recording.replay(x=10.0, shift=lambda s: s * 2).result.tolist() == [42.0, 62.0]
    assert (factor.tolist(), SCALE) == ([2.0, 3.0], 2.0)
    once = step(functools.partial(scaled, shift=5.0), 1.0)
    assert once.replay(SCALE=0.0).result.tolist() == [5.0, 5.0]


def test_methods_and_lambdas_are_replayed():
    layer = LSTM(4, dtype="float64")
    x = np.ones((1, 3, 2))
    layer.build(x.shape)
    for function, arguments in ((layer.forward, (x,)), (lambda: layer.forward(x), ())):
        recording = step(function, *arguments)
        changed = recording.replay(kernel=0 * layer.params["kernel"])
        assert np.abs(changed.result - recording.result).max() > 1e-3
        np.testing.assert_array_equal(recording.replay(x=x).result, recording.result)


def test_a_longer_input_is_another_run():
    recording, _, x, _ = recorded()

    def forward(layer, x):
        return layer.forward(x)

    layer = LSTM(4, dtype="float64")
    short = step(forward, layer, x[:, :3])
    long = short.replay(x=x)
    assert max(f.t or 0 for f in long.frames) == 4
    pairs = short.beside(long).pairs
    assert [i for i, _ in pairs if i is not None] == list(range(len(short.frames)))
    assert [j for _, j in pairs if j is not None] == list(range(len(long.frames)))
    matched = [(short.frames[i], long.frames[j]) for i, j in pairs if None not in (i, j)]
    assert all((a.line, a.t, a.event) == (b.line, b.t, b.event) for a, b in matched)
    assert len(matched) > 0.9 * len(short.frames)
    assert len(recording.beside(recording).pairs) == len(recording.frames)


@pytest.mark.parametrize(
    ("frame", "change", "said"),
    [
        (None, {}, "expected something to change"),
        (None, {"kernal": 1.0}, "did you mean kernel"),
        (None, {"kernel": np.ones((2, 2))}, r"kernel of shape \(3, 16\), got shape \(2, 2\)"),
        (None, {"kernel": {(9, 9): 1.0}}, r"has no entry \(9, 9\)"),
        (None, {"kernel": {(0, 0): "much"}}, "has no entry"),
        ("lstm_step", {"h": 1.0}, "h is computed at frame"),
        ("lstm_step", {"b": 1.0}, r"expected b of shape \(16,\)"),
    ],
)
def test_what_cannot_be_changed_is_said(frame, change, said):
    recording = recorded()[0]
    where = None if frame is None else recording.at(function=frame, t=1)[-1]
    with pytest.raises(InputError, match=said):
        recording.replay(where, **change)


def test_ambiguous_names_are_said():
    recording = step(lambda one, two: one["w"] * two["w"], {"w": 2.0}, {"w": 3.0})
    with pytest.raises(InputError, match=r"w may be one\['w'\], two\['w'\]"):
        recording.replay(w=1.0)
    assert recording.replay(**{"two['w']": 5.0}).result == 10.0


def test_arguments_that_cannot_be_copied():
    def read(lines, x):
        return x * next(lines)

    recording = step(read, (n for n in (2.0,)), 1.0)
    assert recording.result == 2.0
    with pytest.raises(InputError, match="arguments that can be copied"):
        recording.replay(x=2.0)


def test_what_differs_and_the_data_for_the_page():
    x, W = np.ones((1, 2)), np.ones((2, 3))
    recording = step(dense, x, W, np.zeros(3))
    other = recording.replay(b=[1.0, 0.0, 0.0])
    comparison = recording.beside(other)
    differences = list(comparison)
    assert [(d.first.event, list(d.values)) for d in differences] == [
        ("call", ["b"]),
        ("line", ["a"]),
    ]
    first, second = differences[1].values["a"]
    assert (second.array - first.array).tolist() == [[1.0, 0.0, 0.0]]
    assert list(recording.beside(recording.replay(x=x))) == []
    data = json.loads(comparison.to_json())
    assert data["differences"][0] == {"first": 0, "second": 0, "names": ["b"]}
    assert data["pairs"] == [[i, i] for i in range(len(recording.frames))]
    assert data["first"] == json.loads(recording.to_json())
    assert data["second"] == json.loads(other.to_json())


def test_pages_are_written_by_the_page(tmp_path, monkeypatch):
    page = types.ModuleType("scratchnet.stepper.display.page")
    page.render = lambda recording: f"<p>“{recording.title}”</p>"
    page.render_beside = lambda comparison: f"<p>{len(comparison.pairs)}</p>"
    monkeypatch.setitem(sys.modules, "scratchnet.stepper.display.page", page)
    recording = step(dense, np.ones((1, 2)), np.ones((2, 3)), None)
    recording.save(tmp_path / "one.html")
    assert (tmp_path / "one.html").read_text(encoding="utf-8") == "<p>“dense”</p>"
    assert 'srcdoc="&lt;p&gt;“dense”&lt;/p&gt;"' in recording._repr_html_()
    recording.beside(recording).save(tmp_path / "two.html")
    assert (tmp_path / "two.html").read_text(encoding="utf-8") == f"<p>{len(recording)}</p>"


def test_leaves_are_what_a_learner_would_change():
    layer = LSTM(2)
    layer.build((None, 3, 2))
    given = Given(forward_and_backward, (layer, np.ones(2)), {"dy": 3.0})
    assert [leaf.path for leaf in given.leaves()] == [
        "layer.params['kernel']",
        "layer.params['recurrent_kernel']",
        "layer.params['bias']",
        "x",
        "dy",
    ]
