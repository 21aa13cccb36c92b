"""Callbacks against Keras's own, and what `fit` promises them."""

import csv
import math
import sys
import threading
import types

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_impl.parity.oracle import keras_floats
from scratchnet import Sequential, callbacks, optimizers, set_random_seed
from scratchnet.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ProgressBar,
    TerminateOnNaN,
)
from scratchnet.errors import InputError, NonFiniteError
from scratchnet.layers import Dense


@pytest.fixture
def rng():
    return np.random.default_rng(50)


@pytest.fixture
def data(rng):
    x = rng.normal(size=(23, 3))
    return x, rng.normal(size=(23, 2))


@pytest.fixture
def model():
    set_random_seed(51)
    made = Sequential([Dense(4, name="first"), Dense(2, name="second")], dtype="float64")
    made.compile(optimizers.SGD(0.01), "mse")
    made.build((None, 3))
    return made


class FakeModel:
    """What callbacks ask of a model: its weights are the number of the epoch."""

    def __init__(self):
        self.stop_training = False
        self.weights, self.saved = [0], []

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = list(weights)

    def save(self, path, overwrite=True):
        self.saved.append((self.weights[0], str(path)))


def drive(callback, logs_of_epochs, first=0):
    """Do to a callback what `fit` does; return the model and the last epoch."""
    model, epoch, logs = FakeModel(), None, {}
    if isinstance(callback, keras.callbacks.Callback):
        callback.set_model(model)
    else:
        callback.model = model
    callback.on_train_begin({})
    for epoch, logs in enumerate(logs_of_epochs, start=first):
        callback.on_epoch_begin(epoch, {})
        model.weights = [epoch + 1]
        callback.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    callback.on_train_end(logs)
    return model, epoch


# Keras's own as the oracle

VALUES = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, 1.5, -0.5]), st.floats(-2, 2, width=16), st.just(math.nan)
)


@settings(max_examples=150)
@given(
    values=st.lists(VALUES, max_size=12),
    first=st.sampled_from([0, 0, 3]),
    arguments=st.fixed_dictionaries(
        {
            "patience": st.integers(0, 4),
            "min_delta": st.sampled_from([0, 0.1, 0.5, -0.5]),
            "baseline": st.sampled_from([None, 0.0, 0.75]),
            "restore_best_weights": st.booleans(),
            "start_from_epoch": st.integers(0, 4),
        }
    ),
    monitor=st.sampled_from(
        [
            *((name, "auto", "val_loss") for name in ("val_loss", "loss")),
            *(("val_accuracy", "max", mode) for mode in ("max", "auto")),
            ("val_loss", "max", "max"),
            ("accuracy", "min", "min"),
        ]
    ),
)
def test_early_stopping_decides_as_kerass(values, first, arguments, monitor):
    name, keras_mode, mode = monitor
    mode = "auto" if mode == "val_loss" else mode
    logs = [{"loss": 3.0, name: value} for value in values]
    own = EarlyStopping(name, mode=mode, **arguments)
    model, epoch = drive(own, logs, first)
    with keras_floats("float64"):
        other = keras.callbacks.EarlyStopping(name, mode=keras_mode, **arguments)
        keras_model, keras_epoch = drive(other, logs, first)
    assert epoch == keras_epoch
    assert model.weights == keras_model.weights
    assert model.stop_training == keras_model.stop_training
    assert (own.wait, own.stopped_epoch, own.best_epoch) == (
        *(other.wait, other.stopped_epoch, other.best_epoch),
    )


@settings(max_examples=80)
@given(
    values=st.lists(VALUES, max_size=10),
    save_best_only=st.booleans(),
    threshold=st.sampled_from([None, 0.0, 0.75]),
    monitor=st.sampled_from([("val_loss", "auto"), ("val_loss", "max"), ("val_accuracy", "max")]),
)
def test_model_checkpoint_saves_when_kerass_does(values, save_best_only, threshold, monitor):
    name, mode = monitor
    logs = [{"loss": 3.25, name: value} for value in values]
    arguments = {
        "monitor": name,
        "mode": mode,
        "save_best_only": save_best_only,
        "initial_value_threshold": threshold,
    }
    path = f"m-{{epoch:02d}}-{{{name}:.3f}}-{{loss}}.keras"
    model, _ = drive(ModelCheckpoint(path, **arguments), logs)
    with keras_floats("float64"):
        keras_model, _ = drive(keras.callbacks.ModelCheckpoint(path, **arguments), logs)
    assert model.saved == keras_model.saved
    if not save_best_only:
        assert len(model.saved) == len(values)


