"""Saved models: whole, exact, and read as data whoever made the file."""

import contextlib
import errno
import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scratchnet import Sequential, losses, metrics, optimizers, schedules, set_random_seed
from scratchnet.archive import read_archive, write_archive
from scratchnet.backend import to_host
from scratchnet.errors import CheckpointError, InputError, ScratchnetError
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.strict_array import to_strict
from tests.strict_array.compiling import needs_compiler

ROOT = Path(__file__).parents[1]


def make_model(dtype="float64", optimizer="rmsprop", loss="sparse_categorical_crossentropy"):
    """A model of every layer that has been trained a little."""
    set_random_seed(60)
    rng = np.random.default_rng(61)
    model = Sequential(
        [
            Embedding(11, 3, mask_zero=True),
            Dropout(0.3, noise_shape=(None, 1, 3)),
            Dense(5, activation={"name": "leaky_relu", "negative_slope": 0.3}),
            Activation("tanh"),
            Flatten(),
            Dropout(0.2, seed=7, name="last dropout"),
            Dense(4, "softmax", use_bias=False, kernel_initializer="he_normal"),
        ],
        name="every layer",
        dtype=dtype,
    )
    model.compile(optimizer, loss, metrics=["accuracy"])
    for _ in range(3):
        model.train_on_batch(rng.integers(0, 11, (6, 4)), rng.integers(0, 4, 6))
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small saved model: its path and its bytes."""
    set_random_seed(62)
    model = Sequential([Dense(3, activation="relu"), Dropout(0.5), Dense(2)], name="small")
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"])
    rng = np.random.default_rng(63)
    model.train_on_batch(rng.normal(size=(4, 2)), rng.normal(size=(4, 2)))
    path = tmp_path_factory.mktemp("saved") / "model.npz"
    model.save(path)
    return path, path.read_bytes()


def assert_same_bits(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert x.dtype == y.dtype
        assert x.shape == y.shape
        assert x.tobytes() == y.tobytes()


def assert_refused(path, content=None, match=None):
    """Assert that a file is refused in one clear line and at little cost; return the line."""
    if content is not None:
        path.write_bytes(content)
    size = path.stat().st_size if path.is_file() else 0
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=match) as caught:
            Sequential.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith(f"{path}: expected")
    assert "\n" not in line
    assert len(line) < len(str(path)) + 1000
    assert peak < 2**21 + 8 * size
    return line


# There and back


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        optimizers.RMSprop(schedules.CosineDecay(0.1, 9, warmup_target=0.2, warmup_steps=2)),
        optimizers.RMSprop(0.01, momentum=0.5, centered=True, weight_decay=0.01),
        optimizers.Adagrad(clipvalue=0.01),
        optimizers.Adadelta(global_clipnorm=0.5),
        optimizers.Adam(schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True), amsgrad=True),
        optimizers.AdamW(clipnorm=0.1),
        optimizers.Adamax(),
        optimizers.Nadam(schedules.PiecewiseConstantDecay([1, 4], [0.1, 0.01, 0.001])),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_everything_comes_back_to_the_bit(tmp_path, dtype, optimizer):
    optimizer = type(optimizer).from_config(optimizer.get_config())
    model = make_model(dtype, optimizer)
    path = tmp_path / "model.npz"
    model.save(path)
    loaded = Sequential.load(path)
    assert (loaded.name, loaded.dtype, loaded.given_dtype) == ("every layer", dtype, dtype)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    for own, other in zip(model.layers, loaded.layers, strict=True):
        assert type(own) is type(other)
        assert own.get_config() == other.get_config()
        assert own.state() == other.state()
        assert own.input_shape == other.input_shape
    assert_same_bits(model.get_weights(), loaded.get_weights())
    assert type(loaded.optimizer) is type(optimizer)
    assert loaded.optimizer.get_config() == optimizer.get_config()
    state, other_state = optimizer.state(), loaded.optimizer.state()
    assert list(state) == list(other_state)
    assert_same_bits(state.values(), other_state.values())
    assert len(state) > 2 or type(optimizer) is optimizers.SGD
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
    with zipfile.ZipFile(path) as archive:  # no dates: equal models give equal files at any time
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}

    rng = np.random.default_rng(64)
    x, y = rng.integers(0, 11, (6, 4)), rng.integers(0, 4, 6)
    np.testing.assert_array_equal(model.predict(x), loaded.predict(x))
    for _ in range(2):
        assert model.train_on_batch(x, y) == loaded.train_on_batch(x, y)
    assert_same_bits(model.get_weights(), loaded.get_weights())


def test_a_model_that_is_not_built_or_compiled(tmp_path):
    path = tmp_path / "model.npz"
    Sequential([Dense(3), Dropout(0.5, seed=4)], name="unbuilt").save(path)
    loaded = Sequential.load(path)
    assert not loaded.built
    assert loaded.loss is None
    assert loaded.layers[1].state() == {"seed": 4, "draws": 0}
    assert loaded(np.ones((2, 5))).shape == (2, 3)
    Sequential(name="empty", dtype="float64").save(path)
    loaded = Sequential.load(path)
    assert (loaded.layers, loaded.name, loaded.dtype) == ([], "empty", "float64")


def test_a_model_that_is_compiled_but_not_trained(tmp_path):
    path = tmp_path / "model.npz"
    model = Sequential([Dense(3)])
    model.compile("adam", "mse")
    model.save(path)
    loaded = Sequential.load(path)
    assert isinstance(loaded.optimizer, optimizers.Adam)
    assert np.isfinite(loaded.train_on_batch(np.ones((2, 5)), np.ones((2, 3))))


def test_losses_and_metrics_come_back_with_their_settings(tmp_path):
    path = tmp_path / "model.npz"
    model = Sequential([Dense(3, "softmax")])
    loss = losses.CategoricalCrossentropy(label_smoothing=np.float32(0.25), reduction="sum")
    given = [
        "accuracy",
        metrics.Precision(thresholds=0.3, name="p"),
        metrics.BinaryAccuracy("b", 0.7),
    ]
    model.compile("sgd", loss, metrics=given, weighted_metrics=["mae"])
    x, y = np.random.default_rng(65).normal(size=(2, 7, 3))
    y = np.eye(3)[y.argmax(axis=1)]
    expected = model.evaluate(x, y, sample_weight=np.arange(7), return_dict=True)
    for _ in range(2):
        model.save(path)
        model = Sequential.load(path)
        assert model.loss.get_config() == loss.get_config()
        assert model.evaluate(x, y, sample_weight=np.arange(7), return_dict=True) == expected


def test_loading_does_not_repeat_the_warning_of_compiling(tmp_path):
    model = Sequential([Dense(1, "sigmoid")])
    with pytest.warns(UserWarning, match="from_logits"):
        model.compile("sgd", losses.BinaryCrossentropy(from_logits=True))
    model.save(tmp_path / "model.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Sequential.load(tmp_path / "model.npz").loss.from_logits


def test_special_values_come_back(tmp_path):
    model = Sequential([Dense(2)], dtype="float64")
    model.build((None, 2))
    kernel = np.array([[np.nan, -0.0], [np.inf, 5e-324]])
    model.set_weights([np.asfortranarray(kernel), np.array([-np.inf, 1 / 3])])
    model.save(tmp_path / "model.npz")
    assert_same_bits(Sequential.load(tmp_path / "model.npz").get_weights(), model.get_weights())


def test_numpy_reads_the_arrays(saved):
    path, _ = saved
    with np.load(path, allow_pickle=False) as archive:
        names = set(archive.files)
        assert archive["layers/0/kernel"].shape == (2, 3)
        assert archive["optimizer/iterations"] == 1
        config = json.loads(archive["config.json"])
    assert {"layers/2/bias", "optimizer/learning_rate", "optimizer/mean_square_3"} < names
    assert [layer["class_name"] for layer in config["layers"]] == ["Dense", "Dropout", "Dense"]


@needs_compiler
@pytest.mark.usefixtures("strict_cupy")
def test_a_model_on_a_device_is_saved_and_goes_on_there(tmp_path):
    """With arrays that refuse to meet NumPy; what comes back is where the next input is."""
    rng = np.random.default_rng(67)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    results = []
    for move in (np.asarray, to_strict):
        set_random_seed(68)
        model = Sequential([Dense(4, "tanh"), Dropout(0.4), Dense(2)], dtype="float64")
        model.compile(optimizers.Adam(0.01), "mse")
        model.train_on_batch(move(x), move(y))
        model.save(tmp_path / "model.npz")
        kept = [to_host(w) for w in model.get_weights()]
        model = Sequential.load(tmp_path / "model.npz")
        assert_same_bits(model.get_weights(), kept)
        model.fit(move(x), move(y), batch_size=5, seed=1, verbose=0)
        results.append([*kept, *(to_host(w) for w in model.get_weights())])
    for host, device in zip(*results, strict=True):
        assert_agrees(device, host, DEVICE_TOLERANCE["float64"])


def test_a_path_may_be_a_text_or_a_link(saved, tmp_path):
    path, _ = saved
    (tmp_path / "link").symlink_to(path)
    assert Sequential.load(str(tmp_path / "link")).name == "small"


class OwnLayer(Dense):
    """Someone else's."""


