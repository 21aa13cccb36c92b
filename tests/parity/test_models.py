"""Whole models: loss, every gradient and 100 steps of training against Keras's own."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

from keras_impl.optimizers import densify
from keras_impl.parity.oracle import ask_model, keras_floats
from keras_impl.weights import to_keras
from scratchnet import Sequential, losses, optimizers
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten
from tests.helpers import (
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.layers.cases import random_array

B, D, T, V, CLASSES = 6, 5, 7, 11, 3


def mlp(last: str, units: int = CLASSES) -> list:
    return [Dense(9, "relu"), Dropout(0.3, seed=8), Dense(8, "tanh"), Dense(units, last)]


def words(last: str, units: int = CLASSES) -> list:
    return [
        Embedding(V, 4),
        Dropout(0.2, (None, 1, None), seed=3),
        Flatten(),
        Dense(8, "relu"),
        Dropout(0.4, seed=5),
        Dense(units, last),
    ]


def apart(last: str, units: int = CLASSES) -> list:
    """The last activation as a layer of its own."""
    return [Dense(9, "softplus"), Dense(units), Activation(last)]


STACKS = {"mlp": mlp, "words": words, "apart": apart}


def compiled(
    layers: list,
    loss: Any,
    dtype: str = "float64",
    size: float = 0.7,
    shape: tuple[int, ...] | None = None,
) -> Sequential:
    """A model with random weights, and biases that are not zero."""
    model = Sequential(layers, dtype=dtype)
    model.build(shape or inputs(model).shape)
    weights = model.get_weights()
    model.set_weights([size * random_array(*w.shape, seed=20 + i) for i, w in enumerate(weights)])
    model.compile("sgd", loss)
    return model


def inputs(model: Sequential) -> np.ndarray:
    if isinstance(model.layers[0], Embedding):
        return np.random.default_rng(1).integers(V, size=(B, T))
    return random_array(B, D)


def targets(kind: str) -> np.ndarray:
    rng = np.random.default_rng(2)
    labels = rng.integers(CLASSES, size=B)
    return {
        "labels": labels,
        "one hot": np.eye(CLASSES)[labels],
        "distribution": rng.dirichlet(np.ones(CLASSES), B),
        "bits": rng.integers(2, size=(B, CLASSES)).astype(float),
        "signs": rng.choice([-1.0, 1.0], (B, CLASSES)),
        "numbers": rng.standard_normal((B, CLASSES)),
        "counts": rng.poisson(2, (B, CLASSES)).astype(float),
    }[kind]


class Case(NamedTuple):
    """A loss with the last activation and the targets that it makes sense with."""

    name: str
    last: str
    targets: str
    arguments: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    rounded: str = ""
    """The constant that Keras rounds to float32 even in float64; 1e-7 is agreement then."""

    def __str__(self) -> str:
        arguments = [f"{key}={value}" for key, value in self.arguments.items()]
        return "-".join([self.last, self.name, *arguments])

    def ours(self) -> losses.Loss:
        return getattr(losses, self.name)(**self.arguments)

    def keras(self, dtype: str) -> keras.losses.Loss:
        with keras_floats(dtype):
            return getattr(keras.losses, self.name)(**self.arguments)


CASES = [
    Case("MeanSquaredError", "linear", "numbers"),
    Case("MeanSquaredError", "sigmoid", "bits", {"reduction": "sum"}),
    Case("MeanAbsoluteError", "linear", "numbers"),
    Case("MeanAbsolutePercentageError", "linear", "numbers"),
    Case("MeanSquaredLogarithmicError", "softplus", "counts"),
    Case("Huber", "linear", "numbers", {"delta": 0.7}),
    Case("LogCosh", "linear", "numbers", rounded="log 2"),
    Case("CosineSimilarity", "linear", "numbers"),
    Case("Hinge", "tanh", "signs"),
    Case("SquaredHinge", "tanh", "bits"),
    Case("CategoricalHinge", "linear", "one hot"),
    Case("KLDivergence", "softmax", "distribution"),
    Case("Poisson", "exponential", "counts"),
    Case("BinaryCrossentropy", "sigmoid", "bits"),
    Case("BinaryCrossentropy", "sigmoid", "bits", {"label_smoothing": 0.1}),
    Case("BinaryCrossentropy", "linear", "bits", {"from_logits": True}),
    Case("BinaryCrossentropy", "hard_sigmoid", "bits"),
    Case("CategoricalCrossentropy", "softmax", "one hot"),
    Case("CategoricalCrossentropy", "softmax", "distribution", {"label_smoothing": 0.1}),
    Case("CategoricalCrossentropy", "linear", "one hot", {"from_logits": True}),
    Case("CategoricalCrossentropy", "softplus", "one hot"),
    Case("SparseCategoricalCrossentropy", "softmax", "labels"),
    Case("SparseCategoricalCrossentropy", "softmax", "labels", {"ignore_class": 1}),
    Case("SparseCategoricalCrossentropy", "linear", "labels", {"from_logits": True}),
    Case("SparseCategoricalCrossentropy", "softplus", "labels"),
]


def check(model, keras_loss, x, y, sample_weight=None, rounded=False):
    """Compare the loss and every gradient; return the loss."""
    before = model.get_weights()
    loss, gradients = model.gradients(x, y, sample_weight)
    for array, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    answer = ask_model(model, keras_loss, x, y, sample_weight)
    dtype = model.dtype
    loosest = 1e-7 if rounded else 0
    assert_agrees(loss, answer.loss, max(FORWARD_TOLERANCE[dtype], loosest), "loss")
    assert len(gradients) == len(model.layers) == len(answer.grads)
    for layer, ours, theirs in zip(model.layers, gradients, answer.grads, strict=True):
        assert list(ours) == list(theirs) == list(layer.params)
        for key, reference in theirs.items():
            assert_not_negligible(reference)
            tolerance = max(GRADIENT_TOLERANCE[dtype], loosest)
            assert_agrees(ours[key], reference, tolerance, f"{layer.name}/d{key}")
    return loss


def test_every_loss_is_tried():
    assert {case.name for case in CASES} == set(losses.__all__) - {"Loss", "get"}


class TestGradients:
    @pytest.mark.parametrize("stack", STACKS)
    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_every_loss_with_every_stack(self, case, stack):
        model = compiled(STACKS[stack](case.last), case.ours())
        weighted = (CASES.index(case) + list(STACKS).index(stack)) % 2
        sample_weight = np.linspace(0.2, 3, B) if weighted else None
        y = targets(case.targets)
        check(model, case.keras("float64"), inputs(model), y, sample_weight, bool(case.rounded))

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_in_float32(self, case):
        model = compiled(mlp(case.last), case.ours(), "float32")
        check(model, case.keras("float32"), inputs(model), targets(case.targets))

    @pytest.mark.parametrize("shape", [(B,), (B, 1)])
    @pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
    def test_one_output(self, shape, dtype):
        """Labels may come without the axis of length 1."""
        model = compiled(mlp("sigmoid", 1), "binary_crossentropy")
        y = (np.arange(B) % 3 == 0).reshape(shape).astype(dtype)
        check(
            model, Case("BinaryCrossentropy", "sigmoid", "bits").keras("float64"), inputs(model), y
        )

    def test_a_loss_at_every_step(self):
        model = Sequential([Dense(9, "relu"), Dense(CLASSES, "softmax")], dtype="float64")
        x = random_array(4, 5, D)
        y = np.random.default_rng(0).integers(CLASSES, size=(4, 5))
        model.build(x.shape)
        model.set_weights([random_array(*w.shape, seed=w.size) for w in model.get_weights()])
        model.compile("sgd", "sparse_categorical_crossentropy")
        weight = np.random.default_rng(3).uniform(0.5, 2, (4, 5))
        loss = Case("SparseCategoricalCrossentropy", "softmax", "labels").keras("float64")
        assert check(model, loss, x, y) != check(model, loss, x, y, weight)

    @pytest.mark.parametrize("loss", ["SparseCategoricalCrossentropy", "MeanSquaredError"])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_masks_reach_the_loss(self, loss, weighted):
        """Padding counts neither in the sum nor in what it is divided by."""
        model = Sequential(
            [Embedding(V, 4, mask_zero=True), Dense(6, "tanh"), Dropout(0.3), Dense(V, "softmax")],
            dtype="float64",
        )
        rng = np.random.default_rng(4)
        x = rng.integers(1, V, (B, T))
        x[0, 4:], x[1, :3], x[2, 2], x[3] = 0, 0, 0, 0
        y = rng.integers(V, size=(B, T))
        if loss == "MeanSquaredError":
            y = rng.standard_normal((B, T, V))
        model.build(x.shape)
        model.set_weights([random_array(*w.shape, seed=w.size) for w in model.get_weights()])
        model.compile("sgd", getattr(losses, loss)())
        with keras_floats("float64"):
            keras_loss = getattr(keras.losses, loss)()
        weight = rng.uniform(0.5, 2, (B, T)) if weighted else None
        value = check(model, keras_loss, x, y, weight)
        y[x == 0] = (y[x == 0] + 1) % V  # what is masked makes no difference
        model.layers[2].set_state({"seed": model.layers[2].state()["seed"], "draws": 0})
        assert model.gradients(x, y, weight)[0] == pytest.approx(value, rel=1e-13)


def certain(layers: list, loss: str) -> Sequential:
    """A model whose outputs are certain, many of them wrongly: probabilities far below 1e-8."""
    return compiled(layers, loss, size=12)


class TestLogits:
    """A softmax or sigmoid before cross-entropy goes through the logits: nothing is clipped."""

    @pytest.mark.parametrize("stack", [mlp, apart])
    @pytest.mark.parametrize("arguments", [{}, {"label_smoothing": 0.1}])
    @pytest.mark.parametrize(
        ("name", "last", "kind"),
        [
            ("BinaryCrossentropy", "sigmoid", "bits"),
            ("CategoricalCrossentropy", "softmax", "one hot"),
            ("SparseCategoricalCrossentropy", "softmax", "labels"),
        ],
    )
    def test_certain_and_wrong(self, stack, arguments, name, last, kind):
        if name.startswith("Sparse"):
            arguments = {}
        case = Case(name, last, kind, arguments)
        model = certain(stack(last), case.ours())
        y = targets(kind)
        p = model(inputs(model))
        wrong = np.where(y == 1, p, 1 - p) if last == "sigmoid" else p
        assert wrong.min() < 1e-8
        loss = check(model, case.keras("float64"), inputs(model), y)
        clipped = case.ours()(y, model(inputs(model)))
        assert loss > clipped + 1

    @pytest.mark.parametrize(
        ("name", "last", "kind"),
        [
            ("BinaryCrossentropy", "sigmoid", "bits"),
            ("CategoricalCrossentropy", "softmax", "one hot"),
            ("SparseCategoricalCrossentropy", "softmax", "labels"),
        ],
    )
    @pytest.mark.parametrize("above", [Flatten, lambda: Activation("relu")])
    def test_not_last(self, name, last, kind, above):
        """With a layer above it the loss sees probabilities, and clips."""
        case = Case(name, last, kind)
        model = certain([*mlp(last), above()], case.ours())
        y = targets(kind)
        loss, gradients = model.gradients(inputs(model), y)
        answer = ask_model(model, case.keras("float64"), inputs(model), y)
        assert_agrees(loss, answer.loss, FORWARD_TOLERANCE["float64"], "loss")
        through_logits = certain(mlp(last), case.ours())
        through_logits.layers[1].set_state({"seed": 8, "draws": 0})
        assert through_logits.gradients(inputs(model), y)[0] > loss + 1
        for ours, theirs in zip(gradients, answer.grads, strict=True):
            for key, reference in theirs.items():
                assert abs(ours[key] - reference).max() <= 1e-12 * max(1, abs(reference).max())

    @pytest.mark.parametrize(
        ("name", "last", "kind"),
        [
            ("BinaryCrossentropy", "softmax", "bits"),
            ("CategoricalCrossentropy", "sigmoid", "one hot"),
            ("SparseCategoricalCrossentropy", "sigmoid", "labels"),
        ],
    )
    def test_a_pair_that_does_not_belong_together(self, name, last, kind):
        """Keras takes the logits all the same; so do we, and say so."""
        case = Case(name, last, kind)
        with pytest.warns(UserWarning, match=f"{name} after a {last}: as in Keras"):
            model = certain(mlp(last), case.ours())
        check(model, case.keras("float64"), inputs(model), targets(kind))

    def test_a_layer_or_an_argument_is_the_same(self):
        together = certain(
            [Dense(9, "relu"), Dense(CLASSES, "softmax")], "categorical_crossentropy"
        )
        split = Sequential(
            [Dense(9, "relu"), Dense(CLASSES), Activation("softmax")], dtype="float64"
        )
        split.build((None, D))
        split.set_weights(together.get_weights())
        split.compile("sgd", "categorical_crossentropy")
        x, y = inputs(together), targets("one hot")
        (loss, gradients), (other, others) = together.gradients(x, y), split.gradients(x, y)
        assert loss == other
        for ours, theirs in zip(gradients, others, strict=False):
            for key in ours:
                np.testing.assert_array_equal(ours[key], theirs[key])
        assert others[-1] == {}


class Training(NamedTuple):
    """An optimizer with arguments, and how closely 100 steps agree."""

    name: str
    arguments: dict[str, Any]
    tolerance: float = 1e-12

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{k}={v}" for k, v in self.arguments.items())])


EXACT = {"beta_1": 0.875, "beta_2": 0.9990234375}  # exact in float32

TRAININGS = [
    Training("SGD", {"learning_rate": 0.05}),
    Training("SGD", {"learning_rate": 0.05, "momentum": 0.875, "nesterov": True}),
    Training("SGD", {"learning_rate": 0.05, "momentum": 0.9}, 1e-5),
    Training("RMSprop", {"learning_rate": 0.01}),
    Training("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.875}),
    Training("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.125}),
    Training("Adam", {"learning_rate": 0.01, **EXACT}),
    Training("Adam", {"learning_rate": 0.01}, 1e-5),
    Training("AdamW", {"learning_rate": 0.01, "weight_decay": 0.0625, "clipnorm": 0.5, **EXACT}),
]


def train_both(layers, loss, optimizer, dtype, batches, shape=None, densified=False):
    """Return our model and Keras's after the same batches from the same weights."""
    model = compiled(layers, loss, dtype, shape=shape)
    model.compile(getattr(optimizers, optimizer.name)(**optimizer.arguments), loss)
    with keras_floats(dtype):
        twin = to_keras(model)
        twin.compile(getattr(keras.optimizers, optimizer.name)(**optimizer.arguments), loss)
        if densified:
            densify(twin.optimizer)
        for x, y in batches:
            ours, theirs = model.train_on_batch(x, y), float(twin.train_on_batch(x, y))
            assert abs(ours - theirs) <= optimizer.tolerance * max(1, theirs)
        return model, twin


