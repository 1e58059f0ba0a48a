"""A day at the virtual microscope with a fault every ten minutes: is a cell lost or counted twice, and does memory stay flat?

The hand moves, overshoots and refocuses; views are measured and taken by the runner's own eye and taker, judged by its session and
gate, and stored in its book. Two things are stood in for: the clock (``pressed``), and finder and nets, whose place the truth of each
frame takes. So the cells of each field are known, and what the book holds in the end can be held against what was handed out.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Final, cast

import numpy as np

from benchmarks.camera.pressed import PressedCamera
from edge import shelf
from edge.book.opening import open_book
from edge.camera.faults import Fault
from edge.camera.records import CameraSpec, Frame
from edge.classifier import Classifier
from edge.control.taking import Taker
from edge.control.views import Eye
from edge.description import ModelLine, RunDescription
from edge.events import AnalysedField, FieldEvent, Outcome, SampleEvent, Unreadable
from edge.gate import Gate
from edge.session import Session
from edge.types import CELL, Cells, FieldResult, Quality, Timings
from edge.verdict.calibration import Bound
from edge.workers import Workers

EVERY_S: Final = 600.0
"""Seconds from one fault to the next."""

FAULT_S: Final = (6.0, 40.0)
"""Seconds that a fault lasts, from and to."""

PACE: Final = 10.0
"""How much longer than usual the hand holds a view: each new one has to be drawn."""

LOOK_S: Final = 1.5
"""Seconds from one look at the camera to the next."""

SIZE: Final = (320, 240)
"""Pixels of the frames: few, because a day has some hundred thousand of them."""

SAMPLE: Final = "day"
"""Name of the sample in the book."""

_NEAR: Final = 0.5  # of a field: counted views that lie nearer than that show the same cells
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")  # bytes
_RED_CELLS: Final = ("red blood cell", "ring", "trophozoite", "schizont", "gametocyte")


@dataclass(frozen=True, slots=True)
class Told:
    """A fault: its kind, when it began (s), and after how many seconds the camera was said to be lost; None: it never was."""

    kind: str
    at: float
    after: float | None


@dataclass(slots=True)
class DayRecord:
    """What happened.

    Attributes:
        hours: simulated.
        handed: red cells of each field that was handed out to be counted, by its place in the sample.
        frames: number of the frame of each of them.
        places: x, y of the stage in µm of each of them.
        counted: places in the sample of those that the gate let count.
        lost: stretches without the camera, as the sample's outputs saw them.
        faults: in order.
        falsified: frames changed by a fault that were handed out to be counted, by kind.
        memory: megabytes resident at the beginning of each simulated hour, and at the end.
        openings: of the camera.
    """

    hours: float
    handed: dict[int, int] = field(default_factory=dict)
    frames: dict[int, int] = field(default_factory=dict)
    places: dict[int, tuple[float, float]] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)
    lost: int = 0
    faults: list[Told] = field(default_factory=list)
    falsified: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    openings: int = 0


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The record held against the book.

    Attributes:
        fields: handed out; ``counted``: of them, those that count.
        cells: red cells in those, by the truth; ``booked``: by the book.
        differing: fields whose cells in the book are not those of the truth, fields that it lacks included.
        twice: frames that were handed out more than once.
        overlapping: pairs of counted fields that lie nearer than half a field.
    """

    fields: int
    counted: int
    cells: int
    booked: int
    differing: int
    twice: int
    overlapping: int


