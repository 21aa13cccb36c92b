"""What a loss is as an object: dtype, configuration, names, errors, where it may compute."""

import json

import keras
import numpy as np
import pytest

from scratchnet import losses
from scratchnet.backend import to_host
from scratchnet.errors import InputError
from tests.helpers import assert_agrees
from tests.losses.cases import CASES, CLASSES, DTYPES, make_data
from tests.strict_array import StrictArray, to_strict


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_computes_in_the_dtype_of_the_predictions(case, dtype, rng):
    y_true, y_pred = make_data(case.data, rng, (4, 3, CLASSES), dtype)
    loss = case.ours()
    for targets in (y_true, y_true.astype("float64"), y_true.tolist()):
        value = loss(targets, y_pred, sample_weight=np.ones((4, 3)), mask=np.ones((4, 3), bool))
        gradient = loss.gradient(targets, y_pred, sample_weight=np.ones((4, 3)))
        assert value.shape == ()
        assert gradient.shape == y_pred.shape
        assert value.dtype == gradient.dtype == dtype


def test_lists_and_integers_become_float32():
    loss = losses.MeanSquaredError()
    for y_pred in ([[1, 2], [3, 5]], np.array([[1, 2], [3, 5]])):
        assert loss([[1, 2], [3, 4]], y_pred).dtype == np.float32
        assert loss.gradient([[1, 2], [3, 4]], y_pred).tolist() == [[0, 0], [0, 0.5]]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_leaves_what_it_is_given_alone(case, rng):
    y_true, y_pred = make_data(case.data, rng, (4, CLASSES), "float64")
    weights, mask = rng.uniform(1, 2, 4), np.array([True, False, True, True])
    kept = [array.copy() for array in (y_true, y_pred, weights, mask)]
    case.ours()(y_true, y_pred, weights, mask)
    case.ours().gradient(y_true, y_pred, weights, mask)
    for array, before in zip((y_true, y_pred, weights, mask), kept, strict=True):
        assert np.array_equal(array, before)


@pytest.mark.parametrize("reduction", ["mean", "mean_with_sample_weight", None])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_runs_where_its_arrays_are(case, reduction, rng):
    """No NumPy function touches the arrays, so that they may live on a device."""
    y_true, y_pred = make_data(case.data, rng, (3, 4, CLASSES), "float64")
    weights, mask = rng.uniform(1, 2, (3, 1)), rng.random((3, 4)) > 0.3
    loss = case.ours(reduction=reduction)
    for given in ((), (weights,), (None, mask), (weights, mask)):
        strict = [None if array is None else to_strict(array) for array in given]
        for method in (loss, loss.gradient):
            found = method(to_strict(y_true), to_strict(y_pred), *strict)
            assert isinstance(found, StrictArray)
            assert_agrees(to_host(found), method(y_true, y_pred, *given), 1e-14)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_configuration_makes_the_same_loss_again(case):
    loss = case.ours(reduction="sum", name="mine")
    config = json.loads(json.dumps(loss.get_config()))
    again = losses.get({"class_name": type(loss).__name__, "config": config})
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config() == type(loss).from_config(config).get_config()
    assert repr(again) == repr(loss)
    assert "reduction='sum', name='mine'" in repr(loss)
    arguments = {"reduction": "sum", "name": "mine", **case.arguments}
    assert {key: loss.get_config()[key] for key in arguments} == arguments
    keras_config = case.keras(reduction="sum", name="mine").get_config()  # forgets Huber's delta
    assert keras_config.items() <= loss.get_config().items()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_defaults_are_those_of_keras(case):
    ours, theirs = getattr(losses, case.name)(), getattr(keras.losses, case.name)()
    assert (ours.name, ours.reduction) == (theirs.name, theirs.reduction)


def test_none_as_a_word_is_none():
    assert losses.MeanSquaredError(reduction="none").reduction is None


