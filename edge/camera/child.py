"""The camera process: ``python -m edge.camera.child --socket N``, started by ``edge.camera.link`` and by nobody else.

The main thread drives the camera, for a driver's call may never return. A second thread listens, and says every half second what
the first is at: the heartbeat. When the process that started this one ends, however it does, this one is killed by the kernel; and
it ends by itself once its socket is closed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from edge.camera import messages
from edge.camera.driver import CameraDriver
from edge.camera.finding import first_line, open_driver
from edge.camera.formats import BadFrameError, FrameConverter
from edge.camera.looks import FrameChecker, HeldWatch
from edge.camera.memory import FrameRing, RingShape, make_ring
from edge.camera.previews import PreviewWriter, small_jpeg
from edge.camera.records import CameraTrouble, Preview
from edge.errors import CameraError
from edge.types import UInt8Array

_BEAT_S = 0.5  # seconds from one word to the next
_EAGER_S = 3.0  # seconds after a frame was asked for in which all are handed over
_IDLE_S = 0.5  # seconds between frames while nobody asks: enough to see that the camera is well
_MOST_PER_S = 15.0  # frames handed over
_LEISURE = 4.0  # times as long as it took to look at a frame, until the next one: a quarter of one core
_HICCUPS = 3  # frames in a row that a driver does not give before it is opened again
_PARENT_DIED = 1  # PR_SET_PDEATHSIG
_NO_FRAME_EXIT = 6  # exit code: the camera is lost, as everywhere


class _Desk:
    """What the two threads share."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.stage, self.steps = "starting", 0
        self.free: deque[int] = deque()
        self.commands: deque[tuple[str, dict[str, Any]]] = deque()
        self.eager_until = time.monotonic() + _EAGER_S
        self.closing = threading.Event()
        self.wanted = threading.Event()

    def step(self) -> None:
        self.steps += 1

    def listen(self) -> None:
        """Until the socket is closed, which ends the process."""
        self.end.settimeout(_BEAT_S)
        beat = 0.0
        while True:
            now = time.monotonic()
            if now - beat >= _BEAT_S:
                beat = now
                messages.send(self.end, "stage", stage=self.stage, steps=self.steps)
            try:
                got = messages.receive(self.end)
            except (TimeoutError, BlockingIOError, InterruptedError):
                continue
            if got is None:
                os._exit(0)  # whoever started this is gone; the driver may hang
            self._take(got[0])

    def _take(self, message: messages.Message) -> None:
        kind = message.get("kind")
        if kind == "free":
            self.free.append(int(message["slot"]))
        elif kind == "want":
            self.eager_until = time.monotonic() + _EAGER_S
            self.wanted.set()
        elif kind == "command":
            self.commands.append((str(message["name"]), dict(message["values"])))
            self.wanted.set()
        elif kind == "close":
            self.closing.set()
            self.wanted.set()


