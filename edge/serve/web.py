"""The page as an ASGI application: Starlette knows the ways and streams, ``edge.serve.guard`` stands before it.

Starlette and Jinja are imported when the application is made: a device that only counts needs neither.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from edge.serve.asking import ADMISSION, HEADS, GoneError, TooLongError, answering, body_of, heads_of, session_of
from edge.serve.guard import API, STATIC, Guard, Heads, Refusal
from edge.serve.limits import Streams, TooManyError
from edge.serve.replies import App, Message, Receive, Scope, Send, send_reply, with_headers
from edge.serve.reply import TEXT, Reply, said
from edge.serve.review_ways import ReviewWays
from edge.serve.shown import field_in_view, shown
from edge.serve.site import HERE, Render, Site

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

EVENTS_EACH_S = 5
"""Status events a second at most, for each page."""

QUIET_S = 10.0
"""Seconds after which a stream without news sends an empty line, so that a page that is gone is noticed."""

PREVIEW_S = 2.0
"""Seconds that a request for the next picture waits."""

MEASURED_S = 0.02
"""Seconds that a picture waits to be measured, so that boxes are drawn on what they fit."""

READERS = 2
"""Threads that read the book."""

HEALTH_S = 30.0
"""Seconds for which what the checks said is good: they open drivers and read disks."""


def template_render() -> Render:
    """Return what fills the templates: every value is escaped, and one that is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - see above

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def render(template: str, **values: object) -> str:
        return environment.get_template(template).render(**values)

    return render


def qr_svg(text: str) -> str:
    """A QR code as an SVG ``data:`` address, for an image."""
    import segno  # noqa: PLC0415 - see above

    return str(segno.make(text, error="m").svg_data_uri(scale=6, border=2, dark="#000", light="#fff"))


def make_app(site: Site, guard: Guard, complain: Callable[[str], None]) -> App:
    """Put the application together.

    Args:
        site: what the addresses answer.
        guard: who may ask.
        complain: is told in one line what broke; the one who asked learns nothing of it.
    """
    inner = _Ways(site).router()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _refuse_other(scope, receive, send)
            return
        heads = Heads.of(scope)
        admitted = guard.admit(heads)
        if isinstance(admitted, Refusal):
            await send_reply(_refusal(admitted, heads, site), with_headers(send, ""))
            return
        scope[ADMISSION], scope[HEADS] = admitted, heads
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        guarded = with_headers(watched, admitted.cookie)
        try:
            site.live.start()
            await inner(scope, receive, guarded)
        except GoneError:
            return
        except TooManyError:
            await send_reply(said(503, "Too many pages are open."), guarded)
        except TooLongError:
            await send_reply(said(413, "The request is too long."), guarded)
        except Exception as error:  # noqa: BLE001 - a defect in one answer must not take the page down, nor tell of itself
            complain(f"a defect of the page at {heads.path[:60]!r}: {type(error).__name__}: {error}")
            if not started:
                await send_reply(said(500, "Something broke here. It is written where edge serve runs."), guarded)

    return app


