"""What Keras's options do, and that a stop changes nothing of it."""

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_impl.options import SCHEDULES, Options
from keras_impl.training import train, watched
from keras_impl.training.callbacks import BestModel, OneTraining, Patience
from keras_impl.training.fitting import build
from keras_impl.training.schedules import scheduled
from scratchnet import Sequential
from scratchnet.callbacks import Callback
from scratchnet.errors import CheckpointError, InputError, MissingExtraError
from scratchnet.runs.folder import BEST, BEST_KERAS, HISTORY, KERAS_MODEL, LOGS
from scratchnet.runs.history import RunHistory, read_history
from scratchnet.runs.keeping import BestKeeper
from tests.parity.test_keras_training import Book, table_problem


def kept(folder, problem, options, done=0):
    """What a run's folder gets of a training, by scratchnet's callbacks."""
    rows = read_history(folder / HISTORY, done)
    figure = watched(problem, options)
    best = [] if figure is None else [BestKeeper(folder / BEST, figure, rows)]
    return [RunHistory(folder / HISTORY, rows), *best]


def same(model, other):
    weights = [one if isinstance(one, list) else one.get_weights() for one in (model, other)]
    return all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


class Weights(Callback):
    """Keeps the weights of every epoch."""

    def __init__(self):
        self.weights = {}

    def on_epoch_end(self, epoch, logs):
        self.weights[epoch] = self.model.get_weights()


class TestSchedules:
    @pytest.mark.parametrize(
        ("name", "rates"),
        [
            ("constant", [0.5, 0.5, 0.5]),
            ("cosine", [0.5, 0.25, 0.0]),
            ("exponential", [0.5, 0.5 * 10**-0.5, 0.05]),
            ("linear", [0.5, 0.25, 0.0]),
        ],
    )
    def test_they_go_down_as_they_say(self, name, rates):
        rate = scheduled(name, 0.5, 40)
        found = [rate if name == "constant" else float(rate(step)) for step in (0, 20, 40)]
        assert found == pytest.approx(rates, abs=1e-7)

    def test_warmup_rises_first(self):
        rate = scheduled("warmup", 0.5, 40)
        found = [float(rate(step)) for step in (0, 1, 2, 21, 40)]
        assert found == pytest.approx([0.0, 0.25, 0.5, 0.25, 0.0], abs=1e-7)
        assert float(scheduled("warmup", 0.5, 1)(0)) == 0.0

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_each_can_be_chosen(self, name):
        assert Options(schedule=name).decisive() == (
            {} if name == "constant" else {"schedule": name}
        )

    def test_the_optimizer_follows_it(self):
        problem = table_problem()
        twin = build(problem, 3, Options(schedule="linear"))
        assert float(twin.optimizer.learning_rate) == pytest.approx(0.001)
        twin.optimizer.build(twin.trainable_variables)
        twin.optimizer.iterations.assign(3)
        assert float(twin.optimizer.learning_rate) == pytest.approx(0.0005)


@pytest.mark.slow
def test_a_schedule_changes_the_weights_and_a_stop_does_not(tmp_path):
    problem, options = table_problem(), Options(schedule="warmup", backup_steps=2)
    whole = train(problem, tmp_path / "whole", options=options)
    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train(problem, folder, [Book(interrupt=5)], options=options)
    assert same(train(problem, folder, resume=True, options=options), whole)
    assert not same(train(problem, tmp_path / "constant"), whole)


