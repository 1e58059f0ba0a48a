"""A request as the ways of the page take it apart: whose it is, and its body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from edge.serve.guard import Admission, Heads
from edge.serve.limits import MOST_BODY
from edge.serve.replies import SentReply
from edge.serve.reply import Reply

if TYPE_CHECKING:
    from starlette.requests import Request

ADMISSION = "edge.admission"
"""Where a request's scope holds what the guard said of it."""

HEADS = "edge.heads"
"""Where it holds the request without its body."""


class GoneError(Exception):
    """Who asked is gone before the request was whole: nobody is left to answer."""


class TooLongError(Exception):
    """A body is longer than its header said."""


def heads_of(request: Request) -> Heads:
    """The request without its body."""
    heads: Heads = request.scope[HEADS]
    return heads


def session_of(request: Request) -> Any:
    """The ``WebSession`` whose request it is; None: it asks for what everybody may see, so the ways of such pages do not use it."""
    admission: Admission = request.scope[ADMISSION]
    return admission.session


async def body_of(request: Request) -> bytes:
    """The body; no more of it than was announced is ever held. Raises TooLongError, GoneError."""
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise GoneError
        body, more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > MOST_BODY:
            raise TooLongError
    return body


def answering(way: Callable[[Request], Awaitable[object]]) -> Callable[[Request], Awaitable[Any]]:
    """A way of the page as Starlette takes it: what it returns is a ``Reply``, or an answer of Starlette's own."""

    async def answer(request: Request) -> Any:
        found = await way(request)
        return SentReply(found) if isinstance(found, Reply) else found

    return answer
