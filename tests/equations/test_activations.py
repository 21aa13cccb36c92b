"""Every activation against Keras and the tape, central differences and its own extremes."""

import inspect
import math
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_impl.parity.oracle import keras_floats
from scratchnet.equations import activations
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)

DTYPES = ["float64", "float32"]


class Case(NamedTuple):
    """An activation with settings, and where its slope jumps."""

    name: str
    settings: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    kinks: tuple[float, ...] = ()
    rounded: str = ""
    """The constant that TensorFlow rounds to float32 even in float64; 1e-7 is agreement then."""

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.settings.items())])

    def forward(self, x):
        return getattr(activations, self.name)(x, **self.settings)

    def backward(self, dy, x, y):
        return getattr(activations, f"{self.name}_backward")(dy, x, y, **self.settings)

    def tolerance(self, table: dict[str, float], dtype: str) -> float:
        return max(table[dtype], 1e-7) if self.rounded else table[dtype]


CASES = [
    Case("linear"),
    Case("sigmoid"),
    Case("tanh"),
    Case("relu", kinks=(0,)),
    Case("relu6", kinks=(0, 6)),
    Case("leaky_relu", kinks=(0,), rounded="negative_slope"),
    Case("leaky_relu", {"negative_slope": 0.3}, kinks=(0,), rounded="negative_slope"),
    Case("leaky_relu", {"negative_slope": 0.25}, kinks=(0,)),  # exact in float32
    Case("elu"),
    Case("elu", {"alpha": 0.3}, kinks=(0,)),
    Case("selu", kinks=(0,)),
    Case("celu"),
    Case("celu", {"alpha": 0.7}),
    Case("gelu", rounded="1/sqrt(2)"),
    Case("gelu", {"approximate": True}, rounded="0.044715 and sqrt(2/pi)"),
    Case("silu"),
    Case("softplus"),
    Case("softsign"),
    Case("hard_sigmoid", kinks=(-3, 3)),
    Case("hard_silu", kinks=(-3, 3)),
    Case("hard_tanh", kinks=(-1, 1)),
    Case("hard_shrink", kinks=(-0.5, 0.5)),
    Case("hard_shrink", {"threshold": 1.3}, kinks=(-1.3, 1.3)),
    Case("soft_shrink", kinks=(-0.5, 0.5)),
    Case("soft_shrink", {"threshold": 1.3}, kinks=(-1.3, 1.3)),
    Case("tanh_shrink"),
    Case("log_sigmoid"),
    Case("exponential"),
    Case("mish"),
    Case("squareplus"),
    Case("squareplus", {"b": 1.7}),
    Case("sparse_sigmoid", kinks=(-1, 1)),
    Case("sparse_plus"),
    Case("softmax"),
    Case("log_softmax"),
]
SOFTMAXES = ("softmax", "log_softmax")
ELEMENTWISE = [case for case in CASES if case.name not in SOFTMAXES]
KINKED = [case for case in CASES if case.kinks]

WITHOUT_KERAS = {"heaviside"}  # the perceptron's; Keras has none
NOT_OURS = {
    "glu",  # neither elementwise nor a softmax: it halves the last axis
    "sparsemax",  # neither elementwise nor a softmax: it projects onto the simplex
    "threshold",  # has no default settings, so no layer can name it
}

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_elementwise_case = pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
one_class_is_meant = pytest.mark.filterwarnings("ignore:You are using a softmax:UserWarning:keras")


