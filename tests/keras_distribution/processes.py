"""Workers as processes of this machine, which never outlive their test."""

import contextlib
import json
import socket

from tests.forked import ROOT, Forked

LONGEST_S = 120
"""No test waits longer for a process, on a machine however busy."""


def free_addresses(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]


def run_all(commands, folder):
    """Run ``python -m`` of each at once; return status, output, and error output of each."""
    processes = []
    try:
        for number, command in enumerate(commands):
            processes.append(Forked(command, ROOT, folder / f"process-{number}"))
        ended = []
        for process in processes[::-1]:  # one that is stopped, and does not end, is the first
            ended.append(process.communicate(LONGEST_S))
            if ended[-1][0] == 2 and any("SIGSTOP" in word for word in commands[0]):
                processes[0].kill()
        return ended[::-1]
    finally:
        for process in processes:
            process.kill()
            process.process.join()


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
        for status, out, err in run_all(commands, folder.parent)
    ]
