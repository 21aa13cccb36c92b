"""Sequential: its layers, the passes through them, its weights and what it prints."""

import copy
import inspect
import pickle

import numpy as np
import pytest

from scratchnet import Sequential, layers, set_random_seed
from scratchnet.errors import BackwardError, InputError
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten, Layer
from tests.helpers import assert_agrees, assert_not_negligible, central_differences
from tests.strict_array import StrictArray, to_strict


@pytest.fixture(autouse=True)
def seeded():
    set_random_seed(20)


@pytest.fixture
def rng():
    return np.random.default_rng(21)


@pytest.fixture
def model(rng):
    """A 3 → 5 → 2 network in float64 with random biases."""
    made = Sequential(
        [Dense(5, activation="tanh"), Dropout(0.4, seed=3), Dense(2, activation="sigmoid")],
        dtype="float64",
    )
    made.build((None, 3))
    made.set_weights([w + rng.normal(0, 0.3, w.shape) for w in made.get_weights()])
    return made


class Halved(Layer):
    """Half of x, and a mask where x is positive; remembers the mask it was given."""

    def _forward(self, x, training, mask):
        self.given = mask
        return x / 2, None

    def _backward(self, dy, cache):
        return dy / 2

    def compute_mask(self, x, mask=None):
        return x[..., 0] > 0 if mask is None else mask


# Layers


def test_names_are_made_unique():
    model = Sequential([Dense(1), Dense(1, name="out"), Dense(1), Dense(1, name="out"), Dense(1)])
    assert [layer.name for layer in model.layers] == ["dense", "out", "dense_1", "out_1", "dense_2"]
    model.add(Dense(1, name="dense_1"))
    assert model.layers[-1].name == "dense_1_1"


def test_a_layer_stands_in_a_model_once():
    layer = Dense(3)
    with pytest.raises(InputError, match="'dense' again"):
        Sequential([layer, layer])
    model = Sequential([layer])
    with pytest.raises(InputError, match="make a second one"):
        model.add(layer)
    assert model.layers == [layer]


@pytest.mark.parametrize("wrong", ["dense", None, Dense, np.zeros(3)], ids=str)
def test_only_layers_are_layers(wrong):
    with pytest.raises(InputError, match="Sequential: expected layers"):
        Sequential().add(wrong)


def test_layers_may_come_from_a_generator():
    assert len(Sequential(Dense(units) for units in (3, 4)).layers) == 2


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model(np.ones((2, 3))),
        lambda model: model.predict(np.ones((2, 3))),
        lambda model: model.backward(np.ones((2, 3))),
        lambda model: model.build((None, 3)),
    ],
    ids=["forward", "predict", "backward", "build"],
)
def test_a_model_without_layers_says_so(use):
    with pytest.raises(InputError, match="expected a model with layers, got none"):
        use(Sequential())


def test_dtype_reaches_every_layer():
    model = Sequential([Dense(2), Dense(2, dtype="float32"), Activation("relu")], dtype="float64")
    assert [layer.dtype for layer in model.layers] == ["float64"] * 3
    assert model(np.ones((1, 2), dtype="float32")).dtype == "float64"
    assert Sequential([Dense(1)]).dtype == "float32"
    assert Sequential([Dense(1, dtype="float64")]).dtype == "float64"
    assert Sequential(dtype="float64").dtype == "float64"


def test_dtype_cannot_change_what_is_built():
    layer = Dense(2)
    layer.build((None, 3))
    with pytest.raises(InputError, match="float32"):
        Sequential([layer], dtype="float64")


@pytest.mark.parametrize("dtype", ["float16", "int32", "numbers"])
def test_only_two_dtypes(dtype):
    with pytest.raises(InputError, match="dtype"):
        Sequential(dtype=dtype)


def test_a_name_is_a_text():
    with pytest.raises(InputError, match="name"):
        Sequential(name=7)


# Building


def test_build_goes_through_the_shapes():
    model = Sequential([Flatten(), Dense(5), Dense(2, use_bias=False)])
    assert not model.built
    model.build((None, 3, 4))
    assert model.built
    assert [w.shape for w in model.get_weights()] == [(12, 5), (5,), (5, 2)]


