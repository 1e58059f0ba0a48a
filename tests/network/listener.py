"""Somebody who hears all that a real broker carries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.network.mosquitto import Mosquitto
from edge.network.client import make_client


def wait_for(true: Callable[[], bool], seconds: float = 15.0) -> None:
    """Until it is true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def listening_to(broker: Mosquitto, *topics: str) -> Iterator[list[tuple[str, bytes]]]:
    """Topic and payload of what comes, in order, beginning with what was kept."""
    got: list[tuple[str, bytes]] = []
    ready = threading.Event()
    client = make_client(broker.address, "listener", session=False)
    client.on_message = lambda _client, _data, message: got.append((message.topic, bytes(message.payload)))
    client.on_subscribe = lambda *_: ready.set()

    def on_connect(*_: Any) -> None:
        client.subscribe([(topic, 1) for topic in topics or ("#",)])

    client.on_connect = on_connect
    client.connect(broker.address.host, broker.port)
    client.loop_start()
    assert ready.wait(10)
    try:
        yield got
    finally:
        client.disconnect()
        client.loop_stop()