class _Day:
    """Yields outcomes as workers do, and hears as an output what the session made of them."""

    stopped = False

    def __init__(self, camera: PressedCamera, hours: float, seed: int, progress: Callable[[float], None]) -> None:
        self.record = DayRecord(hours)
        self._camera, self._progress = camera, progress
        self._chance = np.random.default_rng(seed)
        self._taker, self._eye = Taker(), Eye()
        self._kinds = cycle(str(one) for one in self._chance.permutation(sorted(Fault)))
        self._trouble = ""
        self._last_event = -1
        self._reason: str | None = None

    def paced(self, _wait: float | None) -> Iterator[Outcome]:
        """The day, a field after the other."""
        camera, last, index = self._camera, -1, count()
        fault_due, hour_due, end = EVERY_S, 0.0, self.record.hours * 3600
        while (now := camera.clock.now) < end:
            if now >= fault_due:
                fault_due += EVERY_S
                self._fault(now)
            if now >= hour_due:
                hour_due += 3600
                self.record.memory.append(resident_mb())
                self._progress(now / 3600)
            for words in self._lost():
                yield Unreadable(next(index), SAMPLE, f"lost-{self.record.lost}", words, began=0.0)
            frame = camera.take(after=last, timeout=LOOK_S)
            if frame is None:
                continue
            last = frame.number
            seen = self._eye.see(frame.rgb, frame.at)
            if self._taker.see(seen, frame.at, ready=True).take:
                self._eye.taken()
                yield self._handed(frame, next(index), seen.quality)
                self._taker.judged(seen.quality, self._reason)
            camera.clock.sleep(max(0.0, now + LOOK_S - camera.clock.now))
        self.record.memory.append(resident_mb())
        self.record.openings = camera.openings

    def skip(self, sample: str) -> None:
        """There is one sample."""

    def stop(self) -> None:
        """It ends by itself."""

    def field(self, event: FieldEvent) -> None:
        """Hear what was decided of a field."""
        self._reason = event.reject_reason
        if event.kept:
            self.record.counted.add(event.index)

    def sample(self, event: SampleEvent) -> None:
        """Nothing is wanted of the sample."""

    def close(self) -> None:
        """Nothing is held open."""

    def discard(self) -> None:
        """Nothing was written."""

    def _fault(self, now: float) -> None:
        kind = next(self._kinds)
        self.record.faults.append(Told(kind, now, None))
        self._camera.command("fault", kind=kind, seconds=float(self._chance.uniform(*FAULT_S)))

    def _lost(self) -> Iterator[str]:
        """Words of each stretch without the camera that has ended."""
        for event in self._camera.events(after=self._last_event):
            self._last_event = event.number
            if event.trouble is not None:
                self._trouble = event.words
                if self.record.faults and self.record.faults[-1].after is None:
                    fault = self.record.faults[-1]
                    self.record.faults[-1] = Told(fault.kind, fault.at, event.at - fault.at)
            elif self._trouble:
                self.record.lost += 1
                yield f"camera lost for {event.seconds:.0f} s: {self._trouble}"

    def _handed(self, frame: Frame, index: int, quality: Quality) -> AnalysedField:
        truth = cast("Mapping[str, int]", frame.metadata["truth"])
        cells = sum(truth.get(name, 0) for name in _RED_CELLS)
        record = self.record
        record.handed[index], record.frames[index] = cells, frame.number
        record.places[index] = cast("tuple[float, float]", frame.metadata["virtual_stage"])
        if frame.number in self._camera.falsified:
            record.falsified[self._camera.falsified[frame.number]] += 1
        return AnalysedField(_result(index, cells, truth, frame, quality), began=0.0)


def run_day(hours: float, seed: int, book: Path, progress: Callable[[float], None]) -> DayRecord:
    """Let a day pass.

    Args:
        hours: simulated.
        seed: of the slide and of the faults.
        book: file that the sample is stored in.
        progress: called with the hours that have passed, once an hour.
    """
    camera = PressedCamera(CameraSpec("simulated", size=SIZE, seed=seed, controls={"hand_pace": PACE}))
    day = _Day(camera, hours, seed, progress)
    model = shelf.load(shelf.CLASSIFIER)
    card = Classifier(model).card
    line = ModelLine(card.name, model.sha256, "truth", model.card_sha256)
    with open_book(book, say) as opened:
        run = opened.begin_run(RunDescription(line, card, Bound(card.name, model.sha256, "truth")), {})
        Session(card, [day], Gate, book=opened.writer(run)).run(cast("Workers", day))
    camera.close()
    return day.record


def figures(record: DayRecord, book: Path) -> DayFigures:
    """Hold the record against the book."""
    booked: dict[int, int] = {}
    with open_book(book, say) as opened:
        row = opened.sample(SAMPLE)
        for outcome in opened.outcomes(row.id):
            if isinstance(outcome, AnalysedField):
                booked[outcome.result.index] = len(outcome.result.cells)
        tally = opened.tally(row.id)
    places = np.asarray([record.places[index] for index in sorted(record.counted)]).reshape(-1, 2)
    return DayFigures(
        fields=len(record.handed),
        counted=len(record.counted),
        cells=sum(record.handed[index] for index in record.counted),
        booked=sum(tally.counts.values()),
        differing=sum(booked.get(index) != cells for index, cells in record.handed.items()),
        twice=len(record.frames) - len(set(record.frames.values())),
        overlapping=_near_pairs(places),
    )


def say(words: str) -> None:
    """What the book has to say of itself."""
    sys.stderr.write(f"{words}\n")


def resident_mb() -> float:
    """Megabytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


def _near_pairs(places: np.ndarray) -> int:
    """Pairs of views, x and y in µm, that lie nearer than half a field."""
    width = 1280 / 66 * 7.5
    reach = np.asarray([width, width * 0.75]) * _NEAR
    near = 0
    for number, place in enumerate(places):
        near += int((np.abs(places[:number] - place) < reach).all(1).sum())
    return near


def _result(index: int, cells: int, truth: Mapping[str, int], frame: Frame, quality: Quality) -> FieldResult:
    """What an analysis that never errs makes of a frame; where the cells lie is not told."""
    infected = cells - truth.get(_RED_CELLS[0], 0)
    classes = np.zeros(cells, np.int32)
    classes[:infected] = 1
    boxes = np.stack([np.arange(cells) % 300, np.arange(cells) // 300, np.full(cells, 8), np.full(cells, 8)], 1)
    found = Cells(boxes.astype(np.int32), np.ones(cells, np.float32), np.zeros(cells, np.int32), (CELL,))
    shape = (frame.rgb.shape[0], frame.rgb.shape[1])
    scores = np.eye(2, dtype=np.float32)[classes]
    name = f"camera-{frame.number:07d}"
    return FieldResult(
        index, SAMPLE, name, shape, found, scores, classes, quality, Timings(0, 0, 0, 0, 0), frame.metadata
    )
