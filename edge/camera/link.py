"""The camera as its users see it: starts the camera process, looks after it, and copies frames out of its memory.

A frame is written once by the camera process, into shared memory, and copied once from there: two copies from driver to field.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from edge.camera import messages
from edge.camera.kept import KeptBench
from edge.camera.memory import FrameRing, RingShape
from edge.camera.previews import PreviewMemory, PreviewReader
from edge.camera.process import CameraProcess
from edge.camera.records import (
    CameraEvent,
    CameraFacts,
    CameraSpec,
    CameraState,
    CameraTrouble,
    Frame,
    Preview,
)
from edge.camera.watch import CameraWatch, Patience, WatchOrder
from edge.errors import CameraError

KINDS = ("auto", "pi", "usb", "simulated")
"""What ``CameraSpec.kind`` may be."""

_LOOK_S = 0.2  # seconds from one look at the watchdog to the next
_ASK_S = 1.0  # seconds after which somebody who waits asks again
_CLOSE_S = 2.0  # seconds that a driver is given to let go of the camera


class _Ready(NamedTuple):
    """A frame in shared memory that nobody has copied yet."""

    slot: int
    number: int
    captured: float
    at: float
    metadata: Mapping[str, object]


class CameraLink:
    """A ``Camera`` (see ``edge.camera.records``). Made by ``open_camera``.

    Attributes:
        name: of the camera, for a person; known once it is open.
        preview_memory: what ``PreviewReader`` of another process reads previews by.
    """

    def __init__(self, spec: CameraSpec, *, faults: bool = False, patience: Patience | None = None) -> None:
        self.name = _wanted_name(spec)
        self._spec = replace(spec, device=int(spec.device) if str(spec.device).isdecimal() else spec.device)
        self._faults = faults
        self._watch = CameraWatch(patience or Patience(), self.name)
        self._changed = threading.Condition()
        self._child: CameraProcess | None = None
        self._ready: _Ready | None = None
        self._facts: CameraFacts | None = None
        self._next = 0
        self._kept = KeptBench(self._spec)
        self._asked = 0.0
        self._previews = PreviewMemory()
        self.preview_memory = self._previews.name
        self._reader: PreviewReader | None = None
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._look_after, name="edge-camera-link", daemon=True)
        self._thread.start()

    @property
    def state(self) -> CameraState:
        """How it stands."""
        return self._watch.state

    @property
    def words(self) -> str:
        """What is wrong, one line; empty: nothing."""
        return self._watch.words

    @property
    def facts(self) -> CameraFacts | None:
        """What was read back when it was opened; None: it never was."""
        return self._facts

    def wait_ready(self, timeout: float | None = None) -> None:
        """Return once frames come, good or bad. Raises CameraError where the camera cannot be opened, or not within ``timeout``."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._watch.first_failure is not None or self.state is not CameraState.OPENING, timeout
            )
            failure, state = self._watch.first_failure, self.state
        if failure is not None:
            raise CameraError(failure)
        if state is CameraState.OPENING:
            raise CameraError(f"{self.name} does not answer; unplug it, plug it in, and try again")

    def take(self, *, after: int = -1, timeout: float = 1.0) -> Frame | None:
        """The newest sound frame whose number is above ``after``; None: none came in time. Raises CameraError once closed."""
        until = time.monotonic() + timeout
        while True:
            with self._changed:
                if self.state is CameraState.CLOSED:
                    raise CameraError(f"{self.name} is closed")
                frame = self._copied(after)
                if frame is not None:
                    return frame
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._ask()
                self._changed.wait(min(left, _ASK_S))

    def preview(self, *, after: int = -1) -> Preview | None:
        """The newest preview whose number is above ``after``; None: there is none yet. Never waits."""
        with self._changed:
            if self._reader is None:
                if self.state is CameraState.CLOSED:
                    return None
                self._reader = PreviewReader(self.preview_memory)
            reader = self._reader
        return reader.read(after)

    def events(self, *, after: int = -1) -> tuple[CameraEvent, ...]:
        """What happened after the event of this number."""
        with self._changed:
            return self._watch.events(after)

    def command(self, name: str, **values: float | str) -> None:
        """Ask something of the driver; while it is being opened again, as soon as it is open."""
        with self._changed:
            self._kept.commanded(name, values, time.monotonic(), passed=self._child is not None)
            if self._child is not None:
                messages.send(self._child.end, "command", name=name, values=values)

    def close(self) -> None:
        """Give the camera back."""
        with self._changed:
            if self.state is CameraState.CLOSED:
                return
            self._watch.close()
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            self._wake.send(b"x")
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_S + 2)

    # The rest runs in the link's own thread; the kernel kills the camera process when that ends.

    def _look_after(self) -> None:
        try:
            while self.state is not CameraState.CLOSED:
                self._obey(self._watch.order(time.monotonic()))
                self._hear()
        finally:
            with self._changed:
                child, self._child, self._ready = self._child, None, None
                self._watch.close()
                self._changed.notify_all()
            if child is not None:
                messages.send(child.end, "close")
                child.end_it(_CLOSE_S)
            self._previews.close()
            self._wake.close()
            self._woken.close()

    def _obey(self, order: WatchOrder) -> None:
        if order is WatchOrder.START:
            model = self._facts.model if self._facts is not None else ""
            try:
                child = CameraProcess(self._spec_now(), self._next, model, self._previews, faults=self._faults)
            except OSError as error:
                self._cannot_start(error)
                return
            with self._changed:
                self._child = child
                for name, values in self._kept.again(time.monotonic()):
                    messages.send(child.end, "command", name=name, values=values)
                self._watch.started(time.monotonic())
        elif order is WatchOrder.KILL:
            self._drop(0.0)

    def _cannot_start(self, error: OSError) -> None:
        now, words = time.monotonic(), f"{self.name}: no camera process can be started: {error.strerror}"
        with self._changed:
            self._watch.started(now)
            self._watch.failed(now, CameraTrouble.CANNOT_OPEN, words)
            self._changed.notify_all()

    def _spec_now(self) -> CameraSpec:
        """What is asked for: once it was open with the light that settled then, so that all fields of a sample have the same."""
        spec = self._kept.spec()
        return spec if self._facts is None else replace(spec, controls={**self._facts.held, **spec.controls})

    def _drop(self, patience: float) -> int:
        with self._changed:
            child, self._child, self._ready = self._child, None, None
            self._changed.notify_all()
        return child.end_it(patience) if child is not None else 0

    def _hear(self) -> None:
        child = self._child
        listened = [self._woken.fileno(), *(child.listened if child is not None else [])]
        heard, _, _ = select.select(listened, [], [], _LOOK_S)
        if child is None:
            return
        if child.stderr in heard:
            child.read_said()
        if child.end.fileno() in heard:
            try:
                while (got := messages.receive(child.end)) is not None:
                    self._take(child, *got)
                    if self._child is None:
                        return
            except BlockingIOError:
                pass
            else:
                self._has_ended()
        elif child.ended:
            self._has_ended()

    def _has_ended(self) -> None:
        child = self._child
        code = self._drop(_LOOK_S)
        with self._changed:
            self._watch.ended(time.monotonic(), code, child.last_words if child is not None else "")
            self._changed.notify_all()

    def _take(self, child: CameraProcess, message: messages.Message, descriptors: list[int]) -> None:
        now, kind = time.monotonic(), message.get("kind")
        with self._changed:
            before = self._watch.state
            if kind == "stage":
                self._watch.beat(now, str(message["stage"]), int(message["steps"]))
            elif kind == "frame":
                self._take_frame(now, message)
            elif kind == "bad":
                self._next = int(message["number"]) + 1
                self._watch.bad(now, CameraTrouble(message["trouble"]), str(message["words"]))
            elif kind == "note":
                self._watch.note(now, CameraTrouble(message["trouble"]), str(message["words"]))
            elif kind == "ready" and descriptors:
                self._open(now, child, message, descriptors[0])
            elif kind == "failed":
                self._watch.failed(now, CameraTrouble(message["trouble"]), str(message["words"]))
            if kind == "frame" or self._watch.state is not before or kind == "failed":
                self._changed.notify_all()
        messages.close_all(descriptors)
        if not self._watch.alive:
            self._drop(_LOOK_S)

    def _open(self, now: float, child: CameraProcess, message: messages.Message, memory: int) -> None:
        facts = messages.facts_from_json(message["facts"])
        if self._facts is not None and facts.size != self._facts.size:
            words = "{}x{} pixels now, {}x{} before".format(*facts.size, *self._facts.size)
            self._watch.failed(now, CameraTrouble.WRONG_SIZE, f"{self.name} gives frames of another size: {words}")
            return
        child.ring = FrameRing(memory, RingShape(*facts.size, int(message["slots"])))
        self._facts, self.name = facts, facts.name
        self._watch.name = facts.name
        self._watch.opened(now)

    def _take_frame(self, now: float, message: messages.Message) -> None:
        if self._ready is not None:
            self._free(self._ready.slot)
        told = messages.metadata_from_json(message["metadata"])
        self._ready = _Ready(
            int(message["slot"]), int(message["number"]), float(message["captured"]), float(message["at"]), told
        )
        self._next = self._ready.number + 1
        self._kept.seen(told)
        self._watch.sound(now)

    def _copied(self, after: int) -> Frame | None:
        ready, child = self._ready, self._child
        if ready is None or child is None or child.ring is None or ready.number <= after:
            return None
        if self.state is not CameraState.RUNNING:
            return None
        rgb = child.ring.copy(ready.slot, ready.number)
        if rgb is None:
            return None
        return Frame(rgb, ready.number, ready.captured, ready.at, ready.metadata)

    def _free(self, slot: int) -> None:
        if self._child is not None:
            messages.send(self._child.end, "free", slot=slot)

    def _ask(self) -> None:
        now = time.monotonic()
        if self._child is not None and now - self._asked > _ASK_S / 2:
            self._asked = now
            messages.send(self._child.end, "want")


def open_camera(spec: CameraSpec, *, faults: bool = False, patience: Patience | None = None) -> CameraLink:
    """Start a camera process and return at once; ``CameraLink.wait_ready`` waits for its first frame.

    Args:
        spec: the camera that is asked for.
        faults: let it be told to misbehave (``edge.camera.faults``).
        patience: how long what is waited for.

    Raises:
        ValueError: ``spec.kind`` is none of those there are.
    """
    if spec.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {spec.kind!r}")
    return CameraLink(spec, faults=faults, patience=patience)


def _wanted_name(spec: CameraSpec) -> str:
    if spec.kind == "simulated":
        return "simulated camera"
    return f"camera {spec.device}" if isinstance(spec.device, str) else "camera"
