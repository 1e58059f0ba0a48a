"""The server on a real socket: who holds a connection without using it is cut off, and the page lives on."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.serve import wire
from edge.serve.limits import MOST_STREAMS, Streams, TooManyError
from edge.serve.page import PageParts
from tests.serve.fake_engine import IDLE, FakeEngine, PlayedEngine, boxes, drawing
from tests.serve.served import served

SOON = 0.3  # seconds, in place of ten


class Caller:
    """A client of a served page, with its session."""

    def __init__(self, address: str, kept: ExitStack) -> None:
        self.place = urlsplit(address)
        self.kept = kept
        page = self.get("/", first=True)
        self.headers = {"Cookie": page.headers["Set-Cookie"].split(";")[0]}
        self.csrf = re.findall(r'name="csrf" content="([^"]+)"', page.read().decode())[0]

    def get(self, target: str, *, first: bool = False) -> HTTPResponse:
        connection = self.kept.enter_context(
            closing(HTTPConnection(str(self.place.hostname), self.place.port, timeout=10))
        )
        connection.request("GET", target, headers={} if first else self.headers)
        return self.kept.enter_context(connection.getresponse())

    def raw(self, data: bytes = b"") -> socket.socket:
        place = (str(self.place.hostname), self.place.port)
        one = self.kept.enter_context(socket.create_connection(place, timeout=10))
        one.sendall(data)
        return one


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    made.draw(drawing(1, boxes(1)))
    return made


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> Iterator[tuple[Caller, PageParts, list[str]]]:
    monkeypatch.setattr(wire, "REQUEST_S", SOON)
    monkeypatch.setattr(wire, "READ_S", SOON)
    with served(engine) as (address, parts, complaints), ExitStack() as kept:
        yield Caller(address, kept), parts, complaints
    assert engine.closed


def ends(one: socket.socket, within: float = 5.0) -> bool:
    """Whether the server closes the connection in time."""
    one.settimeout(within)
    try:
        while one.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


SLOW = {
    "nothing is sent": b"",
    "half a line": b"GET / HT",
    "headers without end": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\n",
    "half a body": b"POST /api/command HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\n{",
}


@pytest.mark.parametrize("case", SLOW)
def test_who_never_ends_a_request_is_cut_off(case: str, page: tuple[Caller, PageParts, list[str]]) -> None:
    caller, _, complaints = page
    assert ends(caller.raw(SLOW[case].replace(b"%s", caller.place.netloc.encode())))
    assert caller.get("/api/status").status == 200
    assert complaints == []


def test_a_letter_now_and_then_buys_no_time(page: tuple[Caller, PageParts, list[str]]) -> None:
    caller, _, _ = page
    one = caller.raw(b"GET / HTTP/1.1\r\n")
    began = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - began < 5:
            one.sendall(b"X")
            time.sleep(0.02)
    assert time.monotonic() - began < 4


GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
    "a line without end": b"GET /" + b"a" * 100_000,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "letters beyond ASCII in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_ends_its_own_connection_only(case: str, page: tuple[Caller, PageParts, list[str]]) -> None:
    caller, _, complaints = page
    one = caller.raw(GARBAGE[case])
    one.settimeout(5)
    answer = one.recv(65536)
    assert not answer or answer.startswith(b"HTTP/1.1 4")
    one.close()
    assert caller.get("/api/status").status == 200
    assert complaints == []


def test_the_stream_tells_each_new_status(page: tuple[Caller, PageParts, list[str]], engine: FakeEngine) -> None:
    caller, _, _ = page
    answer = caller.get("/api/events")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Content-Security-Policy"]
    lines = (line.decode().strip() for line in answer)
    data = (json.loads(line[6:]) for line in lines if line.startswith("data: "))
    assert next(data)["model"] == "fake-32"
    for name in ("a", "b"):
        engine.show(replace(IDLE, model=name))
        assert next(data)["model"] == name


def test_the_next_picture_is_waited_for(page: tuple[Caller, PageParts, list[str]], engine: FakeEngine) -> None:
    caller, _, _ = page
    answer = caller.get("/api/preview?after=-1")
    assert (answer.headers["Content-Type"], answer.headers["X-Frame"]) == ("image/jpeg", "1")
    answer.read()
    threading.Timer(0.2, lambda: engine.draw(drawing(2, []))).start()
    assert caller.get("/api/preview?after=1").headers["X-Frame"] == "2"


def test_streams_are_bounded_and_one_that_ends_makes_room(page: tuple[Caller, PageParts, list[str]]) -> None:
    caller, _, _ = page
    head = f"GET /api/events HTTP/1.1\r\nHost: {caller.place.netloc}\r\nCookie: {caller.headers['Cookie']}\r\n\r\n".encode()
    with ExitStack() as open_ones:
        for _ in range(MOST_STREAMS):
            one = open_ones.enter_context(caller.raw(head))
            assert one.recv(12) == b"HTTP/1.1 200"
        assert caller.get("/api/events").status == 503
        assert caller.get("/api/status").status == 200
    deadline = time.monotonic() + 5
    while caller.get("/api/events").status == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_who_does_not_read_is_dropped(page: tuple[Caller, PageParts, list[str]]) -> None:
    caller, _, _ = page
    one = caller.kept.enter_context(socket.socket())
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect((str(caller.place.hostname), caller.place.port))
    ask = f"GET /static/live.js HTTP/1.1\r\nHost: {caller.place.netloc}\r\n\r\n"
    one.settimeout(0.2)
    deadline = time.monotonic() + 8
    with suppress(ConnectionError):
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                one.sendall(ask.encode() * 50)
    assert time.monotonic() < deadline
    assert caller.get("/api/status").status == 200


def test_one_client_leaves_room_for_others() -> None:
    streams = Streams()
    with ExitStack() as held:
        held.enter_context(streams.one("tablet"))
        for _ in range(MOST_STREAMS // 2):
            held.enter_context(streams.one("greedy"))
        with pytest.raises(TooManyError):
            held.enter_context(streams.one("greedy"))
        held.enter_context(streams.one("another tablet"))
    assert len(streams) == 0


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    (first,) = wire.listening(["127.0.0.1"], 0)
    with first, pytest.raises(OSError, match="in use"):
        wire.listening(["127.0.0.1"], first.getsockname()[1])


def test_a_page_that_is_closed_ends_its_streams_at_once(tmp_path: Path) -> None:
    engine = PlayedEngine(field_s=5)
    with ExitStack() as kept, served(engine) as (address, _, complaints):
        caller = Caller(address, kept)
        answer = caller.get("/api/events")
        answer.readline()
        began = time.monotonic()
    assert time.monotonic() - began < 4
    answer.read()
    assert complaints == []
