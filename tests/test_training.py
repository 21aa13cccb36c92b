"""fit, evaluate, predict, train_on_batch and gradients against Keras's, and on their own."""

import functools
import itertools
import math
import tracemalloc
import warnings

import keras
import numpy as np
import pytest

from keras_impl.parity.oracle import ask_model, keras_floats
from keras_impl.weights import to_keras
from scratchnet import Sequential, losses, metrics, optimizers, set_random_seed
from scratchnet.backend import to_host
from scratchnet.callbacks import LambdaCallback
from scratchnet.errors import BackwardError, InputError, NonFiniteError
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten, Layer
from scratchnet.progress import Progress
from scratchnet.samples import Samples, split
from tests.helpers import DEVICE_TOLERANCE, assert_agrees, assert_not_negligible
from tests.strict_array import to_strict
from tests.strict_array.compiling import needs_compiler

COUNT = 23
"""Samples: with batches of 5 the last one has 3."""


@pytest.fixture(autouse=True)
def seeded():
    set_random_seed(30)


def build(*layers, input_shape=(None, 4), dtype="float64"):
    """A built model with random distinct weights, biases too."""
    rng = np.random.default_rng(31)
    model = Sequential(layers, dtype=dtype)
    model.build(input_shape)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


def problem(kind, count=COUNT, seed=32):
    """Inputs and targets of a kind."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 4))
    labels = rng.integers(0, 3, count)
    return {
        "binary": (x, (x.sum(axis=1) > 0.2).astype(float)),
        "labels": (x, labels),
        "one-hot": (x, np.eye(3)[labels]),
        "numbers": (x, rng.normal(size=(count, 2))),
        "tokens": (rng.integers(0, 7, (count, 6)), rng.integers(0, 3, (count, 6))),
    }[kind]


CASES = {
    "binary": lambda: (
        build(Dense(5, activation="tanh"), Dense(1, activation="sigmoid")),
        "binary_crossentropy",
        ["accuracy", "precision"],
    ),
    "labels": lambda: (
        build(Dense(5, activation="relu"), Dense(3, activation="softmax")),
        "sparse_categorical_crossentropy",
        ["accuracy"],
    ),
    "one-hot": lambda: (
        build(Dense(5), Activation("elu"), Dense(3), Activation("softmax")),
        "categorical_crossentropy",
        ["acc", "mse"],
    ),
    "numbers": lambda: (
        build(Dense(5, activation="sigmoid"), Dense(2)),
        "mean_squared_error",
        ["mae"],
    ),
    "tokens": lambda: (
        build(
            Embedding(7, 4, mask_zero=True),
            Dense(3, activation="softmax"),
            input_shape=(None, 6),
        ),
        "sparse_categorical_crossentropy",
        ["accuracy"],
    ),
}


class Twins:
    """A model and its Keras twin, compiled alike; tracing a graph takes seconds, so few have one.

    With an Embedding the optimizer is SGD: where a row is used twice in a batch, Keras's others
    square each use's gradient on TensorFlow, and their sum on JAX and PyTorch, as here.
    """

    def __init__(self, model, loss, graph=False, **metrics):
        self.model = model
        rows = any(isinstance(layer, Embedding) for layer in model.layers)
        name, rate = ("SGD", 0.3) if rows else ("RMSprop", 0.01)
        model.compile(getattr(optimizers, name)(rate), loss, **metrics)
        self.twin = to_keras(model)
        self.twin.compile(
            getattr(keras.optimizers, name)(rate),
            keras_loss(loss),
            **{key: list(names) for key, names in metrics.items()},
            run_eagerly=not graph,
            jit_compile=False,
        )

    def assert_same_weights(self):
        for own, other in zip(self.model.get_weights(), self.twin.get_weights(), strict=True):
            assert_not_negligible(other, 1e-3)
            assert_agrees(own, other, 1e-12, "weights")


def keras_loss(loss):
    if isinstance(loss, str):
        return loss
    return getattr(keras.losses, type(loss).__name__)(**loss.get_config())


def assert_same_logs(own, other):
    assert own.keys() == other.keys()
    for name, values in other.items():
        assert_not_negligible(values, 1e-3)
        assert_agrees(own[name], values, 1e-12, name)


# Against Keras


@pytest.mark.parametrize("kind", CASES)
def test_fit_and_evaluate_agree_with_keras(kind):
    x, y = problem(kind)
    model, loss, names = CASES[kind]()
    with keras_floats("float64"):
        twins = Twins(model, loss, graph=kind == "tokens", metrics=names)
        arguments = {"batch_size": 5, "epochs": 3, "shuffle": False, "verbose": 0}
        before = model.get_weights()
        history = model.fit(x, y, validation_split=0.31, **arguments)
        expected = twins.twin.fit(x, y, validation_split=0.31, **arguments)
        assert history.epoch == [0, 1, 2]
        assert history is model.history
        assert_same_logs(history.history, expected.history)
        twins.assert_same_weights()
        assert all(
            np.abs(a - b).max() > 1e-3 for a, b in zip(before, model.get_weights(), strict=True)
        )
        values = model.evaluate(x, y, batch_size=7)
        assert isinstance(values, list)
        assert_agrees(values, twins.twin.evaluate(x, y, batch_size=7, verbose=0), 1e-12)
        assert_agrees(
            model.predict(x, batch_size=7), twins.twin.predict(x, verbose=0), 1e-12, "predict"
        )


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        *((kind, "class_weight") for kind in ("binary", "labels", "one-hot")),
        *((kind, "sample_weight") for kind in ("binary", "labels", "tokens")),
    ],
)
def test_weights_agree_with_keras(kind, weights):
    """Losses see them, of the metrics only the weighted ones; validation has its own."""
    x, y = problem(kind)
    xv, yv = problem(kind, count=8, seed=33)
    model, loss, _ = CASES[kind]()
    rng = np.random.default_rng(34)
    shape = (COUNT, 6) if kind == "tokens" else (COUNT,)
    given = {
        "sample_weight": {"sample_weight": rng.uniform(0.1, 3, shape)},
        "class_weight": {"class_weight": {0: 0.3, 1: 2.7, 9: 5.0}},
    }[weights]
    held_out = (xv, yv, rng.uniform(0.1, 3, (8, *shape[1:])))
    with keras_floats("float64"):
        twins = Twins(model, loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
        arguments = {"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0, **given}
        history = model.fit(x, y, validation_data=held_out, **arguments)
        expected = twins.twin.fit(x, y, validation_data=held_out, **arguments)
        assert_same_logs(history.history, expected.history)
        assert history.history["accuracy"] != history.history["weighted_accuracy"]
        twins.assert_same_weights()
        xv, yv, weight = held_out
        assert_same_logs(
            model.evaluate(xv, yv, batch_size=3, sample_weight=weight, return_dict=True),
            twins.twin.evaluate(
                xv, yv, batch_size=3, sample_weight=weight, return_dict=True, verbose=0
            ),
        )


@pytest.mark.parametrize(
    "loss",
    [
        losses.CategoricalCrossentropy(label_smoothing=0.2),
        losses.CategoricalCrossentropy(reduction="sum"),
        losses.Huber(delta=0.3, reduction="mean_with_sample_weight"),
        losses.KLDivergence(),
    ],
    ids=lambda loss: f"{loss.name}-{loss.reduction}",
)
def test_losses_with_settings_agree_with_keras(loss):
    x, y = problem("one-hot")
    model, _, _ = CASES["one-hot"]()
    weight = np.random.default_rng(35).uniform(0.1, 3, COUNT)
    with keras_floats("float64"):
        twins = Twins(model, loss)
        arguments = {"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0}
        history = model.fit(x, y, sample_weight=weight, **arguments)
        expected = twins.twin.fit(x, y, sample_weight=weight, **arguments)
        assert_same_logs(history.history, expected.history)
        twins.assert_same_weights()
        value = model.evaluate(x, y)
        assert isinstance(value, float)
        assert_agrees(value, twins.twin.evaluate(x, y, verbose=0), 1e-12)


def test_saturated_outputs_go_through_the_logits_as_in_keras():
    """At p < 1e-8 a clipped probability would have a loss of 16.1 and no gradient."""
    x, y = problem("binary")
    model = build(Dense(1, activation="sigmoid"))
    model.set_weights([w * 90 for w in model.get_weights()])
    y_pred = model.predict(x)
    assert y_pred.min() < 1e-8
    with keras_floats("float64"):
        twins = Twins(model, "binary_crossentropy", graph=True)
        assert model.through_logits
        value = model.train_on_batch(x, 1 - y)
        clipped = losses.BinaryCrossentropy()(1 - y, y_pred)
        assert abs(value - clipped) > 0.01 * clipped
        assert_agrees(value, twins.twin.train_on_batch(x, 1 - y), 1e-12)
        assert_agrees(model.evaluate(x, y), twins.twin.evaluate(x, y, verbose=0), 1e-12)
        twins.assert_same_weights()


def test_train_on_batch_agrees_with_keras():
    x, y = problem("labels")
    model, loss, names = CASES["labels"]()
    weight = np.random.default_rng(36).uniform(0.1, 3, COUNT)
    with keras_floats("float64"):
        twins = Twins(model, loss, metrics=names)
        for rows in (slice(0, 5), slice(5, 12), slice(12, 23)):
            own = model.train_on_batch(x[rows], y[rows], weight[rows])
            other = twins.twin.train_on_batch(x[rows], y[rows], weight[rows])
            assert isinstance(own, list)
            assert_agrees(own, other, 1e-12)
        twins.assert_same_weights()
    model.compile("sgd", loss)
    assert isinstance(model.train_on_batch(x, y), float)
    assert isinstance(model.train_on_batch(x.tolist(), y.tolist()), float)


def test_a_hundred_float32_steps_agree_with_keras():
    x, y = problem("binary")
    model = build(Dense(5, activation="tanh"), Dense(1, activation="sigmoid"), dtype="float32")
    with keras_floats("float32"):
        twins = Twins(model, "binary_crossentropy", graph=True)
        arguments = {"batch_size": 5, "epochs": 20, "shuffle": False, "verbose": 0}
        history = model.fit(x, y, **arguments).history["loss"]
        assert_agrees(history, twins.twin.fit(x, y, **arguments).history["loss"], 1e-3)
        for own, other in zip(model.get_weights(), twins.twin.get_weights(), strict=True):
            assert own.dtype == "float32"
            assert_agrees(own, other, 1e-3, "weights")


def test_metrics_of_the_same_name_are_told_apart_as_in_keras():
    x, y = problem("binary")
    model, loss, _ = CASES["binary"]()
    weight = np.random.default_rng(37).uniform(0.1, 3, COUNT)
    names = {"metrics": ["accuracy", "mse", "accuracy"], "weighted_metrics": ["mse", "mse", "mae"]}
    with keras_floats("float64"):
        twins = Twins(model, loss, **names)
        assert_same_logs(
            model.evaluate(x, y, sample_weight=weight, return_dict=True),
            twins.twin.evaluate(x, y, sample_weight=weight, return_dict=True, verbose=0),
        )


def test_metric_objects_start_anew_each_time():
    x, y = problem("binary")
    model, loss, _ = CASES["binary"]()
    model.compile("sgd", loss, metrics=[metrics.BinaryAccuracy(name="at_0.3", threshold=0.3)])
    first = model.evaluate(x, y, return_dict=True)
    assert first == model.evaluate(x, y, return_dict=True)
    expected = np.mean((model.predict(x)[:, 0] > 0.3) == y)
    assert first["at_0.3"] == pytest.approx(expected, abs=1e-15)
    history = model.fit(x, y, epochs=2, validation_data=(x[:4], y[:4]), verbose=0).history
    assert list(history) == ["loss", "at_0.3", "val_loss", "val_at_0.3"]


# Gradients


def test_gradients_agree_with_the_tape_and_update_nothing():
    x, y = problem("labels")
    weight = np.random.default_rng(38).uniform(0.1, 3, COUNT)
    model = build(Dense(5, activation="tanh"), Dropout(0.4), Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.get_weights()
    loss, gradients = model.gradients(x, y, weight)
    for own, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, kept)
    assert model.optimizer.iterations == 0
    assert isinstance(loss, float)
    assert [list(own) for own in gradients] == [["kernel", "bias"], [], ["kernel", "bias"]]
    with keras_floats("float64"):
        answer = ask_model(model, keras.losses.SparseCategoricalCrossentropy(), x, y, weight)
    assert_agrees(loss, answer.loss, 1e-12)
    for own, expected in zip(gradients, answer.grads, strict=True):
        for key, gradient in expected.items():
            assert_not_negligible(gradient, 1e-3)
            assert_agrees(own[key], gradient, 1e-12, key)


def test_gradients_of_two_calls_are_independent():
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss)
    _, first = model.gradients(x, y)
    kept = [{key: g.copy() for key, g in own.items()} for own in first]
    _, second = model.gradients(x + 1, y)
    model.train_on_batch(x - 1, y)
    for a, b, c in zip(first, kept, second, strict=True):
        for key in b:
            np.testing.assert_array_equal(a[key], b[key])
            assert np.abs(c[key] - b[key]).max() > 1e-3


def test_gradients_are_what_training_uses():
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile(optimizers.SGD(0.5), loss)
    before = model.get_weights()
    _, gradients = model.gradients(x, y)
    model.train_on_batch(x, y)
    flat = [gradient for own in gradients for gradient in own.values()]
    for old, new, gradient in zip(before, model.get_weights(), flat, strict=True):
        assert_agrees(new, old - 0.5 * gradient, 1e-15)


# Order


class Recorder(Layer):
    """Passes its input on and keeps, for each training batch, the first feature."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def _forward(self, x, training, mask):
        if training:
            self.seen.append(x[:, 0].tolist())
        return x, None

    def _backward(self, dy, cache):
        return dy


