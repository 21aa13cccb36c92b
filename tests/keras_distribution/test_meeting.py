"""Workers that find each other, and all that can go wrong with it; without TensorFlow."""

import errno
import json
import socket
import threading
import time

import pytest

from keras_impl.distribution.addresses import WorkerError, check_workers
from keras_impl.distribution.fingerprint import difference, fingerprint
from keras_impl.distribution.meeting import PROTOCOL, STRANGERS, meet
from scratchnet.errors import InputError, ScratchnetError
from tests.keras_distribution.problems import reviews
from tests.keras_distribution.processes import free_addresses
from tests.layers.cases import message

SAID = {"seed": "0", "data": '"ab12"'}


def meeting(workers, said=None, wait_s=20.0, indices=None, before=lambda: None):
    """Let workers meet in threads; return the links, or the error, of each."""
    results = {}

    def run(index):
        try:
            results[index] = meet(tuple(workers), index, (said or {}).get(index, SAID), wait_s)
        except Exception as error:
            results[index] = error

    wanted = range(len(workers)) if indices is None else indices
    threads = [threading.Thread(target=run, args=(index,)) for index in wanted]
    for thread in threads[:1]:
        thread.start()
    before()
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for found in results.values():
        for link in found.values() if isinstance(found, dict) else ():
            link.close()
    return results


def connect(address):
    host, port = address.split(":")
    for _ in range(100):
        try:
            return socket.create_connection((host, int(port)), timeout=10)
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the chief does not listen")


def said_in_one_line(error, kind, *parts):
    assert isinstance(error, kind), error
    text = str(error)
    assert "\n" not in text
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("workers", "index", "match"),
    [
        (["a:1", "b"], 0, r"--workers: expected host:port, got 'b'"),
        (["a:1", "b:0"], 0, "host:port, got 'b:0'"),
        (["a:1", "b:65536"], 0, "host:port, got 'b:65536'"),
        (["a:1", "b c:2"], 0, "host:port, got 'b c:2'"),
        (["a:1"], 0, "expected from 2 to 256 addresses, got 1"),
        ([f"a:{port}" for port in range(1, 259)], 0, "got 258"),
        (["a:1", "b:2", "a:1"], 0, "got a:1 twice"),
        (["a:1", "b:2"], 2, r"--index: expected from 0 to 1, .*got 2"),
        (["a:1", "b:2"], -1, "got -1"),
    ],
)
def test_addresses(workers, index, match):
    with pytest.raises(InputError, match=match) as e:
        check_workers(workers, index)
    message(e)


def test_good_addresses():
    assert check_workers(["10.0.0.5:1", "[::1]:2", "a-b.c:65535"], 2)[1] == "[::1]:2"


def test_all_meet():
    found = meeting(free_addresses(3))
    assert {index: set(links) for index, links in found.items()} == {0: {1, 2}, 1: {0}, 2: {0}}


def test_one_that_never_comes():
    workers = free_addresses(3)
    begun = time.monotonic()
    found = meeting(workers, wait_s=1.0, indices=[0, 1])
    assert time.monotonic() - begun < 10
    said_in_one_line(found[0], WorkerError, "within 1 s", f"index 2 ({workers[2]})", "--index.")
    assert "index 1" not in str(found[0])
    assert str(found[1]).rstrip(".") == str(found[0]).rstrip(".")


def test_a_chief_that_never_comes():
    workers = free_addresses(2)
    found = meeting(workers, wait_s=0.5, indices=[1])
    said_in_one_line(found[1], WorkerError, workers[0], "with --index 0.")


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_in_use(index):
    workers = free_addresses(2)
    with socket.create_server(("127.0.0.1", int(workers[index].split(":")[1]))):
        found = meeting(workers, wait_s=0.5, indices=[index])
    said_in_one_line(found[index], InputError, workers[index], "port in use", "another port")


def test_an_address_of_another_machine(monkeypatch):
    def refused(*arguments, **others):
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", refused)
    found = meeting(["127.0.0.1:12345", "127.0.0.2:12345"], wait_s=0.5, indices=[1])
    said_in_one_line(found[1], InputError, "--index: expected 127.0.0.2:12345 to be this machine")


def test_a_name_that_nobody_has():
    found = meeting(["127.0.0.1:12345", "nobody.invalid:12345"], wait_s=0.5, indices=[1])
    said_in_one_line(found[1], InputError, "expected nobody.invalid:12345 to be this machine")


def test_other_settings():
    found = meeting(free_addresses(2), {1: {**SAID, "seed": "7"}})
    for error in found.values():
        said_in_one_line(error, ScratchnetError, "all workers to have seed 0, got 7 at worker 1")


def test_another_list_of_workers():
    """It is told, and the others meet."""
    workers = free_addresses(3)

    def other():
        connect(workers[0]).close()
        with pytest.raises(WorkerError, match=f"expected --workers {workers[0]},{workers[1]}, as"):
            meet((workers[0], workers[2]), 1, SAID, 10.0)

    found = meeting(workers[:2], before=other)
    assert set(found[0]) == {1}


def test_a_second_with_the_same_index():
    """It is told, and the first is let in."""
    workers = free_addresses(3)
    hello = {"protocol": PROTOCOL, "index": 1, "workers": workers, "said": SAID}
    answers = []

    def twice():
        first = connect(workers[0])
        first.sendall(json.dumps(hello).encode() + b"\n")
        time.sleep(0.3)
        with connect(workers[0]) as second:
            second.sendall(json.dumps(hello).encode() + b"\n")
            answers.append(json.loads(second.makefile().readline()))
        first.close()

    found = meeting(workers, before=twice)
    assert answers[0]["left"].startswith("expected one worker with --index 1, got a second.")
    assert set(found[0]) == {1, 2}


def test_strangers_are_passed_over():
    workers = free_addresses(2)

    def bother():
        contents = [
            b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff\n", b"[1]\n", b"{}\n", b"[" * 60_000 + b"\n",
            b'{"protocol": 1, "said": 3}\n', b'{"protocol": 1, "said": {}, "index": 9}\n',
            b"x" * 200_000,
        ]  # fmt: skip
        kept = [connect(workers[0]) for _ in range(STRANGERS - len(contents) - 2)]
        for content in contents:
            one = connect(workers[0])
            try:
                one.sendall(content)
            except OSError:
                continue
            finally:
                kept.append(one) if content else one.close()
        time.sleep(0.2)
        for one in kept:
            one.close()

    found = meeting(workers, before=bother)
    assert set(found[0]) == {1}
    assert set(found[1]) == {0}


@pytest.mark.parametrize("change", ["seed", "dtype", "epochs"])
def test_fingerprints_of_settings(change):
    other = {"seed": 2, "dtype": "float32", "epochs": 3}[change]
    ours, theirs = fingerprint(reviews()), fingerprint(reviews(**{change: other}))
    assert difference(ours, fingerprint(reviews())) is None
    assert difference(ours, theirs).startswith(f"{change} ")


def test_fingerprints_of_data():
    problem = reviews()
    ours = fingerprint(problem)
    problem.x_train[-1, -1] += 1
    assert difference(ours, fingerprint(problem)).startswith("data ")
    problem.x_train[-1, -1] -= 1
    problem.y_train[0] = 1 - problem.y_train[0]
    assert difference(ours, fingerprint(problem)).startswith("data ")
    assert difference(ours, fingerprint(reviews(), schedule="cosine")).startswith("schedule none")
