"""Who is in: sessions, their tokens, and the PIN that lets a tablet in.

Everything here is kept in memory, bounded, and takes its clock from outside. Secrets are compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

MOST_SESSIONS = 64
"""Sessions at once; the one that was seen longest ago makes room."""

IDLE_S = 12 * 3600.0
"""Seconds after which a session that nobody uses ends: a working day."""

PIN_DIGITS = 8
"""Of a PIN. Twenty guesses of a hundred million are a chance of one in five million."""

TRIES_EACH = 5
"""Wrong PINs of one client before it has to wait."""

TRIES_ALL = 20
"""Wrong PINs of all clients together before the PIN is withdrawn and nobody may try for a while."""

WAIT_S = 300.0
"""Seconds that a client waits after ``TRIES_EACH``, and that all wait after ``TRIES_ALL``."""

MOST_CLIENTS = 256
"""Clients whose wrong tries are remembered one by one; all of them count towards ``TRIES_ALL``."""

_TOKEN_BYTES = 32  # of chance in a token
_LONGEST_TOKEN = 128  # letters that are looked at


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser that is in.

    Attributes:
        csrf: token that each of its posts carries.
        local: whether it came over the loopback, that is from this machine.
        seen: seconds of the clock when it was used last.
    """

    csrf: str
    local: bool
    seen: float


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


class WebSessions:
    """The sessions there are; ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: OrderedDict[bytes, WebSession] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, *, local: bool) -> tuple[str, WebSession]:
        """Let a browser in; returns the token for its cookie, which is kept nowhere, and the session."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        session = WebSession(secrets.token_urlsafe(_TOKEN_BYTES), local, self._clock())
        self._open[_key(token)] = session
        while len(self._open) > MOST_SESSIONS:
            self._open.popitem(last=False)
        return token, session

    def find(self, token: str | None, *, local: bool) -> WebSession | None:
        """The session of a cookie's token; None: there is none, it has ended, or it was begun on this machine and comes from afar."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        key, now = _key(token), self._clock()
        session = self._open.get(key)
        if session is None:
            return None
        if now - session.seen > IDLE_S:
            del self._open[key]
            return None
        if session.local and not local:
            return None
        self._open[key] = session = replace(session, seen=now)
        self._open.move_to_end(key)
        return session

    def end(self, token: str | None) -> None:
        """Let a browser out."""
        self._open.pop(_key(token or ""), None)


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell how far they agree."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


class PinSaid(StrEnum):
    """What became of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    WAIT = "wait"


class PinDoor:
    """The one-time PIN. Each use makes a new one, and so do too many wrong tries.

    Args:
        clock: seconds that never go back.
        tell: is called with each new PIN.
    """

    def __init__(self, clock: Callable[[], float], tell: Callable[[str], None] = lambda _: None) -> None:
        self._clock = clock
        self._tell = tell
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # client to wrong tries, and when the last was
        self._all = 0
        self._closed_until = 0.0
        self._secret = secrets.token_bytes(_TOKEN_BYTES)
        self.pin = self._new()

    def _new(self) -> str:
        return "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))

    def renew(self) -> str:
        """Make a new PIN; the one before is worth nothing from now on."""
        self.pin = self._new()
        self._all = 0
        self._tell(self.pin)
        return self.pin

    def wait_s(self, client: str) -> float:
        """Seconds until this client may try; 0: now."""
        now = self._clock()
        tries, last = self._wrong.get(client, (0, 0.0))
        own = last + WAIT_S - now if tries >= TRIES_EACH else 0.0
        return max(own, self._closed_until - now, 0.0)

    def attempt(self, client: str, given: str) -> PinSaid:
        """Try a PIN; spaces and dashes in it do not matter. A right PIN that comes while the client must wait is not looked at."""
        if self.wait_s(client) > 0:
            return PinSaid.WAIT
        tries, last = self._wrong.pop(client, (0, 0.0))
        if tries >= TRIES_EACH or self._clock() - last > WAIT_S:
            tries = 0
        if same(given.replace(" ", "").replace("-", ""), self.pin):
            self.renew()
            return PinSaid.RIGHT
        self._wrong[client] = (tries + 1, self._clock())
        while len(self._wrong) > MOST_CLIENTS:
            self._wrong.popitem(last=False)
        self._all += 1
        if self._all >= TRIES_ALL:
            self._closed_until = self._clock() + WAIT_S
            self.renew()
        return PinSaid.WRONG

    def form_token(self, client: str) -> str:
        """Token of the form that asks for the PIN: bound to the client, good for this run of the program."""
        return hmac.new(self._secret, client.encode(errors="replace"), "sha256").hexdigest()
