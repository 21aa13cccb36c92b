"""Workers as processes of this machine, which never outlive their test."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_S = 120
"""No test waits longer for a process, on a machine however busy."""


def free_addresses(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]


def run_all(commands):
    """Run processes at once; return status, lines on stdout, and stderr of each."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1",
        "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "2",
    }  # fmt: skip
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=ROOT, env=environment, text=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
            )  # fmt: skip
        ended = []
        for process in processes[::-1]:  # one that is stopped, and does not end, is the first
            out, err = process.communicate(timeout=LONGEST_S)
            ended.append((process.returncode, out, err))
            if process.returncode == 2 and any("SIGSTOP" in word for word in commands[0]):
                processes[0].kill()
        return ended[::-1]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def train_all(folder, problem, count=2, books=None, **asked):
    """Run ``worker.py`` so often; return status, what it said, and stderr of each."""
    workers = free_addresses(count)
    commands = []
    for index in range(count):
        own = {
            "problem": problem, "workers": workers, "index": index, "wait_s": 90,
            "folder": str(folder) if index == 0 else None,
            "book": (books or {}).get(index, {}), **asked,
        }  # fmt: skip
        commands.append(["tests.keras_distribution.worker", json.dumps(own)])
    return [
        (status, [json.loads(line) for line in out.splitlines()], err)
        for status, out, err in run_all(commands)
    ]