class OwnLoss(losses.MeanSquaredError):
    """Someone else's."""


class OwnOptimizer(optimizers.SGD):
    """Someone else's."""


class OwnMetric(metrics.MeanAbsoluteError):
    """Someone else's."""


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (OwnLayer(2), {"loss": "mse"}),
        (Dense(2), {"loss": OwnLoss()}),
        (Dense(2), {"loss": "mse", "optimizer": OwnOptimizer()}),
        (Dense(2), {"loss": "mse", "metrics": [OwnMetric()]}),
        (Dense(2), {"loss": "mse", "weighted_metrics": [OwnMetric()]}),
    ],
    ids=["layer", "loss", "optimizer", "metric", "weighted"],
)
def test_what_could_not_be_loaded_is_not_saved(tmp_path, layer, arguments):
    """Better after the first epoch than when the weights of the last are gone."""
    model = Sequential([layer])
    model.compile(**arguments)
    with pytest.raises(InputError, match=r"scratchnet's own classes, got Own"):
        model.save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


def test_settings_that_json_has_not(tmp_path):
    for wrong in (np.nan, object()):
        with pytest.raises(InputError, match="save: expected settings"):
            write_archive(tmp_path / "file", {"setting": wrong}, {})
    assert not list(tmp_path.iterdir())


