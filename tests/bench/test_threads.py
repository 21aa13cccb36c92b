"""Everyone gets the same number of threads; who has started with another says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_impl.bench import machine, threads

PINNED = """
import json, os, sys
from keras_impl.bench import threads
threads.pin({number})
import tensorflow as tf
threads.pin({number})
from threadpoolctl import threadpool_info
tf.constant([1.0]) + 1.0
refused = None
try:
    threads.pin({number} + 1)
except ValueError as error:
    refused = str(error)
print(json.dumps([
    [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"],
    tf.config.threading.get_intra_op_parallelism_threads(),
    tf.config.threading.get_inter_op_parallelism_threads(),
    os.environ["SCRATCHNET_THREADS"],
    refused,
]))
"""


def test_the_cores_that_may_be_used():
    assert 1 <= threads.available() <= os.cpu_count()


def test_another_process_is_told_in_every_librarys_way():
    told = threads.environment(3)
    assert set(told.values()) == {"3"}
    assert {"SCRATCHNET_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"} <= told.keys()


@pytest.mark.slow
def test_pinned_before_anything_starts():
    pytest.importorskip("tensorflow")
    program = PINNED.format(number=3)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    blas, intra, inter, ours, refused = json.loads(done.stdout)
    assert set(blas) == {3}
    assert (intra, inter, ours) == (3, 3, "3")
    assert refused.startswith("threads: expected 3, which TensorFlow runs with already, got 4")


def test_a_machine_is_described_without_its_name():
    import platform

    found = machine.describe(2, "scratchnet bench")
    text = json.dumps(found)
    assert found["threads"] == 2
    assert {"scratchnet", "numpy", "keras"} <= found["versions"].keys()
    assert platform.node() not in text.replace("localhost", "")
    assert str(Path.cwd()) not in text
    assert "/" not in "".join([*found["blas"], found["cpu"], found["commit"] or ""])


def test_a_commit_is_of_a_checkout_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "checkout", lambda: None)
    assert machine.commit() is None
    monkeypatch.setattr(machine, "checkout", lambda: tmp_path)  # and not of git's
    assert machine.commit() is None
