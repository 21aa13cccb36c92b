"""Large products divided among threads: the page's numbers, whatever the division."""

import numpy as np
import pytest

from scratchnet.equations import dense as page
from scratchnet.kernels import dense as kernel
from tests.helpers import assert_agrees, assert_not_negligible
from tests.layers.cases import every_dtype, random_array

ROUNDING = {"float64": 1e-14, "float32": 2e-6}


@pytest.fixture(params=[(0, 10**9), (0, 40), (0, 7), (10**9, 7)], ids=["one", "few", "all", "none"])
def division(request, monkeypatch):
    """How many columns a part gets: all of them, some, one, or no division."""
    monkeypatch.setattr(kernel, "UNDIVIDED", request.param[0])
    monkeypatch.setattr(kernel, "PART", request.param[1])


@every_dtype
@pytest.mark.parametrize(("B", "D", "H"), [(5, 4, 11), (1, 3, 2), (6, 1, 5), (4, 3, 1)])
@pytest.mark.parametrize("count", ["1", "3"])
@pytest.mark.usefixtures("division")
def test_against_the_page(B, D, H, dtype, count, monkeypatch):
    monkeypatch.setenv("SCRATCHNET_THREADS", count)
    x, W, da = (
        random_array(*s, dtype=dtype, seed=i) for i, s in enumerate([(B, D), (D, H), (B, H)])
    )
    b = random_array(H, dtype=dtype, seed=5)
    for bias in (b, None):
        a = kernel.dense(x, W, bias)
        assert a.dtype == dtype
        assert_not_negligible(a)
        assert_agrees(a, page.dense(x, W, bias), ROUNDING[dtype])
    expected = page.dense_backward(da, x, W)
    found = kernel.dense_backward(da, x, W)
    for actual, reference in zip(found, expected, strict=True):
        assert actual.dtype == dtype
        assert_not_negligible(reference)
        assert_agrees(actual, reference, ROUNDING[dtype])
    dx, dW, db = kernel.dense_backward(da, x, W, needs_dx=False)
    assert dx is None
    np.testing.assert_array_equal(dW, found[1])
    np.testing.assert_array_equal(db, found[2])


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(kernel, "PART", 2**18)
    x, W, da = random_array(64, 50), random_array(50, 999), random_array(64, 999)
    found = []
    for count in ("1", "2", "4", "2"):
        monkeypatch.setenv("SCRATCHNET_THREADS", count)
        found.append([kernel.dense(x, W, None), *kernel.dense_backward(da, x, W)])
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, same)