# Whole or not at all


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("place", ["the second array", "flush"])
def test_a_failure_leaves_what_was_there(saved, tmp_path, monkeypatch, failure, place):
    _, before = saved
    path = tmp_path / "model.npz"
    path.write_bytes(before)
    model = Sequential.load(path)
    model.set_weights([w + 1 for w in model.get_weights()])
    real, calls = np.lib.format.write_array, []

    def fail(*args, **kwargs):
        calls.append(args)
        if place == "flush" or len(calls) == 2:
            raise failure
        real(*args, **kwargs)

    if place == "flush":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(type(failure)):
        model.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


FULL_DISK = """
import resource, signal, sys
from scratchnet import Sequential
from scratchnet.layers import Dense
model = Sequential([Dense(50)])
model.build((None, 50))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
try:
    model.save(sys.argv[1])
except OSError as error:
    assert error.filename == sys.argv[1], error
    print("refused")
"""


def test_a_disk_that_is_full(saved, tmp_path):
    """The system refuses to write more than 5,000 bytes, half-way through."""
    _, before = saved
    path = tmp_path / "model.npz"
    path.write_bytes(before)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "refused\n", done.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


SAVE_FOR_EVER = """
import itertools, sys
from scratchnet import Sequential
from scratchnet.layers import Dense
model = Sequential([Dense(700)])
model.build((None, 500))
for i in itertools.count(1):
    model.set_weights([w * 0 + i for w in model.get_weights()])
    model.save(sys.argv[1])
    print(i, flush=True)
"""