@pytest.mark.parametrize("alias", sorted(keras.src.losses.ALL_OBJECTS_DICT))
def test_names_that_keras_resolves(alias):
    """Every name of Keras's for a loss that there is here means the same here."""
    found = keras.src.losses.ALL_OBJECTS_DICT[alias]
    name = found.__name__.replace("_", "").lower()
    supported = {case.name.lower(): case.name for case in CASES}
    if name in supported:
        assert type(losses.get(alias)).__name__ == supported[name]
    else:
        with pytest.raises(InputError, match=f"got '{alias}'"):
            losses.get(alias)


def test_a_loss_passes_through_get():
    loss = losses.Huber(delta=2)
    assert losses.get(loss) is loss


@pytest.mark.parametrize("identifier", ["mean_square_error", None, 3, {"class_name": "Mean"}, {}])
def test_unknown_names_are_refused(identifier):
    with pytest.raises(InputError, match="Loss: expected") as raised:
        losses.get(identifier)
    if identifier == "mean_square_error":
        assert "mean_squared_error" in str(raised.value)


def test_a_foreign_configuration_is_refused():
    with pytest.raises(InputError, match="gamma"):
        losses.get({"class_name": "Huber", "config": {"gamma": 1}})


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        (losses.BinaryCrossentropy(label_smoothing=0.1, axis=1, name="a"), "sigmoid"),
        (losses.CategoricalCrossentropy(label_smoothing=0.1, reduction="sum"), "softmax"),
        (losses.SparseCategoricalCrossentropy(ignore_class=3), "softmax"),
    ],
)
def test_on_logits(loss, activation):
    on_logits = loss.on_logits()
    assert loss.activation_with_logits == activation
    assert type(on_logits) is type(loss)
    assert not loss.from_logits
    assert on_logits.get_config() == {**loss.get_config(), "from_logits": True}
    assert losses.MeanSquaredError.activation_with_logits is None


class Cubed(losses.Loss):
    """A loss of a reader's own."""

    def values(self, y_true, y_pred):
        return (abs(y_pred - y_true) ** 3).sum(axis=-1)

    def values_backward(self, dvalues, y_true, y_pred):
        error = y_pred - y_true
        return 3 * error * abs(error) * dvalues[..., None]


def test_a_loss_of_ones_own():
    loss = Cubed()
    assert loss.name == "cubed"
    assert loss([[0.0], [1.0]], np.array([[2.0], [2.0]]), mask=[True, False]) == 8
    assert loss.gradient([[0.0], [1.0]], np.array([[2.0], [2.0]])).tolist() == [[6], [1.5]]


def test_a_loss_without_equations_says_so():
    ones = np.ones((2, 3))
    with pytest.raises(NotImplementedError, match="Loss has no values"):
        losses.Loss()(ones, ones)
    with pytest.raises(NotImplementedError, match="Loss has no values_backward"):
        losses.Loss().gradient(ones, ones)


# Errors

ONES = np.ones((4, 3))
LABELS = np.array([0, 1, 2, 1])
SQUARED = losses.MeanSquaredError()
SPARSE = losses.SparseCategoricalCrossentropy()

