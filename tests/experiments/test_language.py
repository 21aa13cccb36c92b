"""What the text experiments hand to both engines."""

import numpy as np
import pytest

from scratchnet.errors import DataError, InputError
from scratchnet.experiments import json as json_experiment
from scratchnet.experiments import language, nietzsche, shakespeare, text
from scratchnet.experiments.json_documents import generate, shares
from scratchnet.experiments.language import Settings
from scratchnet.layers import GRU, LSTM, Dense, Embedding, OneHot, SimpleRNN
from scratchnet.text import Sampler

WORDS = "the quick brown fox jumps over the lazy dog and the dog sleeps on. " * 20


def problem(**settings):
    return language.problem("text", WORDS, Settings(**settings), 3, "float32", 2)


def test_windows_are_views_and_targets_are_ids():
    found = problem(window=11, stride=2)
    ids = found.reader.inputs(WORDS)
    assert found.x_train.base is not None
    assert found.x_train.strides == (2 * ids.itemsize, ids.itemsize)
    for n in (0, 1, len(found.x_train) - 1):
        np.testing.assert_array_equal(found.x_train[n], ids[2 * n : 2 * n + 11])
        assert found.y_train[n] == ids[2 * n + 11]
    assert found.validation is None
    assert not found.held_out


def test_the_end_is_held_out_and_no_window_reaches_over():
    found = problem(window=11, stride=1, validation=0.25)
    ids = found.reader.inputs(WORDS)
    kept = len(ids) - round(0.25 * len(ids))
    x, y = found.validation
    assert len(found.x_train) == kept - 11
    assert len(x) == len(ids) - kept - 11
    np.testing.assert_array_equal(x[0], ids[kept : kept + 11])
    assert y[-1] == ids[-1]
    assert found.x_test is x
    assert found.held_out


@pytest.mark.parametrize(("cell", "kind"), [("lstm", LSTM), ("gru", GRU), ("rnn", SimpleRNN)])
@pytest.mark.parametrize("embedding", [0, 5])
@pytest.mark.parametrize("hidden", [0, 4])
def test_the_network_is_the_one_described(cell, kind, embedding, hidden):
    found = problem(cell=cell, layers=3, units=6, embedding=embedding, hidden=hidden)
    model = found.build_model()
    kinds = [type(layer) for layer in model.layers]
    first = Embedding if embedding else OneHot
    assert kinds == [first, kind, kind, kind, *([Dense] if hidden else []), Dense]
    V = len(found.reader.vocabulary)
    assert model.forward(found.x_train[:2]).shape == (2, V)
    assert [one.return_sequences for one in model.layers[1:4]] == [True, True, False]
    for a, b in zip(model.get_weights(), found.build_model().get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_prompts_are_passages_chosen_by_the_seed():
    first, again = problem().reader.prompts, problem().reader.prompts
    other = language.problem("text", WORDS, Settings(), 4, "float32", 2).reader.prompts
    assert first == again != other
    assert len(set(first)) == len(first) == language.PROMPTS
    assert all(prompt in WORDS and len(prompt) == 40 for prompt in first)


def test_case_is_kept_on_request():
    upper = language.problem("text", "Ab" * 40, Settings(window=3), 0, "float32", 1)
    kept = language.problem("text", "Ab" * 40, Settings(window=3, keep_case=True), 0, "float32", 1)
    assert upper.reader.vocabulary.symbols == ("a", "b")
    assert kept.reader.vocabulary.symbols == ("A", "b")
    np.testing.assert_array_equal(upper.reader.inputs("AB"), upper.reader.inputs("ab"))


def test_words_have_an_unknown_one():
    found = problem(unit="word", window=5, stride=1)
    vocabulary = found.reader.vocabulary
    assert vocabulary.symbols[:3] == (language.UNKNOWN, "the", "dog")
    assert found.reader.inputs("the zebra").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        ("abc", {}, "expected a text to be longer than the window, 40 characters, got 3"),
        ("ab" * 20, {}, "got 40"),
        ("a" * 500, {}, "expected two or more different characters, got 1"),
        ("one " * 99, {"unit": "word"}, "expected two or more different words, got 1"),
        ("ab" * 40, {"validation": 0.4}, "each part of the text"),
        (WORDS, {"cell": "lstn"}, "--cell"),
        (WORDS, {"unit": "byte"}, "--unit"),
        (WORDS, {"optimizer": "sgd"}, "--optimizer"),
        (WORDS, {"window": 0}, "window"),
        (WORDS, {"units": 0}, "units"),
        (WORDS, {"layers": -1}, "layers"),
        (WORDS, {"embedding": -1}, "embedding"),
        (WORDS, {"samples": -1}, "samples"),
        (WORDS, {"validation": 1.0}, "validation"),
        (WORDS, {"learning_rate": 0.0}, "learning_rate"),
        (WORDS, {"temperatures": (float("nan"),)}, "temperatures"),
    ],
)
def test_what_cannot_be_learned(content, settings, said):
    with pytest.raises(InputError, match=said):
        language.problem("text", content, Settings(**settings), 0, "float32", 1)