def orders(count=10, batch_size=4, **arguments):
    """The indices of the batches, epoch by epoch."""
    recorder = Recorder()
    model = Sequential([recorder, Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(count, dtype=float).reshape(count, 1)
    model.fit(x / count, x, batch_size=batch_size, verbose=0, **arguments)
    steps = -(-count // batch_size)
    flat = [[round(i * count) for i in batch] for batch in recorder.seen]
    return [flat[i : i + steps] for i in range(0, len(flat), steps)]


def test_without_shuffling_the_order_is_the_datas():
    assert orders(shuffle=False, epochs=2) == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]] * 2


def test_every_epoch_has_every_sample_once_in_an_order_of_its_own():
    epochs = orders(epochs=5, seed=1)
    flat = [[i for batch in epoch for i in batch] for epoch in epochs]
    assert all(sorted(order) == list(range(10)) for order in flat)
    assert all([len(batch) for batch in epoch] == [4, 4, 2] for epoch in epochs)
    assert len({tuple(order) for order in flat}) == 5


def test_the_order_depends_on_the_seed_and_the_epoch_alone():
    epochs = orders(epochs=4, seed=1)
    assert orders(epochs=4, seed=1) == epochs
    assert orders(epochs=4, seed=1, initial_epoch=2) == epochs[2:]
    assert orders(epochs=4, seed=2) != epochs
    assert orders(epochs=4, seed=np.int64(1)) == epochs


def test_without_a_seed_the_programs_decides():
    runs = []
    for seed in (4, 4, 5):
        set_random_seed(seed)
        runs.append(orders(epochs=2))
    assert runs[0] == runs[1] != runs[2]
    assert orders(epochs=2) != orders(epochs=2)


def dropout_model():
    return Sequential(
        [Dense(6, activation="relu"), Dropout(0.3), Dense(5), Dropout(0.2), Dense(3, "softmax")]
    )


def test_the_same_seeds_give_the_same_bits():
    x, y = problem("labels")
    results = []
    for seed in (6, 6, 7):
        set_random_seed(40)
        model = dropout_model()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=5, epochs=3, seed=seed, verbose=0)
        results.append(model.get_weights())
    for a, b, c in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 0


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.RMSprop(0.01, momentum=0.9, centered=True),
        optimizers.Adam(optimizers.schedules.ExponentialDecay(0.05, 7, 0.5), amsgrad=True),
        optimizers.Nadam(0.02, clipnorm=0.1),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_resumed_training_ends_with_the_same_bits(tmp_path, optimizer, kind):
    """Two epochs, saved, loaded in what could be another process, and two more."""
    x, y = problem("labels")
    fit = functools.partial(Sequential.fit, x=x, y=y, batch_size=5, epochs=4, seed=8, verbose=0)
    config = optimizer.get_config()
    results = []
    for stop in (False, True):
        set_random_seed(41)
        model = Sequential(dropout_model().layers, dtype=kind)
        model.compile(type(optimizer).from_config(config), "sparse_categorical_crossentropy")
        if stop:

            def save(epoch, logs, model=model):
                if epoch == 1:
                    model.save(tmp_path / "model.npz")
                    model.stop_training = True

            fit(model, callbacks=[LambdaCallback(on_epoch_end=save)])
            set_random_seed(99)
            model = Sequential.load(tmp_path / "model.npz")
            history = fit(model, initial_epoch=2)
            assert history.epoch == [2, 3]
        else:
            history = fit(model)
        results.append((model.get_weights(), history.history["loss"][-2:]))
    (weights, losses_), (resumed, resumed_losses) = results
    assert losses_ == resumed_losses
    for a, b in zip(weights, resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_initial_epoch_at_the_end_trains_nothing():
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss)
    before = model.get_weights()
    history = model.fit(x, y, epochs=2, initial_epoch=2, verbose=0)
    assert history.history == {}
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# Data


