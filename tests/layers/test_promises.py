"""What every layer promises (section 2 of the design)."""

import json
import re

import numpy as np
import pytest

from scratchnet import set_random_seed
from scratchnet.errors import BackwardError, CheckpointError, InputError
from scratchnet.layers import Dense, Flatten, Layer
from tests.helpers import FORWARD_TOLERANCE, assert_agrees
from tests.layers.cases import CASES, every_case, every_dtype, message, random_array

RECURRENT_KEYS = ["kernel", "recurrent_kernel", "bias"]
BOTH = [f"{way}/{key}" for way in ("forward", "backward") for key in RECURRENT_KEYS]
KEYS = {
    "dense": ["kernel", "bias"],
    "embedding": ["embeddings"],
    "SimpleRNN": RECURRENT_KEYS,
    "LSTM": RECURRENT_KEYS,
    "GRU": RECURRENT_KEYS,
    "Bidirectional": BOTH,
    "TimeDistributed": ["layer/kernel", "layer/bias"],
    "TimeDistributed-LSTM": [f"layer/{key}" for key in RECURRENT_KEYS],
    "TimeDistributed-weightless-dropout": [],
}


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


class TestBuilding:
    @every_case
    def test_first_use_builds(self, case):
        layer = case.make()
        assert not layer.built
        assert layer.params == layer.grads == {}
        layer.forward(case.x())
        assert layer.built
        assert layer.input_shape == (None, *case.shape[1:])

    @every_case
    def test_build_is_optional_and_gives_the_same_parameters(self, case):
        set_random_seed(11)
        early = case.make()
        early.build(case.shape)
        assert early.built
        set_random_seed(11)
        late = case.make()
        late.forward(case.x())
        assert early.input_shape == late.input_shape
        assert early.params.keys() == late.params.keys()
        for key, array in early.params.items():
            np.testing.assert_array_equal(array, late.params[key], strict=True)

    @every_case
    def test_building_again_keeps_the_parameters(self, case):
        layer = case.layer()
        kept = dict(layer.params)
        layer.build((None, *case.shape[1:]))
        layer.forward(case.x())
        assert all(layer.params[key] is array for key, array in kept.items())

    @pytest.mark.parametrize("shape", [5, "ab", (None, 2.5), None])
    def test_input_shape_that_is_none(self, shape):
        with pytest.raises(InputError, match=r"dense\.build: expected input_shape .*, got") as e:
            Dense(2).build(shape)
        assert "(None, 9)" in message(e)

    def test_built_for_other_features(self):
        layer = Dense(2)
        layer.build((None, 3))
        for use in (lambda: layer.build((None, 4)), lambda: layer(np.ones((2, 4)))):
            with pytest.raises(InputError, match=r"Dense: expected x with 3 features.*got 4") as e:
                use()
            message(e)

    def test_features_of_unknown_number(self):
        with pytest.raises(
            InputError, match=r"Dense: expected the last axis of x to be a positive"
        ):
            Dense(2).build((None, None))

    def test_output_shape(self):
        for case in CASES:
            layer = case.layer()
            shape = layer.compute_output_shape(case.shape)
            assert layer(case.x()).shape == shape, str(case)
            unknown = layer.compute_output_shape((None, *case.shape[1:]))
            assert unknown == (None, *shape[1:]), str(case)
        assert Flatten().compute_output_shape((None, 3, None)) == (None, None)