class Overfitting(keras.callbacks.Callback):
    """Stands for a validation that gets worse: it comes first and changes what is logged."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


PATIENT = Options(patience=2)


@pytest.fixture(scope="class")
def overfitting():
    """Make every training see these values of ``val_loss``."""
    values, real = [0.5, 0.3, 0.4, 0.6, 0.1], OneTraining.__init__

    def init(one, callbacks, *arguments):
        real(one, [Overfitting(values), *callbacks], *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OneTraining, "__init__", init)
        yield


@pytest.fixture(scope="class")
def stopped(overfitting, tmp_path_factory):
    """A training that had no more patience: its folder, model and weights."""
    folder, problem, epochs = tmp_path_factory.mktemp("stopped"), table_problem(5), Weights()
    told = [*kept(folder, problem, PATIENT), epochs]
    return folder, train(problem, folder, told, options=PATIENT), epochs.weights


class TestPatience:
    @pytest.fixture
    def copied(self, stopped, tmp_path):
        return Path(shutil.copytree(stopped[0], tmp_path / "copy"))

    def test_it_stops_and_the_best_is_kept(self, stopped):
        folder, model, weights = stopped
        assert list(weights) == [0, 1, 2, 3]
        assert same(model, weights[1])
        assert same(keras.saving.load_model(folder / BEST_KERAS), weights[1])
        assert same(Sequential.load(folder / BEST), weights[1])
        assert same(keras.saving.load_model(folder / KERAS_MODEL), weights[3])
        assert not same(weights[3], weights[1])
        assert not list(folder.glob(".*"))

    def test_once_stopped_it_is_not_gone_on_with(self, copied, stopped):
        problem, book = table_problem(5), Book()
        told = [book, *kept(copied, problem, PATIENT, 4)]
        assert same(train(problem, copied, told, True, options=PATIENT), stopped[1])
        assert book.count == 0

    def test_a_lost_best_model_is_asked_for(self, copied):
        (copied / BEST_KERAS).write_bytes(b"PK")
        with pytest.raises(CheckpointError, match=r"best\.keras: expected the model of the best"):
            train(table_problem(5), copied, resume=True, options=PATIENT)

    @pytest.mark.slow
    @pytest.mark.parametrize("batch", [6, 11])
    def test_a_stop_changes_nothing(self, stopped, tmp_path, batch):
        """Three batches an epoch: at the end of the best one, in the last."""
        problem, weights, done = table_problem(5), stopped[2], batch // 3
        told = [Book(interrupt=batch), *kept(tmp_path, problem, PATIENT)]
        with pytest.raises(KeyboardInterrupt):
            train(problem, tmp_path, told, options=PATIENT)
        epochs = Weights()
        told = [*kept(tmp_path, problem, PATIENT, done), epochs]
        model = train(problem, tmp_path, told, resume=True, options=PATIENT)
        assert list(epochs.weights) == list(range(done, 4))
        assert all(same(epochs.weights[epoch], weights[epoch]) for epoch in epochs.weights)
        assert same(model, weights[1])


def test_what_is_watched():
    problem, patient = table_problem(), Options(patience=1)
    assert watched(problem, Options()) is None
    assert watched(problem, patient) == "val_loss"
    assert watched(replace(problem, validation=None), patient) == "loss"
    chosen = replace(problem, choose_by="val_accuracy")
    assert watched(chosen, patient) == watched(chosen, Options()) == "val_accuracy"


@pytest.mark.parametrize(
    ("figure", "values", "best"),
    [("val_loss", [3.0, 2.0, 2.5, 2.0, 1.0], [0, 1, 4]), ("val_accuracy", [0.5, 0.5, 0.6], [0, 2])],
)
@pytest.mark.parametrize("done", [0, 1, 2])
def test_the_best_model_is_the_best_ever(tmp_path, figure, values, best, done):
    folder = tmp_path / "{epoch}"
    folder.mkdir()
    rows = [{"epoch": epoch, figure: value} for epoch, value in enumerate(values)]
    checkpoint, saved = BestModel(folder / BEST_KERAS, figure, rows[:done]), []
    checkpoint.set_model(table_problem_twin())
    patience = Patience(9, folder / BEST_KERAS, figure, [])
    patience.set_model(checkpoint.model)
    patience.on_train_begin()
    for row in rows[done:]:
        checkpoint.on_epoch_end(row["epoch"], {figure: row[figure]})
        if (folder / BEST_KERAS).exists():
            saved.append(row["epoch"])
            (folder / BEST_KERAS).unlink()
    for row in rows:
        patience.on_epoch_end(row["epoch"], dict(row))
    assert saved == [epoch for epoch in best if epoch >= done]
    assert patience.best_epoch == best[-1]
    assert not list(folder.iterdir())


def table_problem_twin():
    return build(table_problem(), 3, Options())


def test_mixed_precision_computes_in_bfloat16_on_float32(tmp_path):
    problem, options = table_problem(), Options(mixed_precision=True)
    policy = keras.config.dtype_policy()
    model = train(problem, tmp_path, options=options)
    assert keras.config.dtype_policy() == policy
    twin = keras.saving.load_model(tmp_path / KERAS_MODEL)
    assert [layer.compute_dtype for layer in twin.layers] == ["bfloat16", "bfloat16", "float32"]
    assert {variable.dtype for variable in twin.trainable_variables} == {"float32"}
    plain = train(problem, tmp_path / "plain")
    for weight, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        assert 0 < abs(weight - other).max() < 0.01


@pytest.mark.slow
def test_jit_compiles_and_agrees(tmp_path):
    problem = replace(table_problem(epochs=1), validation=None)
    assert build(problem, 3, Options(jit=True)).jit_compile is True
    assert build(problem, 3, Options()).jit_compile is False
    model = train(problem, tmp_path / "jit", options=Options(jit=True))
    plain = train(problem, tmp_path / "plain")
    for weight, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        assert abs(weight - other).max() < 1e-5


@pytest.mark.slow
def test_tensorboard_gets_the_epochs_of_both_halves(tmp_path):
    name = "tensorboard.backend.event_processing.event_accumulator"
    accumulator = pytest.importorskip(name)
    problem, options = table_problem(epochs=2), Options(tensorboard=True)
    history = tmp_path / HISTORY
    with pytest.raises(KeyboardInterrupt):
        train(problem, tmp_path, [RunHistory(history), Book(interrupt=4)], options=options)
    told = [RunHistory(history, read_history(history, 1))]
    train(problem, tmp_path, told, resume=True, options=options)
    rows = read_history(history)
    for part, figure in (("train", "loss"), ("validation", "val_loss")):
        events = accumulator.EventAccumulator(str(tmp_path / LOGS / part), {"tensors": 0})
        events.Reload()
        found = {
            event.step: float(tf.make_ndarray(event.tensor_proto))
            for event in events.Tensors("epoch_loss")
        }
        assert found == {row["epoch"]: pytest.approx(row[figure], rel=1e-6) for row in rows}


@pytest.mark.parametrize(
    ("options", "dtype", "error", "said"),
    [
        (Options(mixed_precision=True), "float64", InputError, "expected --dtype float32"),
        (Options(tensorboard=True), "float32", MissingExtraError, "scratchnet\\[tensorboard\\]"),
    ],
)
def test_what_cannot_be_done_is_told_first(monkeypatch, tmp_path, options, dtype, error, said):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    problem = replace(table_problem(), dtype=dtype)
    with pytest.raises(error, match=said):
        train(problem, tmp_path, options=options)
    assert not list(tmp_path.iterdir())