def test_validation_data_takes_precedence_over_a_split():
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile(optimizers.SGD(0.0), loss)
    history = model.fit(
        x, y, validation_split=0.5, validation_data=(x[:3], y[:3]), shuffle=False, verbose=0
    )
    assert history.history["loss"] == [pytest.approx(model.evaluate(x, y), rel=1e-14)]
    assert history.history["val_loss"] == [pytest.approx(model.evaluate(x[:3], y[:3]), rel=1e-14)]


@pytest.mark.parametrize(("count", "share"), [(10, 0.7), (23, 0.31), (3, 0.5), (100, 0.29)])
def test_a_split_is_kerass(count, share):
    """1 - 0.7 is 0.30000000000000004 in floating point: which side a sample falls on matters."""
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    x = np.arange(float(count))
    train, held_out = split(Samples(x, x + 1, x + 2), share)
    expected = train_validation_split((x, x + 1, x + 2), share)
    for own, other in zip((train, held_out), expected, strict=True):
        for a, b in zip((own.x, own.y, own.sample_weight), other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_data_are_never_copied_as_a_whole():
    """Windows of a series: 77 MiB if written out, views of 0.6 MiB."""
    rng = np.random.default_rng(42)
    series = rng.normal(size=(20_000, 4))
    windows = np.lib.stride_tricks.sliding_window_view(series, 127, axis=0)
    targets = rng.normal(size=(len(windows), 1)).astype("float32")
    model = Sequential([Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    model.train_on_batch(windows[:50], targets[:50])
    tracemalloc.start()
    try:
        model.fit(windows, targets, batch_size=50, validation_split=0.2, verbose=0)
        model.evaluate(windows, targets, batch_size=50)
        model.predict(windows, batch_size=50)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert windows.nbytes > 70 * 2**20
    assert peak < 6 * 2**20


def test_data_may_be_lists_or_frames():
    pandas = pytest.importorskip("pandas")
    x, y = problem("numbers")
    results = []
    for given in (x, x.tolist(), pandas.DataFrame(x, columns=list("dcba"))):
        set_random_seed(45)
        model, loss, _ = CASES["numbers"]()
        model.compile("sgd", loss)
        model.fit(given, y, seed=1, batch_size=5, verbose=0)
        results.append((model.evaluate(given, y), model.predict(given)))
    for value, y_pred in results[1:]:
        assert value == results[0][0]
        np.testing.assert_array_equal(y_pred, results[0][1])


@needs_compiler
@pytest.mark.usefixtures("strict_cupy")
def test_training_stays_on_the_device():
    """Arrays that refuse to meet NumPy train a model to the same weights."""
    x, y = problem("labels")
    weight = np.random.default_rng(43).uniform(0.1, 3, COUNT)
    results = []
    for move in (np.asarray, to_strict):
        set_random_seed(44)
        model = Sequential([Dense(5, activation="tanh"), Dense(3, "softmax")], dtype="float64")
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        data = (move(x), move(y), move(weight))
        history = model.fit(
            *data[:2], sample_weight=data[2], seed=1, validation_data=data, epochs=2, verbose=0
        )
        model.fit(*data[:2], class_weight={0: 0.5, 2: 3.0}, validation_split=0.3, verbose=0, seed=2)
        model.train_on_batch(*data)
        results.append((history.history, model.evaluate(*data[:2]), model.get_weights()))
    (history, values, weights), (strict_history, strict_values, strict_weights) = results
    for key, numbers in history.items():
        assert strict_history[key] == pytest.approx(numbers, rel=DEVICE_TOLERANCE["float64"])
    assert strict_values == pytest.approx(values, rel=DEVICE_TOLERANCE["float64"])
    for a, b in zip(weights, strict_weights, strict=True):
        assert_agrees(b.get(), a, DEVICE_TOLERANCE["float64"])


# What is wrong


@pytest.fixture
def compiled():
    model, loss, _ = CASES["labels"]()
    model.compile("sgd", loss)
    return model


X, Y = problem("labels")
WRONG_DATA = {
    "empty": (X[:0], Y[:0], r"fit: expected x with one or more samples.*got shape \(0, 4\)"),
    "a number": (1.0, 2, r"fit: expected x with one or more samples.*got shape \(\)"),
    "lengths": (X, Y[:-1], "fit: expected y of as many samples as x, 23, got 22"),
    "nan": (
        np.where(X[3, 2] == X, np.nan, X),
        Y,
        r"expected x to be finite, got nan at index \(3, 2\)",
    ),
    "infinity": (
        X,
        np.where(np.arange(23) > 4, -np.inf, 0),
        r"expected y to be finite, got -inf at index \(5,\)",
    ),
    "ragged": ([[1.0, 2.0], [3.0]], Y[:2], "fit: expected x to be an array of numbers"),
    "text": ([["a", "b"]], Y[:1], "fit: expected x to be an array of numbers"),
    "rank": (X[:, 0], Y, "expected x of shape"),
    "features": (X[:, :3], Y, "expected x with 4 features"),
    "labels too large": (X, Y + 1, "expected labels in y_true from 0 to 2.*got 3"),
    "labels negative": (X, Y - 1, "expected labels in y_true from 0 to 2.*got -1"),
    "labels not whole": (X, Y + 0.5, "expected integer labels"),
    "one-hot labels": (X, np.eye(3)[Y], "CategoricalCrossentropy"),
}


@pytest.mark.parametrize("case", WRONG_DATA)
def test_wrong_data(compiled, case):
    x, y, message = WRONG_DATA[case]
    with pytest.raises(InputError, match=message):
        compiled.fit(x, y, verbose=0)
    if message.startswith("fit"):
        with pytest.raises(InputError, match=message.replace("fit", "evaluate")):
            compiled.evaluate(x, y)


def test_the_index_of_nan_counts_from_the_first_sample_of_all(compiled):
    x = np.zeros((300_000, 4), dtype="float32")
    x[200_001, 1] = np.nan
    with pytest.raises(InputError, match=r"predict: expected x to be finite.*\(200001, 1\)"):
        compiled.predict(x)


def test_a_label_out_of_range_in_a_later_batch(compiled):
    y = Y.copy()
    y[17] = 3
    with pytest.raises(InputError, match=r"from 0 to 2.*got 3"):
        compiled.fit(X, y, batch_size=5, shuffle=False, verbose=0)
    assert compiled.optimizer.iterations == 3


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("batch_size", value) for value in (0, -1, 2.5, True, "8", None)),
        *(("epochs", value) for value in (0, -1, 1.0, False, "3")),
        *(("initial_epoch", value) for value in (-1, 0.5, True)),
        *(("validation_split", value) for value in (-0.1, 1.0, 1.5, np.nan, "0.2", 0.99)),
        *(
            ("validation_data", value)
            for value in (X, (X,), (X, Y, Y, Y), (X, Y[1:]), (X[:0], Y[:0]))
        ),
        *(
            ("class_weight", value)
            for value in ([1, 2], {"a": 1.0}, {0: "b"}, {0: -1.0}, {0.5: 1.0})
        ),
        *(("sample_weight", value) for value in (np.ones(3), np.full(23, np.nan), "heavy")),
        *(("seed", value) for value in (-1, 1.5, "a", True)),
        *(("callbacks", value) for value in (["early"], [LambdaCallback])),
    ],
    ids=lambda value: str(value)[:20].replace("\n", ""),
)
def test_wrong_arguments_of_fit(compiled, argument, value):
    before = compiled.get_weights()
    with pytest.raises(InputError, match=argument.partition("_")[0]):
        compiled.fit(X, Y, verbose=0, **{argument: value})
    for a, b in zip(before, compiled.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_both_weights_are_refused_as_in_keras(compiled):
    with pytest.raises(InputError, match="sample_weight or class_weight, got both"):
        compiled.fit(X, Y, sample_weight=np.ones(23), class_weight={0: 2.0}, verbose=0)


@pytest.mark.parametrize("batch_size", [0, -3, 1.5, True])
def test_wrong_batch_sizes_elsewhere(compiled, batch_size):
    with pytest.raises(InputError, match="evaluate: expected batch_size"):
        compiled.evaluate(X, Y, batch_size=batch_size)
    with pytest.raises(InputError, match="predict: expected batch_size"):
        compiled.predict(X, batch_size=batch_size)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "gradients"])
