"""Streams and graphs of the stand-in: what is recorded runs later, what CUDA refuses is refused."""

import gc

import numpy as np
import pytest

from tests.strict_array import NAMESPACE, crossings, to_strict
from tests.strict_array.compiling import needs_compiler
from tests.strict_array.performing import CUDARuntimeError
from tests.strict_array.streams import RaceError

cuda = NAMESPACE.cuda
rng = np.random.default_rng(2)


class Captured:
    """``work()`` captured on a stream of its own into a pool of its own."""

    def __init__(self, work, warm=True):
        self.stream, self.pool = cuda.Stream(non_blocking=True), cuda.MemoryPool()
        cuda.Stream.null.synchronize()
        with self.stream, cuda.using_allocator(self.pool.malloc):
            if warm:
                work()
            self.stream.begin_capture()
            try:
                self.result = work()
            finally:
                self.graph = self.stream.end_capture()

    def launch(self):
        cuda.Stream.null.synchronize()
        with self.stream:
            self.graph.launch()
        self.stream.synchronize()


def test_a_capture_computes_nothing_and_its_graph_computes_everything():
    x, w = to_strict(rng.standard_normal((3, 4))), to_strict(rng.standard_normal((3, 4)))
    before = w.get()

    def step():
        y = NAMESPACE.tanh(x.T[1:] * 2).T
        w[:, 1:] -= y
        low = NAMESPACE.where(w < 0, 1, 0)
        return y, low, NAMESPACE.sum(y, axis=0, out=NAMESPACE.empty(3))

    captured = Captured(step, warm=False)
    y, low, total = captured.result
    assert captured.graph.steps.count("tanh") == 1
    np.testing.assert_array_equal(w.get(), before)
    assert np.isnan(y.get()).all()
    assert np.isnan(total.get()).all()
    assert not low.get().any()
    expected_y = np.tanh(2 * x.get()[:, 1:])
    for count in (1, 2):
        captured.launch()
        expected = before.copy()
        for _ in range(count):
            expected[:, 1:] -= expected_y
        np.testing.assert_array_equal(w.get(), expected)
        np.testing.assert_array_equal(y.get(), expected_y)
        np.testing.assert_array_equal(low.get(), expected < 0)
        np.testing.assert_array_equal(total.get(), expected_y.sum(axis=0))
    fresh = rng.standard_normal((3, 4))
    x.set(fresh)
    captured.launch()
    np.testing.assert_array_equal(y.get(), np.tanh(2 * fresh[:, 1:]))


@needs_compiler
def test_kernels_random_numbers_and_every_way_of_writing_are_recorded():
    x, at = to_strict(rng.standard_normal(5)), to_strict(np.array([4, 0, 1]))
    out, filled = NAMESPACE.zeros(5), NAMESPACE.zeros(2)
    double = NAMESPACE.ElementwiseKernel("T x", "T y", "y = 2 * x")
    code = 'extern "C" __global__ void put(double* y) { y[threadIdx.x] = threadIdx.x + 1; }'
    put = NAMESPACE.RawKernel(code, "put")
    put_into = NAMESPACE.zeros(3)
    generator = NAMESPACE.random.default_rng(5)
    double(x)
    put((1,), (3,), (put_into,))
    put_into.fill(0)

    def work():
        double(x, out)
        out[at] = x[at]
        filled.fill(7.0)
        NAMESPACE.add.at(out, at, x[:3])
        put((1,), (3,), (put_into,))
        return double(x), generator.random(2), x.take(at), NAMESPACE.concatenate([x, out])

    captured = Captured(work, warm=False)
    for array in (out, filled, put_into):
        assert not array.get().any()
    for array in captured.result:
        assert np.isnan(array.get()).all()
    captured.launch()
    made, random, taken, joined = captured.result
    expected = 2 * x.get()
    np.testing.assert_array_equal(made.get(), expected)
    expected[[4, 0, 1]] = x.get()[[4, 0, 1]]
    expected[[4, 0, 1]] += x.get()[:3]
    np.testing.assert_array_equal(joined.get(), [*x.get(), *expected])
    np.testing.assert_array_equal(filled.get(), [7, 7])
    np.testing.assert_array_equal(put_into.get(), [1, 2, 3])
    np.testing.assert_array_equal(taken.get(), x.get()[[4, 0, 1]])
    numbers = np.random.default_rng(5)
    np.testing.assert_array_equal(random.get(), numbers.random(2))
    captured.launch()
    np.testing.assert_array_equal(random.get(), numbers.random(2))


WAITS = {
    "get": lambda x, at: x.get(),
    "float": lambda x, at: float(x[0, 0]),
    "int": lambda x, at: int(at[0]),
    "branch": lambda x, at: bool(x[0, 0] > 0),
    "item": lambda x, at: x[0, 0].item(),
    "asarray": lambda x, at: NAMESPACE.asarray(np.ones(2)),
    "array": lambda x, at: NAMESPACE.array([1.0, 2.0]),
    "set": lambda x, at: x.set(np.zeros((2, 3))),
    "mask": lambda x, at: x[x > 0],
    "masked writing": lambda x, at: x.__setitem__(x > 0, 0.0),
    "a number to places": lambda x, at: x.__setitem__(at, 0.0),
    "list index": lambda x, at: x[[0, 1]],
    "flatnonzero": lambda x, at: NAMESPACE.flatnonzero(x),
    "argwhere": lambda x, at: NAMESPACE.argwhere(x),
    "argsort": lambda x, at: NAMESPACE.argsort(at, kind="stable"),
    "sort": lambda x, at: x.sort(),
    "many arrays": lambda x, at: NAMESPACE.stack([x] * 9),
    "synchronize": lambda x, at: cuda.get_current_stream().synchronize(),
    "device": lambda x, at: cuda.Device().synchronize(),
    "new kernel": lambda x, at: NAMESPACE.ElementwiseKernel("T x", "T y", "y = x")(x),
}