def test_a_kill_leaves_a_whole_model(tmp_path):
    """Killed at random moments while it saves again and again, what it leaves is always whole."""
    path, moments = tmp_path / "model.npz", random.Random(66)
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, path], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            last = int(child.stdout.readline())
            time.sleep(moments.uniform(0, 0.1))
            child.send_signal(signal.SIGKILL)
            last = max([last, *map(int, child.stdout.read().split())])
        kernel, bias = Sequential.load(path).get_weights()
        assert {last, last + 1} >= set(np.unique(kernel)) == set(np.unique(bias))


# Files that are not ours


@pytest.mark.parametrize("step", [97])
def test_truncated_files(saved, tmp_path, step):
    _, content = saved
    for length in range(0, len(content), step):
        assert_refused(tmp_path / "model.npz", content[:length])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_refused_or_read(saved, tmp_path, data):
    """Flipped bytes, bytes taken out, bytes put in: an answer or a CheckpointError."""
    _, content = saved
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        match data.draw(st.sampled_from(["flip", "set", "insert", "cut", "directory"])):
            case "flip":
                changed[place] ^= 1 << data.draw(st.integers(0, 7))
            case "set":
                changed[place] = data.draw(st.integers(0, 255))
            case "insert":
                changed[place:place] = data.draw(st.binary(max_size=20))
            case "cut":
                del changed[place : place + data.draw(st.integers(1, 50))]
            case "directory":  # the archive's table of contents, where sizes and places stand
                start = changed.find(b"PK\x01\x02")
                if start >= 0:
                    place = data.draw(st.integers(start, len(changed) - 1))
                    changed[place] = data.draw(st.integers(0, 255))
        if not changed:
            break
    path = tmp_path / "model.npz"
    path.write_bytes(changed)
    tracemalloc.start()
    try:
        with contextlib.suppress(CheckpointError):
            assert isinstance(Sequential.load(path), Sequential)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**22


def contents(saved):
    """The configuration and the arrays of the small model, to be changed."""
    config, arrays = read_archive(saved[0])
    return config, arrays


def packed(config, arrays, compression=zipfile.ZIP_STORED, **more):
    """A checkpoint's bytes as anyone could write them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        if config is not None:
            text = config if isinstance(config, (str, bytes)) else json.dumps(config)
            archive.writestr("config.json", text)
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", array if isinstance(array, bytes) else npy(array))
        for name, content in more.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(array, **arguments):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), **arguments)
    return stream.getvalue()


def header(text, data=b""):
    """An array's bytes with a header of one's own."""
    text = text.ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def test_the_packing_of_these_tests_is_read(saved, tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(packed(*contents(saved)))
    assert_same_bits(Sequential.load(path).get_weights(), Sequential.load(saved[0]).get_weights())


def test_what_is_not_a_file(tmp_path):
    assert_refused(tmp_path / "missing.npz", match="got no file")
    assert_refused(tmp_path, match="got a folder")
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", match="got no file")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = tmp_path / "model.npz"
    path.write_bytes(b"content")
    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    assert_refused(path, match="Permission denied")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK", b"PK\x05\x06" + bytes(18), b"no checkpoint\n" * 99, b"\x93NUMPY",
        b"\x89HDF\r\n", pickle.dumps({"weights": [1]}), npy([1.0, 2.0]),
    ],
    ids=["empty", "PK", "empty zip", "text", "magic", "hdf5", "pickle", "npy"],
)  # fmt: skip
def test_foreign_files(tmp_path, content):
    assert_refused(tmp_path / "model.npz", content)


def test_foreign_archives(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, kernel=np.ones(3))
    assert_refused(path, match=r"expected a config\.json")
    np.savez_compressed(path, kernel=np.ones(3))
    assert_refused(path)
    assert_refused(path, packed(None, {}, **{"mimetype": "text", "content.xml": "<x/>"}))
    assert_refused(path, packed(json.dumps({"module": "keras"}), {}), match="format scratchnet")


class Bomb:
    """Leaves a trace if it is ever unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def test_a_pickle_inside_is_never_opened(saved, tmp_path):
    trace = tmp_path / "executed"
    config, arrays = contents(saved)
    bomb = np.array([Bomb(trace)], dtype=object)
    with pytest.raises(ValueError, match="Object arrays"):
        npy(bomb, allow_pickle=False)
    for content in (npy(bomb, allow_pickle=True), pickle.dumps(Bomb(trace))):
        arrays["layers/0/kernel"] = content
        assert_refused(tmp_path / "model.npz", packed(config, arrays))
    assert not trace.exists()
    pickle.loads(pickle.dumps(Bomb(trace)))  # noqa: S301  # it does work
    assert trace.exists()


