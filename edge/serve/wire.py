"""The HTTP server: uvicorn, with clients cut off that hold a connection without asking or reading anything.

uvicorn waits for ever for a request that comes a letter at a time, and for a reader that does not read. Here a request has
``REQUEST_S`` to come whole, a reader ``READ_S`` to take what it asked for, and connections are counted.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edge.serve.limits import MOST_CONNECTIONS, MOST_EACH, MOST_HEAD, READ_S, REQUEST_S
from edge.serve.names import is_local
from edge.serve.replies import App

if TYPE_CHECKING:
    import h11
    import uvicorn

_IDLE_S = 15  # seconds that a connection without a request is kept
_END_S = 2  # seconds that streams have to end when the program does
_LOOK_S = 0.1  # seconds between two looks whether it shall end


class OpenConnections:
    """How many connections each client has."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def enter(self, client: str) -> bool:
        """Count one more; False: it is one too many, and is not counted."""
        most = MOST_CONNECTIONS if is_local(client) else MOST_EACH
        if self._open.total() >= MOST_CONNECTIONS or self._open[client] >= most:
            return False
        self._open[client] += 1
        return True

    def leave(self, client: str) -> None:
        """One is gone."""
        self._open[client] -= 1
        if self._open[client] <= 0:
            del self._open[client]


class ClientPatience:
    """One client's time limits: ``ask`` runs while a request is incomplete, ``read`` while the client does not read.

    Args:
        loop: that calls back.
        drop: cuts the client off.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, drop: Callable[[], None]) -> None:
        self._loop = loop
        self._drop = drop
        self._running: dict[str, asyncio.TimerHandle] = {}

    def start(self, what: str, seconds: float) -> None:
        """Begin to lose patience; one that runs already goes on."""
        if what not in self._running:
            self._running[what] = self._loop.call_later(seconds, self._drop)

    def end(self, what: str) -> None:
        """It came."""
        if (timer := self._running.pop(what, None)) is not None:
            timer.cancel()

    def end_all(self) -> None:
        """The connection is gone."""
        for what in list(self._running):
            self.end(what)


def guarded_protocol() -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with limits; the class is made here because uvicorn is imported late."""
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415 - see above

    there = OpenConnections()

    class GuardedProtocol(H11Protocol):
        """HTTP with time limits."""

        counted = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            self.patience = ClientPatience(self.loop, transport.abort)
            who = self.client[0] if self.client else "?"
            if there.enter(who):
                self.counted = who
                self.patience.start("ask", REQUEST_S)
            else:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self.patience.end_all()
            if self.counted:
                there.leave(self.counted)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            try:
                super().data_received(data)
            except Exception:  # noqa: BLE001 - what no parser foresaw ends this connection and nothing else
                self.transport.abort()
            if _half_a_request(self.conn):
                self.patience.start("ask", REQUEST_S)
            else:
                self.patience.end("ask")

        def pause_writing(self) -> None:
            self.patience.start("read", READ_S)
            super().pause_writing()

        def resume_writing(self) -> None:
            self.patience.end("read")
            super().resume_writing()

    return GuardedProtocol


def _half_a_request(connection: h11.Connection) -> bool:
    state = str(connection.their_state)
    return state == "SEND_BODY" or (state == "IDLE" and bool(connection.trailing_data[0]))


def make_server(app: App) -> uvicorn.Server:
    """Return a server for the application; signals stay with the caller, who sets ``should_exit``."""
    import uvicorn  # noqa: PLC0415 - see above

    # Lines about each bad request would let anybody fill the journal.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    config = uvicorn.Config(
        app,
        http=guarded_protocol(),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=MOST_HEAD,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_END_S,
    )

    class QuietServer(uvicorn.Server):
        """A server that leaves signals alone."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return QuietServer(config)


def listening(addresses: list[str], port: int) -> list[socket.socket]:
    """Sockets that listen at these addresses of this machine. Raises OSError where one is taken."""
    made: list[socket.socket] = []
    try:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            made.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port))
            one.listen(128)
            port = port or one.getsockname()[1]
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def serve_until(server: uvicorn.Server, sockets: list[socket.socket], closing: Callable[[], Any]) -> None:
    """Serve until ``server.should_exit``; ``closing`` is called in the event loop before connections are waited for."""

    async def main() -> None:
        async def watch() -> None:
            while not server.should_exit:  # noqa: ASYNC110 - a signal's handler sets it: no event can be set there
                await asyncio.sleep(_LOOK_S)
            closing()

        watching = asyncio.create_task(watch())
        await server.serve(sockets=sockets)
        await watching

    asyncio.run(main())
