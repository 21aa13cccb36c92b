"""Functions along rows as one kernel with a block a row, held equal to the page."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet.backend import to_host
from scratchnet.equations import activations as page
from scratchnet.equations import losses
from scratchnet.kernels.device.rows import kernel as rows
from scratchnet.kernels.device.rows.kernel import by_rows
from scratchnet.kernels.device.tracing.expressions import UntraceableError
from tests.helpers import assert_agrees, assert_not_negligible
from tests.strict_array import StrictArray, to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = needs_compiler

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
TOLERANCE = {"float64": 2e-14, "float32": 1e-5}
SOFTMAXES = (
    *("softmax", "softmax_backward", "log_softmax", "log_softmax_backward"),
    *("sparse_categorical_crossentropy_with_logits", "categorical_crossentropy_with_logits"),
    "sparse_categorical_crossentropy_with_logits_backward",
    "categorical_crossentropy_with_logits_backward",
)
OTHERS = (
    *("binary_crossentropy_with_logits", "binary_crossentropy_with_logits_backward"),
    *("sparse_categorical_crossentropy", "sparse_categorical_crossentropy_backward"),
    *("categorical_crossentropy", "categorical_crossentropy_backward", "binary_crossentropy"),
    *("categorical_hinge", "categorical_hinge_backward", "cosine_similarity"),
    *("cosine_similarity_backward", "mean_squared_error", "mean_squared_error_backward"),
)


def function_and_arguments(name, shape, dtype, scale=3.0, seed=0):
    rng = np.random.default_rng([seed, *shape])
    x, dy = (scale * rng.standard_normal((2, *shape))).astype(dtype)
    if hasattr(page, name):
        function = getattr(page, name)
        forward = getattr(page, name.removesuffix("_backward"))
        return function, (dy, x, forward(x)) if name.endswith("backward") else (x,)
    if "sparse" in name:
        y_true = rng.integers(0, shape[-1], shape[:-1])
    else:
        y_true = rng.uniform(size=shape).astype(dtype)
    if "logits" not in name:
        x = rng.uniform(0.05, 0.9, shape).astype(dtype)
    dvalues = rng.standard_normal(shape[:-1]).astype(dtype)
    return getattr(losses, name), (dvalues,) * name.endswith("backward") + (y_true, x)


def on_device(function, arguments, **settings):
    found = by_rows(function, *map(to_strict, arguments), **settings)
    assert type(found) is StrictArray
    return to_host(found)


def assert_equals_page(name, shape, dtype, **data):
    function, arguments = function_and_arguments(name, shape, dtype, **data)
    expected = function(*arguments)
    found = on_device(function, arguments)
    assert found.dtype == dtype
    assert_agrees(found, expected, TOLERANCE[dtype], name)
    return expected


@pytest.mark.parametrize("name", SOFTMAXES)
@DTYPES
@pytest.mark.parametrize("columns", [1, 2, 3, 31, 32, 57, 1025])
def test_rows_of_any_length(name, dtype, columns):
    for count in (1, 2, 5):
        expected = assert_equals_page(name, (count, columns), dtype)
    if columns > 1:
        assert_not_negligible(expected, 1e-3)


@pytest.mark.parametrize("name", OTHERS)
@DTYPES
@pytest.mark.parametrize("shape", [(33, 1), (5, 2), (3, 2, 57)], ids=str)
def test_other_functions(name, dtype, shape):
    assert_equals_page(name, shape, dtype)


@pytest.mark.parametrize(
    "name", ["softmax", "sparse_categorical_crossentropy_with_logits_backward"]
)
@pytest.mark.parametrize("columns", [1, 3, 57])
def test_many_rows(name, columns):
    assert_equals_page(name, (1000, columns), "float64")


@pytest.mark.parametrize("name", SOFTMAXES)
@DTYPES
@pytest.mark.parametrize("scale", [1e-7, 1e4])
def test_extreme_logits(name, dtype, scale):
    assert_equals_page(name, (7, 57), dtype, scale=scale)


@given(
    st.sampled_from(SOFTMAXES + OTHERS),
    st.lists(st.integers(1, 40), min_size=1, max_size=3),
    st.integers(0, 2**32),
)
@settings(max_examples=60)
def test_any_shape(name, shape, seed):
    function, arguments = function_and_arguments(name, tuple(shape), "float64", seed=seed)
    found = on_device(function, arguments)
    np.testing.assert_allclose(found, function(*arguments), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", SOFTMAXES)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_stays_in_its_row(name, bad):
    """As on the page: infinity less infinity is NaN, a certain no (-inf) costs nothing."""
    for column in (0, 30, 56):
        function, arguments = function_and_arguments(name, (3, 57), "float64")
        x = arguments[-1] if "logits" in name or len(arguments) == 1 else arguments[0]
        x[1, column] = bad
        expected = function(*arguments)
        np.testing.assert_allclose(on_device(function, arguments), expected, 1e-13, 1e-13)
        assert np.isfinite(expected[[0, 2]]).all()


@pytest.mark.parametrize("label", [-1, 5, 2**40, -(2**63)])
@pytest.mark.parametrize("suffix", ["", "_with_logits"])
def test_a_label_of_no_class_makes_its_value_nan(label, suffix):
    function, (labels, x) = function_and_arguments(
        f"sparse_categorical_crossentropy{suffix}", (4, 5), "float64"
    )
    expected = function(labels, x)
    labels[2] = label
    expected[2] = np.nan
    np.testing.assert_allclose(on_device(function, (labels, x)), expected, 1e-13)


def test_labels_may_be_of_32_bits():
    function, (labels, x) = function_and_arguments(
        "sparse_categorical_crossentropy_with_logits", (4, 5), "float32"
    )
    found = on_device(function, (labels.astype("int32"), x))
    assert_agrees(found, function(labels, x), 1e-6)


def test_arrays_that_are_not_in_a_piece():
    x = np.random.default_rng(0).standard_normal((5, 6, 4))
    strict = to_strict(x)
    for axes in ((2, 0, 1), (1, 2, 0)):
        found = by_rows(page.softmax, strict.transpose(axes))
        assert_agrees(to_host(found), page.softmax(x.transpose(axes)), 1e-14)
    found = by_rows(page.softmax, strict[:, ::2])
    assert_agrees(to_host(found), page.softmax(x[:, ::2]), 1e-14)


def test_no_rows():
    assert by_rows(page.softmax, to_strict(np.ones((0, 3)))).shape == (0, 3)


@pytest.mark.parametrize("threads", [1, 2, 32, 64, 1024])
@pytest.mark.parametrize("columns", [2, 31, 64, 100])
def test_blocks_of_any_size(threads, columns, monkeypatch):
    monkeypatch.setattr(rows, "_threads", lambda columns: threads)
    assert_equals_page("log_softmax", (3, columns), "float64")


@pytest.mark.parametrize(
    ("columns", "threads"), [(1, 32), (32, 32), (33, 64), (57, 64), (512, 512), (10000, 512)]
)
def test_threads_for_columns(columns, threads):
    assert rows._threads(columns) == threads


def jointly(dvalues, y_true, x):
    return (
        losses.sparse_categorical_crossentropy_with_logits(y_true, x),
        losses.sparse_categorical_crossentropy_with_logits_backward(dvalues, y_true, x),
        page.softmax(x),
    )


def test_several_results_of_one_kernel():
    _, arguments = function_and_arguments(
        "sparse_categorical_crossentropy_backward", (5, 7), "float64"
    )
    found = by_rows(jointly, *map(to_strict, arguments))
    for result, expected in zip(found, jointly(*arguments), strict=True):
        assert_agrees(to_host(result), expected, 1e-14)


def test_a_number_in_the_place_of_an_array():
    _, (dvalues, *arguments) = function_and_arguments(
        "sparse_categorical_crossentropy_backward", (5, 7), "float32"
    )
    found = by_rows(jointly, 0.2, *map(to_strict, arguments))
    expected = jointly(np.full_like(dvalues, 0.2), *arguments)
    for result, same in zip(found, expected, strict=True):
        assert_agrees(to_host(result), same, 1e-6)


# The source


def source_of(function, columns=2, dtype="float64"):
    kinds = (
        rows.Argument(rows.NUMBER, "double"),
        rows.Argument(rows.ONE, "int"),
        rows.Argument(rows.WIDE, rows.C_TYPES[dtype]),
    )
    return rows.RowKernel(function, kinds, rows.C_TYPES[dtype], columns == 1, "test").source


def test_equal_expressions_are_computed_once_a_pass():
    """Three functions of one softmax: exponentials for the sum, and for the results."""
    source = source_of(jointly)
    assert source.count("exp(") == 2
    assert source.count("= block_larger(") == 1
    assert source.count("= block_total(") == 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_types_are_concrete(dtype):
    source = source_of(jointly, dtype=dtype)
    kind = {"float64": "double", "float32": "float"}[dtype]
    assert f"test(const double a0, const int *a1, const {kind} *a2, {kind} *out0" in source
    assert "template" not in source


def test_what_is_not_read_is_not_handed_on():
    source = source_of(lambda dvalues, y_true, x: page.softmax(x))
    assert "a0" not in source
    assert "a1" not in source


MUTATIONS = {
    "no barrier after writing": ("mine;\n  __syncthreads();", "mine;"),
    "no barrier between halves": ("+ half]);\n    __syncthreads();", "+ half]);"),
    "no barrier before the next": ("shared[0];\n  __syncthreads();", "shared[0];"),
    "half of the block": ("blockDim.x / 2; half > 0", "blockDim.x / 4; half > 0"),
    "one step too few": ("half > 0; half /= 2", "half > 1; half /= 2"),
    "a thread's own": ("const T all = shared[0]", "const T all = mine"),
    "sums for maxima": ("(a > b || a != a) ? a : b", "a + b"),
    "a NaN loses": ("(a > b || a != a) ? a : b", "!(a < b) && a == a || b != b ? a : b"),
    "maxima from 0": ("= T(-INFINITY)", "= T(0)"),
    "sums from 1": ("= T(0.0)", "= T(1.0)"),
    "one column a thread": ("k += blockDim.x", "k += K"),
    "all from column 0": ("long long k = threadIdx.x", "long long k = 0"),
}


def maximum_and_log_softmax(x):
    return x.max(axis=-1), page.log_softmax(x)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_reduction_is_found(name):
    """Each of these mistakes changes what is said of these rows."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 600)) - 1000  # e^x is 0 where the maximum is not subtracted
    x[1, 77] = np.nan
    before, after = MUTATIONS[name]
    kernel, mutant = (
        rows.RowKernel(
            maximum_and_log_softmax, (rows.Argument(rows.WIDE, "double"),), "double", False, "test"
        )
        for _ in range(2)
    )
    assert before in kernel.source
    mutant.source = kernel.source.replace(before, after)
    right, wrong = (list(map(to_host, found(to_strict(x)))) for found in (kernel, mutant))
    for array, expected in zip(right, maximum_and_log_softmax(x), strict=True):
        np.testing.assert_allclose(array, expected, 1e-13)
    assert not all(
        np.allclose(array, same, 1e-6, equal_nan=True)
        for array, same in zip(wrong, right, strict=True)
    )