def test_a_loss_is_needed(method):
    model = Sequential([Dense(3)])
    for _ in range(2):
        with pytest.raises(InputError, match=r"Call model\.compile"):
            getattr(model, method)(X, Y)
        model.compile("sgd")
    assert model.predict(X).shape == (23, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "sdg", "loss": "mse"}, "SGD|sgd"),
        ({"loss": "mean_squared_eror"}, "mean_squared_error|MeanSquaredError"),
        ({"loss": losses.MeanSquaredError(reduction=None)}, "reduction=None"),
        ({"loss": "mse", "metrics": ["acuracy"]}, "accuracy"),
        ({"loss": "mse", "metrics": "accuracy"}, r"Write metrics=\['accuracy'\]"),
        ({"loss": "mse", "weighted_metrics": [3]}, "Metric"),
    ],
)
def test_what_compile_does_not_know_changes_nothing(compiled, arguments, message):
    before = (compiled.optimizer, compiled.loss, compiled.metrics)
    with pytest.raises(InputError, match=message):
        compiled.compile(**arguments)
    assert (compiled.optimizer, compiled.loss, compiled.metrics) == before


def test_logits_said_twice_are_warned_of_as_in_keras():
    model = Sequential([Dense(1, activation="sigmoid")])
    with pytest.warns(UserWarning, match="from_logits=True"):
        model.compile("sgd", losses.BinaryCrossentropy(from_logits=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Sequential([Dense(1)]).compile("sgd", losses.BinaryCrossentropy(from_logits=True))


def test_a_batch_that_overflows_leaves_the_weights_as_they_were():
    model = build(Dense(5, name="wide"), Dense(2, name="narrow"))
    model.compile("sgd", "mse")
    x, y = problem("numbers")
    model.train_on_batch(x, y)
    before, steps = model.get_weights(), model.optimizer.iterations
    with pytest.raises(NonFiniteError, match=r"got inf; every layer is finite"):
        model.train_on_batch(x * 1e200, y)
    x[2, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"got nan; the batch itself is not finite"):
        model.train_on_batch(x, y)
    assert model.optimizer.iterations == steps
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("stop", [1, 2, 3, 4, 7, 8, 9])
def test_a_training_stopped_between_two_batches_ends_with_the_same_bits(tmp_path, stop, shuffle):
    """Stopped after so many steps of 4 an epoch, dropout and Adam's averages going on too."""
    x, y = problem("labels")
    size = math.ceil(len(x) / 4)

    def fit(model, **more):
        return model.fit(
            x, y, batch_size=size, epochs=3, seed=8, shuffle=shuffle, verbose=0, **more
        ).history

    def fresh():
        set_random_seed(41)
        model = dropout_model()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    whole = fresh()
    expected = fit(whole)
    stopped, steps = fresh(), itertools.count(1)

    def save(batch, logs):
        if next(steps) == stop:
            stopped.save(tmp_path / "model.npz")

    fit(stopped, callbacks=[LambdaCallback(on_train_batch_end=save)])
    resumed = Sequential.load(tmp_path / "model.npz")
    progress = resumed.progress
    assert (progress.epoch, progress.batch) == ((stop - 1) // 4, (stop - 1) % 4 + 1)
    history = fit(resumed, resume=True)
    for name, values in expected.items():
        assert history[name] == values[progress.epoch :]
    for a, b in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (resumed.progress.epoch, resumed.progress.batch) == (3, 0)


def test_resume_and_initial_epoch_exclude_each_other():
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss)
    with pytest.raises(InputError, match="initial_epoch or resume"):
        model.fit(x, y, epochs=2, initial_epoch=1, resume=True, verbose=0)


def test_resume_with_other_data_is_refused(tmp_path):
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss)

    def save(batch, logs):
        if batch == len(x) - 1:
            model.save(tmp_path / "model.npz")

    model.fit(x, y, batch_size=1, callbacks=[LambdaCallback(on_train_batch_end=save)], verbose=0)
    with pytest.raises(InputError, match="expected to resume within an epoch of 1 batches"):
        Sequential.load(tmp_path / "model.npz").fit(x, y, batch_size=100, resume=True, verbose=0)


def test_resume_without_a_training_before_begins_one():
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss)
    assert model.fit(x, y, epochs=2, resume=True, verbose=0).epoch == [0, 1]


