"""Initializers: their distributions, their seeds, their fans, and their configs beside Keras's."""

import json
import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.initializers.random_initializers import compute_fans as keras_fans

from scratchnet import initializers, random
from scratchnet.errors import InputError
from scratchnet.initializers import (
    TRUNCATED_STDDEV,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    compute_fans,
    set_random_seed,
)

SHAPE = (293, 401)  # 117,493 values; fans that differ

INSTANCES = [
    Zeros(),
    Ones(),
    Constant(-2.5),
    Identity(3.0),
    RandomNormal(0.25, 2.0, seed=1),
    TruncatedNormal(0.25, 2.0, seed=1),
    RandomUniform(-0.25, 0.75, seed=1),
    Orthogonal(1.5, seed=1),
    VarianceScaling(3.0, "fan_out", "untruncated_normal", seed=1),
    VarianceScaling(0.5, "fan_avg", "truncated_normal", seed=1),
    VarianceScaling(0.5, "fan_in", "uniform", seed=1, input_axes=[0], output_axes=[1]),
    GlorotUniform(seed=1),
    GlorotNormal(seed=1),
    HeUniform(seed=1),
    HeNormal(seed=1),
    LecunUniform(seed=1),
    LecunNormal(seed=1),
]
RANDOM = [i for i in INSTANCES if "seed" in i.get_config()]
FANS = {"fan_in": 293, "fan_out": 401, "fan_avg": 347}


def described(argument):
    """Test ids; other arguments than initializers keep the usual ones."""
    if not isinstance(argument, Initializer):
        return None
    return "-".join(map(str, (type(argument).__name__, *argument.get_config().values())))


def without_seed(initializer):
    return type(initializer)(**{**initializer.get_config(), "seed": None})


def assert_moments(values, mean, variance, kurtosis):
    """Mean and variance within five standard errors; ``kurtosis`` is E[(x - mean)⁴] / variance²."""
    count = values.size
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / count)
    error = variance * math.sqrt((kurtosis - 1) / count)
    assert abs(((values - mean) ** 2).mean() - variance) < 5 * error


# What is not random