class TestParameters:
    @every_case
    def test_keys_in_keras_order(self, case):
        layer = case.layer()
        expected = KEYS.get(case.name, KEYS.get(case.name.partition("-")[0], []))
        if case.name.endswith("no-bias"):
            expected = expected[:-1]
        assert list(layer.params) == expected
        layer.forward(case.x(), training=True)
        layer.backward(case.dy())
        assert list(layer.grads) == expected
        for key in expected:
            assert layer.grads[key].shape == layer.params[key].shape
        assert layer.count_params() == sum(a.size for a in layer.params.values())

    @every_case
    def test_set_weights_writes_into_the_same_arrays(self, case):
        layer = case.layer()
        kept = dict(layer.params)
        wanted = [random_array(*array.shape, seed=5) for array in layer.get_weights()]
        layer.set_weights(wanted)
        for (key, array), weight in zip(layer.params.items(), wanted, strict=True):
            assert array is kept[key]
            assert array is not weight
            np.testing.assert_array_equal(array, weight)

    @every_case
    def test_get_weights_copies(self, case):
        layer = case.layer()
        before = layer.get_weights()
        for array in layer.get_weights():
            array += 1
        for array, weight in zip(layer.params.values(), before, strict=True):
            np.testing.assert_array_equal(array, weight)

    @every_dtype
    def test_weights_are_cast(self, dtype):
        layer = Dense(2, dtype=dtype)
        layer.build((None, 1))
        layer.set_weights([[[1, 2]], np.array([0.1, 0.2], "float64")])
        assert [array.dtype for array in layer.params.values()] == [dtype, dtype]
        np.testing.assert_array_equal(layer.params["kernel"], [[1, 2]])

    @pytest.mark.parametrize(
        ("weights", "reason"),
        [
            ([], r"expected 2 arrays \(kernel, bias\), got 0"),
            ([np.ones((3, 2))] * 3, r"expected 2 arrays \(kernel, bias\), got 3"),
            ([np.ones((3, 2)), np.ones(3)], r"expected bias of shape \(2,\), got \(3,\)"),
            ([np.ones((2, 3)), np.ones(2)], r"expected kernel of shape \(3, 2\), got \(2, 3\)"),
            ([np.ones((3, 2)), ["a", "b"]], "expected bias to be an array of numbers, got <U1"),
            ([np.ones((3, 2)), [[1], [1, 2]]], "expected bias to be an array of numbers, got list"),
        ],
    )
    def test_weights_that_do_not_fit_change_nothing(self, weights, reason):
        layer = Dense(2, name="top")
        layer.build((None, 3))
        before = layer.get_weights()
        with pytest.raises(InputError, match=rf"^top\.set_weights: {reason}") as e:
            layer.set_weights(weights)
        message(e)
        for array, kept in zip(layer.params.values(), before, strict=True):
            np.testing.assert_array_equal(array, kept)

    def test_weights_before_they_exist(self):
        with pytest.raises(
            InputError, match=r"expected 0 arrays .*before the layer is built.*got 2"
        ):
            Dense(2).set_weights([np.ones((3, 2)), np.ones(2)])


class TestForward:
    @every_case
    def test_a_call_is_forward(self, case):
        one, other = case.layer(), case.layer()
        x = case.x()
        np.testing.assert_array_equal(one(x, training=True), other.forward(x, True), strict=True)
        np.testing.assert_array_equal(one(x), other.forward(x), strict=True)

    @every_case
    @every_dtype
    def test_everything_has_the_layers_dtype(self, case, dtype):
        layer = case.make(dtype=dtype)
        assert layer.dtype == dtype
        for given in ("float64", "float32", "int64"):
            x = (10 * case.x()).astype(given) % 5
            assert layer(x).dtype == dtype
            assert layer(x, training=True).dtype == dtype
            dx = layer.backward(case.dy())
            assert dx is None or dx.dtype == dtype
            for key, array in layer.params.items():
                assert array.dtype == layer.grads[key].dtype == dtype

    def test_the_default_is_float32(self):
        assert {case.make().dtype for case in CASES} == {"float32"}

    @every_case
    @every_dtype
    def test_the_cast_is_the_inputs_and_the_gradients(self, case, dtype):
        """A float64 input to a float32 layer is rounded once, at the door; so is a list."""
        x, dy = case.x(), case.dy()
        rounded = x if case.takes_ids else x.astype(dtype)
        results = []
        for given_x, given_dy in [(x, dy), (rounded, dy.astype(dtype)), (x.tolist(), dy.tolist())]:
            layer = case.layer(dtype)
            y = layer.forward(given_x, training=True)
            results.append([y, layer.backward(given_dy), *layer.grads.values()])
        for other in results[1:]:
            for array, reference in zip(other, results[0], strict=True):
                np.testing.assert_array_equal(array, reference)

    @every_case
    def test_empty_batch(self, case):
        layer = case.layer()
        x, dy = case.x()[:0], case.dy()[:0]
        assert layer(x).shape == dy.shape
        assert layer.forward(x, training=True).shape == dy.shape
        dx = layer.backward(dy)
        assert dx is None or dx.shape == x.shape
        for key, array in layer.grads.items():
            np.testing.assert_array_equal(array, np.zeros_like(layer.params[key]), strict=True)

    @pytest.mark.parametrize(
        ("x", "got"),
        [
            ([["a", "b"]], "<U1"),
            ([[1, 2], [3]], "list"),
            ([[None, 1]], "object"),
            ([[1j, 2]], "complex128"),
            (None, "object"),
        ],
    )
    @every_case
    def test_input_that_is_not_numbers(self, case, x, got):
        layer = case.layer()
        with pytest.raises(
            InputError, match=f"expected x to be an array of numbers, got {got}"
        ) as e:
            layer(x)
        assert message(e).startswith(type(layer).__name__)

    def test_rank(self):
        for case in CASES:
            layer = case.make()
            with pytest.raises(InputError, match=r"expected x of shape \(batch, .*got \(\)") as e:
                layer(np.array(1))
            assert message(e).startswith(type(layer).__name__)

    def test_remedies_for_a_rank(self):
        class Sequence(Layer):
            min_rank = max_rank = 3
            input_axes = "(batch, time, features)"

        with pytest.raises(InputError) as e:
            Sequence()(np.ones((32, 40)))
        assert message(e) == (
            "Sequence: expected x of shape (batch, time, features), got (32, 40). "
            "Add a features axis: x[..., np.newaxis]."
        )
        with pytest.raises(InputError, match=r"got \(1, 2, 3, 4\)\. Reshape it\.$"):
            Sequence()(np.ones((1, 2, 3, 4)))
        with pytest.raises(
            InputError, match=r"got \(5,\)\. Add a batch axis, x\[np\.newaxis\], or"
        ):
            Dense(2)(np.ones(5))


