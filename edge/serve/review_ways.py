"""Which address leads to which answer of the page "Review". Threads of its own: a report that takes long keeps no answer waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from edge.serve.asking import answering, body_of, session_of
from edge.serve.reply import Reply
from edge.serve.review import ReviewSite

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

LOOKERS = 2
"""Threads that make pictures."""


class ReviewWays:
    """The addresses of the review; ``site`` answers them."""

    def __init__(self, site: ReviewSite) -> None:
        self._site = site
        self._lookers = ThreadPoolExecutor(LOOKERS, "edge-serve-pictures")
        self._writer = ThreadPoolExecutor(1, "edge-serve-answers")  # one: answers are written in the order they came

    def routes(self) -> list[Route]:
        """For the page's router."""
        from starlette.routing import Route  # noqa: PLC0415 - as all of the web framework

        gets = {
            "/review": self._list,
            "/samples/{sample}/review": self._sample,
            "/api/review/{sample}/{cell}/{level}": self._picture,
        }
        posts = {"/api/review/{sample}": self._answer, "/api/review/{sample}/differences": self._differ}
        return [
            *(Route(path, answering(way), methods=["GET"]) for path, way in gets.items()),
            *(Route(path, answering(way), methods=["POST"]) for path, way in posts.items()),
        ]

    async def _list(self, request: Request) -> Reply:
        return await _on(self._lookers, self._site.list_page, session_of(request))

    async def _sample(self, request: Request) -> Reply:
        return await _on(self._lookers, self._site.sample_page, session_of(request), request.path_params["sample"])

    async def _picture(self, request: Request) -> Reply:
        asked = request.path_params
        return await _on(self._lookers, self._site.picture, asked["sample"], asked["cell"], asked["level"])

    async def _answer(self, request: Request) -> Reply:
        return await _on(self._writer, self._site.answer, request.path_params["sample"], await body_of(request))

    async def _differ(self, request: Request) -> Reply:
        return await _on(self._lookers, self._site.differ, request.path_params["sample"], await body_of(request))


async def _on(threads: ThreadPoolExecutor, made: Callable[..., Reply], *values: Any) -> Reply:
    return await asyncio.get_running_loop().run_in_executor(threads, made, *values)
