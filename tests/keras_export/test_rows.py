"""Rows inside the model: gaps filled and numbers scaled as scratchnet's reader does it."""

import json

import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras", reason="needs the extra keras")

from keras_impl.preprocessing import FillMissing, with_preprocessing  # noqa: E402
from keras_impl.weights import to_keras  # noqa: E402
from scratchnet.errors import InputError  # noqa: E402
from scratchnet.experiments.readers import Chain, Columns  # noqa: E402
from scratchnet.layers import Dense  # noqa: E402
from scratchnet.model import Sequential  # noqa: E402
from tests.helpers import FORWARD_TOLERANCE, assert_agrees  # noqa: E402

NAMES = ("a", "b", "c")
ROWS = np.array([[1.0, np.nan, -2.5], [np.nan, 3.25, 40.0], [0.0, 7.0, 1e15]])


def model_of(dtype):
    model = Sequential([Dense(4, activation="tanh"), Dense(2, activation="sigmoid")], dtype=dtype)
    model.build((None, 3))
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [0.1, 1.0, -3.0])
def test_as_the_reader_does_it(dtype, scale):
    columns = Columns(NAMES, ("u", "v"), scale=scale, fill={"b": 2.5, "a": -1.5})
    model = model_of(dtype)
    whole = with_preprocessing(to_keras(model), columns)
    assert whole.inputs[0].dtype == dtype
    expected = model(columns.inputs(pd.DataFrame(ROWS, columns=list(NAMES))))
    given = keras.ops.convert_to_tensor(ROWS, dtype)
    rounded = 1e-7 if scale == 0.1 else 0  # Keras's Rescaling makes a float32 of it first
    assert_agrees(whole(given), expected, max(rounded, FORWARD_TOLERANCE[dtype]))


def test_a_gap_that_is_not_filled_is_seen_in_the_answer():
    whole = with_preprocessing(to_keras(model_of("float32")), Columns(NAMES, ("u", "v")))
    assert np.isnan(whole(np.float32(ROWS))).all(axis=1).tolist() == [True, True, False]


def test_its_configuration_is_json_and_makes_it_again():
    layer = FillMissing([1.5, None], name="fill", dtype="float64")
    config = json.loads(json.dumps(layer.get_config(), allow_nan=False))
    again = FillMissing.from_config(config)
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(again(np.full((1, 2), np.nan)), [[1.5, np.nan]])


def test_a_chain_has_no_model():
    with pytest.raises(InputError, match="expected a reader of rows, reviews or a text, got Chain"):
        with_preprocessing(to_keras(model_of("float32")), Chain(lower_case=True))