def test_compressed_members_are_never_expanded(saved, tmp_path):
    config, arrays = contents(saved)
    arrays["layers/0/kernel"] = np.zeros((2000, 3000))
    content = packed(config, arrays, zipfile.ZIP_DEFLATED)
    assert len(content) < 100_000
    assert_refused(tmp_path / "model.npz", content, match="compressed or encrypted")


@pytest.mark.parametrize("field", ["file_size", "compress_size", "both"])
@pytest.mark.parametrize("claimed", [2**31, 2**32 - 2, 10_000, 3])
def test_sizes_that_lie(saved, tmp_path, field, claimed):
    """In the table of contents, at offsets 20 and 24 of an entry."""
    content = bytearray(saved[1])
    entry = content.rfind(b"PK\x01\x02")
    for name, offset in (("compress_size", 20), ("file_size", 24)):
        if field in (name, "both"):
            content[entry + offset : entry + offset + 4] = claimed.to_bytes(4, "little")
    assert_refused(tmp_path / "model.npz", bytes(content))


SIX = bytes(6 * 4)


@pytest.mark.parametrize(
    "array",
    [
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (10000, 100000), }", bytes(24)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1" + "0" * 30 + "), }"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }", bytes(24)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, True), }", bytes(8)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(23)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(25)),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", bytes(48)),
        header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", bytes(24)),
        header("{'descr': '<f4', 'fortran_order': exit(), 'shape': (2, 3), }", bytes(24)),
        header("(" * 900, bytes(24)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)" + 9000 * " " + "}", SIX),
        npy(np.ones((2, 3)), version=(2, 0)),
        npy(np.full((2, 3), "text")),
        npy(np.ones((2, 3), dtype=complex)),
        npy(np.zeros((2, 3), dtype="datetime64[s]")),
        npy(np.ones((3, 2), dtype="float32")),
        npy(np.float32(1)),
        b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{}",
    ],
    ids=range(21),
)  # fmt: skip
def test_arrays_that_are_not_what_they_claim(saved, tmp_path, array):
    config, arrays = contents(saved)
    arrays["layers/0/kernel"] = array
    assert_refused(tmp_path / "model.npz", packed(config, arrays))


@pytest.mark.parametrize(
    "name",
    ["../evil", "../../../../tmp/evil", "/etc/evil", "layers/../../evil", "layers/9/kernel",
     "layers/0/kernel/more", "optimizer/evil", "stray", "", "C:\\evil", "two\nlines", "x" * 30_000],
    ids=range(12),
)  # fmt: skip
def test_arrays_that_nothing_asks_for(saved, tmp_path, name):
    config, arrays = contents(saved)
    assert_refused(tmp_path / "model.npz", packed(config, {**arrays, name: np.ones(3)}))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.npz"]


@pytest.mark.parametrize("name", ["../evil.sh", "evil.py", "config.json/", "kernel.pkl"])
def test_members_that_are_no_arrays(saved, tmp_path, name):
    content = packed(*contents(saved), **{name: b"import os"})
    assert_refused(tmp_path / "model.npz", content, match="expected arrays")


@pytest.mark.parametrize("name", ["config.json", "layers/0/kernel.npy"])
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_members_of_one_name(saved, tmp_path, name):
    content = packed(*contents(saved), **{name: b"{}"})
    assert_refused(tmp_path / "model.npz", content, match="two with the same")


@pytest.mark.parametrize("missing", ["layers/0/kernel", "layers/2/bias", "optimizer/iterations",
                                     "optimizer/mean_square_2"])  # fmt: skip