def test_a_callbacks_stop_in_an_epoch_is_where_it_goes_on(tmp_path):
    x, y = problem("labels")
    size = math.ceil(len(x) / 5)

    def fit(model, **more):
        model.fit(x, y, batch_size=size, epochs=3, seed=2, verbose=0, **more)

    def fresh():
        set_random_seed(4)
        model = dropout_model()
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    whole = fresh()
    fit(whole)
    stopped = fresh()

    def stop(batch, logs):
        stopped.stop_training = batch == 1

    fit(stopped, callbacks=[LambdaCallback(on_train_batch_end=stop)])
    assert (stopped.progress.epoch, stopped.progress.batch) == (0, 2)
    stopped.save(tmp_path / "model.npz")
    resumed = Sequential.load(tmp_path / "model.npz")
    fit(resumed, resume=True)
    for a, b in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_resumed_behind_the_last_batch_of_weights_that_are_all_zero(tmp_path):
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss, weighted_metrics=["mse"])

    def save(batch, logs):
        model.save(tmp_path / "model.npz")

    more = {"sample_weight": np.zeros(len(x)), "batch_size": len(x), "verbose": 0}
    expected = model.fit(x, y, callbacks=[LambdaCallback(on_train_batch_end=save)], **more).history
    resumed = Sequential.load(tmp_path / "model.npz")
    assert resumed.progress.batch == 1
    assert resumed.fit(x, y, resume=True, **more).history == expected