LOGS = [
    {"loss": 1.25, "accuracy": 0.1, "val_loss": 1e-9, "val_accuracy": 1 / 3},
    {"loss": 1e21, "accuracy": 0, "val_accuracy": math.nan},
    {"loss": 0.1 + 0.2, "accuracy": -math.inf, "val_loss": 2.0, "val_accuracy": 1.0},
]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("validation", [True, False])
@pytest.mark.parametrize("before", [None, "", "anew", "appended"])
def test_csv_logger_writes_what_kerass_does(tmp_path, separator, validation, before):
    logs = [
        {name: v for name, v in epoch.items() if validation or not name.startswith("val_")}
        for epoch in LOGS
    ]
    files = []
    for kind, name in ((CSVLogger, "own.csv"), (keras.callbacks.CSVLogger, "keras.csv")):
        path = tmp_path / name
        if before == "":
            path.touch()
        if before in ("anew", "appended"):
            drive(kind(str(path), separator=separator), logs[:2])
        drive(kind(str(path), separator=separator, append=before in ("", "appended")), logs, 2)
        files.append(path.read_bytes())
    own, other = files
    assert own == other
    rows = list(csv.reader(own.decode().splitlines(), delimiter=separator))
    assert len(rows) == 1 + len(logs) + 2 * (before == "appended")
    assert len(rows[0]) == 5


# What fit promises


class Diary(Callback):
    """Writes down what it is told; fails where it is told to."""

    def __init__(self, book, name, fail_in=None, error=RuntimeError):
        self.book, self.name = book, name
        self.fail_in, self.error = fail_in, error

    def _write(self, *entry):
        self.book.append((self.name, *entry))
        if entry == self.fail_in:
            raise self.error(f"in {self.name}")

    def on_train_begin(self, logs):
        assert logs == {}
        self._write("train begins")

    def on_train_end(self, logs):
        self._write("train ends", *sorted(logs))

    def on_epoch_begin(self, epoch, logs):
        assert logs == {}
        self._write("begins", epoch)

    def on_epoch_end(self, epoch, logs):
        self._write("ends", epoch, *sorted(logs))

    def on_train_batch_end(self, batch, logs):
        assert list(logs) == ["loss"]
        self._write("batch", batch)


def test_the_order_of_calls(model, data):
    book = []
    given = [Diary(book, "a"), Diary(book, "b")]
    history = model.fit(
        *data, batch_size=12, epochs=2, validation_data=data, callbacks=given, verbose=0
    )
    epoch = [("begins",), ("batch", 0), ("batch", 1), ("ends", "loss", "val_loss")]
    told = [("train begins",)]
    for number in range(2):
        told += [
            (what, number, *rest) if what != "batch" else (what, *rest) for what, *rest in epoch
        ]
    told += [("train ends", "loss", "val_loss")]
    *begun_and_run, _ = told
    expected = [(name, *entry) for entry in begun_and_run for name in "ab"]
    expected += [(name, *told[-1]) for name in "ba"]
    assert book == expected
    assert given[0].model is model
    params = {"epochs": 2, "steps": 2, "initial_epoch": 0, "initial_batch": 0}
    assert given[0].params == params
    assert history.epoch == [0, 1]


@pytest.mark.parametrize(
    ("fail_in", "ended"),
    [
        (("train begins",), "a"),
        (("begins", 0), "cba"),
        (("batch", 1), "cba"),
        (("ends", 0, "loss"), "cba"),
        (("train ends", "loss"), "cba"),
    ],
    ids=str,
)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_has_begun_is_ended(model, data, fail_in, ended, error):
    book = []
    given = [Diary(book, "a"), Diary(book, "b", fail_in, error), Diary(book, "c")]
    with pytest.raises(error, match="in b"):
        model.fit(*data, batch_size=12, callbacks=given, verbose=0)
    assert [name for name, what, *_ in book if what == "train ends"] == list(ended)


