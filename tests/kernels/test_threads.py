"""Work divided among threads: the same work for any number of them, and no bit's difference."""

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scratchnet import Sequential
from scratchnet.errors import InputError
from scratchnet.kernels import threads
from scratchnet.layers import GRU, LSTM, Dense
from tests.helpers import assert_not_negligible
from tests.kernels.dividing import divided
from tests.layers.cases import message, random_array
from tests.layers.recurrent_cases import every_kernel, mask_of_every_kind, recurrent, states_for

VARIABLE = threads.THREADS_VARIABLE


class TestParts:
    @given(st.integers(0, 5000))
    @example(0)
    @example(1)
    @example(63)
    @example(64)
    def test_cover_every_row_once_in_order(self, rows):
        parts = threads.parts(rows)
        assert [row for part in parts for row in range(rows)[part]] == list(range(rows))
        sizes = [part.stop - part.start for part in parts]
        assert max(sizes) - min(sizes) <= 1
        if rows < 64:
            assert sizes == [rows]
        else:
            assert len(sizes) >= 2
            assert min(sizes) >= 32
            assert max(sizes) < 128 if rows >= 128 else max(sizes) <= 64

    @given(st.integers(0, 5000), st.integers(1, 64))
    def test_depend_on_rows_alone(self, rows, count):
        parts = threads.parts(rows)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, str(count))
            assert threads.parts(rows) == parts

    @pytest.mark.parametrize(
        ("rows", "sizes"), [(65, [32, 33]), (128, [64, 64]), (191, [95, 96]), (200, [66, 67, 67])]
    )
    def test_sizes(self, rows, sizes):
        assert [part.stop - part.start for part in threads.parts(rows)] == sizes


class TestCount:
    @pytest.mark.parametrize(("given", "expected"), [("1", 1), ("2", 2), ("17", 17), ("08", 8)])
    def test_as_set(self, given, expected, monkeypatch):
        monkeypatch.setenv(VARIABLE, given)
        assert threads.count() == expected

    @pytest.mark.parametrize("given", [None, ""])
    def test_unset_is_the_cores_of_this_process(self, given, monkeypatch):
        monkeypatch.delenv(VARIABLE, raising=False)
        if given is not None:
            monkeypatch.setenv(VARIABLE, given)
        affinity = getattr(os, "sched_getaffinity", None)
        assert threads.count() == (len(affinity(0)) if affinity else os.cpu_count())

    @pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", " ", "2 ", "1e1", "²"])
    def test_nonsense(self, given, monkeypatch):
        monkeypatch.setenv(VARIABLE, given)
        with pytest.raises(InputError) as raised:
            threads.count()
        assert message(raised) == (
            f"{VARIABLE}: expected a whole number of threads from 1 on, got {given!r}. "
            "Unset it to use every core."
        )

    def test_nonsense_stops_a_layer_whose_batch_is_divided(self, monkeypatch):
        monkeypatch.setenv(VARIABLE, "many")
        with pytest.raises(InputError, match=VARIABLE):
            LSTM(2).forward(random_array(64, 3, 2))


@pytest.fixture(params=[1, 2, 3])
def several(request, monkeypatch):
    """As many threads as are asked for."""
    monkeypatch.setenv(VARIABLE, str(request.param))
    return request.param


