"""That a worker which is gone is noticed in time, and one that has finished is not missed."""

import os
import socket
import time

import pytest

from keras_impl.distribution import health
from keras_impl.distribution.addresses import WorkerError
from keras_impl.distribution.health import Health
from keras_impl.distribution.messages import Link

WORKERS = ("10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3")
PATIENCE_S = 1.0


@pytest.fixture
def three():
    """The health of a chief and of two others, as if each were in its process."""
    pairs = [socket.socketpair() for _ in range(2)]
    chief = Health(WORKERS, {k + 1: Link(pair[0]) for k, pair in enumerate(pairs)}, PATIENCE_S)
    others = [Health(WORKERS, {0: Link(pair[1])}, PATIENCE_S) for pair in pairs]
    yield [chief, *others]
    for one in (chief, *others):
        one._noticed.set()
        one._over.set()
        if one.is_alive():
            one.join(10)
        for link in one.links.values():
            link.close()


def lost_within(one, seconds):
    begun = time.monotonic()
    with pytest.raises(WorkerError) as e:
        one.check(within_s=10)
    assert time.monotonic() - begun < seconds
    assert "\n" not in str(e.value)
    return str(e.value)


def test_alive_for_longer_than_the_patience(three):
    for one in three:
        one.start()
    time.sleep(2 * PATIENCE_S)
    for one in three:
        one.check()


def test_one_that_ends_is_noticed_by_all(three):
    chief, first, second = three
    told = []
    first.abort = told.append
    chief.start()
    first.start()
    second.links[0].close()
    for one in (chief, first):
        line = lost_within(one, 5)
        assert line.startswith("worker 2 (10.0.0.3:3) is gone. Start all workers again")
    first.join(5)
    assert told == [line]


@pytest.mark.parametrize("silent", [0, 1])
def test_one_that_hangs_is_noticed_after_the_patience(three, silent):
    for index, one in enumerate(three):
        if index != silent:
            one.start()
    for index, one in enumerate(three):
        if index != silent:
            assert f"worker {silent} " in (line := lost_within(one, PATIENCE_S + 4))
            assert "has not been heard for 1 s" in line


def test_one_that_says_why_it_stops(three):
    chief, first, second = three
    chief.start()
    second.start()
    with pytest.raises(ValueError, match="a bad"), first:
        raise ValueError("a bad\nfile")
    for one in (chief, second):
        assert "worker 1 (10.0.0.2:2) has stopped: a bad file" in lost_within(one, 5)


def test_one_that_has_finished_is_not_missed(three):
    chief, first, second = three
    chief.start()
    second.start()
    with first:
        pass
    time.sleep(PATIENCE_S + 0.5)
    chief.check()
    second.check()


def test_where_tensorflow_does_not_come_back_the_process_ends(three, monkeypatch, capsys):
    ended = []
    monkeypatch.setattr(health, "GRACE_S", 0.2)
    monkeypatch.setattr(os, "_exit", ended.append)
    chief, first, _ = three
    chief.start()
    first.links[0].close()
    chief.join(10)
    assert ended == [2]
    assert capsys.readouterr().err.startswith("keras_impl: worker 1 (10.0.0.2:2) is gone.")
