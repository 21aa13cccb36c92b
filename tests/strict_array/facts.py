"""What CuPy 14.2.0 has: the functions this project may use, and the keywords they take.

`tests/stand_in/test_facts.py` compares it with an importable CuPy.  A name that is missing here is
missing in the strict namespace: look it up in CuPy before adding it.
"""

from __future__ import annotations

import re


def _declared(text: str) -> dict[str, tuple[str, ...]]:
    """Return the names of the parameters by the name of the function."""
    found = re.findall(r"([\w.]+)\((.*)\)", text)
    return {name: tuple(filter(None, parameters.split(", "))) for name, parameters in found}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TYPES = _words("""
    bool_ dtype e finfo float16 float32 float64 floating iinfo inexact inf int16 int32 int64
    int8 integer intp nan newaxis number pi uint16 uint32 uint64 uint8
""")
"""Constants and types."""

SUBMODULES = frozenset({"linalg"})

UFUNC = ("out", "casting", "dtype")
"""The keywords of every ufunc: CuPy's have no ``where``."""

UFUNCS = _words("""
    abs absolute add arctan bitwise_and bitwise_or bitwise_xor ceil copysign cos cosh divide
    equal exp exp2 expm1 floor floor_divide fmax fmin fmod greater greater_equal hypot invert
    isfinite isinf isnan left_shift less less_equal log log10 log1p log2 logaddexp logical_and
    logical_not logical_or logical_xor maximum minimum mod multiply negative not_equal positive
    power reciprocal remainder right_shift rint sign signbit sin sinh sqrt square subtract tanh
    true_divide trunc
""")

FUNCTIONS = _declared("""
    all(a, axis, out, keepdims)
    allclose(a, b, rtol, atol, equal_nan)
    amax(a, axis, out, keepdims)
    amin(a, axis, out, keepdims)
    any(a, axis, out, keepdims)
    append(arr, values, axis)
    arange(start, stop, step, dtype)
    argmax(a, axis, dtype, out, keepdims)
    argmin(a, axis, dtype, out, keepdims)
    argsort(a, axis, kind)
    argwhere(a)
    around(a, decimals, out)
    array(obj, dtype, copy, order, subok, ndmin, blocking)
    array_equal(a1, a2, equal_nan)
    array_split(ary, indices_or_sections, axis)
    asarray(a, dtype, order, copy, blocking)
    ascontiguousarray(a, dtype)
    asnumpy(a, stream, order, out, blocking)
    atleast_1d(*)
    average(a, axis, weights, returned, keepdims)
    bincount(x, weights, minlength)
    broadcast_arrays(*)
    broadcast_to(array, shape)
    can_cast(from_, to, casting)
    clip(a, a_min, a_max, out)
    concatenate(tup, axis, out, dtype, casting)
    copyto(dst, src, casting, where)
    count_nonzero(a, axis)
    cumprod(a, axis, dtype, out)
    cumsum(a, axis, dtype, out)
    diag(v, k)
    diff(a, n, axis, prepend, append)
    dot(a, b, out)
    einsum(*, **)
    empty(shape, dtype, order)
    empty_like(prototype, dtype, order, subok, shape)
    expand_dims(a, axis)
    eye(N, M, k, dtype, order)
    flatnonzero(a)
    flip(a, axis)
    full(shape, fill_value, dtype, order)
    full_like(a, fill_value, dtype, order, subok, shape)
    hstack(tup, dtype, casting)
    identity(n, dtype)
    inner(a, b)
    isclose(a, b, rtol, atol, equal_nan)
    isin(element, test_elements, assume_unique, invert)
    issubdtype(arg1, arg2)
    lexsort(keys)
    linalg.norm(x, ord, axis, keepdims)
    linspace(start, stop, num, endpoint, retstep, dtype, axis)
    matmul(*, axes, axis, keepdims, casting, dtype, signature, order, out)
    max(a, axis, out, keepdims)
    mean(a, axis, dtype, out, keepdims)
    median(a, axis, out, overwrite_input, keepdims)
    meshgrid(*, **)
    min(a, axis, out, keepdims)
    moveaxis(a, source, destination)
    nan_to_num(x, copy, nan, posinf, neginf)
    ndim(a)
    nonzero(a)
    ones(shape, dtype, order)
    ones_like(a, dtype, order, subok, shape)
    outer(a, b, out)
    prod(a, axis, dtype, out, keepdims)
    put_along_axis(arr, indices, values, axis)
    ravel(a, order)
    repeat(a, repeats, axis)
    reshape(a, newshape, order, copy)
    result_type(*)
    roll(a, shift, axis)
    rollaxis(a, axis, start)
    round(a, decimals, out)
    searchsorted(a, v, side, sorter)
    shape(a)
    size(a, axis)
    sort(a, axis, kind)
    split(ary, indices_or_sections, axis)
    squeeze(a, axis)
    stack(tup, axis, out, dtype, casting)
    std(a, axis, dtype, out, ddof, keepdims)
    sum(a, axis, dtype, out, keepdims)
    swapaxes(a, axis1, axis2)
    take(a, indices, axis, out)
    take_along_axis(a, indices, axis)
    tensordot(a, b, axes)
    tile(A, reps)
    trace(a, offset, axis1, axis2, dtype, out)
    transpose(a, axes)
    tril(m, k)
    triu(m, k)
    unique(ar, return_index, return_inverse, return_counts, axis, equal_nan)
    var(a, axis, dtype, out, ddof, keepdims)
    vdot(a, b)
    vstack(tup, dtype, casting)
    where(condition, x, y)
    zeros(shape, dtype, order)
    zeros_like(a, dtype, order, subok, shape)
""")

METHODS = _declared("""
    all(axis, out, keepdims)
    any(axis, out, keepdims)
    argmax(axis, out, dtype, keepdims)
    argmin(axis, out, dtype, keepdims)
    argsort(axis, kind)
    astype(dtype, order, casting, subok, copy)
    clip(min, max, out)
    copy(order)
    cumprod(axis, dtype, out)
    cumsum(axis, dtype, out)
    dot(b, out)
    fill(value)
    flatten(order)
    max(axis, out, keepdims)
    mean(axis, dtype, out, keepdims)
    min(axis, out, keepdims)
    nonzero()
    prod(axis, dtype, out, keepdims)
    ravel(order)
    repeat(repeats, axis)
    reshape(*shape, order, copy)
    round(decimals, out)
    searchsorted(v, side, sorter)
    sort(axis, kind)
    squeeze(axis)
    std(axis, dtype, out, ddof, keepdims)
    sum(axis, dtype, out, keepdims)
    swapaxes(axis1, axis2)
    take(indices, axis, out)
    transpose(*axes)
    var(axis, dtype, out, ddof, keepdims)
    view(dtype, type)
""")
"""Of arrays."""

GENERATOR = _declared("""
    integers(low, high, size, dtype, endpoint)
    random(size, dtype, out)
    standard_normal(size, dtype, out)
    uniform(low, high, size, dtype)
""")
"""Of ``cupy.random.Generator``: no ``permutation``, no ``shuffle``."""
