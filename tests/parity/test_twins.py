"""The Keras twins: the same layers, weights and outputs as scratchnet's models."""

import itertools

import keras
import numpy as np
import pytest

from keras_impl.layers import OneHot
from keras_impl.models import TWINS, language
from keras_impl.parity.oracle import keras_floats
from scratchnet.experiments import EXPERIMENTS, imdb
from scratchnet.experiments.language import build_model
from tests.helpers import FORWARD_TOLERANCE, assert_agrees, assert_not_negligible
from tests.layers.cases import random_array

V, T = 7, 5

ARCHITECTURES = [
    {"cell": cell, "layers": layers, "embedding": embedding, "hidden": hidden}
    for cell, layers, embedding, hidden in itertools.product(
        ("lstm", "gru", "rnn"), (1, 2), (0, 3), (0, 6)
    )
]


def with_random_weights(model):
    """A built scratchnet model with weights that are all different, biases too."""
    model.set_weights(
        [0.7 * random_array(*w.shape, seed=i) for i, w in enumerate(model.get_weights())]
    )
    return model


def ids(rows=3, length=T, vocabulary=V):
    return np.random.default_rng(5).integers(vocabulary, size=(rows, length)).astype("int32")


def test_every_experiment_that_has_a_gradient_has_a_twin():
    assert set(TWINS) == {name for name, one in EXPERIMENTS.items() if one.has_gradient}


@pytest.mark.parametrize(
    "architecture", ARCHITECTURES, ids=lambda a: "-".join(map(str, a.values()))
)
def test_language_models_share_weights_in_their_order(architecture):
    architecture = {"vocabulary": V, "window": T, "units": 4, **architecture}
    model = with_random_weights(build_model(**architecture, dtype="float64"))
    with keras_floats("float64"):
        twin = language(**architecture)
        assert [w.shape for w in model.get_weights()] == [w.shape for w in twin.get_weights()]
        twin.set_weights(model.get_weights())
        y = twin(ids()).numpy()
    assert y.dtype == "float64"
    assert_not_negligible(y.max(axis=1) - y.min(axis=1))
    assert_agrees(model(ids()), y, FORWARD_TOLERANCE["float64"])


@pytest.mark.parametrize("masked", [False, True])
def test_reviews(masked):
    architecture = {"vocabulary": V, "length": T, "embedding": 3, "units": 4, "masked": masked}
    model = with_random_weights(imdb.build_model(**architecture, dtype="float64"))
    x = ids()
    x[0, :3] = 0
    with keras_floats("float64"):
        twin = TWINS["imdb"](**architecture)
        twin.set_weights(model.get_weights())
        assert_agrees(model(x), twin(x).numpy(), FORWARD_TOLERANCE["float64"])
    assert type(twin.optimizer) is keras.optimizers.Adam
    assert twin.loss == "binary_crossentropy"


@pytest.mark.parametrize(
    ("optimizer", "kind"), [("rmsprop", keras.optimizers.RMSprop), ("adam", keras.optimizers.Adam)]
)
def test_optimizers(optimizer, kind):
    twin = language(V, T, units=2, optimizer=optimizer, learning_rate=0.03125, jit_compile=True)
    assert type(twin.optimizer) is kind
    assert float(twin.optimizer.learning_rate) == 0.03125
    assert twin.jit_compile


class TestOneHot:
    def test_rows_are_those_of_the_identity(self):
        y = OneHot(V, dtype="float64")(ids()).numpy()
        np.testing.assert_array_equal(y, np.eye(V)[ids()], strict=True)

    def test_ids_as_floats_are_ids_still(self):
        np.testing.assert_array_equal(OneHot(V)(ids().astype("float32")), np.eye(V)[ids()])

    def test_a_model_with_it_is_saved_and_loaded(self, tmp_path):
        twin = language(V, T, units=3)
        twin.train_on_batch(ids(), ids()[:, 0])  # an optimizer has nothing to load before a step
        twin.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        assert again.layers[0].num_tokens == V
        np.testing.assert_array_equal(again(ids()), twin(ids()))

    def test_its_shape_is_known_before_it_runs(self):
        assert language(V, T, units=2).layers[0].output.shape == (None, T, V)