# What cannot be written so

REFUSED = {
    "another axis": lambda x: x.sum(axis=0),
    "all axes": lambda x: x.max(),
    "a branch on a value": lambda x: x if x.sum(axis=-1) else -x,
    "a branch on a length": lambda x: x if x.shape[-1] == 2 else -x,
    "rows beside elements": lambda x: x.sum(axis=-1) * x,
    "an index": lambda x: x[..., 1],
    "an unknown function": lambda x: page.array_module(x).sort(x),
    "an unknown method": lambda x: x.reshape(-1),
    "NumPy's function": lambda x: np.tanh(x),
    "a number": lambda x: x.shape[-1],
    "out": lambda x: page.array_module(x).exp(x, out=x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_kernel_can_do_is_refused(name):
    with pytest.raises(UntraceableError):
        by_rows(REFUSED[name], to_strict(np.ones((2, 3))))


@pytest.mark.parametrize("shape", [(3,), (2, 1), (2, 2), (1, 3)], ids=str)
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(UntraceableError, match="beside an array"):
        by_rows(lambda a, x: a * x, to_strict(np.ones(shape)), to_strict(np.ones((2, 3))))


def test_a_key_says_which_function_it_is():
    x = np.random.default_rng(0).standard_normal((2, 3))
    for slope in (2, 3, 2):
        function = functools.partial(lambda x, slope: slope * x, slope=slope)
        found = by_rows(function, to_strict(x), key=("scaled", slope))
        np.testing.assert_allclose(to_host(found), slope * x)
