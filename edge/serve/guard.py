"""The one door of the page: every request passes here before anything else looks at it.

In this order: sizes, the name it asks for, where it comes from, who asks, and for a post its token. What is refused learns a status
and one short sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge.serve.limits import MOST_BODY, MOST_HEADERS, MOST_TARGET, PostRate
from edge.serve.names import OwnNames, is_local
from edge.serve.sessions import IDLE_S, PinDoor, WebSession, WebSessions, same

ENTER = "/enter"
"""The page that asks for the PIN."""

ENTER_POST = "/api/enter"
"""Where its form goes."""

TABLET = "/tablet"
"""The page that shows a PIN: only on this machine."""

STATIC = "/static/"
"""Style, script, icon: the same for everybody, and nothing of a sample in them."""

API = "/api/"
"""Paths that scripts ask for; all others are pages."""

_ONCE = frozenset({"host", "origin", "cookie", "content-length", "content-type", "x-csrf-token", "sec-fetch-site"})
_MOST_COOKIES = 50  # that are looked at
_JSON = "application/json"

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "no-store",
    }
)
"""What every answer carries; a report brings a policy of its own, which is stricter."""


@dataclass(frozen=True, slots=True)
class Heads:
    """A request without its body.

    Attributes:
        method, path: as they came; ``target``: letters of path and query together.
        headers: by lower-case name; of several with one name the last.
        count: of headers; ``doubled``: names of those that came twice.
        client: address of who asks; ``reached``: the address of this machine that was asked.
    """

    method: str
    path: str
    target: int
    headers: Mapping[str, str]
    count: int
    doubled: frozenset[str]
    client: str
    reached: str

    @classmethod
    def of(cls, scope: Mapping[str, object]) -> Heads:
        """Read an ASGI scope."""
        raw: Iterable[tuple[bytes, bytes]] = scope["headers"]  # type: ignore[assignment]  # as ASGI has it
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
        names = [name for name, _ in pairs]
        path, query = str(scope["path"]), scope.get("query_string") or b""
        client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
        return cls(
            str(scope["method"]),
            path,
            len(path) + len(query),  # type: ignore[arg-type]  # bytes, as ASGI has it
            dict(pairs),
            len(pairs),
            frozenset(name for name in set(names) if names.count(name) > 1),
            str(client[0]),  # type: ignore[index]  # a pair, as ASGI has it
            str(server[0]),  # type: ignore[index]  # the same
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request goes no further: HTTP status, one sentence, and for a page where to go instead."""

    status: int
    words: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """A request may go on.

    Attributes:
        session: whose it is; None: it asks for what everybody may see.
        cookie: ``Set-Cookie`` that the answer carries; empty: none.
    """

    session: WebSession | None
    cookie: str = ""


class Guard:
    """Decides on each request.

    Args:
        names: what this page is called.
        sessions: who is in.
        pins: lets tablets in.
        rate: how often a client may post.
        lan: whether other machines may come at all.
    """

    def __init__(self, names: OwnNames, sessions: WebSessions, pins: PinDoor, rate: PostRate, *, lan: bool) -> None:
        self._names = names
        self.sessions = sessions
        self.pins = pins
        self._rate = rate
        self._lan = lan
        self._cookie = f"edge_{names.port}"  # cookies know no ports: two pages on one machine must not share one

    def admit(self, heads: Heads) -> Admission | Refusal:
        """Let a request in, or say why not."""
        return self._unsound(heads) or self._foreign(heads) or self._who(heads)

    @staticmethod
    def _unsound(heads: Heads) -> Refusal | None:
        if heads.method not in ("GET", "HEAD", "POST"):
            return Refusal(405, "This page knows GET and POST only.")
        if heads.target > MOST_TARGET:
            return Refusal(414, "The address is too long.")
        if heads.count > MOST_HEADERS or heads.doubled & _ONCE:
            return Refusal(400, "The request's headers make no sense.")
        return _unsound_body(heads.headers) if heads.method == "POST" else None

    def _foreign(self, heads: Heads) -> Refusal | None:
        host = heads.headers.get("host", "")
        if not self._names.is_own_host(host, heads.reached):
            return Refusal(421, "This page is not known under that name.")
        if not self._lan and not is_local(heads.client):
            return Refusal(403, "Only this machine may open this page.")
        site = heads.headers.get("sec-fetch-site", "same-origin")
        if heads.path.startswith(API) and site not in ("same-origin", "none"):
            return Refusal(403, "Another site asked for this.")
        if heads.method == "POST":
            origin = heads.headers.get("origin")
            if origin is None or not self._names.is_own_origin(origin, host):
                return Refusal(403, "Another site asked for this.")
            if not self._rate.take(heads.client):
                return Refusal(429, "Too many requests: wait a few seconds.")
        return None

    def _who(self, heads: Heads) -> Admission | Refusal:
        local = is_local(heads.client)
        session = self.sessions.find(self.token(heads), local=local)
        if heads.path == TABLET and not local:
            return Refusal(403, "Only the microscope's own machine shows a PIN.")
        if heads.method == "POST":
            return self._post(heads, session)
        if session is not None or heads.path.startswith(STATIC) or heads.path == ENTER:
            return Admission(session)
        return self._stranger(heads, local=local)

    def _stranger(self, heads: Heads, *, local: bool) -> Admission | Refusal:
        if heads.path.startswith(API):
            return Refusal(401, "Open the page first.")
        if not local:
            return Refusal(303, "Enter the PIN first.", ENTER)
        if heads.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            # A link on a foreign page: the browser kept the cookie back. A session a click would let such pages push others out.
            return Refusal(403, "Another site led here: type this page's address, or open your own bookmark.")
        return self.let_in(local=True)

    def _post(self, heads: Heads, session: WebSession | None) -> Admission | Refusal:
        given = heads.headers.get("x-csrf-token", "")
        if heads.path == ENTER_POST:
            right = same(given, self.pins.form_token(heads.client))
            return Admission(None) if right else Refusal(403, "The page is out of date: load it again.")
        if session is None:
            return Refusal(401, "Open the page first.")
        if not same(given, session.csrf):
            return Refusal(403, "The page is out of date: load it again.")
        return Admission(session)

    def let_in(self, *, local: bool) -> Admission:
        """Begin a session."""
        token, session = self.sessions.begin(local=local)
        cookie = f"{self._cookie}={token}; Path=/; Max-Age={int(IDLE_S)}; HttpOnly; SameSite=Strict"
        return Admission(session, cookie)

    def let_out(self, heads: Heads) -> str:
        """End the request's session; returns the ``Set-Cookie`` that forgets it."""
        self.sessions.end(self.token(heads))
        return f"{self._cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"

    def token(self, heads: Heads) -> str | None:
        """The token in the request's cookie; None: it has none."""
        for part in heads.headers.get("cookie", "").split(";", _MOST_COOKIES):
            name, _, value = part.strip().partition("=")
            if name == self._cookie:
                return value
        return None


def _unsound_body(headers: Mapping[str, str]) -> Refusal | None:
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):
        return Refusal(411, "The request does not say how long it is.")
    if len(length) > len(str(MOST_BODY)) or int(length) > MOST_BODY:
        return Refusal(413, "The request is too long.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        return Refusal(415, "Only JSON is taken.")
    return None
