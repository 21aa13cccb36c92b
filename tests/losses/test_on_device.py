"""Losses on a device: one kernel says value and gradient, and a queued step looks at nothing."""

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.backend import to_host
from scratchnet.equations.activations import sigmoid, softmax
from scratchnet.errors import InputError
from scratchnet.kernels.device.rows.kernel import RowKernel
from scratchnet.losses import on_device
from scratchnet.queued import Queue, queued
from tests.helpers import DEVICE_TOLERANCE, assert_agrees, assert_not_negligible
from tests.losses.cases import CASES, CLASSES, DTYPES, make_data
from tests.strict_array import NAMESPACE, StrictArray, to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = needs_compiler

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
WEIGHTS = {
    "": {},
    "weight": {"sample_weight": np.random.default_rng(1).uniform(0.2, 3, (3, 4))},
    "mask": {"mask": np.random.default_rng(2).random((3, 4)) > 0.4},
    "both": {
        "sample_weight": np.random.default_rng(1).uniform(0.2, 3, (3, 1)),
        "mask": np.random.default_rng(2).random((3, 4)) > 0.4,
    },
    "nothing left": {"mask": np.zeros((3, 4), dtype=bool)},
}
every_weight = pytest.mark.parametrize("weights", WEIGHTS)


def on_the_device(arguments):
    return {name: to_strict(array) for name, array in arguments.items()}


@pytest.fixture
def looks(monkeypatch):
    """Count how often a value leaves the device."""
    found = []
    for name in ("__float__", "__int__", "__bool__", "get", "item"):
        if hasattr(StrictArray, name):
            original = getattr(StrictArray, name)
            monkeypatch.setattr(
                StrictArray,
                name,
                lambda self, *a, name=name, original=original: (
                    found.append(name) or original(self, *a)
                ),
            )
    return found


@pytest.fixture
def kernels(monkeypatch):
    """Collect the kernels that run."""
    found = []
    original = RowKernel.__call__

    def call(self, *arguments):
        found.append(self.name)
        return original(self, *arguments)

    monkeypatch.setattr(RowKernel, "__call__", call)
    return found


@every_case
@every_dtype
@pytest.mark.parametrize(
    ("weights", "reduction"),
    [
        ("", "sum_over_batch_size"),
        ("weight", "sum"),
        ("mask", "sum_over_batch_size"),
        ("both", "mean_with_sample_weight"),
        ("nothing left", "mean"),
    ],
)
def test_a_queued_loss_is_the_hosts(case, dtype, weights, reduction, looks):
    rng = np.random.default_rng(0)
    y_true, y_pred = make_data(case.data, rng, (3, 4, CLASSES), dtype)
    arguments = WEIGHTS[weights]
    value, gradient = case.ours(reduction=reduction).value_and_gradient(y_true, y_pred, **arguments)
    given = on_the_device(arguments)
    loss = case.ours(reduction=reduction)
    with queued(Queue(NAMESPACE)):
        found, dy_pred = loss.value_and_gradient(to_strict(y_true), to_strict(y_pred), **given)
    assert looks == []
    assert type(found) is type(dy_pred) is StrictArray
    assert found.shape == ()
    assert found.dtype == dy_pred.dtype == dtype
    assert_agrees(to_host(found), value, DEVICE_TOLERANCE[dtype])
    assert_agrees(to_host(dy_pred), gradient, DEVICE_TOLERANCE[dtype])
    if weights != "nothing left":
        assert_not_negligible(gradient, 1e-3)


@every_case
def test_one_kernel_says_value_and_gradient(case, kernels, looks):
    y_true, y_pred = make_data(case.data, np.random.default_rng(0), (6, CLASSES), "float64")
    value, gradient = case.ours().value_and_gradient(y_true, y_pred)
    found, dy_pred = case.ours().value_and_gradient(to_strict(y_true), to_strict(y_pred))
    assert type(found) is float
    assert looks  # outside a queued step the loss is read
    assert found == pytest.approx(value, rel=1e-13)
    assert_agrees(to_host(dy_pred), gradient, 1e-13)
    looks_at_the_batch = case.name in ("Hinge", "SquaredHinge")  # whether its labels are 0 and 1
    assert kernels == ([] if looks_at_the_batch else [f"rows_{case.name}"])


CROSS_ENTROPIES = {
    "BinaryCrossentropy": (losses.BinaryCrossentropy, "bits", sigmoid),
    "CategoricalCrossentropy": (losses.CategoricalCrossentropy, "one_hot", softmax),
    "SparseCategoricalCrossentropy": (losses.SparseCategoricalCrossentropy, "labels", softmax),
}


