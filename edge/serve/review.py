"""The page "Review": a person looks at cells, and the answers go into the book through the desk, which alone writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

from edge.errors import BookError, OutputError, ReviewError
from edge.review.keys import ReaderChoice, choices_of
from edge.review.records import CellPlace, ReviewDesk, ReviewPlan
from edge.serve.bookreading import BookReader
from edge.serve.orders import BadOrderError
from edge.serve.reply import Reply, as_json, row_id, said
from edge.serve.review_orders import LONGEST_READER, ReviewAsk, review_ask
from edge.serve.review_queue import queue_of
from edge.serve.review_shown import (
    MOST_DIFFERENCES,
    choice_values,
    differences,
    hidden_words,
    queue_shown,
    verdict_shown,
)
from edge.serve.sessions import WebSession
from edge.verdict.review_records import ReviewedVerdict


@dataclass(frozen=True, slots=True)
class PictureLevel:
    """How much of its surroundings a picture of a cell shows; ``side``: its pixels; ``around``: in longer sides of the cell's box."""

    side: int
    around: float


LEVELS: Mapping[str, PictureLevel] = MappingProxyType(
    {
        "close": PictureLevel(640, 2.6),
        "near": PictureLevel(960, 8.0),
        "field": PictureLevel(1280, 24.0),
        "wide": PictureLevel(1280, 72.0),
    }
)
"""Pictures of a cell that the page asks for, from the cell alone to most of its field."""

_NO_BOOK = "this run keeps no book (--no-book)"


@dataclass(frozen=True, slots=True)
class ReviewParts:
    """What the page needs of a book to let people review.

    Attributes:
        desk: reads and writes answers.
        verdict: of a sample after review, by its row; None: there is none. Raises BookError.
    """

    desk: ReviewDesk
    verdict: Callable[[int], ReviewedVerdict | None]


class RenderPage(Protocol):
    """Fills a template: its name, whose page it is, its status, its values."""

    def __call__(self, template: str, session: WebSession | None, status: int = 200, **values: object) -> Reply:
        """The page."""
        ...


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ReviewSite:
    """Pages and answers to scripts about what people say of cells. Any thread may call it.

    Args:
        parts: desk and verdicts; None: the run keeps no book.
        book: what was counted.
        page: fills templates.
        stages: words that readers may add to the positive class.
        now: the time that answers carry.
    """

    def __init__(
        self,
        parts: ReviewParts | None,
        book: BookReader,
        page: RenderPage,
        stages: tuple[str, ...] = (),
        now: Callable[[], str] = _now,
    ) -> None:
        self._parts = parts
        self._book = book
        self._page = page
        self._stages = stages
        self._now = now

    def _open(self) -> ReviewParts:
        if self._parts is None:
            raise BookError(_NO_BOOK)
        return self._parts

    def _choices(self, plan: ReviewPlan) -> tuple[ReaderChoice, ...]:
        return choices_of(plan.labels, plan.positive, self._stages)

    # Pages

    def list_page(self, session: WebSession | None) -> Reply:
        """Which sample to review."""
        try:
            lines, _ = self._book.samples(None)
        except BookError as error:
            return self._page("reviews.html", session, here="/review", lines=[], failure=str(error))
        return self._page("reviews.html", session, here="/review", lines=lines, failure="")

    def sample_page(self, session: WebSession | None, sample: str) -> Reply:
        """The page on which a sample is reviewed; cells and answers come by script."""
        try:
            row = row_id(sample)
            line, _ = self._book.sample(row)
            plan = self._open().desk.plan(row)
        except BookError as error:
            return self._page("lost.html", session, 404, here="", words=str(error))
        shown = {"choices": [choice_values(one) for one in self._choices(plan)], "longest": LONGEST_READER}
        return self._page("review.html", session, here="/review", line=line, plan=plan, shown=shown)

    def verdict(self, row: int) -> dict[str, object] | None:
        """The verdict after review as a page shows it; None: nobody has looked at this sample. Raises BookError."""
        line, _ = self._book.sample(row)
        if self._parts is None or not line.reviewed:
            return None
        return verdict_shown(self._parts.verdict(row), line.flag, line.unit)

    # For scripts

    def answer(self, sample: str, body: bytes) -> Reply:
        """Put a reader's answers into the book, and say what comes next."""
        return self._asked(sample, body, self._answered)

    def differ(self, sample: str, body: bytes) -> Reply:
        """Cells that this reader and others answered differently."""
        return self._asked(sample, body, self._differing)

    def _asked(
        self, sample: str, body: bytes, made: Callable[[int, ReviewPlan, ReviewAsk], dict[str, object]]
    ) -> Reply:
        try:
            row = row_id(sample)
            plan = self._open().desk.plan(row)
            ask = review_ask(body, self._choices(plan), self._now())
            if ask.sample != plan.sample:
                return said(409, "That is another sample's page: load it again.")
            return as_json(made(row, plan, ask))
        except BadOrderError as error:
            return said(400, str(error))
        except BookError as error:
            return said(404, f"{error}.")
        except ReviewError as error:
            return said(409, f"{error}.")
        except OutputError as error:
            return said(503, f"{error}.")

    def _answered(self, row: int, plan: ReviewPlan, ask: ReviewAsk) -> dict[str, object]:
        desk = self._open().desk
        if ask.answers:
            desk.decide(row, ask.answers)
        told: dict[str, object] = {"taken": [one.uuid for one in ask.answers]}
        if ask.queue:
            verdict, readings = self._open().verdict(row), desk.readings(row)
            advised = None if verdict is None else verdict.next
            queue = queue_of(plan, readings, ask.reader, advised, blind=ask.blind, more=ask.more)
            hidden = "" if ask.done or not queue.left else hidden_words(readings, ask.reader, blind=ask.blind)
            flag = self._book.sample(row)[0].flag
            told |= queue_shown(plan, queue, blind=ask.blind)
            told |= {"hidden": hidden, "verdict": None if hidden else verdict_shown(verdict, flag, plan.unit)}
        return told

    def _differing(self, row: int, plan: ReviewPlan, ask: ReviewAsk) -> dict[str, object]:
        found = differences(plan, self._open().desk.readings(row), ask.reader)
        return {"cells": found[:MOST_DIFFERENCES], "n": len(found)}

    def picture(self, sample: str, cell: str, level: str) -> Reply:
        """A cell in its surroundings, a JPEG; 404: it is gone."""
        try:
            row, place, size = row_id(sample), CellPlace.parse(cell), LEVELS[level]
            found = self._open().desk.cell_picture(row, place, size.side, size.around)
        except (ValueError, KeyError):
            return said(404, "There is nothing here.")
        except BookError as error:
            return said(404, f"{error}.")
        if found is None:
            return said(410, "The picture of this cell is gone.")
        box = "" if found.box is None else ",".join(f"{value:.2f}" for value in found.box)
        return Reply(found.jpeg, media="image/jpeg", headers={"X-Box": box})
