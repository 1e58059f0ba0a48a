"""Whether answers fit the sample they are given for: each is looked at before any of them is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from uuid import UUID

from edge.answers import CellPlace, ReaderAddition, ReaderAnswer, ReaderDecision
from edge.book.store import Store
from edge.errors import BookError, ReviewError

LONGEST = 60
"""Characters of a reader's name, a label, a stage, the name of a source."""

_READINGS = 1000  # a higher one is a mistake
_DAY = 86_400.0  # seconds: an answer that took longer says nothing of how long one takes
_LARGEST = 10**6  # pixels
_STAMP = 40  # characters of a time


class AnswerChecks:
    """Of answers to one sample. Raises BookError where there is none, or its run makes no sense."""

    def __init__(self, store: Store, sample: int) -> None:
        query = "SELECT run_id, about FROM sample JOIN run ON run.id = run_id WHERE sample.id = ?"
        row = store.row(query, sample)
        if row is None:
            raise BookError(f"the book holds no sample of number {sample}")
        try:
            about = json.loads(row["about"])
            self._model, self._labels = str(about["model"]["sha256"]), tuple(map(str, about["card"]["labels"]))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BookError(f"{store.path}: the run of a sample makes no sense: edge book check") from error
        self._store = store
        self._sample = sample

    def all(self, given: Sequence[ReaderDecision], marks: Sequence[ReaderAddition]) -> None:
        """Raise ReviewError for the first that cannot be."""
        for one in given:
            self._common(one, str(one.cell))
            self._decision(one)
        for mark in marks:
            self._common(mark, f"a mark in field {mark.field}")
        self._counted({one.cell for one in given})
        self._inside(marks)

    def _common(self, one: ReaderDecision | ReaderAddition, where: str) -> None:
        try:
            canonical = str(UUID(one.uuid)) == one.uuid
        except (ValueError, AttributeError):
            canonical = False
        if not canonical:
            raise ReviewError(f"{where}: an answer needs a UUID of its own, as 123e4567-e89b-42d3-a456-426614174000")
        if not one.reader.strip():
            raise ReviewError(f"{where}: who answers? A reader needs a name")
        texts = {"reader": one.reader, "class": one.label, "stage": one.stage, "source": one.source}
        for what, text in texts.items():
            if len(text) > LONGEST or not text.isprintable() or text != text.strip():
                raise ReviewError(f"{where}: {what} {text[:20]!r}: at most {LONGEST} printable characters")
        if one.model != self._model:
            raise ReviewError(
                f"{where}: answered for another model ({one.model[:12]!r}) than the one that counted this sample "
                f"({self._model[:12]}): choose the count that it counted (--count)"
            )
        if len(one.at) > _STAMP or not _is_time(one.at):
            raise ReviewError(f"{where}: {one.at[:20]!r} is no time: 2026-11-30T08:00:00Z")
        wanted = isinstance(one, ReaderAddition) or one.answer is ReaderAnswer.CLASS
        if wanted and one.label not in self._labels:
            raise ReviewError(f"{where}: {one.label!r} is no class of the model: {', '.join(self._labels)}")

    @staticmethod
    def _decision(one: ReaderDecision) -> None:
        if one.label and one.answer is not ReaderAnswer.CLASS:
            raise ReviewError(f"{one.cell}: the answer {one.answer} has no class beside it")
        if not 0 <= one.reading < _READINGS:
            raise ReviewError(f"{one.cell}: there is no reading {one.reading}")
        if one.seconds is not None and not (isfinite(one.seconds) and 0 <= one.seconds <= _DAY):
            raise ReviewError(f"{one.cell}: {one.seconds:g} s is no time that an answer takes")

    def _counted(self, places: set[CellPlace]) -> None:
        """Every cell is in the book and counts."""
        query = (
            "SELECT n, class >= 0 AND NOT seen AND reason IS NULL FROM field JOIN cell ON field_id = field.id "
            "WHERE sample_id = ? AND number = ?"
        )
        for field in sorted({place.field for place in places}):
            there = dict(tuple(row) for row in self._store.rows(query, self._sample, field))
            for place in sorted(place for place in places if place.field == field):
                if place.n not in there:
                    raise ReviewError(f"there is no cell {place} in this sample: it has to be the same count (--count)")
                if not there[place.n]:
                    raise ReviewError(f"{place} is not counted (set aside, or its field is): it cannot be answered")

    def _inside(self, marks: Sequence[ReaderAddition]) -> None:
        """Every mark is in a field that counts, and inside its picture."""
        query = "SELECT width, height, reason, readable FROM field WHERE sample_id = ? AND number = ?"
        for mark in marks:
            row = self._store.row(query, self._sample, mark.field)
            if row is None or not row["readable"] or row["reason"] is not None:
                raise ReviewError(f"field {mark.field} is not there or does not count: nothing can be marked in it")
            x, y, w, h = mark.box
            small = 0 < w < _LARGEST and 0 < h < _LARGEST
            if not (small and x >= 0 and y >= 0 and x + w <= row["width"] and y + h <= row["height"]):
                size = f"{row['width']} x {row['height']}"
                raise ReviewError(f"field {mark.field}: box {x}, {y}, {w}, {h} is not inside its {size} pixels")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
