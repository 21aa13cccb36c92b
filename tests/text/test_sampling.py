"""What is drawn, how often, and from which logits."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scratchnet.errors import InputError
from scratchnet.text import Sampler, softmax_at
from scratchnet.text.sampling import largest, nucleus, pick

V = 57
LOGITS = np.random.default_rng(3).normal(0, 2, V)
INF = float("inf")

temperatures = st.sampled_from([1e-300, 5e-324, 1e-3, 0.2, 1.0, 7.0, 1e308]) | st.floats(1e-9, 1e9)
numbers = st.floats(-1e308, 1e308) | st.sampled_from([1e308, -1e308, 0.0, -0.0, 5e-324, -INF])
rows = st.lists(numbers, min_size=1, max_size=9).filter(lambda row: max(row) > -INF)
samplers = st.builds(
    Sampler,
    st.just(0.0) | temperatures,
    st.none() | st.integers(1, 12),
    st.none() | st.floats(0, 1, exclude_min=True),
)


@given(rows, samplers, st.sampled_from(["float64", "float32", "float16"]))
@example([1e308, -1e308], Sampler(1e-300), "float64")
@example([0.0, 0.0, -INF], Sampler(0.0), "float32")
def test_any_logits_have_probabilities(row, sampler, dtype):
    limit = np.finfo(dtype).max / 2
    logits = np.where(np.isinf(row), row, np.clip(row, -limit, limit)).astype(dtype)
    before = logits.copy()
    p = sampler.probabilities(logits)
    assert p.dtype == np.float64
    assert p.shape == logits.shape
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1, abs=1e-12)
    if sampler.temperature > 0:
        all_of_them = softmax_at(logits.astype("float64"), sampler.temperature)
        assert all_of_them[logits.argmax()] == all_of_them.max()
        assert p.argmax() == all_of_them.argmax()
        rising = np.lexsort((-np.arange(len(p)), all_of_them))  # equal ones by falling id
        assert (np.diff(p[rising]) >= 0).all()
    else:
        assert p.argmax() == logits.argmax()
    assert (p[np.isneginf(logits)] == 0).all()
    for _ in range(5):
        assert p[sampler(logits)] > 0
    np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize("temperature", [0.2, 0.5, 1.0, 1.2, 30.0])
def test_probabilities_are_the_softmax_of_logits_over_the_temperature(temperature):
    powers = np.exp(LOGITS / temperature)
    expected = powers / powers.sum()
    np.testing.assert_allclose(softmax_at(LOGITS, temperature), expected, rtol=1e-12)
    sampler = Sampler(temperature)
    np.testing.assert_allclose(sampler.probabilities(LOGITS), expected, rtol=1e-12)
    np.testing.assert_allclose(sampler.probabilities(LOGITS + 700), expected, rtol=1e-10)
    single = sampler.probabilities(LOGITS.astype("float32"))
    np.testing.assert_allclose(single, expected, rtol=1e-5 / min(temperature, 1))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 2.0, "top_k": 5},
        {"temperature": 3.0, "top_p": 0.8},
        {"temperature": 1.5, "top_k": 20, "top_p": 0.9},
    ],
    ids=str,
)
def test_ids_are_drawn_as_often_as_they_are_likely(options):
    sampler = Sampler(**options, seed=11)
    p = sampler.probabilities(LOGITS)
    N = 20_000
    counts = np.bincount([sampler(LOGITS) for _ in range(N)], minlength=V)
    drawn = p > 0
    assert counts[~drawn].sum() == 0
    often = p * N > 5  # the rare ones together make one more class
    expected = np.append(p[often], 1 - p[often].sum()) * N
    found = np.append(counts[often], counts[~often].sum())
    classes = expected > 5
    expected, found = expected[classes], found[classes]
    assert len(expected) > 4
    squares = ((found - expected) ** 2 / expected).sum()
    freedom = len(expected) - 1
    assert squares < freedom + 4 * np.sqrt(2 * freedom)  # mean and deviation of chi-square
    assert squares > freedom - 4 * np.sqrt(2 * freedom)


def test_temperature_zero_takes_the_first_of_the_largest():
    greedy = Sampler(0)
    assert [greedy([1.0, 3.0, -INF, 3.0, 2.0]) for _ in range(5)] == [1] * 5
    assert greedy.probabilities([1.0, 3.0, -INF, 3.0]).tolist() == [0, 1, 0, 0]
    assert Sampler(0, top_k=2, top_p=0.1)(LOGITS) == LOGITS.argmax()
    assert isinstance(greedy(LOGITS), int)
    assert isinstance(Sampler()(LOGITS), int)


def test_equal_seeds_draw_equally():
    first, again, other = (Sampler(1.2, seed=seed) for seed in (5, 5, 6))
    drawn = [[sampler(LOGITS) for _ in range(50)] for sampler in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    u = np.random.default_rng(5).random(50)  # one number a draw, whatever the options
    assert drawn[0] == [pick(softmax_at(LOGITS, 1.2), number) for number in u]


P = np.array([0.05, 0.3, 0.1, 0.3, 0.25])


@pytest.mark.parametrize(
    ("k", "kept"), [(1, [1]), (2, [1, 3]), (3, [1, 3, 4]), (4, [1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])]
)
def test_top_k_keeps_the_largest_and_of_equals_the_first(k, kept):
    p = largest(P, k)
    assert np.flatnonzero(p).tolist() == kept
    np.testing.assert_allclose(p[kept], P[kept] / P[kept].sum(), rtol=1e-14)
    drawn_from = Sampler(top_k=k).probabilities(np.log(P))
    np.testing.assert_allclose(drawn_from, p, rtol=1e-12)


@pytest.mark.parametrize(
    ("share", "kept"),
    [
        (1e-300, [1]),
        (0.3, [1]),
        (0.3001, [1, 3]),
        (0.6, [1, 3]),
        (0.61, [1, 3, 4]),
        (0.85, [1, 3, 4]),
        (0.95, [1, 2, 3, 4]),  # in floating point, the four add up to 0.9500000000000001
        (0.951, [0, 1, 2, 3, 4]),
        (1.0, [0, 1, 2, 3, 4]),
    ],
)
def test_top_p_keeps_the_fewest_that_reach_it(share, kept):
    p = nucleus(P, share)
    assert np.flatnonzero(p).tolist() == kept
    np.testing.assert_allclose(p[kept], P[kept] / P[kept].sum(), rtol=1e-14)
    drawn_from = Sampler(top_p=share).probabilities(np.log(P))
    np.testing.assert_allclose(drawn_from, p, rtol=1e-12)


def test_a_sum_that_rounding_leaves_below_top_p_has_reached_it():
    p = np.array([0.6, 0.3, 0.1])
    assert 0.6 + 0.3 < 0.9
    assert np.flatnonzero(nucleus(p, 0.9)).tolist() == [0, 1]
    short = np.full(10, 0.1) * (1 - 1e-11)
    np.testing.assert_allclose(nucleus(short, 1.0), 0.1, rtol=1e-10)


def test_temperature_comes_before_top_k_and_top_k_before_top_p():
    logits = np.log(P)
    p = largest(softmax_at(logits, 0.5), 3)
    expected = nucleus(p, 0.7)
    found = Sampler(0.5, top_k=3, top_p=0.7).probabilities(logits)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert np.flatnonzero(found).tolist() == [1, 3]
    # Each other order keeps other ids, or other probabilities.
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    assert (Sampler(top_k=2, top_p=0.55).probabilities(logits) > 0).sum() == 1  # 4/7 reaches it
    assert (Sampler(top_p=0.55).probabilities(logits) > 0).sum() == 2
    assert (Sampler(0.3, top_p=0.6).probabilities(logits) > 0).sum() == 1
    assert Sampler(top_k=99, top_p=1.0).probabilities(logits).tolist() == (
        Sampler().probabilities(logits).tolist()
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8).filter(lambda w: sum(w) > 1e-3))
def test_pick_takes_nothing_impossible(weights):
    p = np.array(weights) / np.sum(weights)
    for u in (0.0, 5e-324, 0.25, 0.5, 1 - 2**-53):
        k = pick(p, u)
        assert p[k] > 0
        assert p[:k].sum() <= u + 1e-12
        assert p[: k + 1].sum() >= u - 1e-12


def test_pick_lays_shares_end_to_end():
    p = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    expected = {0.0: 1, 0.2: 1, 0.25: 3, 0.5: 3, 0.74: 3, 0.75: 4, 1 - 2**-53: 4}
    assert {u: pick(p, u) for u in expected} == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, r"temperature to be a number of 0 or more, got -0\.1"),
        ({"temperature": float("nan")}, "temperature .* got nan"),
        ({"temperature": INF}, "temperature .* got inf"),
        ({"temperature": "1"}, "temperature .* got '1'"),
        ({"temperature": True}, "temperature .* got True"),
        ({"top_k": 0}, "top_k to be a positive integer, got 0"),
        ({"top_k": 2.0}, "top_k to be a positive integer"),
        ({"top_p": 0.0}, r"top_p to be a number above 0 and up to 1, got 0\.0"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": float("nan")}, "top_p"),
        ({"seed": -1}, "seed to be a whole number"),
        ({"seed": None}, "seed"),
    ],
)
def test_what_no_sampler_is(options, message):
    with pytest.raises(InputError, match=message):
        Sampler(**options)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([1.0, float("nan"), 2.0], "got a largest one of nan"),
        ([1.0, INF], "got a largest one of inf"),
        ([-INF, -INF], "got a largest one of -inf"),
        ([float("nan"), INF], "got a largest one of nan"),
        ([[1.0, 2.0]], r"of shape \(vocabulary,\), got \(1, 2\)"),
        (np.float64(1.0), r"got \(\)"),
        ([], "got list"),
        (["a"], "got list"),
        (None, "largest one of nan|got"),
        ([1j], "got list"),
        ([[1.0], [1.0, 2.0]], "got list"),
    ],
)
def test_what_nothing_can_be_drawn_from(temperature, logits, message):
    sampler = Sampler(temperature)
    with pytest.raises(InputError, match=message):
        sampler(logits)
    with pytest.raises(InputError, match=message):
        sampler.probabilities(logits)