def test_constants():
    np.testing.assert_array_equal(Zeros()((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(Ones()((2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(Constant(-0.1)((2, 3)), np.full((2, 3), -0.1, "float32"))
    np.testing.assert_array_equal(Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("initializer", INSTANCES, ids=described)
def test_shape_and_dtype(initializer, dtype):
    values = initializer((3, 5), dtype)
    assert type(values) is np.ndarray
    assert (values.shape, values.dtype) == ((3, 5), np.dtype(dtype))
    assert values.flags.writeable
    assert initializer([3, 5]).dtype == "float32"


# Distributions


def test_random_normal():
    values = RandomNormal(0.25, 2.0, seed=7)(SHAPE, "float64")
    assert_moments(values, 0.25, 4.0, kurtosis=3)
    beyond = np.mean(np.abs(values - 0.25) > 4.0)
    assert beyond == pytest.approx(math.erfc(math.sqrt(2)), rel=0.05)


def test_random_uniform():
    values = RandomUniform(-0.25, 0.75, seed=7)(SHAPE, "float64")
    assert_moments(values, 0.25, 1 / 12, kurtosis=9 / 5)
    assert values.min() >= -0.25
    assert values.max() < 0.75


def truncated_moments():
    """Variance and kurtosis of a standard normal between -2 and 2, by the midpoint rule."""
    x = np.linspace(-2, 2, 200_001)
    x = (x[1:] + x[:-1]) / 2
    density = np.exp(-x * x / 2)
    density /= density.sum()
    variance = float((density * x**2).sum())
    return variance, float((density * x**4).sum()) / variance**2


def test_truncated_normal():
    values = TruncatedNormal(0.25, 2.0, seed=7)(SHAPE, "float64")
    variance, kurtosis = truncated_moments()
    assert_moments(values, 0.25, 4.0 * variance, kurtosis)
    assert np.abs(values - 0.25).max() <= 4.0
    assert np.abs(values - 0.25).max() > 3.99  # resampled, not clipped
    assert np.count_nonzero(np.abs(values - 0.25) == 4.0) == 0
    assert math.sqrt(variance) == pytest.approx(TRUNCATED_STDDEV, rel=1e-9)
    assert pytest.approx(0.87962566103423978, rel=1e-14) == TRUNCATED_STDDEV  # Keras's


@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
@pytest.mark.parametrize("mode", FANS)
def test_variance_scaling(mode, distribution):
    values = VarianceScaling(1.7, mode, distribution, seed=7)(SHAPE, "float64")
    variance = 1.7 / FANS[mode]
    kurtosis = {
        "uniform": 9 / 5,
        "truncated_normal": truncated_moments()[1],
        "untruncated_normal": 3,
    }[distribution]
    assert_moments(values, 0.0, variance, kurtosis)
    largest = {
        "uniform": math.sqrt(3 * variance),
        "truncated_normal": 2 * math.sqrt(variance) / TRUNCATED_STDDEV,
        "untruncated_normal": 6 * math.sqrt(variance),
    }[distribution]
    assert 0.6 * largest < np.abs(values).max() <= largest


@pytest.mark.parametrize(
    ("initializer", "variance", "uniform"),
    [
        (GlorotUniform(seed=7), 2 / (293 + 401), True),
        (GlorotNormal(seed=7), 2 / (293 + 401), False),
        (HeUniform(seed=7), 2 / 293, True),
        (HeNormal(seed=7), 2 / 293, False),
        (LecunUniform(seed=7), 1 / 293, True),
        (LecunNormal(seed=7), 1 / 293, False),
    ],
    ids=described,
)
def test_named_scales(initializer, variance, uniform):
    values = initializer(SHAPE, "float64")
    assert_moments(values, 0.0, variance, 9 / 5 if uniform else truncated_moments()[1])
    bound = math.sqrt(3 * variance) if uniform else 2 * math.sqrt(variance) / TRUNCATED_STDDEV
    assert 0.99 * bound < np.abs(values).max() <= bound


@pytest.mark.parametrize("initializer", RANDOM, ids=described)
def test_keras_draws_from_the_same_distribution(initializer):
    """Its sample's moments and extremes are ours, as closely as 117,493 values can tell."""
    config = initializer.get_config()
    theirs = np.asarray(getattr(keras.initializers, type(initializer).__name__)(**config)(SHAPE))
    ours = initializer(SHAPE)
    scale = ours.std()
    assert abs(ours.mean() - theirs.mean()) < 0.03 * scale
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.15)
    quantiles = np.linspace(0.05, 0.95, 19)
    np.testing.assert_allclose(
        np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.03 * scale
    )


@given(
    shape=st.lists(st.integers(1, 7), min_size=2, max_size=4),
    gain=st.sampled_from([1.0, 0.5, -2.0]),
    seed=st.integers(0, 2**32),
)
def test_orthogonal(shape, gain, seed):
    values = Orthogonal(gain, seed=seed)(shape, "float64")
    assert values.shape == tuple(shape)
    matrix = values.reshape(-1, shape[-1]) / gain
    gram = matrix.T @ matrix if len(matrix) >= shape[-1] else matrix @ matrix.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(128, 512), (512, 128), (128, 128)])
def test_a_large_orthogonal_matrix(shape):
    matrix = Orthogonal(seed=3)(shape, "float64")
    gram = matrix @ matrix.T if shape[0] < shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, np.eye(len(gram)), rtol=0, atol=1e-12)


def test_orthogonal_matrices_are_uniform_over_rotations_and_reflections():
    """Without the signs of R's diagonal, Q's first element would never be positive."""
    set_random_seed(5)
    matrices = np.array([Orthogonal()((3, 3), "float64") for _ in range(2000)])
    assert abs(np.mean(matrices[:, 0, 0] > 0) - 0.5) < 0.05
    assert abs(np.mean(np.linalg.det(matrices) > 0) - 0.5) < 0.05
    np.testing.assert_allclose((matrices**2).mean(axis=0), np.full((3, 3), 1 / 3), atol=0.04)


# Fans


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((), (1, 1)),
        ((5,), (5, 5)),
        ((5, 3), (5, 3)),
        ((2, 5, 3), (10, 6)),
        ((2, 7, 5, 3), (70, 42)),
        ((0, 3), (0, 3)),
    ],
)
def test_fans(shape, fans):
    assert compute_fans(shape) == fans == keras_fans(shape)


def test_fans_of_given_axes():
    assert compute_fans((2, 7, 5, 3), [0, 1], [2]) == keras_fans((2, 7, 5, 3), [0, 1], [2])
    assert compute_fans((2, 7, 5, 3), [0, 1], None) == keras_fans((2, 7, 5, 3), [0, 1], None)
    values = LecunUniform(seed=1, input_axes=[0, 1], output_axes=[2])((30, 40, 50), "float64")
    assert 0.99 < np.abs(values).max() / math.sqrt(3 / 1200) <= 1


def test_a_fan_below_1_counts_as_1():
    assert LecunUniform()((0, 3)).shape == (0, 3)
    assert np.abs(VarianceScaling(1.0, seed=1)(())).max() < 2 / TRUNCATED_STDDEV


# Seeds


@pytest.mark.parametrize("initializer", RANDOM, ids=described)
def test_a_seed_gives_the_same_values_on_every_call(initializer):
    first = initializer((4, 3), "float64")
    np.testing.assert_array_equal(initializer((4, 3), "float64"), first)
    np.testing.assert_array_equal(initializer((4, 3)), first.astype("float32"))
    other = type(initializer)(**{**initializer.get_config(), "seed": 2})
    assert not np.any(other((4, 3), "float64") == first)


@pytest.mark.parametrize("initializer", RANDOM, ids=described)
def test_without_a_seed_every_call_differs_until_the_process_is_seeded(initializer):
    unseeded = without_seed(initializer)
    set_random_seed(11)
    first, second = unseeded((4, 3)), unseeded((4, 3))
    assert not np.any(first == second)
    set_random_seed(11)
    np.testing.assert_array_equal(unseeded((4, 3)), first)
    initializer((4, 3))  # one with a seed of its own leaves the process's generator alone
    np.testing.assert_array_equal(unseeded((4, 3)), second)
    set_random_seed(12)
    assert not np.any(unseeded((4, 3)) == first)


def test_one_generator_for_the_process():
    set_random_seed(3)
    drawn = random.generator().random(4)
    set_random_seed(np.int64(3))
    np.testing.assert_array_equal(random.generator().random(4), drawn)
    assert initializers.set_random_seed is random.set_random_seed


@pytest.mark.parametrize("bad", [-1, 1.5, None, "1", True])
def test_a_seed_that_is_none(bad):
    with pytest.raises(InputError, match=r"set_random_seed: expected seed to be a whole number"):
        set_random_seed(bad)
    if bad is not None:
        with pytest.raises(InputError, match=r"GlorotUniform: expected seed to be a whole number"):
            GlorotUniform(seed=bad)


# Configurations


@pytest.mark.parametrize("initializer", INSTANCES, ids=described)
def test_config_through_json_and_keras(initializer):
    config = json.loads(json.dumps(initializer.get_config()))
    name = type(initializer).__name__
    theirs = keras.initializers.get({"class_name": name, "config": config})
    assert type(theirs).__name__ == name
    if name == "Identity":  # Keras's forgets its gain in its config
        assert theirs.gain == config["gain"]
        return
    assert theirs.get_config() == config
    for again in (
        type(initializer).from_config(config),
        initializers.get(json.loads(json.dumps(initializers.serialize(initializer)))),
        initializers.get(keras.initializers.serialize(theirs)),
    ):
        assert type(again) is type(initializer)
        assert again.get_config() == initializer.get_config()
        np.testing.assert_array_equal(again((4, 3)), initializer((4, 3)))


def test_identity_s_config_keeps_the_gain():
    again = initializers.get(json.loads(json.dumps(initializers.serialize(Identity(3.0)))))
    np.testing.assert_array_equal(again((2, 2)), [[3, 0], [0, 3]])


def test_an_instance_passes_through():
    initializer = GlorotUniform(seed=1)
    assert initializers.get(initializer) is initializer


@pytest.mark.parametrize(
    "name",
    [
        *("zeros", "ones", "orthogonal", "zero", "one", "normal"),
        *("random_normal", "random_uniform", "truncated_normal", "variance_scaling", "uniform"),
        *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform"),
        *("lecun_normal", "GlorotUniform", "HeNormal", "Zeros", "TruncatedNormal", "Orthogonal"),
    ],
)
def test_names_are_keras_s(name):
    ours, theirs = initializers.get(name), keras.initializers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.get_config() == theirs.get_config()


def test_names_that_keras_s_get_stumbles_over():
    assert initializers.get("constant").get_config() == {"value": 0.0}
    assert initializers.get("identity").get_config() == {"gain": 1.0}


def test_normal_means_truncated_in_variance_scaling():
    assert VarianceScaling(distribution="normal").get_config()["distribution"] == "truncated_normal"


# Errors


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(None), "Constant: expected value to be a number that is finite"),
        (lambda: Identity("1"), "Identity: expected gain"),
        (lambda: RandomNormal(float("nan")), "RandomNormal: expected mean"),
        (lambda: TruncatedNormal(0.0, -1.0), "TruncatedNormal: expected stddev to be a number of"),
        (lambda: RandomUniform(0.5, 0.1), "RandomUniform: expected minval to be at most maxval"),
        (lambda: RandomUniform(maxval=float("inf")), "RandomUniform: expected maxval"),
        (lambda: Orthogonal(gain=None), "Orthogonal: expected gain"),
        (lambda: VarianceScaling(0.0), "VarianceScaling: expected scale to be a number above 0"),
        (
            lambda: VarianceScaling(mode="fan"),
            "expected mode to be one of fan_in, fan_out, fan_avg",
        ),
        (lambda: VarianceScaling(distribution="cauchy"), "expected distribution to be one of"),
        (lambda: Orthogonal()((3,)), r"Orthogonal: expected a shape of two or more .*got \(3,\)"),
        (
            lambda: Identity()((3, 3, 3)),
            r"Identity: expected a shape of two dimensions, got \(3, 3",
        ),
        (lambda: Zeros()((3, -1)), r"Zeros: expected shape to be a tuple .* got \(3, -1\)"),
        (lambda: Zeros()((3, 1.5)), r"Zeros: expected shape to be a tuple .* got \(3, 1.5\)"),
        (lambda: Zeros()((None, 3)), r"Zeros: expected shape to be a tuple .* got \(None, 3\)"),
        (lambda: Zeros()(3), "Zeros: expected shape to be a tuple .* got 3"),
        (lambda: initializers.get("glorot"), "Did you mean glorot_normal or glorot_uniform"),
        (lambda: initializers.get(None), "Initializer: expected a name, an instance or a dict"),
        (
            lambda: initializers.get({"class_name": "Ones", "config": {"gain": 1}}),
            "Ones: expected a config without arguments, got gain. Remove gain",
        ),
        (
            lambda: initializers.get({"class_name": "Orthogonal", "config": {"seed": {"s": 1}}}),
            "Orthogonal: expected seed to be a whole number of 0 or more, got {'s': 1}",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_the_base_is_a_function_without_a_rule():
    with pytest.raises(NotImplementedError):
        Initializer()((1,))


def test_a_process_that_was_not_seeded_draws_all_the_same(monkeypatch):
    monkeypatch.setattr(random, "_generator", None)
    first = random.generator()
    assert random.generator() is first
    assert not np.any(GlorotUniform()((4, 3)) == GlorotUniform()((4, 3)))