class TestBackward:
    @every_case
    def test_sets_new_gradients_each_time(self, case):
        layer = case.layer()
        x, dy = case.x(), case.dy()
        start = layer.state()  # so that a dropout draws the same
        layer.forward(x, training=True)
        layer.backward(dy)
        first = dict(layer.grads)
        copies = {key: array.copy() for key, array in first.items()}
        layer.set_state(start)
        layer.forward(x, training=True)
        layer.backward(2 * dy)
        for key, array in first.items():
            assert layer.grads[key] is not array
            np.testing.assert_array_equal(array, copies[key])
            np.testing.assert_allclose(layer.grads[key], 2 * array, rtol=1e-12)

    @every_case
    def test_uses_the_latest_training_forward(self, case):
        layer, other = case.layer(), case.layer()
        dy = case.dy()
        layer.forward(case.x(seed=4), training=True)
        other.forward(case.x(seed=4), training=True)  # so that a dropout draws as often
        for one in (layer, other):
            one.forward(case.x(), training=True)
        layer.forward(case.x(seed=9))
        layer(np.concatenate([case.x(seed=8)] * 2))
        dx, reference = layer.backward(dy), other.backward(dy)
        np.testing.assert_array_equal(dx, reference)
        for key, array in other.grads.items():
            np.testing.assert_array_equal(layer.grads[key], array)

    @every_case
    def test_inference_disturbs_nothing(self, case):
        """Neither backward, nor what the next training forward draws."""
        layer, other = case.layer(), case.layer()
        layer.forward(case.x(seed=9))
        np.testing.assert_array_equal(
            layer.forward(case.x(), training=True), other.forward(case.x(), training=True)
        )
        kept = dict(layer.__dict__)
        layer.forward(case.x(seed=9))
        assert layer.__dict__.keys() == kept.keys()
        assert all(layer.__dict__[key] is value for key, value in kept.items())

    @every_case
    def test_without_a_training_forward(self, case):
        layer = case.layer()
        with pytest.raises(BackwardError, match=r"no training forward"):
            layer.backward(case.dy())
        layer.forward(case.x())
        with pytest.raises(BackwardError, match=r"no training forward") as e:
            layer.backward(case.dy())
        assert f"{layer.name}.backward" in message(e)
        assert "forward(x, training=True)" in message(e)

    @every_case
    def test_twice(self, case):
        layer = case.layer()
        layer.forward(case.x(), training=True)
        layer.backward(case.dy())
        with pytest.raises(BackwardError, match=r"backward once after each"):
            layer.backward(case.dy())

    @every_case
    def test_wrong_dy_is_refused_and_the_right_one_still_taken(self, case):
        layer = case.layer()
        y = layer.forward(case.x(), training=True)
        wrong = np.ones((*y.shape, 1))
        expected = f"expected dy with the shape of the output, {y.shape}, got {wrong.shape}"
        with pytest.raises(InputError, match=re.escape(expected)) as e:
            layer.backward(wrong)
        assert message(e).startswith(f"{layer.name}.backward")
        with pytest.raises(InputError, match=r"expected dy to be an array of numbers"):
            layer.backward("steep")
        layer.backward(case.dy())

    @every_case
    @every_dtype
    def test_inputs_are_never_written_to(self, case, dtype):
        x, dy = read_only(case.x(dtype)), read_only(case.dy(dtype))
        x_before, dy_before = x.copy(), dy.copy()
        layer = case.layer(dtype)
        for array in layer.params.values():
            read_only(array)
        layer.forward(x)
        read_only(layer.forward(x, training=True))
        layer.backward(dy)
        np.testing.assert_array_equal(x, x_before)
        np.testing.assert_array_equal(dy, dy_before)