def test_published_settings():
    assert Settings() == nietzsche.PUBLISHED
    assert (nietzsche.PUBLISHED.window, nietzsche.PUBLISHED.stride) == (40, 3)
    assert nietzsche.PUBLISHED.temperatures == (0.2, 0.5, 1.0, 1.2)
    assert nietzsche.EPOCHS == 60
    model = language.build_model(
        **{"vocabulary": 90, "window": 50},
        **{name: getattr(shakespeare.PUBLISHED, name) for name in ("units", "layers", "embedding")},
        hidden=shakespeare.PUBLISHED.hidden,
    )
    assert [layer.params and type(layer).__name__ for layer in model.layers] == [
        "Embedding", "LSTM", "LSTM", "Dense", "Dense",
    ]  # fmt: skip
    assert shakespeare.PUBLISHED.batch_size == 10
    assert shakespeare.PUBLISHED.temperatures == (0.0,)


def test_files_are_needed_where_nothing_is_published():
    with pytest.raises(InputError, match="--text: expected one or more files"):
        text.problem()


class TestJson:
    def test_it_is_its_own_text(self):
        found = json_experiment.problem()
        written = generate(json_experiment.DOCUMENTS, json_experiment.SEED)
        assert set(found.reader.vocabulary.symbols) == set(written)
        with pytest.raises(InputError, match="json writes its own"):
            json_experiment.problem(text=("a.txt",))
        with pytest.raises(DataError, match="longer than the window"):
            json_experiment.problem(max_lines=1)

    def test_shares_are_those_of_what_is_written(self, monkeypatch):
        monkeypatch.setattr(json_experiment, "STREAMS", 3)
        drawn = []

        def sampler(temperature, seed):
            drawn.append((temperature, seed))
            return Sampler(temperature, seed=seed)

        monkeypatch.setattr(json_experiment, "Sampler", sampler)
        found = json_experiment.problem()
        good = generate(40, 5)[: json_experiment.LENGTH]
        wrong = good.replace('"paid": true', '"paid": maybe').replace('"order"', '"odour"', 1)

        class Reciter:
            """Writes a text, whatever it is given to read."""

            def __init__(self, written):
                self.ids = found.reader.vocabulary.encode(written)

            def reset(self):
                self.place = 0

            def feed(self, ids):
                logits = np.full(len(found.reader.vocabulary), -1e9)
                logits[self.ids[self.place]] = 0
                self.place += 1
                return logits

        for written in (good, wrong):
            expected = shares(written)
            answer = found.measure(Reciter(written))["shares"]
            assert answer["documents"] == 3 * expected.documents
            assert answer["parse"] == pytest.approx(expected.parse)
            assert answer["fit"] == pytest.approx(expected.fit)
        assert 0 < expected.fit <= expected.parse < 1
        assert drawn == [(0.5, 0), (0.5, 1), (0.5, 2)] * 2