REFUSED = {
    "shapes differ": (
        (SQUARED, np.ones((4, 2)), ONES),
        r"MeanSquaredError: expected y_true of y_pred's shape \(4, 3\), got \(4, 2\)\. Reshape",
    ),
    "one column for three": ((SQUARED, np.ones((4, 1)), ONES), r"\(4, 3\), got \(4, 1\)"),
    "labels for categorical": (
        (losses.CategoricalCrossentropy(), LABELS, ONES),
        r"\(4,\)\. For integer labels use SparseCategoricalCrossentropy",
    ),
    "one-hot for sparse": (
        (SPARSE, ONES, ONES),
        r"Sparse\w+: expected y_true of shape \(4,\), one label .* got \(4, 3\)\. One-hot",
    ),
    "label too large": (
        (SPARSE, [0, 1, 3, 1], ONES),
        r"labels in y_true from 0 to 2, one of y_pred's 3 classes, got 3\. Number",
    ),
    "label below 0": ((SPARSE, [0, -1, 2, 1], ONES), r"from 0 to 2, .* got -1\."),
    "infinite label": ((SPARSE, [0, np.inf, 2, 1], ONES), r"integer labels in y_true, got inf\."),
    "NaN label": ((SPARSE, [0, np.nan, 2, 1], ONES), r"integer labels in y_true, got nan\."),
    "fraction of a label": (
        (SPARSE, [0, 1, 0.5, 1], ONES),
        r"integer labels in y_true, got 0\.5\. For probabilities .* CategoricalCrossentropy",
    ),
    "text": ((SPARSE, ["a", "b", "c", "d"], ONES), r"expected y_true to be a numeric array"),
    "ragged": ((SQUARED, [[1, 2, 3], [1, 2]], ONES), r"y_true to be a numeric array"),
    "ragged predictions": ((SQUARED, ONES, [[1], [1, 2]]), r"y_pred to be a numeric array"),
    "no samples": ((SQUARED, np.ones((0, 3)), np.ones((0, 3))), r"at least one .* got \(0, 3\)"),
    "no axes": ((SQUARED, 1.0, 1.0), r"y_pred of shape \(batch, …, outputs\) .* got \(\)"),
    "too many weights": (
        (SQUARED, ONES, ONES, np.ones(5)),
        r"expected sample_weight of shape \(4,\), got \(5,\)\. Give one for each loss value",
    ),
    "a weight for each output": ((SQUARED, ONES, ONES, ONES), r"sample_weight of shape \(4,\)"),
    "a weight for each row": (
        (SQUARED, np.ones((4, 4, 3)), np.ones((4, 4, 3)), np.ones(4)),
        r"shape \(4, 4\), got \(4,\)\. .* or one a row: sample_weight\[:, np\.newaxis\]",
    ),
    "a mask that does not fit": (
        (SQUARED, ONES, ONES, None, np.ones(3, bool)),
        r"expected mask of shape \(4,\), got \(3,\)",
    ),
    "text for weights": ((SQUARED, ONES, ONES, ["a"] * 4), r"sample_weight to be a numeric"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("method", ["__call__", "gradient"])
def test_what_does_not_fit_is_refused(name, method):
    (loss, *arguments), message = REFUSED[name]
    with pytest.raises(InputError, match=message) as raised:
        getattr(loss, method)(*arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("case", [case for case in CASES if "Sparse" not in case.name], ids=str)
def test_targets_that_are_not_finite_are_refused(case, bad, rng):
    y_true, y_pred = make_data(case.data, rng, (4, CLASSES), "float64")
    y_true[2, 1] = bad
    with pytest.raises(InputError, match=rf"^{case.name}: expected y_true to be finite"):
        case.ours()(y_true, y_pred)


def test_ignored_labels_are_not_labels_outside_the_classes():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    assert np.isfinite(loss([0, 255, 2, 1], ONES))
    with pytest.raises(InputError, match="got 254"):
        loss([0, 255, 254, 1], ONES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.MeanSquaredError(reduction="avg"), r"MeanSq.* reduction .* got 'avg'\."),
        (lambda: losses.Huber(delta=0), "Huber: expected delta .* above 0, got 0"),
        (
            lambda: losses.BinaryCrossentropy(label_smoothing=1.5),
            "BinaryCrossentropy: expected label_smoothing .* from 0 to 1, got 1.5",
        ),
    ],
)
def test_arguments_out_of_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
def test_a_loss_used_before_says_what_a_new_one_says(rng, reduction):
    """Of other shapes, types and reductions than the last time, with and without weights."""
    used = losses.MeanSquaredError("sum")
    used.gradient(np.zeros((4, 3)), np.ones((4, 3)))
    used.reduction = reduction
    for dtype in ("float64", "float32"):
        for shape in [(4, 3), (6, 2), (2, 2), (2, 3, 2)]:
            y_true, y_pred = rng.standard_normal((2, *shape)).astype(dtype)
            for weight in (None, rng.uniform(1, 2, shape[:-1])):
                found = used.gradient(y_true, y_pred, weight)
                expected = losses.MeanSquaredError(reduction).gradient(y_true, y_pred, weight)
                assert found.dtype == dtype
                np.testing.assert_array_equal(found, expected)