def test_arrays_that_are_missing(saved, tmp_path, missing):
    config, arrays = contents(saved)
    del arrays[missing]
    assert_refused(tmp_path / "model.npz", packed(config, arrays))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimizer/mean_square_0", np.ones((3, 2), dtype="float32")),
        ("optimizer/mean_square_0", np.ones((2, 3), dtype="float64")),
        ("optimizer/mean_square_0", np.float32(1)),
        ("optimizer/iterations", np.nan),
        ("optimizer/iterations", np.array([1, 2])),
        ("optimizer/iterations", -1),
        ("optimizer/learning_rate", np.inf),
        ("optimizer/mean_square_9", np.ones((2, 3), dtype="float32")),
        ("optimizer/mean_square_x", np.ones((2, 3), dtype="float32")),
    ],
)
def test_an_optimizers_state_that_does_not_fit(saved, tmp_path, name, value):
    config, arrays = contents(saved)
    assert_refused(tmp_path / "model.npz", packed(config, {**arrays, name: np.asarray(value)}))


def test_the_state_of_fewer_parameters(saved, tmp_path):
    config, arrays = contents(saved)
    kept = {name: array for name, array in arrays.items() if not name.endswith("_3")}
    assert len(kept) == len(arrays) - 2
    assert_refused(tmp_path / "model.npz", packed(config, kept), match="not for the 4 parameters")


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "text",
    ["", "{", DEEP, '{"format": "scratchnet", "version": 1, "name": ' + DEEP, "[]", "null",
     '"text"', "NaN", b"\xff\xfe\x00", "{}", " " * 2**18 + "{}", "9" * 5000],
    ids=range(12),
)  # fmt: skip
def test_configurations_that_are_none(saved, tmp_path, text):
    _, arrays = contents(saved)
    assert_refused(tmp_path / "model.npz", packed(text, arrays))


def test_a_configuration_that_is_too_long(saved, tmp_path):
    config, arrays = contents(saved)
    text = json.dumps(config)
    assert_refused(tmp_path / "model.npz", packed(text + 2**18 * " ", arrays), match="at most")
    (tmp_path / "model.npz").write_bytes(packed(text + 2**10 * " ", arrays))
    assert Sequential.load(tmp_path / "model.npz").name == "small"
    with pytest.raises(InputError, match="save: expected a description of at most"):
        Sequential(name="x" * 2**18).save(tmp_path / "long.npz")
    assert not (tmp_path / "long.npz").exists()
    Sequential(name="x" * (2**18 - 200)).save(tmp_path / "long.npz")
    assert len(Sequential.load(tmp_path / "long.npz").name) == 2**18 - 200


def test_a_layer_that_is_the_base_of_layers(tmp_path):
    layer = {"class_name": "Layer", "config": {}, "input_shape": None, "state": {}}
    config = {"format": "scratchnet", "version": 1, "name": "a", "dtype": None, "layers": [layer]}
    assert_refused(tmp_path / "model.npz", packed(config, {}), match="got 'Layer'")
    layer["class_name"] = "Flatten"
    (tmp_path / "model.npz").write_bytes(packed(config, {}))
    assert Sequential.load(tmp_path / "model.npz").layers[0].name == "flatten"


def changed(config, path, value):
    """The configuration with one value replaced, or taken out (...)."""
    config = json.loads(json.dumps(config))
    *way, last = path
    place = config
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return config


