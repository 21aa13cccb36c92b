"""The layer that turns ids into rows with a single 1."""

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.errors import BackwardError, InputError
from scratchnet.layers import LSTM, Dense, OneHot
from tests.layers.cases import every_dtype, message


@pytest.mark.parametrize("shape", [(6,), (4, 6), (1, 1), (2, 3, 4), (3, 0)])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "float32"])
@every_dtype
def test_each_row_has_its_one(shape, kind, dtype):
    ids = np.random.default_rng(0).integers(5, size=shape)
    layer = OneHot(5, dtype=dtype)
    y = layer.forward(ids.astype(kind), training=True)
    assert y.shape == (*shape, 5) == layer.compute_output_shape(shape)
    assert y.dtype == dtype
    expected = np.array([[float(v == k) for k in range(5)] for v in ids.reshape(-1)])
    np.testing.assert_array_equal(y, expected.reshape(y.shape))
    assert layer.backward(np.ones_like(y)) is None
    assert layer.grads == {}
    with pytest.raises(BackwardError):
        layer.backward(np.ones_like(y))


@pytest.mark.parametrize("wrong", [-1, 5, 1000, 1.5, float("nan"), float("inf")])
def test_ids_outside_the_vocabulary(wrong):
    with pytest.raises(InputError) as e:
        OneHot(5).forward([[0, wrong]])
    assert message(e).startswith("OneHot: expected token ids x ")
    if wrong == 5:
        assert message(e) == (
            "OneHot: expected token ids x from 0 to 4, got 5. Raise num_tokens, or map unknown "
            "words to one id."
        )


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "5", None])
def test_the_vocabularys_size(wrong):
    with pytest.raises(InputError, match="num_tokens"):
        OneHot(wrong)


def test_it_stands_first():
    model = Sequential([Dense(3), OneHot(4)])
    model.forward(np.zeros((2, 3)), training=True)
    with pytest.raises(InputError):
        model.backward(np.zeros((2, 3, 4)))


def test_gradients_are_those_of_rows_given_as_such():
    ids = np.random.default_rng(1).integers(7, size=(3, 5))
    model = Sequential([OneHot(7), LSTM(4), Dense(7, activation="softmax")], dtype="float64")
    model.build((None, 5))
    model.compile("sgd", "sparse_categorical_crossentropy")
    rows = Sequential([LSTM(4), Dense(7, activation="softmax")], dtype="float64")
    rows.build((None, 5, 7))
    rows.set_weights(model.get_weights())
    rows.compile("sgd", "sparse_categorical_crossentropy")
    y = np.array([0, 6, 3])
    loss, (_, *gradients) = model.gradients(ids, y)
    expected_loss, expected = rows.gradients(np.eye(7)[ids], y)
    assert loss == expected_loss
    for ours, theirs in zip(gradients, expected, strict=True):
        for key in theirs:
            assert np.abs(theirs[key]).max() > 1e-4
            np.testing.assert_array_equal(ours[key], theirs[key])


def test_settings_and_files(tmp_path):
    layer = OneHot(6, name="letters")
    assert layer.get_config() == {"name": "letters", "dtype": "float32", "num_tokens": 6}
    model = Sequential([layer, LSTM(3)])
    model.build((None, 4))
    model.save(tmp_path / "m.npz")
    ids = np.array([[0, 5, 2, 1]])
    np.testing.assert_array_equal(Sequential.load(tmp_path / "m.npz")(ids), model(ids))
