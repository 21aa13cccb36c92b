"""The command as a process of its own: a port, real sockets, signals, and its status."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

START_S, STOP_S, ANSWER_S = 90, 30, 20


@contextlib.contextmanager
def process(*words):
    """Run the command; what it writes goes to files, so that no pipe can fill up."""
    command = [sys.executable, "-m", "keras_impl", "serve", *map(str, words)]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    watch = threading.Timer(START_S + STOP_S + 60, running.kill)
    watch.start()
    try:
        yield running
    finally:
        watch.cancel()
        running.kill()
        running.communicate()


def port_of(running):
    """Return the port, once the server says that it answers."""
    line = running.stderr.readline()
    found = re.search(r"POST http://127\.0\.0\.1:(\d+)/(predict|generate), how: ", line)
    assert found, line + running.stderr.read()
    return int(found[1])


def ask(port, method, path, body=None):
    """Return status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    with contextlib.closing(connection):
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def send(port, content):
    """Return what comes back for some bytes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        connection.sendall(content)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                parts.append(part)
    return b"".join(parts)


def head(*lines):
    return b"\r\n".join((b"POST /generate HTTP/1.1", b"Host: x", *lines, b"", b""))


KIND = b"Content-Type: application/json"
HOSTILE = {
    b"no HTTP\r\n\r\n": (b"400", b"Invalid HTTP request"),
    head(b"X: " + b"x" * 600_000): (b"400", b"Invalid HTTP request"),
    head(b"Connection: close", *(b"X-%d: x" % i for i in range(1_000))): (b"415", b"json"),
    head(b"Content-Length: -1"): (b"400", b"Invalid HTTP request"),
    head(b"Content-Length: 1", b"Content-Length: 2"): (b"400", b"Invalid HTTP request"),
    head(KIND, b"Content-Length: 99999999999") + b"{": (b"413", b"got 99,999,999,999. Send less"),
    head(KIND, b"Transfer-Encoding: chunked") + b"800\r\n%s\r\n" % (b" " * 0x800) * 3: (
        b"413",
        b"at most 5,000 bytes",
    ),
    head(KIND, b"Connection: close", b"Content-Length: 3") + b"\xff\xfe{": (b"400", b"not UTF-8"),
    head(b"Connection: close", b"Content-Length: 2") + b"{}": (
        b"415",
        b"expected application/json",
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_refuses_and_leaves_quietly(folder, number):
    if number == signal.SIGINT:
        name, options = "table", ["--no-access-log"]
    else:
        name, options = "char", ["--max-body", 5_000, "--max-concurrency", 1]
    with process(folder / name, "--port", 0, *options) as running:
        port = port_of(running)
        assert ask(port, "GET", "/health")[2] == b'{"status":"ok"}'
        if number == signal.SIGINT:
            status, _, body = ask(port, "POST", "/predict", {"rows": [[1] * 9]})
            assert (status, len(json.loads(body)["predictions"])) == (200, 1)
            with process(folder / name, "--port", port) as other:  # before anything slow
                out, said = other.communicate(timeout=START_S)
                assert (other.returncode, out) == (2, "")
                assert said == (
                    f"keras_impl: --port: expected a free port of 127.0.0.1, got {port}, which "
                    "another program has. Name another, or 0 for any.\n"
                )
            running.send_signal(number)
        else:
            for content, (status, said) in HOSTILE.items():
                answer = send(port, content)
                assert answer.startswith(b"HTTP/1.1 " + status), (content[:80], answer)
                assert said in answer
            asked = {"length": 2_000, "seed": 3}
            status, headers, whole = ask(port, "POST", "/generate", asked)
            assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert whole.endswith(b'event: end\ndata: {"length": 2000}\n\n')
            leave_in_the_middle(port)
            status, _, again = ask(port, "POST", "/generate", {**asked, "stream": False})
            assert status == 200  # the one place is free again
            pieces = re.findall(rb'^data: (\{"text": .*)$', whole, re.MULTILINE)
            text = "".join(json.loads(piece)["text"] for piece in pieces)
            assert json.loads(again)["text"] == text
            with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
                connection.sendall(head(KIND, b"Content-Length: 17") + b'{"length": 10000}')
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
                running.send_signal(number)  # while a text is being written
                while connection.recv(65536):
                    pass
        out, said = running.communicate(timeout=STOP_S)
    assert running.returncode == 0, said
    assert "Traceback" not in said
    if number == signal.SIGINT:
        assert (out, said) == ("", "")
    else:
        assert '"GET /health HTTP/1.1" 200' in out


def leave_in_the_middle(port):
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        connection.sendall(head(KIND, b"Content-Length: 17") + b'{"length": 10000}')
        assert connection.recv(100)
    time.sleep(0.2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["table", "--host", "x" * 64], "--host: expected the name or address of this"),
        (
            ["table", "--host", "203.0.113.1"],
            "--host: expected an address of this machine, got",
        ),
        (["table", "--port", "65536"], "Invalid value for '--port'"),
        (["table", "--max-rows", "0"], "Invalid value for '--max-rows'"),
        ([".", "--port", "0"], "no run here (no run.json). Name a folder"),
        (["chain", "--port", "0"], "expected a run that trained a network, got one of markov."),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(folder, words, said):
    from typer.testing import CliRunner

    from keras_impl.cli import app

    name, *options = words
    result = CliRunner().invoke(app, ["serve", str(folder / name), *options])
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert said in line


def test_a_port_in_use_is_named():
    from keras_impl.cli.listening import listen
    from scratchnet.errors import InputError

    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(InputError, match=f"got {port}, which another program has"):
            listen("127.0.0.1", port)


def test_without_its_extra_the_command_says_what_to_install(folder, monkeypatch):
    import importlib.util

    from typer.testing import CliRunner

    from keras_impl.cli import app

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: name != "uvicorn" and find(name, *rest)
    )
    result = CliRunner().invoke(app, ["serve", str(folder / "table")])
    assert result.exit_code == 2
    assert result.stderr == (
        'keras_impl: FastAPI is not installed: pip install "scratchnet[serve]"\n'
    )
    assert "serve" in CliRunner().invoke(app, ["serve", "--help"]).stdout


def test_a_slow_head_is_not_waited_for(served):
    """A server in this process, with real sockets: a byte now and then keeps nothing open."""
    from keras_impl import serving
    from keras_impl.cli.listening import listen
    from keras_impl.serving.server import make_server

    limits = serving.Limits(arrival=0.3)
    started = threading.Event()
    app = serving.make_app(served("table"), limits)
    server = make_server(app, limits, started.set, log=False)
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        try:
            assert started.wait(ANSWER_S)
            for content in (b"", b"GET / HTTP/1.1\r\nX: "):
                with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
                    connection.sendall(content)
                    for _ in range(10):
                        time.sleep(0.1)
                        with contextlib.suppress(OSError):
                            connection.sendall(content and b"x")
                    answer = b""
                    with contextlib.suppress(ConnectionResetError):
                        answer = connection.recv(65536)
                    assert answer.startswith(b"HTTP/1.1 408 ")
            assert ask(port, "GET", "/health")[0] == 200
        finally:
            server.should_exit = True
            thread.join(STOP_S)
    assert not thread.is_alive()
