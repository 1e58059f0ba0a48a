"""How much of anything: requests, connections, streams. No request can make this process grow."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_BODY = 8192
"""Bytes of a request's body: a sample's name and notes."""

MOST_HEADERS = 64
"""Of a request."""

MOST_HEAD = 16384
"""Bytes of a request's first line and headers."""

MOST_TARGET = 512
"""Letters of a request's path and query."""

MOST_STREAMS = 50
"""Status streams and pictures that are waited for, of all clients together."""

MOST_CONNECTIONS = 128
"""Of all clients together; one more is closed at once."""

MOST_EACH = 24
"""Connections of one client that is not this machine."""

REQUEST_S = 10.0
"""Seconds within which a request must have come whole."""

READ_S = 10.0
"""Seconds after which a client that does not read what it asked for is dropped."""

POSTS_EACH_S = 10.0
"""Posts a second of one client, in the long run."""

POSTS_AT_ONCE = 40.0
"""Posts of one client that may come at once."""

_MOST_CLIENTS = 256  # whose posts are counted one by one


class TooManyError(Exception):
    """More than this process gives at once; the caller answers 429 or 503."""


class PostRate:
    """How often each client may post: a bucket that fills at ``POSTS_EACH_S``. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> bool:
        """Count one post; False: it is one too many."""
        now = self._clock()
        left, at = self._left.pop(client, (POSTS_AT_ONCE, now))
        left = min(POSTS_AT_ONCE, left + (now - at) * POSTS_EACH_S)
        allowed = left >= 1
        self._left[client] = (left - 1 if allowed else left, now)
        while len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        return allowed


class Streams:
    """How many streams are open; one client gets at most half of them while another is there too."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._open.total()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Hold one stream. Raises TooManyError."""
        others = len(self) - self._open[client]
        if len(self) >= MOST_STREAMS or (others and self._open[client] >= MOST_STREAMS // 2):
            raise TooManyError
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
