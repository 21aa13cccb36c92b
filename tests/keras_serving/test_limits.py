"""Bodies too long or too slow, too many at a time, work without end, and clients that leave."""

import asyncio
import threading
import time

import pytest

from tests.keras_serving.test_refusals import VALID, assert_refused

LONG = {"prompt": "the ", "length": 10_000, "temperature": 1.0}


def wait_until(holds, seconds=20):
    """Return an awaitable for when something holds."""

    async def wait():
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "waited in vain"
            await asyncio.sleep(0.01)

    return wait()


@pytest.fixture
def slow(client_of, served, monkeypatch):
    """A client of a run whose writer takes a millisecond a step, and the count of its steps."""
    from keras_impl.generation import OneStep

    feed, steps = OneStep.feed, []

    def slowly(self, ids):
        steps.append(len(ids))
        time.sleep(0.001)
        return feed(self, ids)

    monkeypatch.setattr(OneStep, "feed", slowly)
    return lambda **limits: (client_of("char", **limits), steps)


def test_a_body_as_long_as_the_limit_is_read(client_of):
    client = client_of("table", body=200)
    body = b'{"rows": [[1, 2, 3, 4, 5, 6, 7, 8, 9]]}'
    assert client("POST", "/predict", body.ljust(200)).status == 200
    detail = assert_refused(client("POST", "/predict", body.ljust(201)), 413)
    assert detail == "body: expected at most 200 bytes, got more. Send less at a time."


def test_the_length_that_a_request_says_it_has_is_believed(client_of):
    client = client_of("table", body=200)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000000")]
    answer = client("POST", "/predict", (b"{", 60.0), headers=headers)
    assert "at most 200 bytes, got 1,000,000." in assert_refused(answer, 413)
    assert answer.headers["connection"] == "close"


def test_a_body_without_a_length_is_counted(client_of):
    client = client_of("table", body=200)
    parts = (b" " * 50,) * 100_000
    answer = client("POST", "/predict", parts)
    assert "at most 200 bytes, got more" in assert_refused(answer, 413)


def test_a_slow_body_is_not_waited_for(client_of):
    client = client_of("table", arrival=0.1)
    begun = time.monotonic()
    answer = client("POST", "/predict", (b"{", *(0.02, b" ") * 1000))
    assert "body: expected all of it within 0.1 seconds" in assert_refused(answer, 408)
    assert time.monotonic() - begun < 10


def test_too_many_rows_and_too_long_texts(client_of):
    table, reviews = client_of("table", rows=2), client_of("reviews", rows=2, text=5)
    rows = VALID["table"]["rows"]
    assert table("POST", "/predict", {"rows": rows * 2}).status == 200
    detail = assert_refused(table("POST", "/predict", {"rows": rows * 3}), 422)
    assert detail.startswith("rows: expected at most 2 items, got a list of 3.")
    detail = assert_refused(reviews("POST", "/predict", {"texts": ["a film"]}), 422)
    assert detail.startswith("texts[0]: expected at most 5 characters, got 'a film'.")


@pytest.mark.parametrize("waiting", [0, 1])
def test_one_too_many_is_told_to_come_again(slow, waiting):
    client, _ = slow(concurrency=1, waiting=waiting, patience=0.2)
    work = client.app.state.work

    async def crowd():
        leaves = asyncio.Event()
        first = asyncio.create_task(client.ask("POST", "/generate", LONG, leaves=leaves))
        await wait_until(work._places.locked)
        others = [
            asyncio.create_task(client.ask("POST", "/generate", LONG)) for _ in range(waiting)
        ]
        await wait_until(lambda: work._waiting == waiting)
        assert (await client.ask("GET", "/ready")).status == 503
        assert (await client.ask("GET", "/health")).status == 200
        refused = [await client.ask("POST", "/generate", LONG)]
        refused += [await other for other in others]  # which lose patience
        leaves.set()
        await first
        await wait_until(lambda: not work._places.locked())
        return refused, await client.ask("POST", "/generate", {**LONG, "length": 2})

    refused, after = client.run(crowd())
    for answer in refused:
        detail = assert_refused(answer, 429)
        assert detail.startswith("server: expected at most 1 requests at a time, got more.")
        assert answer.headers["retry-after"] == "1"
    assert after.status == 200


def test_who_waits_gets_the_next_place(slow):
    client, _ = slow(concurrency=1, waiting=3, patience=30)

    async def crowd():
        asked = [{**LONG, "length": 20, "seed": seed, "stream": False} for seed in range(4)]
        return await asyncio.gather(*(client.ask("POST", "/generate", one) for one in asked))

    assert [answer.status for answer in client.run(crowd())] == [200] * 4


@pytest.mark.parametrize("stream", [True, False])
def test_work_without_end_is_cut_off(slow, stream):
    client, steps = slow(seconds=0.2)
    answer = client("POST", "/generate", {**LONG, "stream": stream})
    said = "server: expected work of at most 0.2 seconds, got more."
    if stream:
        name, data = answer.events()[-1]
        assert name == "stopped"
        assert data["detail"].startswith(said)
        assert len(answer.events()) > 2
    else:
        assert assert_refused(answer, 413).startswith(said)
    assert len(steps) < 1000


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_the_work(slow, stream):
    client, steps = slow(concurrency=1)
    work = client.app.state.work

    async def leave():
        leaves = asyncio.Event()
        asked = client.ask("POST", "/generate", {**LONG, "stream": stream}, leaves=leaves)
        task = asyncio.create_task(asked)
        await wait_until(lambda: len(steps) > 5)
        leaves.set()
        await task
        await wait_until(lambda: not work._places.locked())

    client.run(leave())
    assert len(steps) < 5000


def test_a_prompt_is_read_in_parts(slow, served):
    client, steps = slow()
    asked = {"prompt": "the sea " * 100, "length": 3, "stream": False}
    assert client("POST", "/generate", asked).status == 200
    assert steps == [256, 256, 256, 32, 1, 1]


def test_a_client_that_does_not_read_is_given_up(client_of):
    """What is sent waits for it; its work has long been done."""
    client = client_of("char", seconds=0.05, arrival=0.05, patience=0.05)

    async def stuck():
        async def send(message):
            await asyncio.Event().wait()

        async def receive():
            if received:
                await asyncio.Event().wait()
            received.append(True)
            return {"type": "http.request", "body": b"{}"}

        received = []
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/generate",
            "headers": [(b"content-type", b"application/json")],
            "query_string": b"",
            "asgi": {"spec_version": "2.3"},
        }
        await client.app(scope, receive, send)
        await wait_until(lambda: not client.app.state.work._jobs)

    client.run(stuck())


def test_a_mistake_of_ours_frees_its_place(client_of, served, monkeypatch):
    client = client_of("table", concurrency=1)

    def broken(x):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(served("table").model._twin, "predict_on_batch", broken)
        with pytest.raises(ZeroDivisionError):
            client("POST", "/predict", VALID["table"])
    assert client("POST", "/predict", VALID["table"]).status == 200


def test_a_server_that_ends_says_so(slow):
    client, steps = slow()
    work = client.app.state.work

    async def end():
        asked = [{**LONG, "stream": stream} for stream in (True, False)]
        tasks = [asyncio.create_task(client.ask("POST", "/generate", one)) for one in asked]
        await wait_until(lambda: len(work._jobs) == 2 and len(steps) > 5)
        work.stop()
        return await asyncio.gather(*tasks)

    streamed, whole = client.run(end())
    assert streamed.events()[-1][0] == "stopped"
    assert (whole.status, whole.headers["retry-after"]) == (503, "1")
    assert threading.active_count() < 20