@pytest.mark.parametrize("name", CROSS_ENTROPIES)
@every_dtype
@every_weight
@pytest.mark.parametrize("wants_output", [True, False])
def test_value_gradient_and_output(name, dtype, weights, wants_output, looks, kernels):
    make, kind, activation = CROSS_ENTROPIES[name]
    loss = make(from_logits=True)
    y_true, logits = make_data(kind, np.random.default_rng(0), (3, 4, CLASSES), dtype)
    arguments = WEIGHTS[weights]
    value, dlogits, _ = loss.value_gradient_and_output(y_true, logits, **arguments)
    given = on_the_device(arguments)
    with queued(Queue(NAMESPACE)):
        found = loss.value_gradient_and_output(
            to_strict(y_true), to_strict(logits), **given, wants_output=wants_output
        )
    assert looks == []
    assert kernels == [f"rows_{name}"]
    assert_agrees(to_host(found[0]), value, DEVICE_TOLERANCE[dtype])
    assert_agrees(to_host(found[1]), dlogits, DEVICE_TOLERANCE[dtype])
    if wants_output:
        assert_agrees(to_host(found[2]), activation(logits), DEVICE_TOLERANCE[dtype])
    else:
        assert found[2] is None


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy"])
@pytest.mark.parametrize("options", [{"label_smoothing": 0.3}, {"axis": 1}], ids=str)
def test_smoothed_labels_and_other_axes(name, options, kernels):
    make, kind, _ = CROSS_ENTROPIES[name]
    loss = make(from_logits=True, **options)
    y_true, logits = make_data(kind, np.random.default_rng(0), (3, 4, CLASSES), "float64")
    value, dlogits, output = loss.value_gradient_and_output(y_true, logits)
    found = loss.value_gradient_and_output(to_strict(y_true), to_strict(logits))
    assert len(kernels) == 1
    assert found[0] == pytest.approx(value, rel=1e-13)
    assert_agrees(to_host(found[1]), dlogits, 1e-13)
    assert (found[2] is None) == (output is None)


def test_settings_changed_later_make_another_kernel():
    y_true, y_pred = make_data("numbers", np.random.default_rng(0), (4, 3), "float64")
    loss = losses.Huber()
    for delta in (1.0, 0.3, 1.0):
        loss.delta = delta
        expected = losses.Huber(delta).gradient(y_true, y_pred)
        assert_agrees(to_host(loss.gradient(to_strict(y_true), to_strict(y_pred))), expected, 1e-13)


@pytest.mark.parametrize("name", CROSS_ENTROPIES)
@every_weight
def test_recorded_once_and_replayed_for_other_data(name, weights, strict_cupy):
    make, kind, _ = CROSS_ENTROPIES[name]
    loss = make(from_logits=True)
    arguments = on_the_device(WEIGHTS[weights])
    first, *others = [
        make_data(kind, np.random.default_rng(seed), (3, 4, CLASSES), "float64")
        for seed in range(3)
    ]
    y_true, logits = map(to_strict, first)
    loss.value_gradient_and_output(y_true, logits, **arguments)
    cuda = strict_cupy.cuda
    pool, stream = cuda.MemoryPool(), cuda.Stream(non_blocking=True)
    with queued(Queue(strict_cupy)), cuda.using_allocator(pool.malloc), stream:
        stream.begin_capture()
        found = loss.value_gradient_and_output(y_true, logits, **arguments)
        graph = stream.end_capture()
    for data in others:
        for own, new in zip((y_true, logits), data, strict=True):
            own[...] = to_strict(new)
        graph.launch()
        expected = loss.value_gradient_and_output(*data, **WEIGHTS[weights])
        for array, same in zip(found, expected, strict=True):
            assert_agrees(to_host(array), same, 1e-13)


# What is wrong with the data is found once the loss has been read


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("label", [-1, CLASSES, 2**31, 0.5, np.nan, np.inf], ids=str)
@pytest.mark.parametrize("weights", ["", "weight", "mask"])
def test_bad_labels_make_a_queued_loss_nan_and_are_refused_after(
    from_logits, label, weights, looks
):
    labels = np.arange(12).reshape(3, 4) % CLASSES
    labels = labels.astype(np.array(label).dtype)
    labels[1, 1] = label
    y_pred = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4, CLASSES))
    loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    given = to_strict(labels), to_strict(y_pred)
    arguments = on_the_device(WEIGHTS[weights])
    with queued(Queue(NAMESPACE)):
        value, _ = loss.value_and_gradient(*given, **arguments)
        joint = loss.on_logits().value_gradient_and_output(*given, **arguments)[0]
    assert looks == []
    assert np.isnan(to_host(value))
    assert np.isnan(to_host(joint))
    with pytest.raises(InputError, match=r"expected (integer )?labels in y_true"):
        loss.value_and_gradient(*given, **arguments)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "float64"])
