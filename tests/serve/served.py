"""A page that is really served, on a free port of the loopback, for browsers and raw sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.control.records import Engine
from edge.serve.names import OwnNames
from edge.serve.page import PageParts, make_page
from edge.serve.review import ReviewParts
from edge.serve.site import SiteOptions
from edge.serve.wire import listening, make_server, serve_until


def free() -> int:
    """A port that nobody listens at."""
    (one,) = listening(["127.0.0.1"], 0)
    with one:
        return int(one.getsockname()[1])


@contextmanager
def served(
    engine: Engine,
    book: Path | None = None,
    options: SiteOptions | None = None,
    review: ReviewParts | None = None,
) -> Iterator[tuple[str, PageParts, list[str]]]:
    """Its address, its parts, and what it complained of."""
    (socket,) = listening(["127.0.0.1"], 0)
    port = socket.getsockname()[1]
    complaints: list[str] = []
    parts = make_page(engine, book, OwnNames(port), options or SiteOptions(), review=review, complain=complaints.append)
    server = make_server(parts.app)
    thread = threading.Thread(target=serve_until, args=(server, [socket], parts.live.close), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}", parts, complaints
    finally:
        server.should_exit = True
        thread.join(10)
        engine.close()
