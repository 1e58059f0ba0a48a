"""Fields of every kind, counted into a book: kept, rejected, overlapping, unreadable, with masks, regions, hostile names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.book.book import Book
from edge.book.file import connect
from edge.book.opening import open_book
from edge.book.schema import make_tables, names
from edge.book.writer import BookWriter
from edge.description import ModelLine, RunDescription
from edge.events import AnalysedField, FieldEvent, Outcome, SampleEvent, Unreadable
from edge.overlap.register import Register
from edge.sample import Sample
from edge.types import (
    CELL,
    NOT_WHOLE,
    Appearance,
    Cells,
    FieldIdentity,
    FieldResult,
    FieldTypical,
    Quality,
    Region,
    Timings,
)
from edge.verdict.calibration import Bound
from edge.verdict.flag import decide
from tests.fakes import CARD, LABELS

ABOUT = RunDescription(
    ModelLine("fake", "ab" * 32, "fake-finder"),
    replace(CARD, accuracy={"auc": 0.99, "of": [1, 2]}, reference={"size": (10.0, None)}),
    Bound(CARD.name, "ab" * 32, "fake-finder", "1f", "c0", "scope-3"),
    settings=(("gate", "on"),),
)
BINDING = {"model": "fake abab", "gate": "on"}
HOSTILE = "<script>\x1b[2J\udcff'; DROP TABLE cell; --\u202e.png"


def field_of(
    index: int, sample: str = "s", *, cells: int = 30, name: str | None = None, shift: int = 0, masks: bool = False
) -> AnalysedField:
    """A field with everything on it; the same index gives the same field, ``shift`` moves its view of the slide in pixels."""
    rng = np.random.default_rng(index)
    slide = np.random.default_rng(99)  # one slide that all fields with the same shift see
    boxes = np.column_stack([slide.integers(0, 900, 400), slide.integers(0, 400, 400)]).astype(np.int32)
    boxes = boxes[(boxes[:, 0] >= shift) & (boxes[:, 0] < shift + 300)][:cells] - np.array([shift, 0], np.int32)
    n = len(boxes)
    sides = slide.integers(18, 22, (400, 2)).astype(np.int32)[:n]
    kind = (rng.random(n) < 0.1).astype(np.int32)
    scores = rng.random((n, 2), np.float32)
    scores[kind > 0] = 0
    classes = np.where(kind > 0, -1, scores.argmax(axis=1)).astype(np.int32)
    drawn = rng.random((n, 32, 32)) < 0.5 if masks else None
    found = Cells(
        np.hstack([boxes, sides]),
        rng.random(n, np.float32),
        kind,
        (CELL, "not-red-cell", NOT_WHOLE),
        None if drawn is None else drawn.astype(np.uint8) * np.uint8(255),
    )
    name = f"field-{index}.png" if name is None else name
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    look = Appearance(n, (1.0, 2.5, 1 / 3), (0.1, 0.2, 0.3), 20.25, 0.7, rng.integers(0, 9, 50).astype(np.int32))
    result = FieldResult(
        index,
        sample,
        name,
        (480, 640),
        found,
        scores,
        classes,
        Quality(float(rng.random()), 150.1, 0.1, 0.2, 0.3, rng.bytes(768), incomplete=bool(index % 2)),
        Timings(1.2, 0.1, 2 / 3, 0.5, 0.25),
        {"captured": 1700000000.125 + index, "stage_um": (1.5, 2.0), "truth": object(), "driver": "x"},
        Region(rng.random((5, 2), np.float32), 2.5) if index % 3 == 0 else None,
        look,
        FieldTypical(n, np.array([200, 201, 202], np.uint8), rng.integers(0, 255, (32, 32, 3)).astype(np.uint8)),
        FieldIdentity(f"/fields/{name}", 1000 + index, digest),
    )
    return AnalysedField(result, seconds=0.5 * (index + 1))


def mixed(n: int = 12, sample: str = "s") -> list[Outcome]:
    """Fields of one sample: each third overlaps the one before, one has no cell, one masks, one cannot be read, one is from 1970."""
    made: list[Outcome] = [field_of(i, sample, shift=(i // 3) * 310 + (i % 3 == 2) * 60) for i in range(n)]
    made[1] = field_of(1, sample, cells=0)
    made[3] = Unreadable(3, sample, HOSTILE, f"{HOSTILE}: not an image", None, None, 2.0)
    made[4] = field_of(4, sample, name=HOSTILE, masks=True)
    return made


class Counting:
    """What a session does, in short: every fourth field is rejected, cells of overlapping ones are set aside."""

    def __init__(self, name: str = "s", register: Callable[[], Register] = Register) -> None:
        self.sample = Sample(name, LABELS)
        self._register = register()

    def event(self, outcome: Outcome) -> FieldEvent:
        if isinstance(outcome, Unreadable):
            self.sample.add_unreadable(outcome.name, outcome.reason)
            why = f"unreadable: {outcome.reason}"
            told = (outcome.index, self.sample.name, outcome.name, None, None, why, self.sample.tally())
            return FieldEvent(*told, seconds=outcome.seconds or 0.0, identity=outcome.identity)
        result = outcome.result
        reason = f"same view as field {result.index - 1}" if result.index % 4 == 2 else None
        decided, overlaps = (result, ()) if reason else self._register.place(result)
        self.sample.add(decided, reason)
        told_of = (result.index, self.sample.name, result.name, decided, None, reason, self.sample.tally(), overlaps)
        return FieldEvent(*told_of, result, outcome.seconds or 0.0, result.identity)

    def end(self, *, interrupted: bool = False) -> SampleEvent:
        tally = self.sample.tally()
        verdict, look = decide(tally, CARD), self.sample.appearance()
        return SampleEvent(tally, verdict, 7.5, True, look, ("A note.",), interrupted)


def write(
    writer: BookWriter, outcomes: Sequence[Outcome], *, end: bool = True, interrupted: bool = False
) -> list[FieldEvent]:
    """Count fields of one sample into a book."""
    first = outcomes[0]
    counting = Counting(first.result.sample if isinstance(first, AnalysedField) else first.sample)
    events = []
    for outcome in outcomes:
        events.append(counting.event(outcome))
        writer.field(events[-1])
    if end:
        writer.sample(counting.end(interrupted=interrupted))
    return events


FIRST = Path(__file__).with_name("version1.sql")
"""A book of version 1, as the program wrote it that knew no answers."""


def first_version(path: Path) -> Path:
    """Make a book of version 1."""
    connection = connect(None)
    connection.executescript(FIRST.read_text())
    connection.execute("VACUUM INTO ?", (str(path),))
    connection.close()
    return path


def second_version(path: Path, book: Path) -> Path:
    """Make a book of version 2 that holds what another one holds: the same rows without a journal."""
    path.touch()
    connection = connect(path)
    make_tables(connection, 2)
    connection.execute("ATTACH ? AS whole", (str(book),))
    for name in names(2):
        connection.execute(f"INSERT INTO {name} SELECT * FROM whole.{name}")
    connection.close()
    return path


def silent(_: str) -> None:
    """Say nothing."""


def a_book(path: Path | None = None) -> Book:
    return open_book(path, silent)


def begun(book: Book) -> BookWriter:
    return book.writer(book.begin_run(ABOUT, BINDING))


def plain(value: Any) -> Any:
    """Records and arrays as something that ``==`` compares exactly: dtype, shape and bytes."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if type(one) is not object}
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value


def rows_of(book: Book) -> Iterator[tuple[Any, ...]]:
    """All that was counted, whatever its ids and times."""
    names = {row.id: (row.name, row.uuid) for row in book.samples()}
    for sample in sorted(names, key=lambda one: names[one]):
        for row in book.field_rows(sample):
            yield (names[sample][1], *row.values.values(), row.checksum, row.seconds)