@pytest.mark.parametrize("sums", [{}, {"loss": [1.0, 0.0]}])
def test_progress_without_its_sums_is_refused(sums):
    x, y = problem("numbers")
    model, loss, _ = CASES["numbers"]()
    model.compile("sgd", loss)
    model.progress = Progress(0, 1, sums)
    with pytest.raises(InputError, match="expected the sums of the 1 batches done"):
        model.fit(x, y, batch_size=2, resume=True, verbose=0)


# What a step does not compute twice, or at all


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("options", [{}, {"ignore_class": 1}], ids=["all", "but-one"])
def test_metrics_of_a_step_see_the_output_of_the_last_layer(activation, options):
    """Also where the loss does not come across it: of ignored samples, of another activation."""
    x, y = problem("labels")
    model = build(Dense(3, activation=activation))
    loss = losses.SparseCategoricalCrossentropy(**options)
    metric = metrics.SparseCategoricalAccuracy(name="hits")
    seen = []
    update = metric.update
    metric.update = lambda y_true, y_pred, *rest: (
        seen.append(y_pred) or update(y_true, y_pred, *rest)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sigmoid before this loss is doubtful
        model.compile("sgd", loss, metrics=[metric])
    expected = model.predict(x)
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(seen[-1], expected)


def test_a_step_without_metrics_makes_no_output(monkeypatch):
    x, y = problem("labels")
    model = build(Dense(3, activation="softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    monkeypatch.setattr(type(model), "_output_of", lambda *_: pytest.fail("made for nobody"))
    loss, output, mask = model._train_step(Samples(x, y))
    assert math.isfinite(loss)
    assert output is None
    assert mask is None
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    expected = model.predict(x)
    np.testing.assert_array_equal(model._train_step(Samples(x, y))[1], expected)


@pytest.mark.parametrize("batch_size", [1, 5, 22, 23, 24])
def test_predictions_are_those_of_the_batches(batch_size):
    x, _ = problem("labels")
    model = build(Dense(5, activation="tanh"), Dense(3, activation="softmax"))
    batches = [model.forward(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
    np.testing.assert_array_equal(model.predict(x, batch_size), np.concatenate(batches))
    strict = model_like(model).predict(to_strict(x), batch_size)
    assert_agrees(to_host(strict), np.concatenate(batches), DEVICE_TOLERANCE[model.dtype])


def test_predictions_are_an_array_of_their_own():
    x, _ = problem("labels")
    y = Sequential([Activation("linear")], dtype="float64").predict(x)
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(y, x)


def model_like(model):
    """A copy of a model that no array has come to yet."""
    twin = Sequential([type(layer).from_config(layer.get_config()) for layer in model.layers])
    twin.build((None, 4))
    twin.set_weights(model.get_weights())
    return twin


class Twice(Layer):
    """A user's layer with a backward of its own, which knows nothing of what is needed."""

    def forward(self, x, training=False, mask=None):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def test_a_layer_whose_backward_takes_dy_alone_is_trained_through():
    model = Sequential([Dense(3), Twice(), Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 5)), np.ones((4, 2))
    before = model.train_on_batch(x, y)
    assert model.train_on_batch(x, y) < before


def test_layers_below_the_parameters_keep_nothing_of_a_training_step():
    model = Sequential([Dropout(0.5), Dense(3)])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((4, 5)), np.ones((4, 3)))
    with pytest.raises(BackwardError):
        model.layers[0].backward(np.ones((4, 5)))