LAYER = ("layers", 0, "config")


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        (("version",), 2, "expected version 1 of the format, got 2"),
        (("version",), ..., "got None"),
        (("format",), "keras", "format scratchnet"),
        (("name",), ..., ""),
        (("name",), 7, "name"),
        (("dtype",), "float16", "float16"),
        (("dtype",), ["f4"], ""),
        (("dtype",), "float64", ""),
        (("layers",), ..., ""),
        (("layers",), 3, ""),
        (("layers",), {"a": 1}, ""),
        (("layers", 0), None, ""),
        (("layers", 0, "class_name"), "Conv2D", "Conv2D"),
        (("layers", 0, "class_name"), "Layer", "Layer"),
        (("layers", 0, "class_name"), "os", "os"),
        (("layers", 0, "class_name"), "__builtins__", "builtins"),
        (("layers", 0, "class_name"), ["Dense"], "Dense"),
        (("layers", 0, "class_name"), "Dropout", ""),
        (("layers", 0, "input_shape"), None, ""),
        (("layers", 0, "input_shape"), [None, 10**12], "shape"),
        (("layers", 0, "input_shape"), [None, -2], ""),
        (("layers", 0, "input_shape"), "2", ""),
        (("layers", 0, "input_shape"), [None, 2.0], ""),
        (("layers", 0, "input_shape"), [], ""),
        (("layers", 0, "state"), {"draws": 3}, ""),
        (("layers", 1, "state"), None, ""),
        (("layers", 1, "state"), {}, ""),
        (("layers", 1, "state", "draws"), -1, "draws"),
        (("layers", 1, "state", "seed"), "0", "seed"),
        (("layers", 1, "config", "rate"), float("nan"), "finite"),
        (("layers", 1, "config", "rate"), float("inf"), "finite"),
        (("layers", 1, "config", "rate"), 2, "rate"),
        ((*LAYER, "units"), 10**12, "shape"),
        ((*LAYER, "units"), 10**400, ""),
        ((*LAYER, "units"), "3", "units"),
        ((*LAYER, "units"), ..., "units"),
        ((*LAYER, "activation"), "evil", "evil"),
        ((*LAYER, "activation"), {"name": "relu", "evil": 1}, "evil"),
        ((*LAYER, "activation"), {"name": ["relu"]}, ""),
        ((*LAYER, "kernel_initializer"), {"class_name": "os.system", "config": {"x": "ls"}}, ""),
        ((*LAYER, "evil"), 1, "evil"),
        ((*LAYER, "name"), {}, ""),
        ((*LAYER, "name"), "x" * 100_000, ""),
        (("compile", "optimizer"), ..., ""),
        (("compile", "optimizer"), "adam", ""),
        (("compile", "optimizer", "class_name"), "Evil", "Evil"),
        (("compile", "optimizer", "class_name"), "SGD", ""),
        (("compile", "optimizer", "config", "beta_1"), 7, "beta_1"),
        (("compile", "optimizer", "config", "evil"), 7, "evil"),
        (("compile", "optimizer", "config", "learning_rate"), {"class_name": "Evil"}, "Evil"),
        (("compile", "loss", "class_name"), "Loss", ""),
        (("compile", "loss", "class_name"), "get", "get"),
        (("compile", "loss", "config", "evil"), 1, "evil"),
        (("compile", "loss", "config", "reduction"), None, "reduction"),
        (("compile", "metrics"), ["evil"], "evil"),
        (("compile", "metrics"), 3, ""),
        (("compile", "metrics"), [{"class_name": "Metric", "config": {}}], ""),
        (("compile", "weighted_metrics"), ..., ""),
        (("compile",), 3, ""),
    ],
)  # fmt: skip
def test_descriptions_that_do_not_hold_together(saved, tmp_path, path, value, match):
    config, arrays = contents(saved)
    content = packed(changed(config, path, value), arrays)
    if path == (*LAYER, "name") and value != {}:
        (tmp_path / "model.npz").write_bytes(content)
        assert Sequential.load(tmp_path / "model.npz").layers[0].name == value
        return
    line = assert_refused(tmp_path / "model.npz", content)
    assert match in line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_description_is_refused_or_read(saved, tmp_path, data):
    """One value or name of a good description exchanged for anything that JSON has."""
    config, arrays = contents(saved)
    place = config
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    if isinstance(place, dict) and data.draw(st.integers(0, 4)) == 0:
        place[data.draw(st.text(max_size=8))] = place.pop(key)
    else:
        place[key] = data.draw(JSON)
    path = tmp_path / "model.npz"
    path.write_bytes(packed(config, arrays))
    with contextlib.suppress(CheckpointError):
        model = Sequential.load(path)
        assert isinstance(model, Sequential)
        with contextlib.suppress(ScratchnetError):
            model.predict(np.ones((1, 2)))


def test_nothing_here_could_execute_a_file():
    for name in ("archive", "checkpoint", "model", "files"):
        source = (ROOT / f"scratchnet/{name}.py").read_text(encoding="utf-8")
        for word in ("import pickle", "eval(", "exec(", "allow_pickle=True", "import_module"):
            assert word not in source