class TestTogether:
    @pytest.mark.parametrize("tasks", [1, 2, 7])
    def test_answers_in_order(self, several, tasks):
        def task(i):
            time.sleep(0.002 * (tasks - i))  # the last is ready first
            return i

        assert threads.together([lambda i=i: task(i) for i in range(tasks)]) == list(range(tasks))

    @pytest.mark.parametrize("failing", [(0,), (1,), (2, 1), (0, 3), (3,)])
    def test_the_first_failure_comes_when_all_have_ended(self, failing, monkeypatch):
        monkeypatch.setenv(VARIABLE, "3")
        ended = []

        def task(i):
            time.sleep(0.002 * (5 - i))
            ended.append(i)
            if i in failing:
                raise KeyError(i)

        with pytest.raises(KeyError, match=str(min(failing))):
            threads.together([lambda i=i: task(i) for i in range(5)])
        assert sorted(ended) == list(range(5))
        assert threads.together([lambda i=i: i for i in range(5)]) == list(range(5))

    def test_a_failure_in_one_thread(self, monkeypatch):
        monkeypatch.setenv(VARIABLE, "1")
        with pytest.raises(ZeroDivisionError):
            threads.together([lambda: 1, lambda: 1 // 0])

    def test_side_by_side(self, monkeypatch):
        """Two tasks that wait for each other."""
        monkeypatch.setenv(VARIABLE, "2")
        barrier = threading.Barrier(2, timeout=30)
        where = threads.together([lambda: (barrier.wait(), threading.get_ident())[1]] * 2)
        assert threading.get_ident() in where
        assert len(set(where)) == 2

    def test_ctrl_c_leaves_no_thread_behind(self, monkeypatch):
        """Interrupted while it waits for the others, it goes on waiting, and raises then."""
        monkeypatch.setenv(VARIABLE, "2")
        both, ended = threading.Barrier(2, timeout=30), []
        before = signal.signal(signal.SIGINT, signal.default_int_handler)

        def slow():
            both.wait()
            if threading.current_thread() is threading.main_thread():
                return
            _thread.interrupt_main()
            time.sleep(0.2)
            _thread.interrupt_main()
            time.sleep(0.2)
            ended.append("here")

        try:
            with pytest.raises(KeyboardInterrupt):
                threads.together([slow, slow])
        finally:
            signal.signal(signal.SIGINT, before)
        assert ended == ["here"]
        assert threads._depth == 0

    def test_one_inside_another(self, several):
        inner = [lambda n=n: n for n in range(3)]
        tasks = [lambda: sum(threads.together(inner))] * 4
        assert threads.together(tasks) == [3] * 4

    def test_where_no_thread_is_to_be_had(self, several, monkeypatch):
        """As at Python's end: everything runs here."""
        pool = ThreadPoolExecutor(1)
        pool.shutdown()
        monkeypatch.setattr(threads, "_pool", lambda threads: pool)
        here = threading.get_ident()
        assert threads.together([threading.get_ident] * 3) == [here] * 3

    def test_in_the_caller_with_one_thread(self, monkeypatch):
        monkeypatch.setenv(VARIABLE, "1")
        assert set(threads.together([threading.get_ident] * 5)) == {threading.get_ident()}

    def test_one_task_runs_in_the_caller(self, monkeypatch):
        monkeypatch.setenv(VARIABLE, "3")
        assert threads.together([threading.get_ident]) == [threading.get_ident()]

    def test_what_the_caller_thinks_of_overflow_holds(self, several):
        """In every thread: as many tasks as there are, which wait for each other."""
        barrier = threading.Barrier(several, timeout=30)

        def overflow():
            barrier.wait()
            return np.float64(1e308) * np.float64(10)

        with np.errstate(over="ignore"):
            assert threads.together([overflow] * several) == [np.inf] * several
        with np.errstate(over="raise"):
            for _ in range(several):
                with pytest.raises(FloatingPointError):
                    threads.together([overflow] * several)

        def opinion():
            barrier.wait()
            return np.geterr()["over"]

        for over in ("raise", "ignore"):
            with np.errstate(over=over):
                assert threads.together([opinion] * several) == [over] * several

    def test_blas_has_one_thread(self, several, libraries):
        seen = threads.together([lambda: [one.threads for one in libraries]] * 3)
        assert seen == [[1, 1]] * 3
        assert [one.threads for one in libraries] == [4, 7]


class Library:
    """A BLAS, as `threadpoolctl` describes it."""

    def __init__(self, threads):
        self.threads = threads

    def get_num_threads(self):
        return self.threads

    def set_num_threads(self, threads):
        self.threads = threads


@pytest.fixture
def libraries(monkeypatch):
    """Two BLAS libraries that use four and seven threads."""
    made = [Library(4), Library(7)]
    monkeypatch.setattr(threads, "_blas_libraries", lambda: made)
    return made


class TestOneBlasThread:
    def used(self, libraries):
        return [library.threads for library in libraries]

    def test_what_was_before_comes_back(self, libraries):
        for before in ([4, 7], [2, 1]):
            for library, count in zip(libraries, before, strict=True):
                library.threads = count
            with threads.one_blas_thread():
                assert self.used(libraries) == [1, 1]
            assert self.used(libraries) == before

    def test_after_an_exception_too(self, libraries):
        with pytest.raises(KeyError), threads.one_blas_thread():
            raise KeyError
        assert self.used(libraries) == [4, 7]

    def test_one_inside_another(self, libraries):
        with threads.one_blas_thread():
            with threads.one_blas_thread():
                assert self.used(libraries) == [1, 1]
            assert self.used(libraries) == [1, 1]
        assert self.used(libraries) == [4, 7]

    def test_from_two_threads_at_once(self, libraries):
        """The first to come leaves first: the other still has one thread, then both are back."""
        came, left = threading.Event(), threading.Event()

        def first():
            with threads.one_blas_thread():
                assert came.wait(30)
            left.set()

        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(first)
            with threads.one_blas_thread():
                came.set()
                assert left.wait(30)
                assert self.used(libraries) == [1, 1]
            future.result()
        assert self.used(libraries) == [4, 7]

    def test_with_the_blas_that_numpy_has(self):
        libraries = threads._blas_libraries()
        if not libraries:
            pytest.skip("NumPy's BLAS is none whose threads can be counted")
        kept = [library.get_num_threads() for library in libraries]
        try:
            for library in libraries:
                library.set_num_threads(2)
            before = [library.get_num_threads() for library in libraries]
            with threads.one_blas_thread():
                assert {library.get_num_threads() for library in libraries} == {1}
            assert [library.get_num_threads() for library in libraries] == before
        finally:
            for library, count in zip(libraries, kept, strict=True):
                library.set_num_threads(count)


def answers(name, rows, **options):
    """Everything that two training steps of a new layer give."""
    layer = recurrent(name, 9, 4, dtype="float32", return_state=True, **options)
    found = []
    for seed in (1, 2):
        outputs = layer.forward(
            random_array(rows, 5, 4, seed=seed),
            training=True,
            mask=mask_of_every_kind(rows, 5),
            initial_state=states_for(layer, rows),
        )
        dx = layer.backward(random_array(rows, 9, seed=seed), states_for(layer, rows, seed=80))
        found += [*outputs, dx, *layer.d_initial_state]
        found += [gradient.copy() for gradient in layer.grads.values()]
    return found


def assert_same_bits(actual, expected):
    for array, reference in zip(actual, expected, strict=True):
        assert_not_negligible(reference)
        np.testing.assert_array_equal(array, reference)


@every_kernel
@pytest.mark.parametrize("rows", [128, 200])
def test_no_bit_depends_on_the_number_of_threads(name, rows, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    expected = answers(name, rows)
    for count in (1, 2, 3, 2, 3, 2, 3):
        monkeypatch.setenv(VARIABLE, str(count))
        assert_same_bits(answers(name, rows), expected)


@every_kernel
def test_no_bit_depends_on_who_is_ready_first(name, monkeypatch):
    """Ten parts of two rows, in threads that hold one another up."""
    monkeypatch.setenv(VARIABLE, "1")
    with divided(2, rows=2):
        expected = answers(name, 20)
        monkeypatch.setenv(VARIABLE, "4")
        together = threads.together

        def in_disorder(tasks):
            rng = np.random.default_rng(len(tasks))
            naps = rng.permutation(len(tasks)) * 1e-3
            pairs = zip(naps, tasks, strict=True)
            return together(
                [lambda n=n, task=task: (time.sleep(n), task())[1] for n, task in pairs]
            )

        monkeypatch.setattr(threads, "together", in_disorder)
        assert_same_bits(answers(name, 20), expected)


AFTER_A_FORK = """
import os, signal, warnings
import numpy as np
from scratchnet.layers import LSTM

warnings.simplefilter("ignore", DeprecationWarning)  # a fork of a process with threads
layer, x = LSTM(4), np.random.default_rng(1).standard_normal((200, 5, 3))
def step():
    y = layer.forward(x, training=True)
    return [y, layer.backward(y), *layer.grads.values()]
expected = step()
child = os.fork()
if child == 0:
    signal.alarm(30)
    same = all(np.array_equal(a, b) for a, b in zip(step(), expected, strict=True))
    os._exit(0 if same else 3)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
assert all(np.array_equal(a, b) for a, b in zip(step(), expected, strict=True))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_usable_after_a_fork():
    environment = {**os.environ, VARIABLE: "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", AFTER_A_FORK], env=environment, check=True, timeout=60)


def trained(cell, seed):
    """The weights of a model after a few steps, from the same start each time."""
    model = Sequential([cell(5, seed=seed), Dense(1)])
    x, y = random_array(200, 6, 3, seed=seed), random_array(200, 1, seed=seed + 1)
    model.build((None, 6, 3))
    model.set_weights([0.5 * random_array(*w.shape, seed=seed) for w in model.get_weights()])
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=128, epochs=3, verbose=0, seed=seed)
    return model.get_weights()


def test_two_models_trained_at_once_are_what_they_are_alone(monkeypatch):
    monkeypatch.setenv(VARIABLE, "3")
    models = ((LSTM, 3), (GRU, 8))
    expected = [trained(*model) for model in models]
    barrier = threading.Barrier(2, timeout=30)

    def at_once(model):
        barrier.wait()
        return [trained(*model) for _ in range(3)]

    with ThreadPoolExecutor(2) as pool:
        for found, alone in zip(pool.map(at_once, models), expected, strict=True):
            for weights in found:
                assert_same_bits(weights, alone)
