"""An engine that counts nothing: statuses and previews are drawings, commands are written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from edge.camera.records import CameraState, Preview
from edge.control.records import (
    CameraCommand,
    Command,
    CommandRefusedError,
    FinishSample,
    Pause,
    Resume,
    StartSample,
    TakeNow,
)
from edge.status import CameraStatus, Hint, LastField, RunEnd, RunState, SampleProgress, SeenCell, Status, View

IDLE = Status(1, 0.0, RunState.IDLE, CameraStatus(CameraState.RUNNING, "drawn camera", 25.0), model="fake-32")
SIZE = (1280, 960)


def drawing(number: int, cells: list[tuple[int, int, int, int]], side: int = 640) -> Preview:
    """A field with discs in the boxes, as a JPEG."""
    scale = side / SIZE[0]
    rgb = np.full((round(SIZE[1] * scale), side, 3), 205, np.uint8)
    for i, (x, y, w, h) in enumerate(cells):
        centre = round((x + w / 2) * scale), round((y + h / 2) * scale)
        cv2.circle(rgb, centre, round(w * scale / 2), (150, 150, 200), -1)
        if i % 40 == 7:
            cv2.circle(rgb, centre, 3, (120, 30, 90), -1)
    rgb[:4, : 4 + number % 100] = 90
    _, jpeg = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return Preview(number, side, rgb.shape[0], jpeg.tobytes())


class FakeEngine:
    """Shows what it is given; ``refuse`` gives a reason for a command, or an empty text."""

    def __init__(self, status: Status = IDLE, refuse: Callable[[Command], str] = lambda _: "") -> None:
        self._changed = threading.Condition()
        self._status = status
        self._preview: Preview | None = None
        self.refuse = refuse
        self.sent: list[Command] = []
        self.closed = False

    @property
    def status(self) -> Status:
        return self._status

    def show(self, status: Status) -> None:
        with self._changed:
            self._status = replace(status, version=self._status.version + 1)
            self._changed.notify_all()

    def draw(self, preview: Preview) -> None:
        self._preview = preview

    def wait(self, after: int, timeout: float) -> Status:
        with self._changed:
            self._changed.wait_for(lambda: self._status.version > after, timeout)
            return self._status

    def preview(self, *, after: int = -1) -> Preview | None:
        found = self._preview
        return found if found is not None and found.number > after else None

    def send(self, command: Command) -> None:
        if why := self.refuse(command):
            raise CommandRefusedError(why)
        self.sent.append(command)

    def close(self) -> None:
        self.closed = True


def boxes(seed: int, n: int = 60) -> list[tuple[int, int, int, int]]:
    rng = np.random.default_rng(seed)
    places = [(x, y) for x in range(20, 1200, 110) for y in range(20, 880, 110)]
    chosen = rng.permutation(len(places))[:n]
    return [(places[i][0], places[i][1], 66, 66) for i in chosen]


class PlayedEngine(FakeEngine):
    """Plays a microscope in a thread: a started sample takes a field every ``field_s`` seconds until it has ``limit`` cells."""

    def __init__(self, *, limit: int = 600, field_s: float = 0.4, fps: float = 20.0) -> None:
        super().__init__(refuse=self._why_not)
        self._limit, self._field_s, self._fps = limit, field_s, fps
        self._sample: SampleProgress | None = None
        self._ended: RunEnd | None = None
        self._paused = False
        self._known: set[str] = {"S-0001"}
        self._last: LastField | None = None
        self._taken = 0
        self._lock = threading.Lock()
        self._player = threading.Thread(target=self._play, daemon=True)
        self._player.start()

    def close(self) -> None:
        super().close()
        self._player.join()

    def _why_not(self, command: Command) -> str:
        with self._lock:
            return self._obey(command)

    def _obey(self, command: Command) -> str:
        if isinstance(command, StartSample):
            if command.sample in self._known and not (command.again or command.resume):
                return f"{command.sample} is in the book already: count it once more, or go on with it"
            self._known.add(command.sample)
            self._sample = SampleProgress(
                command.sample, command.notes, {"uninfected": 0, "parasitized": 0}, positive=("parasitized",)
            )
            self._ended = self._last = None
            self._paused = False
        elif isinstance(command, Pause | Resume):
            self._paused = isinstance(command, Pause)
        elif isinstance(command, FinishSample):
            self._ended = RunEnd.FINISHED
        elif isinstance(command, TakeNow) and self._sample:
            self._field()
        elif isinstance(command, CameraCommand) and command.name == "fault":
            return ""
        return ""

    def _field(self) -> None:
        assert self._sample is not None
        self._taken += 1
        n, sample = self._taken, self._sample
        why = "out of focus" if n % 5 == 4 else ""
        found = boxes(n)
        seen = tuple(
            SeenCell(box, "parasitized" if i == 7 else "uninfected", 0.93, positive=i == 7, counted=not why)
            for i, box in enumerate(found)
        )
        self._last = LastField(n - 1, n, SIZE, seen, why)
        if why:
            left_out = {**sample.left_out, why: sample.left_out.get(why, 0) + 1}
            self._sample = replace(sample, left_out=left_out)
            return
        counts = {
            "uninfected": sample.counts["uninfected"] + len(found) - 1,
            "parasitized": sample.counts["parasitized"] + 1,
        }
        cells = sum(counts.values())
        share = counts["parasitized"] / cells
        self._sample = replace(
            sample,
            counts=counts,
            cells=cells,
            kept=sample.kept + 1,
            share=(share, share / 2, share * 2),
            flag="indeterminate",
            reasons=("the limit of blank lies inside the interval",),
            cells_short=max(0, self._limit - cells) or None,
            seconds_left=(self._limit - cells) / 60 * self._field_s,
            lost=1,
        )
        if cells >= self._limit:
            self._ended = RunEnd.COMPLETE

    def _play(self) -> None:
        began = last = time.monotonic()
        number = 0
        while not self.closed:
            now = time.monotonic()
            with self._lock:
                counting = self._sample is not None and self._ended is None
                state, hint, words = RunState.IDLE, Hint.NONE, ""
                if counting and self._paused:
                    state = RunState.PAUSED
                elif counting:
                    state, hint, words = (
                        RunState.WAITING,
                        Hint.MOVE_STAGE,
                        "This view was counted: move to the next one.",
                    )
                    if now - last > self._field_s:
                        last = now
                        self._field()
                    if now - last < self._field_s / 2:
                        state, hint, words = RunState.COUNTING, Hint.NONE, ""
                if self._sample is not None and counting:
                    self._sample = replace(self._sample, seconds=now - began)
                sharp = float(20 + 5 * np.sin(now))
                bell = np.exp(-(((np.arange(32) - 22) / 4) ** 2))
                view = View(
                    number, sharp, 25.0, 14.0, 0.0, True, 182.0, 0.001, 0.0, tuple((bell / bell.sum()).tolist())
                )
                status = replace(IDLE, state=state, hint=hint, words=words, sample=self._sample, ended=self._ended)
                status = replace(status, view=view, last=self._last, taken=self._taken, at=time.time())
            self.draw(drawing(number, boxes(self._taken)))
            self.show(status)
            number += 1
            time.sleep(1 / self._fps)
