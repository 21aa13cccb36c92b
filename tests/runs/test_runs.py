"""A run's folder: what a training leaves, and what is made of it afterwards."""

import csv
import json

import numpy as np
import pytest

from scratchnet import runs
from scratchnet.errors import DataError, InputError
from scratchnet.experiments import backprop, perceptron, wisconsin


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return runs.new_folder("wisconsin")


def test_folders_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(runs.new_folder(name)) for name in ("a", "a", "b", "a")]
    assert names == ["runs/a-1", "runs/a-2", "runs/b-1", "runs/a-3"]


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(InputError, match="expected a new or empty folder"):
        runs.new_folder("a", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    with pytest.raises(InputError, match="expected a new or empty folder"):
        runs.new_folder("a", tmp_path / "kept.txt")


def test_an_empty_folder_is_taken(tmp_path):
    assert runs.new_folder("a", tmp_path) == tmp_path


def test_training_leaves_model_history_and_description(folder):
    problem = wisconsin.problem(seed=3, epochs=4)
    run = runs.start(problem, "scratch", folder)
    model = runs.train(problem, folder, verbose=False)
    assert {path.name for path in folder.iterdir()} == {"run.json", "model.npz", "history.csv"}
    loaded = runs.load_model(folder, problem.reader)
    for ours, stored in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, stored)
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert runs.read(folder) == run


def test_the_whole_model_is_there_after_every_epoch(folder, monkeypatch):
    """A training broken off in its third epoch leaves the model of the second."""
    problem = wisconsin.problem(epochs=2)
    whole = runs.train(problem, folder, verbose=False).get_weights()
    problem = wisconsin.problem(epochs=5)
    batch = problem.build_model().__class__._train_step
    steps_an_epoch = len(problem.batches(0))
    count = 0

    def interrupted(self, *arguments):
        nonlocal count
        count += 1
        if count > 2 * steps_an_epoch + 7:
            raise KeyboardInterrupt
        return batch(self, *arguments)

    monkeypatch.setattr(problem.build_model().__class__, "_train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runs.train(problem, folder, verbose=False)
    for kept, expected in zip(
        runs.load_model(folder, problem.reader).get_weights(), whole, strict=True
    ):
        np.testing.assert_array_equal(kept, expected)


def test_evaluation_counts_the_held_out_rows(folder):
    problem = wisconsin.problem(seed=1, epochs=3)
    model = runs.train(problem, folder, verbose=False)
    results = runs.evaluate(model, problem)
    said = model.predict(problem.x_test)[:, 0] > 0.5
    truth = problem.y_test[:, 0] == 1
    scores = results["scores"]["malignant"]
    assert results["rows"] == len(truth)
    assert scores["accuracy"] == pytest.approx((said == truth).mean())
    assert scores["confusion"] == [
        [int((~said & ~truth).sum()), int((said & ~truth).sum())],
        [int((~said & truth).sum()), int((said & truth).sum())],
    ]
    assert json.loads(json.dumps(results)) == results


def test_training_is_repeatable_and_depends_on_the_seed(tmp_path):
    def weights(seed):
        problem = wisconsin.problem(seed=seed, epochs=2)
        folder = runs.new_folder("w", tmp_path / f"{seed}-{np.random.default_rng().integers(1e9)}")
        return np.concatenate([w.ravel() for w in runs.train(problem, folder, False).get_weights()])

    first = weights(5)
    np.testing.assert_array_equal(first, weights(5))
    assert np.abs(first - weights(6)).max() > 0.01


def test_perceptron_answers_as_its_gates():
    problem = perceptron.problem(seed=2)
    answers = problem.build_model().predict(problem.x_test)
    gates = perceptron.run(seed=2)
    expected = np.stack([gate.predictions for gate in gates.values()], axis=1)
    np.testing.assert_array_equal(answers, expected)
    np.testing.assert_array_equal(answers[:, :2], problem.y_test[:, :2])


def test_backprop_starts_from_the_published_error():
    problem = backprop.problem(dtype="float64")
    loss, _ = problem.build_model().gradients(problem.x_train, problem.y_train)
    assert f"{loss:.9f}" == "0.298371109"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '"text"',
        "{}",
        '{"experiment": "wisconsin"}',
        '{"columns": {"features": 3, "outputs": []}}',
    ],
)
def test_a_foreign_description_is_one_clear_error(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(DataError, match="not a description of a run"):
        runs.read(tmp_path)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(DataError, match="no run here"):
        runs.read(tmp_path / "nothing")
