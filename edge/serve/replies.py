"""From a reply to what a server sends (ASGI), with the headers that every answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from edge.serve.guard import SECURITY_HEADERS
from edge.serve.reply import Reply

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


def with_headers(send: Send, cookie: str) -> Send:
    """What sends an answer with the headers that every one has; ``cookie``: a ``Set-Cookie``, empty: none."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            there = {name.lower() for name, _ in headers}
            for name, value in SECURITY_HEADERS.items():
                if name.lower().encode() not in there:
                    headers.append((name.lower().encode(), value.encode()))
            if cookie:
                headers.append((b"set-cookie", cookie.encode()))
            message = {**message, "headers": headers}
        await send(message)

    return wrapped


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a reply whole."""
    headers = [(b"content-type", reply.media.encode()), (b"content-length", str(len(reply.body)).encode())]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


class SentReply:
    """A reply as Starlette takes it: an ASGI application of its own."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope, receive
        await send_reply(self._reply, send)