def test_build_is_optional(rng):
    x = rng.normal(size=(4, 3))
    weights = []
    for build_first in (True, False):
        set_random_seed(5)
        model = Sequential([Dense(5), Dense(2)])
        if build_first:
            model.build((None, 3))
        model(x)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_added_later_is_built_by_the_next_forward(rng, model):
    before = model.get_weights()
    model.add(Dense(3))
    assert not model.built
    assert model(rng.normal(size=(4, 3))).shape == (4, 3)
    assert model.built
    assert model.layers[-1].dtype == "float64"
    for a, b in zip(before, model.get_weights(), strict=False):
        np.testing.assert_array_equal(a, b)


def test_wrong_features_in_the_middle_are_named(rng):
    inner = Dense(2, name="inner")
    inner.build((None, 7))
    model = Sequential([Dense(5), inner])
    with pytest.raises(InputError, match=r"expected x with 7 features.*got 5"):
        model(rng.normal(size=(4, 3)))
    model = Sequential([Embedding(4, 3), Dense(2), Flatten()])
    model(np.array([[1, 2, 3]]))
    with pytest.raises(InputError, match=r"Embedding: .*got 4"):
        model(np.array([[1, 2, 4]]))


# Passes


def test_forward_is_the_layers_one_after_the_other(rng, model):
    x = rng.normal(size=(4, 3))
    first, _, last = model.layers
    np.testing.assert_array_equal(model(x), last(first(x)))
    np.testing.assert_array_equal(model.forward(x), model.predict(x, batch_size=3))


def test_training_reaches_the_layers(rng, model):
    x = rng.normal(size=(4, 3))
    first, dropout, last = model.layers
    y = model.forward(x, training=True)
    assert 0 < np.count_nonzero(dropout.dropout_mask == 0) < dropout.dropout_mask.size
    np.testing.assert_array_equal(y, last(first(x) * dropout.dropout_mask))


def test_backward_against_central_differences(rng, model):
    x, dy = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    first, dropout, last = model.layers
    model.forward(x, training=True)
    dx = model.backward(dy)
    mask = dropout.dropout_mask

    def objective(_):
        return float((last(first(x) * mask) * dy).sum())

    assert_not_negligible(dx, 1e-3)
    assert_agrees(dx, central_differences(objective, x), 1e-7, "dx")
    for layer in (first, last):
        for key, array in layer.params.items():
            assert_not_negligible(layer.grads[key], 1e-3)
            assert_agrees(layer.grads[key], central_differences(objective, array), 1e-7, key)


def test_logits_and_their_backward(rng, model):
    x, dlogits = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    logits, y, mask = model.forward_with_logits(x, training=True)
    assert mask is None
    assert_agrees(1 / (1 + np.exp(-logits)), y, 1e-14)
    dx = model.backward(dlogits, from_logits=True)
    grads = [dict(layer.grads) for layer in model.layers]
    model.layers[1].set_state({"seed": 3, "draws": 0})  # the same mask again
    y = model.forward(x, training=True)
    assert_agrees(dx, model.backward(dlogits / (y * (1 - y))), 1e-12)
    for layer, expected in zip(model.layers, grads, strict=True):
        for key, gradient in layer.grads.items():
            assert_agrees(gradient, expected[key], 1e-12, f"{layer.name}/{key}")


def test_an_inference_forward_in_between_disturbs_nothing(rng, model):
    x, dy = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    dxs = []
    for disturb in (False, True):
        model.layers[1].set_state({"seed": 3, "draws": 0})
        model.forward(x, training=True)
        if disturb:
            model.forward(rng.normal(size=(7, 3)))
            model.predict(rng.normal(size=(9, 3)))
        dxs.append(model.backward(dy))
    np.testing.assert_array_equal(*dxs)


def test_backward_needs_a_training_forward(rng, model):
    x, dy = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    model.forward(x)
    with pytest.raises(BackwardError):
        model.backward(dy)
    model.forward(x, training=True)
    model.backward(dy)
    with pytest.raises(BackwardError):
        model.backward(dy)


def test_a_layer_of_token_ids_comes_first():
    model = Sequential([Activation("linear"), Embedding(5, 3), Flatten()])
    y = model.forward(np.array([[1, 2]]), training=True)
    with pytest.raises(InputError, match="activation: expected a gradient from the layer above"):
        model.backward(np.ones_like(y))


