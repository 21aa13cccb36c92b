"""The list of experiments is the files of the folder."""

from pathlib import Path

import pytest

from scratchnet import datasets, experiments
from scratchnet.errors import InputError
from scratchnet.experiments import EXPERIMENTS


def test_every_entry_has_its_file():
    folder = Path(experiments.__file__).parent
    for name, one in EXPERIMENTS.items():
        assert one.name == name
        assert (folder / f"{name}.py").is_file()
        assert one.module().__name__ == f"scratchnet.experiments.{name}"


def test_entries():
    assert {name: one.has_gradient for name, one in EXPERIMENTS.items()} == {
        "perceptron": False,
        "backprop": True,
        "wisconsin": True,
        "markov": False,
        "nietzsche": True,
        "text": True,
        "json": True,
        "shakespeare": True,
        "imdb": True,
    }
    for one in EXPERIMENTS.values():
        assert set(one.engines) <= {"scratch", "keras"}
        assert all(datasets.get(name) for name in one.data)


def test_options_are_those_of_the_problem():
    assert {"train_csv", "published", "seed"} <= EXPERIMENTS["wisconsin"].options().keys()
    assert {"text", "order", "unit"} <= EXPERIMENTS["markov"].options().keys()
    assert "epochs" not in EXPERIMENTS["markov"].options()
    assert {"cell", "window", "epochs", "dtype"} <= EXPERIMENTS["nietzsche"].options().keys()
    assert "masked" in EXPERIMENTS["imdb"].options()
    assert "options" not in EXPERIMENTS["text"].options()


def test_unknown_name_lists_what_exists():
    assert experiments.get("backprop") is EXPERIMENTS["backprop"]
    with pytest.raises(InputError) as caught:
        experiments.get("wiskonsin")
    assert str(caught.value) == (
        "experiment: expected one of perceptron, backprop, wisconsin, markov, nietzsche, text, "
        "json, shakespeare, imdb, got 'wiskonsin'. "
        "Did you mean wisconsin?"
    )