class _Process:
    """One camera, from opening to closing."""

    def __init__(self, desk: _Desk, opening: messages.Message, previews: PreviewWriter) -> None:
        self._desk = desk
        self._spec = messages.spec_from_json(opening["spec"])
        self._number = int(opening["first"])
        self._previews = previews
        desk.stage = "opening"
        self._driver: CameraDriver = open_driver(
            self._spec, str(opening["model"]), desk.step, faults=bool(opening["faults"])
        )

    def run(self) -> None:
        """Hand over frames until told to close; raises CameraError when there are no more."""
        facts = self._driver.facts
        try:
            converter = FrameConverter(facts.format, facts.size, self._spec.depth)
        except BadFrameError as error:
            raise CameraError(f"{facts.name}: {error.words}") from None
        self._converter, self._checker, self._held = converter, FrameChecker(), HeldWatch(facts.held)
        shape = RingShape(*facts.size)
        ring, memory = make_ring(shape)
        self._desk.free.extend(range(shape.slots))
        told = messages.facts_as_json(facts)
        messages.send(self._desk.end, "ready", (memory,), facts=told, slots=shape.slots)
        os.close(memory)
        self._desk.stage = "reading"
        self._hand_over(ring)

    def release(self) -> None:
        """Give the camera back."""
        self._desk.stage = "closing"
        self._driver.release()

    def _hand_over(self, ring: FrameRing) -> None:
        desk, missed = self._desk, 0
        while not desk.closing.is_set():
            start = time.monotonic()
            self._obey()
            try:
                raw, metadata = self._driver.read()
            except CameraError:
                missed += 1
                desk.step()
                if missed >= _HICCUPS:
                    raise
                self._rest(start)
                continue
            missed = 0
            desk.step()
            used = time.thread_time()
            if desk.free:
                slot = desk.free.popleft()
                self._one(ring, slot, raw, metadata)
            self._rest(start, _LEISURE * (time.thread_time() - used))

    def _one(self, ring: FrameRing, slot: int, raw: Any, metadata: Mapping[str, object]) -> None:
        at, captured = time.monotonic(), time.time()
        ring.clear(slot)
        rgb = ring.pixels(slot)
        try:
            self._converter.convert(raw, rgb)
            self._show(rgb)
            self._checker.check(rgb)
            words = self._held.look(self._checker.thumbnail, metadata, at)
        except BadFrameError as error:
            self._desk.free.append(slot)
            messages.send(self._desk.end, "bad", number=self._number, trouble=error.trouble, words=error.words)
            self._number += 1
            return
        if words is not None:
            messages.send(self._desk.end, "note", trouble=CameraTrouble.NOT_HELD, words=words)
        ring.publish(slot, self._number)
        told: dict[str, Any] = {"number": self._number, "at": at, "captured": captured, "metadata": dict(metadata)}
        if not messages.send(self._desk.end, "frame", slot=slot, **told):
            self._desk.free.append(slot)
        self._number += 1

    def _show(self, rgb: UInt8Array) -> None:
        if self._previews.wanted():
            self._desk.eager_until = max(self._desk.eager_until, time.monotonic() + _IDLE_S)
            jpeg, width, height = small_jpeg(self._small(rgb), self._spec.preview_px)
            self._previews.write(Preview(self._number, width, height, jpeg))

    def _small(self, rgb: UInt8Array) -> UInt8Array:
        """What a preview is made of: the ISP's small copy of the frame where there is one."""
        small = getattr(self._driver, "small", None)
        found = small() if small is not None else None
        if found is None:
            return rgb
        raw, name, (width, height) = found
        made = np.empty((height, width, 3), np.uint8)
        FrameConverter(name, (width, height)).convert(raw, made)
        return made

    def _obey(self) -> None:
        while self._desk.commands:
            name, values = self._desk.commands.popleft()
            self._driver.command(name, values)

    def _rest(self, start: float, at_least: float = 0.0) -> None:
        """Wait until the next frame is due: soon if somebody waits for one, but cores are there to count."""
        while not self._desk.closing.is_set():
            now = time.monotonic()
            eager = now < self._desk.eager_until or self._previews.wanted()
            left = start + max(1 / _MOST_PER_S if eager else _IDLE_S, at_least) - now
            if left <= 0:
                return
            self._desk.wanted.clear()
            if eager:
                time.sleep(left)
            else:
                self._desk.wanted.wait(min(left, 1 / _MOST_PER_S))


def _die_with_parent(parent: int) -> None:
    """Be killed when the thread that started this process ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DIED, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before this was said
        os._exit(0)


def main(arguments: list[str]) -> int:
    """Run the process; returns the exit code."""
    descriptor, parent = int(arguments[1]), int(arguments[3])
    if sys.platform == "linux":
        _die_with_parent(parent)
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # a person's Ctrl-C is for the run, which closes the camera
    cv2.setNumThreads(1)
    end = socket.socket(fileno=descriptor)
    got = messages.receive(end)
    if got is None:
        return 0
    opening, descriptors = got
    previews = PreviewWriter(descriptors[0])
    messages.close_all(descriptors)
    desk = _Desk(end)
    threading.Thread(target=desk.listen, name="edge-camera-listen", daemon=True).start()
    try:
        camera = _Process(desk, opening, previews)
    except CameraError as error:
        messages.send(end, "failed", trouble=CameraTrouble.CANNOT_OPEN, words=str(error))
        return _NO_FRAME_EXIT
    try:
        camera.run()
    except CameraError as error:
        messages.send(end, "failed", trouble=CameraTrouble.NO_FRAMES, words=str(error))
        return _NO_FRAME_EXIT
    except Exception as error:  # noqa: BLE001 - drivers raise anything; all of it means the same to the user
        messages.send(end, "failed", trouble=CameraTrouble.NO_FRAMES, words=first_line(error))
        return _NO_FRAME_EXIT
    camera.release()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # no waiting for a driver's threads
