"""The registry: where files are looked for, in what order, and that they are the right ones."""

import dataclasses
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest
from rich.progress import Progress

from scratchnet import datasets
from scratchnet.datasets import DATASETS
from scratchnet.errors import DataError, InputError

CONTENT = b"first line\nsecond line\n" * 1000


@pytest.fixture(autouse=True)
def own_places(request, monkeypatch, tmp_path):
    """No test looks in, or writes to, the places of this machine, save those that say so."""
    if request.node.get_closest_marker("shared_data") is None:
        monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path / "cache")


@pytest.fixture
def folder(monkeypatch, tmp_path):
    folder = tmp_path / "named"
    folder.mkdir()
    monkeypatch.setenv("SCRATCHNET_DATA", str(folder))
    return folder


class Server(ThreadingHTTPServer):
    """Answers every request with what the test says."""

    status, content, announced, requests = 200, CONTENT, len(CONTENT), 0

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests += 1
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(self.server.announced))
            self.end_headers()
            self.wfile.write(self.server.content)

        def log_message(self, *_):
            pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with Server(("127.0.0.1", 0), Server.Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(monkeypatch, server):
    """A data set whose address is the server."""
    entry = dataclasses.replace(
        DATASETS["nietzsche"],
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        url=f"http://127.0.0.1:{server.server_port}/nietzsche.txt",
    )
    monkeypatch.setitem(DATASETS, "nietzsche", entry)
    return entry


def test_the_small_one_is_in_the_package():
    assert datasets.path("wisconsin").stat().st_size == DATASETS["wisconsin"].size
    assert datasets.find("wisconsin").place == "package"


def test_unknown_name_lists_what_exists():
    with pytest.raises(InputError) as caught:
        datasets.path("nietzche")
    assert str(caught.value) == (
        "data set: expected one of wisconsin, wisconsin-train, wisconsin-test, nietzsche, "
        "shakespeare, imdb, imdb-keras, imdb-words, babi, got 'nietzche'. Did you mean nietzsche?"
    )


def test_named_folder_comes_first(folder):
    copy = folder / "wisconsin.csv"
    copy.write_bytes(datasets.SHIPPED_FOLDERS[1].joinpath("wisconsin.csv").read_bytes())
    assert datasets.path("wisconsin") == copy
    assert datasets.find("wisconsin").place == "SCRATCHNET_DATA"


def test_named_folder_need_not_have_everything(folder):
    assert datasets.find("wisconsin").place == "package"


def test_wrong_file_in_the_named_folder(folder):
    (folder / "nietzsche.txt").write_text("thus spoke")
    with pytest.raises(DataError) as caught:
        datasets.path("nietzsche")
    assert str(caught.value) == (
        f"{folder / 'nietzsche.txt'}: expected the nietzsche data (600,901 bytes, SHA-256 "
        "23cf69874ab6…), got a file that differs. Replace or remove it."
    )


def test_named_folder_that_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "no"))
    with pytest.raises(DataError) as caught:
        datasets.path("wisconsin")
    assert str(caught.value) == (
        f"SCRATCHNET_DATA: expected a folder, got {str(tmp_path / 'no')!r}. Correct it or unset it."
    )


@pytest.mark.parametrize("name", ["babi", "wisconsin-train", "wisconsin-test"])
def test_local_only(name):
    assert datasets.find(name) is None
    with pytest.raises(DataError) as caught:
        datasets.path(name)
    assert str(caught.value) == (
        f"{DATASETS[name].file}: not found, and there is no address to download it from. "
        "Put it, under that name, into a folder, and set SCRATCHNET_DATA to the folder."
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("name", [name for name, one in DATASETS.items() if not one.shipped])
def test_real_files_are_the_recorded_ones(name, shared_file):
    real = shared_file(DATASETS[name].file)
    assert datasets.path(name) == real
    assert real.stat().st_size == DATASETS[name].size


class TestDownload:
    def test_once(self, remote, server, tmp_path):
        path = datasets.path("nietzsche")
        assert path == tmp_path / "cache/nietzsche.txt"
        assert path.read_bytes() == CONTENT
        assert datasets.path("nietzsche") == path
        assert datasets.find("nietzsche") == datasets.Found(path, "cache")
        assert server.requests == 1

    def test_a_damaged_cache_is_mended(self, remote, server):
        datasets.path("nietzsche").write_bytes(CONTENT[:-1])
        assert datasets.path("nietzsche").read_bytes() == CONTENT
        assert server.requests == 2

    def test_other_content_is_not_kept(self, remote, server, tmp_path):
        server.content = CONTENT.replace(b"s", b"z")
        with pytest.raises(DataError) as caught:
            datasets.path("nietzsche")
        assert str(caught.value) == (
            f"nietzsche.txt: what came from {remote.url} has another SHA-256 than "
            f"{remote.sha256[:12]}…, so it was not kept. Try again, or set SCRATCHNET_DATA to a "
            "folder that holds the file."
        )
        assert list((tmp_path / "cache").iterdir()) == []

    def test_half_of_it_is_not_kept(self, remote, server, tmp_path):
        server.content = CONTENT[:5000]
        with pytest.raises(DataError, match=r"^nietzsche\.txt: "):
            datasets.path("nietzsche")
        assert list((tmp_path / "cache").iterdir()) == []

    def test_an_interruption_leaves_nothing(self, remote, monkeypatch, tmp_path):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(Progress, "advance", interrupt)
        with pytest.raises(KeyboardInterrupt):
            datasets.path("nietzsche")
        assert list((tmp_path / "cache").iterdir()) == []

    def test_not_there(self, remote, server):
        server.status = 404
        with pytest.raises(DataError) as caught:
            datasets.path("nietzsche")
        assert str(caught.value) == (
            f"nietzsche.txt: could not be downloaded from {remote.url} (status 404). Check the "
            "network, or set SCRATCHNET_DATA to a folder that holds it."
        )

    def test_no_network(self, remote, monkeypatch):
        closed = dataclasses.replace(remote, url="http://127.0.0.1:9/nietzsche.txt")
        monkeypatch.setitem(DATASETS, "nietzsche", closed)
        with pytest.raises(DataError, match=r"could not be downloaded from .* \(ConnectionError\)"):
            datasets.path("nietzsche")

    def test_says_nothing_but_the_bar(self, remote, capfd, caplog):
        pooch.get_logger().addHandler(caplog.handler)
        datasets.path("nietzsche")
        pooch.get_logger().removeHandler(caplog.handler)
        assert caplog.text == ""
        assert capfd.readouterr() == ("", "")
