"""The newest status and preview for any number of pages: asked for once, however many look.

One thread waits for the engine's snapshots. Previews are looked for in the event loop, and only while somebody waits for one:
``Engine.preview`` never waits.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from edge.camera.records import Preview
from edge.control.records import Engine
from edge.status import Status

PREVIEW_EVERY_S = 0.02
"""Seconds between two looks for a new preview while somebody waits for one."""

_WAIT_S = 1.0  # that the engine is asked to wait for a new status: the thread ends within it


class Live:
    """Hands the newest snapshots to coroutines of one event loop.

    Args:
        engine: the run.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.closed = False
        self._newest = engine.status
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._preview: Preview | None = None
        self._previewed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._waiting = 0

    @property
    def status(self) -> Status:
        """The newest snapshot."""
        return self._newest

    def start(self) -> None:
        """Begin to follow the engine; call it in the event loop."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._follow, name="edge-serve-status", daemon=True).start()

    def close(self) -> None:
        """Wake all who wait: nothing more will come. Call it in the event loop."""
        self.closed = True
        self._changed.set()
        self._previewed.set()

    def _follow(self) -> None:
        after = self._newest.version
        while not self.closed and self._loop is not None:
            status = self.engine.wait(after, _WAIT_S)
            if status.version > after:
                after = status.version
                with suppress(RuntimeError):  # the loop was closed meanwhile
                    self._loop.call_soon_threadsafe(self._came, status)

    def _came(self, status: Status) -> None:
        self._newest = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def next_status(self, after: int, patience: float) -> Status:
        """The newest snapshot once its version is above ``after``, or the newest there is after ``patience`` seconds."""
        if self._newest.version <= after and not self.closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), patience)
        return self._newest

    async def caught_up(self, frame: int, patience: float) -> Status:
        """The newest snapshot once its view is of this frame or a later one, or the newest there is after ``patience`` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not self.closed and (self._newest.view is None or self._newest.view.frame < frame):
                    await self._changed.wait()
        return self._newest

    async def next_preview(self, after: int, patience: float) -> Preview | None:
        """The newest preview whose number is above ``after``; None: none came within ``patience`` seconds."""
        self._look()
        if (found := self._newer(after)) is not None or self.closed:
            return found
        self._waiting += 1
        try:
            async with asyncio.timeout(patience):
                while found is None and not self.closed:
                    if self._looking is None or self._looking.done():
                        self._looking = asyncio.create_task(self._look_again())
                    await self._previewed.wait()
                    found = self._newer(after)
        except TimeoutError:
            return None
        finally:
            self._waiting -= 1
        return found

    def _newer(self, after: int) -> Preview | None:
        return self._preview if self._preview is not None and self._preview.number > after else None

    def _look(self) -> None:
        known = -1 if self._preview is None else self._preview.number
        found = self.engine.preview(after=known)
        if found is not None:
            self._preview = found
            previewed, self._previewed = self._previewed, asyncio.Event()
            previewed.set()

    async def _look_again(self) -> None:
        while self._waiting and not self.closed:
            await asyncio.sleep(PREVIEW_EVERY_S)
            self._look()