def assert_trained_alike(model, twin, before, tolerance):
    for array, reference, start in zip(
        model.get_weights(), twin.get_weights(), before, strict=True
    ):
        assert abs(reference - start).max() > 1e-2  # the training went somewhere
        assert_agrees(array, reference, tolerance, "weights")


@pytest.mark.slow
class TestTraining:
    """100 steps of Keras's compiled train step, and of ours."""

    @staticmethod
    def batches(dtype):
        rng = np.random.default_rng(6)
        for _ in range(100):
            x = rng.standard_normal((B, D)).astype(dtype)
            yield x, (x.sum(axis=1) > 0).astype(dtype)[:, None]

    @staticmethod
    def wisconsin_like():
        return [Dense(9, "relu"), Dense(12, "relu"), Dense(1, "sigmoid")]

    @pytest.mark.parametrize("training", TRAININGS, ids=str)
    def test_mlp_in_float64(self, training):
        layers, loss = self.wisconsin_like(), "binary_crossentropy"
        before = compiled(self.wisconsin_like(), loss).get_weights()
        both = train_both(layers, loss, training, "float64", self.batches("float64"))
        assert_trained_alike(*both, before, training.tolerance)

    @pytest.mark.parametrize("training", [TRAININGS[1], TRAININGS[3], TRAININGS[7]], ids=str)
    def test_mlp_in_float32(self, training):
        layers, loss = self.wisconsin_like(), "binary_crossentropy"
        before = compiled(self.wisconsin_like(), loss, "float32").get_weights()
        training = training._replace(tolerance=1e-3)
        both = train_both(layers, loss, training, "float32", self.batches("float32"))
        assert_trained_alike(*both, before, 1e-3)

    @pytest.mark.parametrize("repeated", [False, True], ids=["each id once", "ids repeated"])
    @pytest.mark.parametrize("training", [TRAININGS[1], TRAININGS[3], TRAININGS[6]], ids=str)
    def test_words_in_float64(self, training, repeated):
        """Keras takes an embedding's gradient as slices, and squares each before it adds them up.

        What its rules make of ids that are repeated in a batch is therefore not what they say,
        unless the gradient is made dense first; with each id once it makes no difference.
        """

        def layers():
            return [Embedding(V, 4), Flatten(), Dense(8, "tanh"), Dense(2), Activation("softmax")]

        def batches():
            rng = np.random.default_rng(6)
            for _ in range(100):
                ids = rng.integers(V, size=(2, 5)) if repeated else rng.permutation(V)[:10]
                x = ids.reshape(2, 5)
                yield x, (x[:, 0] > x[:, 1]).astype("int64")

        loss = "sparse_categorical_crossentropy"
        before = compiled(layers(), loss, shape=(2, 5)).get_weights()
        both = train_both(
            layers(), loss, training, "float64", batches(), shape=(2, 5), densified=repeated
        )
        assert_trained_alike(*both, before, training.tolerance)