@pytest.mark.parametrize("name", WAITS)
@needs_compiler
def test_what_waits_for_the_device_cannot_be_captured(name):
    x, at = to_strict(rng.standard_normal((2, 3))), to_strict(np.array([1, 0]))
    WAITS[name](x, at)
    stream = cuda.Stream(non_blocking=True)
    cuda.Device().synchronize()
    with stream:
        stream.begin_capture()
        with pytest.raises(CUDARuntimeError, match="StreamCaptureUnsupported"):
            WAITS[name](x, at)
        with pytest.raises(CUDARuntimeError, match="Invalidated"):
            stream.end_capture()
    assert not stream.is_capturing()


@pytest.mark.parametrize(
    "product",
    [
        lambda x: x @ x.T,
        lambda x: NAMESPACE.matmul(x, x.T),
        lambda x: x.dot(x.T),
        lambda x: NAMESPACE.einsum("ij,kj->ik", x, x),
        lambda x: NAMESPACE.tensordot(x, x, 2),
    ],
)
def test_cupy_keeps_cublas_out_of_captures(product):
    x = NAMESPACE.ones((2, 3))
    with pytest.raises(NotImplementedError, match="calling cuBLAS API during stream capture"):
        Captured(lambda: product(x))


def test_only_a_stream_of_its_own_captures():
    with pytest.raises(RuntimeError, match="legacy"):
        cuda.Stream.null.begin_capture()
    with pytest.raises(CUDARuntimeError, match="Implicit"):
        cuda.Stream().begin_capture()
    with pytest.raises(CUDARuntimeError, match="IllegalState"):
        cuda.Stream(non_blocking=True).end_capture()


def test_a_graph_tells_what_it_reads_from_outside():
    x, stale, w = NAMESPACE.ones(3), NAMESPACE.ones(3), NAMESPACE.ones((2, 3))

    def work():
        w[0] = (x + 1) * stale

    graph = Captured(work).graph
    assert graph.outside_reads([x, stale]) == []
    assert graph.outside_reads({"x": x[:1]}) == ["step 1, mul: float64 (3,)"]
    assert len(graph.outside_reads()) == 2
    assert graph.outside_writes() == ["step 2, setitem: float64 (2, 3)"]
    assert graph.outside_writes([w]) == []


def test_memory_that_a_graph_needs_must_be_kept():
    held = {"x": NAMESPACE.ones(3)}
    captured = Captured(lambda: held["x"] + 1)
    captured.launch()
    held["x"] = NAMESPACE.ones(3)
    with pytest.raises(RuntimeError, match="Keep a reference"):
        captured.launch()
    captured = Captured(lambda: (held["x"] + 1) * 2)
    del captured.pool
    gc.collect()
    with pytest.raises(RuntimeError, match="keep the pool"):
        captured.launch()
    stream = cuda.Stream(non_blocking=True)
    cuda.Device().synchronize()
    with stream:
        held["x"] + 1
        stream.begin_capture()
        y = (held["x"] + 1) * 2
        graph = stream.end_capture()
        with pytest.raises(RuntimeError, match="using_allocator"):
            graph.launch()
    assert y is not None


def test_a_pool_belongs_to_its_graph():
    x = NAMESPACE.ones(3)
    captured = Captured(lambda: x + 1)
    with cuda.using_allocator(captured.pool.malloc), pytest.raises(RuntimeError, match="another"):
        x + 1
    used = NAMESPACE.get_default_memory_pool().used_bytes()
    kept = NAMESPACE.zeros(1000)
    assert NAMESPACE.get_default_memory_pool().used_bytes() == used + kept.nbytes
    pool = cuda.MemoryPool()
    pool.set_limit(size=100)
    with cuda.using_allocator(pool.malloc), pytest.raises(cuda.memory.OutOfMemoryError):
        NAMESPACE.zeros(1000)


def test_streams_that_do_not_wait_for_each_other_race():
    x = NAMESPACE.ones(3)
    stream = cuda.Stream(non_blocking=True)
    x.fill(2.0)
    with stream, pytest.raises(RaceError):
        x + 1
    cuda.Stream.null.synchronize()
    with stream:
        y = x + 1
    with pytest.raises(RaceError):
        y.get()
    with pytest.raises(RaceError):
        x.fill(3.0)
    done = stream.record()
    cuda.Stream.null.wait_event(done)
    x.fill(3.0)
    assert y.get().tolist() == [3.0] * 3
    blocking = cuda.Stream()
    with blocking:
        z = x * 2
    assert z.get().tolist() == [6.0] * 3


def test_crossings_are_counted():
    with crossings() as crossed:
        x = NAMESPACE.asarray(np.ones((2, 3)))
        y = (x + 1).sum()
        x.fill(3)
        assert crossed.to_host == []
        assert float(y) == 12
        NAMESPACE.asarray(x)
        x.get()
    assert crossed.to_device == ["asarray of float64 (2, 3)"]
    assert crossed.to_host == ["a number of float64", "get of float64 (2, 3)"]


def test_events_measure():
    start, end = cuda.Event(), cuda.Event()
    with pytest.raises(CUDARuntimeError):
        cuda.get_elapsed_time(start, end)
    start.record()
    end.record()
    end.synchronize()
    assert cuda.get_elapsed_time(start, end) >= 0
