"""The cases of `scratchnet step NAME`, and the lessons about text."""

import json

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.experiments.backprop import mazur_round
from scratchnet.stepper.cases import lessons
from scratchnet.stepper.cases.systems import case, cases

NAMES = [
    *("onehot", "windows", "perceptron", "dense", "backprop", "rnn"),
    *("lstm", "gru", "softmax", "sample", "adam", "markov"),
]


def test_every_case_is_there():
    assert list(cases()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_recorded_whole(name):
    chosen = case(name, time=5, units=3, seed=2)
    assert chosen.explanation.endswith(".")
    assert ". " not in chosen.explanation
    recording = chosen.record()
    assert recording.truncated is None
    assert recording.title == chosen.title
    text = recording.to_json()
    assert len(text) < 2_000_000
    files = {file["name"] for file in json.loads(text)["files"]}
    assert not any("kernels" in file for file in files)
    assert len(recording.frames) > 8
    again = case(name, time=5, units=3, seed=2).record()
    assert [(f.line, f.t) for f in again.frames] == [(f.line, f.t) for f in recording.frames]
    np.testing.assert_equal(again.result, recording.result)


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_sizes_work(name):
    assert case(name, time=1, units=1).record().frames


def test_options_reach_the_runs():
    recording = case("gru", time=3, units=2).record()
    assert recording.network["T"] == 3
    assert recording.array(recording.at(function="gru_step")[-1], "h").shape == (2, 2)
    other = case("gru", time=3, units=2, seed=1).record()
    assert np.abs(recording.result[0] - other.result[0]).max() > 1e-3


def test_wrong_names_and_sizes_are_said():
    with pytest.raises(InputError, match=r"expected one of onehot, windows.*got 'lstn'"):
        case("lstn")
    with pytest.raises(InputError, match="time"):
        case("lstm", time=0)


def test_backprop_has_mazurs_numbers():
    recording = case("backprop").record()
    assert recording.result == pytest.approx(0.298371109, abs=5e-10)
    published = mazur_round()
    for name in ("W_hidden", "W_output", "dW_hidden", "dW_output"):
        np.testing.assert_array_equal(recording.array(-1, name), getattr(published, name))


def test_the_perceptron_learns():
    recording = case("perceptron").record()
    X, y = recording.array(-1, "X"), recording.array(-1, "y")
    w, b = recording.array(-1, "w"), recording.array(-1, "b")
    np.testing.assert_array_equal(X @ w + b >= 0, y == 1)


def test_softmax_and_cross_entropy_leave_what_was_said_minus_what_is_true():
    recording = case("softmax").record()
    p, y_true = recording.array(-1, "p"), recording.array(-1, "y_true")
    np.testing.assert_allclose(recording.result[1], p - y_true, atol=1e-15)


def test_one_hot():
    x = lessons.one_hot("banana")
    assert x.shape == (6, 3)
    assert x.argmax(axis=1).tolist() == [1, 0, 2, 0, 2, 0]
    assert (x.sum(axis=1) == 1).all()


@pytest.mark.parametrize(("length", "stride"), [(3, 1), (3, 2), (4, 5), (9, 1), (1, 1)])
def test_windows(length, stride):
    ids = np.arange(10)[::-1].copy()
    x, y = lessons.windows(ids, length, stride)
    starts = [n for n in range(0, 10, stride) if n + length < 10]
    assert [window.tolist() for window in x] == [ids[n : n + length].tolist() for n in starts]
    assert y.tolist() == [ids[n + length] for n in starts]
    assert all(np.shares_memory(window, ids) for window in x)


def test_temperature_and_sampling():
    logits = np.array([1.0, 3.0, 2.0])
    for temperature in (0.2, 1.0, 7.0):
        expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        p = lessons.softmax_at(logits, temperature)
        np.testing.assert_allclose(p, expected, rtol=1e-12)
        us = (np.arange(1000) + 0.5) / 1000
        picked = [lessons.sample(logits, temperature, u) for u in us]
        np.testing.assert_allclose(np.bincount(picked, minlength=3) / 1000, p, atol=1e-3)
    assert lessons.sample(logits, 1.0, 0.0) == 0
    assert lessons.sample(np.array([0.0, -np.inf, 0.0]), 1.0, 0.5) == 2
    assert lessons.sample(logits, 1.0, np.nextafter(1, 0)) == 2
    counts = lessons.sample_at_temperatures(logits, [0.01, 1.0], [0.1, 0.5, 0.9])
    assert counts[0].tolist() == [0, 3, 0]
    assert counts.sum(axis=1).tolist() == [3, 3]


@pytest.mark.parametrize("order", [1, 2])
def test_markov(order):
    text = "abracadabra"
    vocabulary = sorted(set(text))
    ids = np.array([vocabulary.index(c) for c in text])
    counts, p = lessons.markov(ids, order, len(vocabulary))
    for context in range(len(vocabulary) ** order):
        digits = [context // 5**k % 5 for k in reversed(range(order))]
        said = "".join(vocabulary[d] for d in digits)
        followers = [text[n + order] for n in range(len(text) - order) if text[n:].startswith(said)]
        assert counts[context].tolist() == [followers.count(c) for c in vocabulary]
        total = max(len(followers), 1)
        np.testing.assert_allclose(p[context] * total, counts[context], rtol=1e-12)
