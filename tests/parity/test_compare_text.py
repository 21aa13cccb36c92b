"""The main job on texts and reviews: ids stay ids, so many steps, the loss of each."""

import json
import shlex

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_impl.bench import race
from keras_impl.optimizers import densify
from keras_impl.parity import compare as comparing
from keras_impl.parity import report
from keras_impl.parity.compare import DENSIFIED, compare
from scratchnet.experiments import wisconsin
from tests.parity.test_compare import Page
from tests.parity.test_keras_training import reviews_problem
from tests.parity.test_pipelines import text_problem

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def briefly():
    """Time little: what is timed is tested, not how fast it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(race, "SECONDS", 0.0)
        patch.setattr(race, "FEWEST_ROUNDS", 1)
        yield


@pytest.fixture
def untimed(monkeypatch):
    monkeypatch.setattr(comparing, "_time", lambda *arguments: [])


@pytest.fixture(scope="module")
def found():
    return compare(text_problem("float64", embedding=3, layers=2), steps=7)


def test_a_text_agrees_at_1e_12(found):
    assert found.ok
    assert [one.name for one in found.trajectory] == [
        "weights after 1 step",
        "weights after 7 steps",
        "losses of the first 7 steps",
    ]
    for one in [*found.start, *found.end, *found.trajectory]:
        assert one.tolerance == 1e-12
    assert "embedding/embeddings" in [one.name for one in found.start]
    assert found.compared_on == "the first batch"


def test_there_is_a_loss_for_each_step(found):
    ours, theirs = found.losses["scratchnet"], found.losses["Keras"]
    assert len(ours) == len(theirs) == found.steps == 7
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert len(set(ours)) == 7
    assert found.unit == "step"
    assert found.shown() == list(range(7))


def test_the_notes_say_that_slices_are_added_up(found):
    assert found.notes[-1] == DENSIFIED


def test_it_goes_on_into_the_next_epoch_and_ids_stay_integers(monkeypatch, untimed):
    problem = text_problem(epochs=1)
    steps = len(problem.batches(0)) + 2
    seen = []
    real = comparing._batch

    def batch(problem, rows):
        seen.append(real(problem, rows))
        return seen[-1]

    monkeypatch.setattr(comparing, "_batch", batch)
    found = compare(problem, steps=steps)
    assert len(found.losses["Keras"]) == steps
    assert {array.dtype.kind for pair in seen for array in pair} == {"i"}
    assert found.ok
    assert max(one.difference for one in found.start) > 1e-12  # it was float32 indeed
    assert DENSIFIED not in found.notes


def test_adam_is_allowed_what_keras_rounds(untimed):
    found = compare(reviews_problem(dtype="float64"), steps=3)
    assert found.ok
    assert {one.tolerance for one in found.trajectory} == {1e-5}
    assert {one.tolerance for one in found.start} == {1e-12}
    assert found.pairs == []


def test_a_table_by_steps(untimed):
    found = compare(wisconsin.problem(dtype="float64"), steps=4)
    assert found.ok
    assert len(found.losses["Keras"]) == 4
    assert found.command.startswith("scratchnet compare wisconsin --steps 4 --dtype float64")
    assert found.scores["Keras"] == found.scores["scratchnet"]


def test_a_wrong_engine_is_found_out(monkeypatch, untimed):
    """A loss that is off by a billionth; gradients that are right."""
    from scratchnet import Sequential

    real = Sequential.train_on_batch
    monkeypatch.setattr(
        Sequential, "train_on_batch", lambda *arguments: (1 + 1e-9) * real(*arguments)
    )
    found = compare(text_problem("float64"), steps=3)
    assert [one.name for one in found.trajectory if not one.ok] == ["losses of the first 3 steps"]


def test_slices_that_are_not_added_up_are_found_out(monkeypatch, untimed):
    monkeypatch.setattr(comparing, "densify", lambda optimizer: None)
    found = compare(text_problem("float64", embedding=3), steps=3)
    assert not found.ok


def test_ways_to_run_that_pay_only_where_a_step_is_short_are_left_out(found):
    assert [one.name for one in found.timings] == [
        "Keras, compiled step",
        "Keras, compiled step, tf.data",
        "Keras, compiled step, XLA",
        "scratchnet",
    ]


def test_the_report_makes_sense_for_a_text(found, tmp_path):
    page = report.write(found, tmp_path).read_text()
    said = " ".join(Page(page).text.split())
    assert "The two agree." in said
    assert "are those of the first batch" in said
    assert "<th>step</th><th>scratchnet</th>" in page
    assert "Calculated and expected" not in said
    assert "several steps at once" not in said
    assert {file.name for file in tmp_path.iterdir()} == {
        "agreement.png", "losses.png", "report.html", "speed.png"
    }  # fmt: skip
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_command_has_what_was_chosen(found):
    words = shlex.split(found.command)
    assert words[:5] == ["scratchnet", "compare", "text", "--steps", "7"]
    options = dict(zip(words[5::2], words[6::2], strict=True))
    assert options == {
        "--dtype": "float64", "--seed": "3", "--window": "8", "--units": "4",
        "--layers": "2", "--embedding": "3", "--batch-size": "15", "--samples": "0",
        "--validation": "0.0",
    }  # fmt: skip


def test_a_dense_gradient_is_the_sum_of_its_slices():
    layer = keras.layers.Embedding(5, 2)
    layer.build()
    optimizer = keras.optimizers.SGD(1.0)
    seen = []
    optimizer.apply = lambda grads, variables: seen.extend(grads)
    densify(optimizer)
    slices = tf.IndexedSlices(tf.constant([[1.0, 2], [3, 4]]), tf.constant([3, 3]), (5, 2))
    optimizer.apply([slices], layer.trainable_variables)
    expected = np.zeros((5, 2))
    expected[3] = [4, 6]
    np.testing.assert_array_equal(seen[0], expected)