def test_labels_of_any_type(dtype):
    labels, y_pred = make_data("labels", np.random.default_rng(0), (3, 4, CLASSES), "float64")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    expected, _ = loss.value_and_gradient(labels, y_pred)
    with queued(Queue(NAMESPACE)):
        found, _ = loss.value_and_gradient(to_strict(labels.astype(dtype)), to_strict(y_pred))
    assert_agrees(to_host(found), expected, 1e-13)


def test_ignored_labels_are_not_bad():
    labels, y_pred = make_data("labels", np.random.default_rng(0), (3, 4, CLASSES), "float64")
    labels[1, 1], y_pred[1, 1] = 255, np.nan
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    expected, dlogits, _ = loss.value_gradient_and_output(labels, y_pred)
    with queued(Queue(NAMESPACE)):
        found = loss.value_gradient_and_output(to_strict(labels), to_strict(y_pred))
    assert_agrees(to_host(found[0]), expected, 1e-13)
    assert_agrees(to_host(found[1]), dlogits, 1e-13)


@every_case
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_targets_that_are_not_finite(case, bad):
    """A queued loss is finite or not as on the host, where it is what tells that they are bad."""
    if "Sparse" in case.name:
        pytest.skip("its labels are integers")
    y_true, y_pred = make_data(case.data, np.random.default_rng(0), (4, CLASSES), "float64")
    y_true[2, 1] = bad
    expected = case.ours().values(y_true, y_pred)
    with queued(Queue(NAMESPACE)):
        value, _ = case.ours().value_and_gradient(to_strict(y_true), to_strict(y_pred))
    assert np.isfinite(to_host(value)) == np.isfinite(expected).all()
    if not np.isfinite(to_host(value)):
        with pytest.raises(InputError, match="expected y_true to be finite"):
            case.ours().value_and_gradient(to_strict(y_true), to_strict(y_pred))


def test_a_queued_step_keeps_nothing_for_the_next():
    y_true, y_pred = make_data("signs", np.random.default_rng(0), (4, 3), "float64")
    loss = losses.Hinge()
    with queued(Queue(NAMESPACE)):
        loss.gradient(to_strict(y_true), to_strict(y_pred))
    assert loss._equal_shares == (None, None)


# Losses of one's own


class Cubed(losses.Loss):
    """Traceable."""

    def values(self, y_true, y_pred):
        return (abs(y_pred - y_true) ** 3).sum(axis=-1)

    def values_backward(self, dvalues, y_true, y_pred):
        error = y_pred - y_true
        return 3 * error * abs(error) * dvalues[..., None]


class Sorted(losses.Loss):
    """Not traceable: the squared error of what is left when the outputs are reversed."""

    def values(self, y_true, y_pred):
        return ((y_pred - y_true) ** 2)[..., ::-1].sum(axis=-1)

    def values_backward(self, dvalues, y_true, y_pred):
        return (2 * (y_pred - y_true)) * dvalues.reshape(*dvalues.shape, 1)


@pytest.mark.parametrize(("make", "count"), [(Cubed, 1), (Sorted, 0)])
@pytest.mark.parametrize("weights", ["", "both"])
def test_a_loss_of_ones_own(make, count, weights, kernels):
    y_true, y_pred = make_data("numbers", np.random.default_rng(0), (3, 4, CLASSES), "float64")
    arguments = WEIGHTS[weights]
    value, gradient = make().value_and_gradient(y_true, y_pred, **arguments)
    with queued(Queue(NAMESPACE)):
        found, dy_pred = make().value_and_gradient(
            to_strict(y_true), to_strict(y_pred), **on_the_device(arguments)
        )
    assert len(kernels) == count
    assert_agrees(to_host(found), value, 1e-13)
    assert_agrees(to_host(dy_pred), gradient, 1e-13)


def test_nothing_is_traced_on_the_host(monkeypatch):
    monkeypatch.setattr(on_device, "by_rows", None)
    y_true, y_pred = make_data("numbers", np.random.default_rng(0), (4, 3), "float64")
    losses.MeanSquaredError().value_and_gradient(y_true, y_pred)