def test_errors_of_the_data_reach_the_callbacks_too(data):
    x, _ = data
    book = []
    model = Sequential([Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = np.where(np.arange(len(x)) < 20, 0, 7)
    with pytest.raises(InputError, match="got 7"):
        model.fit(x, labels, batch_size=5, shuffle=False, callbacks=[Diary(book, "a")], verbose=0)
    assert book[-1] == ("a", "train ends")


def test_the_first_error_is_the_one_reported(model, data):
    """An end that fails, too, does not hide what went wrong."""
    book = []
    given = [Diary(book, "a", ("train ends",)), Diary(book, "b", ("batch", 0), ZeroDivisionError)]
    with pytest.raises(RuntimeError, match="in a") as caught:
        model.fit(*data, callbacks=given, verbose=0)
    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_stop_training_ends_the_epoch_after_the_batch(model, data):
    def stop(batch, logs):
        model.stop_training = batch == 1

    history = model.fit(
        *data, batch_size=5, epochs=3, validation_data=data, verbose=0,
        callbacks=[LambdaCallback(on_train_batch_end=stop)],
    )  # fmt: skip
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]
    assert set(history.history) == {"loss", "val_loss"}
    model.fit(*data, batch_size=5, epochs=2, verbose=0)
    assert model.optimizer.iterations == 2 + 2 * 5


def test_batch_logs_are_the_batchs_own(model, data):
    x, y = data
    model.compile(optimizers.SGD(0.0), "mse")
    seen = []
    keep = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append((batch, logs["loss"])))
    history = model.fit(x, y, batch_size=10, shuffle=False, callbacks=[keep], verbose=0)
    parts = [model.evaluate(x[i : i + 10], y[i : i + 10]) for i in (0, 10, 20)]
    assert seen == [(i, pytest.approx(value, rel=1e-14)) for i, value in enumerate(parts)]
    mean = (10 * parts[0] + 10 * parts[1] + 3 * parts[2]) / 23
    assert history.history["loss"] == [pytest.approx(mean, rel=1e-14)]


def test_lambda_callback_calls_what_it_is_given(model, data):
    seen = []
    callback = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("begins", epoch, logs)),
        on_epoch_end=lambda epoch, logs: seen.append(("ends", epoch, list(logs))),
        on_train_begin=lambda logs: seen.append(("begins", logs)),
        on_train_end=lambda logs: seen.append(("ends", list(logs))),
    )
    model.fit(*data, callbacks=[callback], verbose=0)
    assert seen == [("begins", {}), ("begins", 0, {}), ("ends", 0, ["loss"]), ("ends", ["loss"])]
    model.fit(*data, callbacks=[LambdaCallback()], verbose=0)


def test_callbacks_may_change_the_logs_for_those_after_them(model, data):
    rate = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(rate=0.5))
    history = model.fit(*data, callbacks=[rate], verbose=0)
    assert history.history["rate"] == [0.5]


# EarlyStopping and ModelCheckpoint in a training


def test_early_stopping_restores_the_best_weights(model, data):
    x, y = data
    weights = []
    stopping = EarlyStopping(patience=2, restore_best_weights=True)
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    model.compile(optimizers.SGD(0.3), "mse")
    history = model.fit(
        x[:5],
        y[:5],
        epochs=50,
        validation_data=(x[5:], y[5:]),
        callbacks=[keep, stopping],
        verbose=0,
    )
    losses = history.history["val_loss"]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    assert len(losses) == best + 3 < 50
    assert stopping.best_epoch == best
    for a, b in zip(model.get_weights(), weights[best], strict=True):
        np.testing.assert_array_equal(a, b)


def test_best_weights_are_restored_after_an_interruption(model, data):
    weights = []

    def interrupt(epoch, logs):
        weights.append(model.get_weights())
        if epoch == 2:
            raise KeyboardInterrupt

    given = [
        LambdaCallback(
            on_epoch_end=lambda epoch, logs: logs.update(val_loss=[2.0, 1.0, 3.0][epoch])
        ),
        EarlyStopping(patience=5, restore_best_weights=True),
        LambdaCallback(on_epoch_end=interrupt),
    ]
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, epochs=5, callbacks=given, verbose=0)
    for a, b in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_early_stopping_starts_anew_with_each_training(model, data):
    stopping = EarlyStopping("loss", patience=0, min_delta=1e9)
    for _ in range(2):
        assert model.fit(*data, epochs=5, callbacks=[stopping], verbose=0).epoch == [0, 1]


