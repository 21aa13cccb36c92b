"""The cases of `scratchnet step NAME`, and the lessons about text."""

import json

import numpy as np
import pytest

from scratchnet import text
from scratchnet.errors import InputError
from scratchnet.experiments.backprop import mazur_round
from scratchnet.layers import OneHot
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
    written = recording.to_json()
    assert len(written) < 2_000_000
    files = {file["name"] for file in json.loads(written)["files"]}
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
    ids = np.array([1, 0, 2, 0, 2, 0])
    assert x.argmax(axis=1).tolist() == ids.tolist()
    assert (x.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(x, OneHot(3).forward(ids[np.newaxis])[0])
    known = text.Vocabulary.of("a longer text")
    rows = OneHot(len(known)).forward(known.encode("a longer text")[np.newaxis])
    np.testing.assert_array_equal(lessons.one_hot("a longer text"), rows[0])


@pytest.mark.parametrize(("length", "stride"), [(3, 1), (3, 2), (4, 5), (9, 1), (1, 1)])
def test_windows(length, stride):
    ids = np.arange(10)[::-1].copy()
    x, y = lessons.windows(ids, length, stride)
    starts = [n for n in range(0, 10, stride) if n + length < 10]
    assert [window.tolist() for window in x] == [ids[n : n + length].tolist() for n in starts]
    assert y.tolist() == [ids[n + length] for n in starts]
    assert all(np.shares_memory(window, ids) for window in x)
    fast_x, fast_y = text.windows(ids, length, stride)
    np.testing.assert_array_equal(x, fast_x)
    np.testing.assert_array_equal(y, fast_y)


def test_sampling_runs_what_generates_text():
    logits = np.array([1.0, 3.0, 2.0])
    us = np.random.default_rng(0).random(40)
    counts = lessons.sample_at_temperatures(logits, [0.01, 1.0, 7.0], us.tolist())
    assert counts[0].tolist() == [0, 40, 0]
    assert (counts[2] > 0).all()
    for row, temperature in zip(counts, [0.01, 1.0, 7.0], strict=True):
        draw = text.Sampler(temperature, seed=0)
        drawn = [draw(logits) for _ in us]
        assert row.tolist() == np.bincount(drawn, minlength=3).tolist()
    recording = case("sample").record()
    names = {recording.functions[frame.function].name for frame in recording.frames}
    assert names == {"sample_at_temperatures", "softmax_at", "pick"}
    files = [file["name"] for file in recording.to_dict()["files"]]
    assert "scratchnet/text/sampling.py" in files


@pytest.mark.parametrize("order", [1, 2])
def test_markov(order):
    said = "abracadabra"
    vocabulary = sorted(set(said))
    ids = np.array([vocabulary.index(c) for c in said])
    counts, p = lessons.markov(ids, order, len(vocabulary))
    for context in range(len(vocabulary) ** order):
        digits = [context // 5**k % 5 for k in reversed(range(order))]
        context_said = "".join(vocabulary[d] for d in digits)
        starts = range(len(said) - order)
        followers = [said[n + order] for n in starts if said[n:].startswith(context_said)]
        assert counts[context].tolist() == [followers.count(c) for c in vocabulary]
        total = max(len(followers), 1)
        np.testing.assert_allclose(p[context] * total, counts[context], rtol=1e-12)
    chain = text.MarkovChain(order=order).fit(said)
    for context, row in chain.counts.iterrows():
        number = 0
        for character in context:
            number = number * 5 + vocabulary.index(character)
        assert [row.get(c, 0) for c in vocabulary] == counts[number].tolist()
        likely = chain.probabilities.loc[context]
        assert [likely.get(c, 0) for c in vocabulary] == pytest.approx(p[number].tolist())
    assert (counts.sum(axis=1) > 0).sum() == len(chain.counts)