async def _refuse_other(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # policy violation (RFC 6455)


def _refusal(refusal: Refusal, heads: Heads, site: Site) -> Reply:
    if refusal.location and not heads.path.startswith(API):
        return Reply(b"", 303, TEXT, {"Location": refusal.location})
    if heads.path.startswith((API, STATIC)) or heads.method == "POST":
        return said(401 if refusal.status == 303 else refusal.status, refusal.words)
    return site.refused_page(refusal.status, refusal.words)


class _Ways:
    """Which address leads to which answer."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._streams = Streams()
        # Threads of their own: reports that take long must not keep an order waiting.
        self._readers = ThreadPoolExecutor(READERS, "edge-serve-book")
        self._examining = asyncio.Lock()
        self._examined: tuple[float, Reply] | None = None

    def router(self) -> App:
        from starlette.routing import Route, Router  # noqa: PLC0415 - see above

        pages = {
            "/": self._live,
            "/samples": self._samples,
            "/samples/{sample}": self._sample,
            "/samples/{sample}/report": self._report,
            "/scope": self._scope,
            "/health": self._health_page,
            "/enter": self._enter_page,
            "/tablet": self._tablet,
            "/static/{name}": self._asset,
            "/api/status": self._status,
            "/api/events": self._events,
            "/api/preview": self._preview,
            "/api/boxes": self._boxes,
            "/api/health": self._health,
        }
        posts = {
            "/api/command": self._command,
            "/api/enter": self._enter,
            "/api/pin": self._new_pin,
        }
        gets = [Route(path, answering(way), methods=["GET"]) for path, way in pages.items()]
        tells = [Route(path, answering(way), methods=["POST"]) for path, way in posts.items()]
        return Router(
            [*gets, *tells, *ReviewWays(self._site.review).routes()], redirect_slashes=False, default=self._lost
        )

    async def _lost(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["path"].startswith(API):
            reply = said(404, "There is nothing here.")
        else:
            reply = self._site.lost_page(scope[ADMISSION].session, "There is no page here.")
        await send_reply(reply, send)

    # Pages

    async def _live(self, request: Request) -> Reply:
        return self._site.live_page(session_of(request))

    async def _samples(self, request: Request) -> Reply:
        before = request.query_params.get("before", "")
        return await self._read(self._site.samples_page, session_of(request), before)

    async def _sample(self, request: Request) -> Reply:
        return await self._read(self._site.sample_page, session_of(request), request.path_params["sample"])

    async def _report(self, request: Request) -> Reply:
        return await self._read(self._site.report_page, session_of(request), request.path_params["sample"])

    async def _read(self, page: Callable[[Any, str], Reply], session: Any, what: str) -> Reply:
        return await asyncio.get_running_loop().run_in_executor(self._readers, page, session, what)

    async def _scope(self, request: Request) -> Reply:
        return self._site.scope_page(session_of(request))

    async def _health_page(self, request: Request) -> Reply:
        return self._site.health_page(session_of(request))

    async def _enter_page(self, request: Request) -> Reply:
        return self._site.enter_page(heads_of(request).client)

    async def _tablet(self, request: Request) -> Reply:
        return self._site.tablet_page(session_of(request), qr_svg)

    async def _asset(self, request: Request) -> Reply:
        return self._site.asset(request.path_params["name"]) or said(404, "There is nothing here.")

    # For scripts

    async def _status(self, _request: Request) -> Reply:
        return self._site.status()

    async def _boxes(self, _request: Request) -> Reply:
        return self._site.boxes()

    async def _preview(self, request: Request) -> Reply:
        after = request.query_params.get("after", "")
        number = int(after) if after.isascii() and after.isdecimal() and len(after) < 18 else -1
        with self._streams.one(heads_of(request).client):
            found = await self._site.live.next_preview(number, PREVIEW_S)
            if found is None:
                return Reply(b"", 204, TEXT)
            status = await self._site.live.caught_up(found.number, MEASURED_S)
        headers = {"X-Frame": str(found.number), "X-Field": str(field_in_view(status, found.number))}
        return Reply(found.jpeg, media="image/jpeg", headers=headers)

    async def _events(self, request: Request) -> Response:
        from starlette.responses import StreamingResponse  # noqa: PLC0415 - see above

        client = heads_of(request).client
        held = self._streams.one(client)
        held.__enter__()  # here, so that one too many is refused with a status; the stream gives it back
        body = self._telling(held)
        return StreamingResponse(body, media_type="text/event-stream")

    async def _telling(self, held: Any) -> AsyncIterator[str]:
        live, after = self._site.live, -1
        try:
            yield "retry: 2000\n\n"
            while not live.closed:
                status = await live.next_status(after, QUIET_S)
                if status.version <= after:
                    yield ": still here\n\n"
                    continue
                after = status.version
                yield f"data: {json.dumps(shown(status), allow_nan=False)}\n\n"
                await asyncio.sleep(1 / EVENTS_EACH_S)
        finally:
            held.__exit__(None, None, None)

    async def _health(self, _request: Request) -> Reply:
        async with self._examining:
            if self._examined is None or time.monotonic() - self._examined[0] > HEALTH_S:
                self._examined = (time.monotonic(), await asyncio.to_thread(self._site.health))
            return self._examined[1]

    async def _command(self, request: Request) -> Reply:
        return await asyncio.to_thread(self._site.command, await body_of(request))

    async def _enter(self, request: Request) -> Reply:
        return self._site.enter(await body_of(request), heads_of(request).client)

    async def _new_pin(self, request: Request) -> Reply:
        await body_of(request)
        return self._site.new_pin(session_of(request))
