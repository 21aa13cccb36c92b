"""The strict namespace has what CuPy has and nothing else."""

import importlib
import importlib.util
import inspect
import re

import numpy as np
import pytest

from tests.strict_array import NAMESPACE, facts, to_strict


@pytest.fixture(scope="module")
def cupy():
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("no CuPy to compare with (it need not have a device)")
    return importlib.import_module("cupy")


def found(owner, name):
    for part in name.split("."):
        owner = getattr(owner, part)
    return owner


def keywords(function):
    """The names of a function's parameters; Cython's write them in the docstring's first line."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        declared = re.match(r"[\w.]+\((.*?)\)", function.__doc__)[1]
        return tuple(part.partition("=")[0].split()[-1] for part in declared.split(","))
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    return tuple(stars.get(p.kind.name, p.name) for p in parameters if p.name != "self")


@pytest.mark.parametrize("name", sorted(facts.FUNCTIONS))
def test_functions(cupy, name):
    assert keywords(found(cupy, name)) == facts.FUNCTIONS[name]


@pytest.mark.parametrize("name", sorted(facts.METHODS))
def test_methods(cupy, name):
    declared = tuple(p for p in keywords(getattr(cupy.ndarray, name)) if p != "self")
    assert declared == facts.METHODS[name]


@pytest.mark.parametrize("name", sorted(facts.GENERATOR))
def test_generator(cupy, name):
    assert keywords(getattr(cupy.random.Generator, name)) == facts.GENERATOR[name]


def test_ufuncs_and_types(cupy):
    for name in facts.UFUNCS:
        ufunc = getattr(cupy, name)
        assert type(ufunc) is cupy.ufunc
        assert all(keyword in ufunc.__doc__.partition(")")[0] for keyword in facts.UFUNC)
    assert all(hasattr(cupy, name) for name in facts.TYPES | facts.SUBMODULES)
    assert not hasattr(cupy, "special")
    assert not hasattr(cupy, "errstate")


def test_what_cupy_lacks_is_missing():
    x = to_strict(np.ones((2, 3)))
    for name in ("errstate", "vectorize", "frombuffer", "nditer", "fromiter", "banana"):
        with pytest.raises(AttributeError, match=name):
            getattr(NAMESPACE, name)
    with pytest.raises(AttributeError, match="partition"):
        x.partition(1)
    with pytest.raises(AttributeError, match="permutation"):
        NAMESPACE.random.default_rng(1).permutation(3)
    calls = [
        lambda: NAMESPACE.exp(x, where=x > 0),
        lambda: NAMESPACE.sum(x, where=x > 0),
        lambda: NAMESPACE.sum(x, initial=1),
        lambda: NAMESPACE.take(x, to_strict(np.array([1])), mode="clip"),
        lambda: x.take(to_strict(np.array([1])), mode="clip"),
        lambda: NAMESPACE.argsort(x, stable=True),
        lambda: x.reshape(6, order="C", device="cpu"),
        lambda: NAMESPACE.add(x, [1, 2, 3]),
        lambda: x.__add__([1, 2, 3]),
        lambda: x * np.float64(3),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


def test_places_outside_come_in_at_the_other_end():
    x = np.arange(12.0).reshape(3, 4)
    strict, at = to_strict(x), to_strict(np.array([3, -1, 1]))
    np.testing.assert_array_equal(strict[at].get(), x[[0, 2, 1]])
    np.testing.assert_array_equal(strict[..., at].get(), x[:, [3, 3, 1]])
    np.testing.assert_array_equal(strict.take(at, axis=0).get(), x[[0, 2, 1]])
    strict[at, None] = NAMESPACE.zeros((3, 1, 4))
    assert not strict.get().any()


def test_results_that_numpy_hands_to_the_host_stay():
    x = to_strict(np.ones(3))
    for result in (NAMESPACE.count_nonzero(x), NAMESPACE.array_equal(x, x), x.sum(), x[0]):
        assert isinstance(result, NAMESPACE.ndarray)
        assert result.shape == ()
    assert np.isnan(NAMESPACE.empty(3).get()).all()