def test_model_checkpoint_writes_models(tmp_path, model, data):
    path = tmp_path / "new" / "m-{epoch:02d}-{loss:.2f}.npz"
    history = model.fit(*data, epochs=2, callbacks=[ModelCheckpoint(path)], verbose=0)
    names = [f"m-{i:02d}-{loss:.2f}.npz" for i, loss in enumerate(history.history["loss"], start=1)]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(names)
    loaded = Sequential.load(tmp_path / "new" / names[-1])
    for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "filepath", ["{acuracy}.npz", "{epoch.x}.npz", "{loss:s}.npz", "{", "{}.npz", "{epoch:x.npz"]
)
def test_a_path_that_cannot_be_filled_in(tmp_path, model, data, filepath):
    with pytest.raises(InputError, match="ModelCheckpoint: expected filepath with epoch, loss"):
        model.fit(*data, callbacks=[ModelCheckpoint(tmp_path / filepath)], verbose=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "kind", [EarlyStopping, lambda name: ModelCheckpoint("m", name, save_best_only=True)]
)
def test_a_name_that_is_not_in_the_logs(model, data, kind):
    with pytest.raises(InputError, match=r"expected monitor to be one of loss, got 'val_loss'"):
        model.fit(*data, callbacks=[kind("val_loss")], verbose=0)


@pytest.mark.parametrize("kind", [EarlyStopping, lambda *a, **k: ModelCheckpoint("m", *a, **k)])
def test_which_way_is_better(kind):
    assert [kind(name).mode for name in ("loss", "val_mse", "mean_absolute_error")] == ["min"] * 3
    assert [kind(name).mode for name in ("accuracy", "val_acc", "val_Recall")] == ["max"] * 3
    assert kind("temperature", mode="max").mode == "max"
    with pytest.raises(InputError, match="expected mode min or max for 'temperature'"):
        kind("temperature")
    with pytest.raises(InputError, match="expected mode to be auto, min or max, got 'up'"):
        kind("loss", mode="up")


@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": -1}, {"patience": 1.5}, {"min_delta": math.nan}, {"min_delta": "a"},
        {"baseline": math.inf}, {"start_from_epoch": -1}, {"start_from_epoch": True},
    ],
)  # fmt: skip
def test_wrong_arguments_of_early_stopping(arguments):
    with pytest.raises(InputError, match=f"EarlyStopping: expected {next(iter(arguments))}"):
        EarlyStopping(**arguments)


@pytest.mark.parametrize("separator", ["", ", ", None])
def test_a_separator_is_one_character(separator):
    with pytest.raises(InputError, match="CSVLogger: expected separator"):
        CSVLogger("log.csv", separator=separator)


def test_the_csv_file_is_closed_and_whole_after_each_epoch(tmp_path, model, data):
    path = tmp_path / "log.csv"
    lines = []
    count = LambdaCallback(on_epoch_end=lambda *_: lines.append(path.read_text().count("\n")))
    logger = CSVLogger(path)
    model.fit(*data, epochs=3, callbacks=[logger, count], verbose=0)
    assert lines == [2, 3, 4]
    assert logger._file is None


# TerminateOnNaN


def weights_before_each_batch(model):
    kept = [model.get_weights()]
    return kept, LambdaCallback(
        on_train_batch_end=lambda batch, logs: kept.append(model.get_weights())
    )


def assert_weights(model, expected):
    for a, b in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_training_that_diverges_is_stopped(model, data):
    """A learning rate far too large: each step multiplies the weights, until the loss overflows."""
    model.compile(optimizers.SGD(1e30), "mse")
    kept, keep = weights_before_each_batch(model)
    with pytest.raises(NonFiniteError) as caught:
        model.fit(*data, batch_size=5, epochs=9, callbacks=[keep], verbose=0)
    steps = model.optimizer.iterations
    assert steps > 1
    where = f"in epoch {steps // 5 + 1}, batch {steps % 5 + 1}; "
    assert str(caught.value).startswith(f"fit: expected a finite loss, got {math.inf} {where}")
    assert "Try a smaller learning rate" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert_weights(model, kept[-1])
    assert all(np.isfinite(array).all() for array in kept[-1])


