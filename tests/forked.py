"""Processes that begin with TensorFlow imported, which takes seconds and is much the same in each.

A server process imports it once and computes nothing; what is run is forked from that.  Otherwise
they are processes as any: with a number, an end and a SIGKILL of their own.
"""

import atexit
import multiprocessing
import os
import runpy
import sys
from multiprocessing import forkserver
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1",
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "2",
}  # fmt: skip


class Forked:
    """``python -m MODULE WORD …``, in a folder; its outputs go to files beside ``outputs``."""

    def __init__(self, words, folder, outputs):
        _serve()
        self.files = [Path(f"{outputs}.{name}") for name in ("out", "err")]
        self.process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=([str(word) for word in words], str(folder), self.files)
        )
        self.process.start()

    def poll(self):
        """Return its status, None while it runs; negative where a signal ended it."""
        return self.process.exitcode

    def kill(self):
        """Send SIGKILL."""
        self.process.kill()

    def communicate(self, timeout):
        """Wait until it ends; return status, output and error output."""
        self.process.join(timeout)
        said = [file.read_text() for file in self.files]
        assert self.process.exitcode is not None, f"it still runs: {said[1]}"
        return self.process.exitcode, *said


def _serve():
    """Start the server, or find it started."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.forked_imports"])
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run(words, folder, files):
    for number, file in enumerate(files, 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    sys.argv = list(words)
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # which a forked process leaves out