def random_inputs(case: Case, *shape: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """``x`` on both sides of every kink and away from them, and an upstream gradient."""
    generator = np.random.default_rng([*case.name.encode(), *shape])
    x = 3 * generator.standard_normal(shape)
    for kink in case.kinks:
        x = np.where(abs(x - kink) < 0.01, x + 0.02, x)
    return x.astype(dtype), generator.standard_normal(shape).astype(dtype)


def keras_results(case: Case, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keras's value and the tape's gradient."""
    with keras_floats(str(x.dtype)), tf.GradientTape() as tape:
        variable = tf.constant(x)
        tape.watch(variable)
        y = getattr(keras.activations, case.name)(variable, **case.settings)
    return y.numpy(), tape.gradient(y, variable, output_gradients=tf.constant(dy)).numpy()


def public_names() -> set[str]:
    return {
        name
        for name, function in inspect.getmembers(activations, inspect.isfunction)
        if function.__module__ == activations.__name__ and not name.startswith("_")
    }


class TestCompleteness:
    def test_every_public_function_is_in_the_table(self):
        compared = {case.name for case in CASES} | WITHOUT_KERAS
        assert public_names() == compared | {f"{name}_backward" for name in compared}

    def test_every_keras_name_is_ours_or_left_out_for_a_reason(self):
        theirs = {
            name
            for name, function in inspect.getmembers(keras.activations, inspect.isfunction)
            if name not in {"get", "serialize", "deserialize"}
        }
        aliases = {"swish", "hard_swish"}
        assert theirs - aliases - NOT_OURS == {case.name for case in CASES}

    @every_case
    def test_every_setting_is_compared_and_has_keras_default(self, case):
        ours = dict(list(inspect.signature(getattr(activations, case.name)).parameters.items())[1:])
        varied = {key for other in CASES if other.name == case.name for key in other.settings}
        assert ours.keys() == varied
        theirs = inspect.signature(getattr(keras.activations, case.name)).parameters
        backward = inspect.signature(getattr(activations, f"{case.name}_backward")).parameters
        for name, parameter in ours.items():
            assert parameter.default == theirs[name].default == backward[name].default


class TestAgainstKeras:
    @every_dtype
    @every_case
    def test_value_and_gradient(self, case, dtype):
        x, dy = random_inputs(case, 11, 7, dtype=dtype)
        y = case.forward(x)
        dx = case.backward(dy, x, y)
        assert y.dtype == dx.dtype == dtype
        keras_y, keras_dx = keras_results(case, x, dy)
        assert_not_negligible(keras_y)
        assert_not_negligible(keras_dx)
        assert_agrees(y, keras_y, case.tolerance(FORWARD_TOLERANCE, dtype), "y")
        assert_agrees(dx, keras_dx, case.tolerance(GRADIENT_TOLERANCE, dtype), "dx")

    @pytest.mark.parametrize("case", [case for case in CASES if case.rounded], ids=str)
    def test_tensorflow_really_rounds_the_constant(self, case):
        """The wider tolerance is needed; should TensorFlow stop rounding, it can go."""
        x, dy = random_inputs(case, 11, 7)
        keras_y, _ = keras_results(case, x, dy)
        assert abs(case.forward(x) - keras_y).max() / abs(keras_y).max() > 1e-11

    @one_class_is_meant
    @pytest.mark.parametrize("shape", [(5,), (1,), (3, 5), (1, 1), (2, 3, 5), (2, 1, 7), (4, 3, 1)])
    @pytest.mark.parametrize("name", SOFTMAXES)
    @every_dtype
    def test_softmaxes_work_along_the_last_axis(self, name, shape, dtype):
        case = Case(name)
        x, dy = random_inputs(case, *shape, dtype=dtype)
        y = case.forward(x)
        keras_y, keras_dx = keras_results(case, x, dy)
        assert_agrees(y, keras_y, FORWARD_TOLERANCE[dtype], "y")
        assert_agrees(case.backward(dy, x, y), keras_dx, GRADIENT_TOLERANCE[dtype], "dx")

    @pytest.mark.parametrize(
        ("case", "kink"),
        [
            pytest.param(case, kink, id=f"{case} at {kink}")
            for case in KINKED
            for kink in (*case.kinks, *((-0.0,) if 0 in case.kinks else ()))
        ],
    )
    @every_dtype
    def test_kinks_are_tensorflows_choice(self, case, kink, dtype):
        x, dy = np.array([kink, 2.0], dtype), np.array([-1.5, 0.7], dtype)
        y = case.forward(x)
        keras_y, keras_dx = keras_results(case, x, dy)
        assert_agrees(y, keras_y, case.tolerance(FORWARD_TOLERANCE, dtype))
        assert_agrees(case.backward(dy, x, y), keras_dx, case.tolerance(GRADIENT_TOLERANCE, dtype))

    @pytest.mark.parametrize("alpha", [1.0, 0.7])
    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_celu_at_0_is_the_exception(self, zero, alpha):
        """Both branches of TensorFlow's sum pass their slope of 1 on, and it says 2."""
        case, x, dy = Case("celu", {"alpha": alpha}), np.array([zero]), np.array([1.5])
        y = case.forward(x)
        keras_y, keras_dx = keras_results(case, x, dy)
        assert y == keras_y == 0
        assert keras_dx == 2 * dy
        assert case.backward(dy, x, y) == dy

    @settings(max_examples=15)
    @given(data=st.data())
    @every_dtype
    @every_elementwise_case
    def test_any_shape_any_values(self, case, dtype, data):
        x = data.draw(inputs(case, dtype))
        dy = np.random.default_rng(x.size).standard_normal(x.shape).astype(dtype)
        x.flat[0], dy.flat[0] = 1.7, 1.5  # where no activation and no slope is negligible
        if case.name in ("hard_tanh", "sparse_sigmoid"):
            x.flat[0] = 0.7
        y = case.forward(x)
        keras_y, keras_dx = keras_results(case, x, dy)
        assert_agrees(y, keras_y, case.tolerance(FORWARD_TOLERANCE, dtype), "y")
        dx = case.backward(dy, x, y)
        assert_agrees(dx, keras_dx, case.tolerance(GRADIENT_TOLERANCE, dtype), "dx")

    @one_class_is_meant
    @settings(max_examples=30)
    @given(data=st.data())
    @pytest.mark.parametrize("name", SOFTMAXES)
    def test_softmaxes_of_any_shape_any_values(self, name, data):
        case = Case(name)
        x = data.draw(inputs(case, "float64"))
        dy = np.random.default_rng(x.size).standard_normal(x.shape)
        y = case.forward(x)
        keras_y, keras_dx = keras_results(case, x, dy)
        # Everything may cancel here, so what entered the sums is the scale.
        assert abs(y - keras_y).max() <= 1e-12 * max(1, abs(x).max())
        assert abs(case.backward(dy, x, y) - keras_dx).max() <= 1e-12 * abs(dy).sum()


def inputs(case: Case, dtype: str) -> st.SearchStrategy[np.ndarray]:
    """Arrays of up to three axes with zeros, kinks and values up to 1e4 (50 under an exponential).

    Nothing but 0 between ±2**-10: there TensorFlow's elu and selu are off by their own rounding
    (they form ``exp(x) - 1`` and take the slope from its sign).
    """
    zero = () if case.name == "celu" else (0.0,)
    highest = 50 if case.name == "exponential" else 1e4
    numbers = st.one_of(
        st.floats(-1e4, -(2**-10), width=32),
        st.floats(2**-10, highest, width=32),
        st.sampled_from(np.array([1.0, *zero, *case.kinks], dtype).tolist()),
    )
    return hnp.arrays(dtype, hnp.array_shapes(max_dims=3, max_side=5), elements=numbers)


class TestAgainstCentralDifferences:
    @every_case
    def test_gradient(self, case):
        x, dy = random_inputs(case, 3, 5)
        numeric = central_differences(lambda x: float((dy * case.forward(x)).sum()), x)
        assert_not_negligible(numeric)
        assert_agrees(case.backward(dy, x, case.forward(x)), numeric, DIFFERENCES_TOLERANCE)

    @pytest.mark.parametrize("case", KINKED, ids=str)
    def test_kinks_are_where_the_slope_jumps(self, case):
        """So that the table's kinks are the real ones, and each side has the slope it should."""
        for kink in case.kinks:
            sides = np.array([kink - 1e-3, kink + 1e-3])
            slopes = case.backward(np.ones(2), sides, case.forward(sides))
            assert abs(slopes[1] - slopes[0]) > 0.1 or case.name == "hard_shrink"


class TestHeaviside:
    @every_dtype
    def test_is_1_from_0_on(self, dtype):
        x = np.array([-1e4, -1e-7, -0.0, 0.0, 1e-7, 1e4], dtype)
        y = activations.heaviside(x)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, [0, 0, 1, 1, 1, 1])

    @every_dtype
    def test_has_no_slope(self, dtype):
        x = np.array([[-2, 0, 3]], dtype)
        dx = activations.heaviside_backward(x + 1, x, activations.heaviside(x))
        assert dx.dtype == dtype
        np.testing.assert_array_equal(dx, np.zeros((1, 3)))


class TestExtremes:
    """Warnings are errors here, so an overflow fails these tests even where its result is right."""

    @pytest.mark.parametrize("magnitude", ["1e4", "700", "88.5", "50", "0", "smallest", "tiny"])
    @every_dtype
    @pytest.mark.parametrize("case", [*CASES, Case("heaviside")], ids=str)
    def test_finite_without_a_warning(self, case, magnitude, dtype):
        info = np.finfo(dtype)
        named = {"smallest": info.smallest_subnormal, "tiny": info.tiny / 8}
        size = named.get(magnitude) or float(magnitude)
        x = np.array([[size, -size], [-size, size]], dtype)
        if case.name == "exponential" and size > math.log(info.max) - 1:
            x = -abs(x)  # the true value of the others is beyond the dtype
        y = case.forward(x)
        dx = case.backward(np.array([[1.5, -0.7], [0.3, 1.1]], dtype), x, y)
        assert y.dtype == dx.dtype == dtype
        assert np.isfinite(y).all()
        assert np.isfinite(dx).all()

    @every_dtype
    @every_elementwise_case
    def test_limits_are_tensorflows(self, case, dtype):
        x = np.array([-1e4, -50, -1e-7, 1e-7, 0.8, 1.0004, 50, 1e4], dtype)
        dy = np.array([1.5, -0.7, 0.3, 1.1, 0.9, -0.5, -1.2, 0.4], dtype)
        if case.name == "exponential":
            x, dy = x[:-1], dy[:-1]
        y = case.forward(x)
        keras_y, keras_dx = keras_results(case, x, dy)
        for i in range(x.size):  # one by one: 1e4 would drown the others
            kept = slice(i, i + 1)
            assert_close(y[kept], keras_y[kept], case.tolerance(FORWARD_TOLERANCE, dtype))
        dx = case.backward(dy, x, y)
        assert_agrees(dx, keras_dx, case.tolerance(GRADIENT_TOLERANCE, dtype))

    @pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "hard_tanh", "linear"])
    def test_denormals_are_kept(self, name):
        """TensorFlow flushes them to zero; nothing here does."""
        x = np.array([np.finfo("float64").smallest_subnormal])
        case = Case(name)
        np.testing.assert_array_equal(case.forward(x), x)
        np.testing.assert_array_equal(case.backward(np.ones(1), x, x), [1.0])

    @pytest.mark.parametrize("name", SOFTMAXES)
    @every_dtype
    def test_softmaxes_of_equal_and_of_far_logits(self, name, dtype):
        case = Case(name)
        equal, far = np.full((1, 4), 1e4, dtype), np.array([[1e4, -1e4, 0]], dtype)
        logs = name == "log_softmax"
        quarter = np.full((1, 4), -math.log(4) if logs else 0.25)
        np.testing.assert_allclose(case.forward(equal), quarter, rtol=1e-6)
        np.testing.assert_array_equal(case.forward(far), [[0, -2e4, -1e4] if logs else [1, 0, 0]])

    @pytest.mark.parametrize(
        ("name", "x", "value"),
        [
            ("sigmoid", -50.0, math.exp(-50)),
            ("sigmoid", -700.0, math.exp(-700)),
            ("silu", -50.0, -50 * math.exp(-50)),
            ("softplus", -50.0, math.exp(-50)),
            ("log_sigmoid", 50.0, -math.exp(-50)),
            ("mish", -50.0, -50 * math.exp(-50)),
            ("gelu", -20.0, -10 * math.erfc(20 / math.sqrt(2))),
            ("elu", -1e-9, math.expm1(-1e-9)),
            ("selu", -1e-9, activations.SELU_SCALE * activations.SELU_ALPHA * math.expm1(-1e-9)),
            ("celu", -1e-9, math.expm1(-1e-9)),
        ],
    )
    def test_tails_keep_their_digits(self, name, x, value):
        """Not scaled by anything: the last digits of a small value are right too."""
        y = getattr(activations, name)(np.array([x]))
        np.testing.assert_allclose(y, [value], rtol=1e-13)


def assert_close(actual: np.ndarray, reference: np.ndarray, tolerance: float) -> None:
    """Agreement scaled by the reference, or by 1 where the reference is smaller."""
    assert abs(actual - reference).max() <= tolerance * max(1, abs(reference).max())