def test_overflow_in_a_layer_is_named(model, data):
    model.set_weights([w * 1e200 for w in model.get_weights()])
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match="epoch 1, batch 1; the output of layer 'second' is"):
        model.fit(*data, verbose=0)
    assert_weights(model, before)


def test_weights_that_are_nan_are_named(model, data):
    model.layers[1].params["bias"][1] = np.nan
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match=r"got nan.*layer 'second' has a bias that is not"):
        model.fit(*data, verbose=0)
    assert_weights(model, before)


def test_a_loss_that_overflows_alone_is_named(model, data):
    x, y = data
    with pytest.raises(NonFiniteError, match=r"got inf.*every layer is finite, the loss itself"):
        model.fit(x, np.where(np.arange(23)[:, None] == 7, 1e200, y), verbose=0)


def test_batch_and_epoch_are_those_of_the_bad_one(model, data):
    x, y = data
    bad = np.where(np.arange(23)[:, None] == 17, 1e200, y)
    with pytest.raises(NonFiniteError, match="in epoch 1, batch 4;"):
        model.fit(x, bad, batch_size=5, shuffle=False, verbose=0)
    with pytest.raises(NonFiniteError, match="in epoch 8, batch 4;"):
        model.fit(x, bad, batch_size=5, shuffle=False, epochs=9, initial_epoch=7, verbose=0)
    assert model.optimizer.iterations == 6


def test_ones_own_check_replaces_the_default(model, data):
    class Lenient(TerminateOnNaN):
        def on_train_batch_end(self, batch, logs):
            self.last = logs["loss"]

    x, y = data
    lenient = Lenient()
    before = model.get_weights()
    history = model.fit(x, y + 1e200, callbacks=[lenient], verbose=0)
    assert lenient.last == math.inf
    assert history.history["loss"] == [math.inf]
    assert_weights(model, before)


# The progress bar


def refreshing():
    """Whether a bar is still drawn by a thread that nobody has told to stop."""
    threads = [t for t in threading.enumerate() if "Refresh" in type(t).__name__]
    for thread in threads:
        thread.join(5)
    return any(thread.is_alive() for thread in threads)


def test_the_bar_shows_epoch_and_loss(model, data, capsys):
    model.fit(*data, batch_size=5, epochs=3, verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 3/3" in err
    assert "loss 1." in err or "loss 0." in err
    assert "nan" not in err
    assert not refreshing()


@pytest.mark.parametrize("fail_in", [("train begins",), ("batch", 0), ("train ends", "loss")])
def test_the_bar_stops_whatever_happens(model, data, fail_in):
    bar = ProgressBar()
    with pytest.raises(RuntimeError, match="in b"):
        model.fit(*data, callbacks=[bar, Diary([], "b", fail_in)], verbose=0)
    assert not bar._progress.live.is_started
    assert not refreshing()


def test_a_resumed_bar_goes_on_where_it_was(model, data, capsys):
    bar = ProgressBar()
    model.fit(*data, batch_size=5, epochs=4, initial_epoch=3, callbacks=[bar], verbose=0)
    (task,) = bar._progress.tasks
    assert task.total == task.completed == 4 * 5


def test_when_a_bar_is_shown(monkeypatch, model, data, capsys):
    terminal = types.SimpleNamespace(isatty=lambda: True)
    pipe = types.SimpleNamespace(isatty=lambda: False)
    for stream, verbose, shown in [
        *((terminal, "auto", True), (pipe, "auto", False), (terminal, 0, False), (pipe, 1, True)),
        *((terminal, False, False), (pipe, True, True), (pipe, 2, True)),
    ]:
        monkeypatch.setattr(sys, "stderr", stream)
        assert ProgressBar.wanted(verbose) is shown


def test_without_rich_training_goes_on_unless_a_bar_was_asked_for(monkeypatch, model, data):
    monkeypatch.setattr(callbacks.default, "find_spec", lambda name: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    assert model.fit(*data).epoch == [0]
    with pytest.raises(ImportError, match="pip install rich"):
        model.fit(*data, verbose=1)


def test_history_lists_what_came(data, model):
    history = History()
    model.fit(*data, epochs=2, callbacks=[history], verbose=0)
    assert history.history == model.history.history
    assert history.epoch == [0, 1]