def test_masks_travel_to_the_next_layer_and_out(rng):
    first, second = Halved(), Halved()
    model = Sequential([first, second], dtype="float64")
    x = rng.normal(size=(3, 4, 2))
    y, mask = model.forward_with_mask(x)
    np.testing.assert_array_equal(y, x / 4)
    assert first.given is None
    np.testing.assert_array_equal(second.given, x[..., 0] > 0)
    np.testing.assert_array_equal(mask, x[..., 0] > 0)
    model.add(Dense(2, activation="softmax"))
    np.testing.assert_array_equal(model.forward_with_logits(x)[2], x[..., 0] > 0)


def test_arrays_stay_where_they_are(rng, model):
    x, dy = to_strict(rng.normal(size=(4, 3))), to_strict(rng.normal(size=(4, 2)))
    assert isinstance(model.forward(x, training=True), StrictArray)
    assert isinstance(model.backward(dy), StrictArray)
    assert isinstance(model.predict(x, batch_size=3), StrictArray)


# Weights


def test_weights_are_flat_and_copies(model):
    weights = model.get_weights()
    assert [w.shape for w in weights] == [(3, 5), (5,), (5, 2), (2,)]
    kept = [array.copy() for array in weights]
    for array in weights:
        array += 1
    for array, own in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, own)


def test_set_weights_writes_into_the_same_arrays(rng, model):
    arrays = [array for layer in model.layers for array in layer.params.values()]
    new = [rng.normal(size=array.shape) for array in arrays]
    model.set_weights(new)
    for array, expected, own in zip(arrays, new, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)
        np.testing.assert_array_equal(own, expected)
        assert array is not expected


@pytest.mark.parametrize("change", ["too few", "too many", "wrong shape", "not an array"])
def test_set_weights_writes_all_or_none(model, change):
    before = model.get_weights()
    new = [array + 1 for array in before]
    match change:
        case "too few":
            new.pop()
        case "too many":
            new.append(np.zeros(2))
        case "wrong shape":
            new[-1] = np.zeros(3)
        case "not an array":
            new[-1] = "weights"
    with pytest.raises(InputError, match=r"Sequential\.set_weights"):
        model.set_weights(new)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_count_params(model):
    assert model.count_params() == 3 * 5 + 5 + 5 * 2 + 2


# What it prints


def test_summary(capsys):
    model = Sequential([Dense(1000), Dropout(0.5), Dense(7, name="out")])
    model.build((None, 50))
    model.summary()
    assert (
        capsys.readouterr().out
        == inspect.cleandoc(
            """
        layer              output shape  parameters
        -------------------------------------------
        dense (Dense)      (None, 1000)      51,000
        dropout (Dropout)  (None, 1000)           0
        out (Dense)        (None, 7)          7,007
        58,007 parameters, float32
        """
        )
        + "\n"
    )


def test_summary_of_what_is_not_built_or_empty():
    lines = Sequential([Dense(3)]).describe().splitlines()
    assert lines[2].split() == ["dense", "(Dense)", "not", "built", "?"]
    assert lines[-1] == "not built, float32"
    assert Sequential(dtype="float64").describe().splitlines()[-1] == "not built, float64"


def test_repr_shows_the_layers(model):
    assert (
        repr(model)
        == "<Sequential 'sequential': dense (Dense), dropout (Dropout), dense_1 (Dense)>"
    )
    assert repr(Sequential(name="empty")) == "<Sequential 'empty': no layers>"


def pickled(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301 - our own, a moment old


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("cell", [None, "lstm", "gru", "rnn"])
def test_a_copy_trains_as_the_original_does(cell, optimizer, copied):
    """What is kept between steps are views of arrays, and a copy's are of its own."""
    kinds = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
    first = [layers.Dense(5)] if cell is None else [kinds[cell](5)]
    model = Sequential([*first, layers.Dense(3)])
    rng = np.random.default_rng(1)
    x = rng.standard_normal((70, 4) if cell is None else (70, 6, 4))
    y = rng.standard_normal((70, 3))
    model.compile(optimizer, "mse")
    model.train_on_batch(x, y)
    twin = copied(model)
    losses = [[one.train_on_batch(x, y) for _ in range(3)] for one in (model, twin)]
    assert len(set(losses[0])) == 3
    assert losses[0] == losses[1]