class TestConfiguration:
    @every_case
    @every_dtype
    def test_makes_the_layer_again_through_json(self, case, dtype):
        layer = case.layer(dtype, name="mine")
        config = layer.get_config()
        assert config["name"] == "mine"
        assert config["dtype"] == dtype
        stored = json.loads(json.dumps(config))
        assert stored == config
        again = type(layer).from_config(stored)
        assert again.get_config() == config
        again.build(case.shape)
        again.set_weights(layer.get_weights())
        y, reference = again(case.x(), True), layer(case.x(), True)
        assert y.dtype == reference.dtype
        # whether the page or its kernel runs is no part of a configuration
        assert_agrees(y, reference, FORWARD_TOLERANCE[dtype] if "page" in case.name else 0)

    def test_config_that_does_not_fit(self):
        for config in ({"units": 2, "colour": "red"}, {"activation": "relu"}):
            with pytest.raises(
                InputError, match=r"^Dense: expected a config with the arguments"
            ) as e:
                Dense.from_config(config)
            message(e)

    def test_names(self):
        assert [case.make().name for case in CASES[:20:8]] == ["dense", "activation", "flatten"]
        assert Dense(2, name="top").name == "top"

        class SimpleRNNCell(Layer):
            pass

        assert SimpleRNNCell().name == "simple_rnn_cell"

    @pytest.mark.parametrize("name", ["a/b", "", 5, b"top"])
    def test_bad_names(self, name):
        with pytest.raises(InputError, match=r"Dense: expected name to be a text without '/'") as e:
            Dense(2, name=name)
        assert message(e).count(repr(name))

    @pytest.mark.parametrize("dtype", ["float16", "int32", "complex64", "floaty", 3, np.int8, ""])
    @every_case
    def test_dtypes_it_does_not_compute_in(self, case, dtype):
        with pytest.raises(InputError, match=r"expected dtype to be float32 or float64, got") as e:
            case.make(dtype=dtype)
        assert repr(dtype) in message(e)

    @pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64"), float])
    def test_dtypes_by_other_names(self, dtype):
        assert Dense(2, dtype=dtype).dtype == "float64"

    def test_dtype_can_change_until_built(self):
        layer = Dense(2)
        layer.set_dtype("float64")
        assert layer(np.ones((1, 3))).dtype == layer.params["kernel"].dtype == "float64"
        layer.set_dtype("float64")
        with pytest.raises(InputError, match=r"expected to stay float64.*got float32"):
            layer.set_dtype("float32")
        assert layer.dtype == "float64"


class TestRestoring:
    @every_case
    def test_stored_parameters_come_back_and_nothing_is_drawn(self, case):
        layer = case.layer()
        set_random_seed(5)
        again = case.make(dtype="float64")
        again.restore((None, *case.shape[1:]), layer.params)
        expected = np.random.default_rng(5).random()
        from scratchnet.random import generator

        assert generator().random() == expected
        np.testing.assert_array_equal(again(case.x(), True), layer(case.x(), True), strict=True)
        for key, array in layer.params.items():
            assert again.params[key] is not array

    @pytest.mark.parametrize(
        ("arrays", "reason"),
        [
            ({"kernel": (3, 2)}, r"expected bias of shape \(2,\), found none"),
            ({"kernel": (4, 2), "bias": (2,)}, r"kernel of shape \(3, 2\), found shape \(4, 2\)"),
            ({"kernel": (3, 2), "bias": (2,), "evil": (1,)}, "unexpected arrays evil"),
        ],
    )
    def test_arrays_that_do_not_fit(self, arrays, reason):
        layer = Dense(2)
        with pytest.raises(CheckpointError, match=f"^dense: .*{reason}") as e:
            layer.restore((None, 3), {key: np.ones(shape) for key, shape in arrays.items()})
        message(e)


def test_a_layer_without_its_methods_says_which():
    with pytest.raises(NotImplementedError, match=r"Layer has no _forward"):
        Layer()(np.ones((1, 2)))
    with pytest.raises(NotImplementedError, match=r"Layer has no _backward"):
        Layer()._backward(np.ones(1), None)
