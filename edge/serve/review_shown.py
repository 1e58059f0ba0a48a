"""What a page shows of a review: all words are made here, the script only puts them in place."""

from __future__ import annotations

from collections.abc import Sequence

from edge.review.keys import ReaderChoice
from edge.review.order import draw_key
from edge.review.records import (
    CellPlace,
    CellReading,
    ReaderAnswer,
    ReaderDecision,
    ReviewCell,
    ReviewPlan,
    Stratum,
)
from edge.serve.phrases import many, percent
from edge.serve.review_queue import QueuedCell, ReaderQueue, standing_of
from edge.types import Interval
from edge.verdict.review_records import NOT_REVIEWED, ReviewedVerdict

MOST_DIFFERENCES = 100
"""Cells on which readers differ that a page shows."""

_PARTS = {
    Stratum.TOP: "suspect",
    Stratum.SUSPECTS: "suspect, drawn at random",
    Stratum.NEAR: "just below the threshold",
    Stratum.REST: "drawn at random from the others",
}
_MOST_MINE = 400  # of a reader's own answers that a page gets, newest ones


def queue_shown(plan: ReviewPlan, queue: ReaderQueue, *, blind: bool) -> dict[str, object]:
    """A reader's queue as JSON values; with ``blind`` nothing tells what the machine says."""
    cells = cells_of(plan)
    return {
        "cells": [_cell(one, blind=blind) for one in queue.cells],
        "left": queue.left,
        "progress": _progress(plan, queue),
        "share": queue.answered / max(1, queue.answered + queue.left),
        "mine": [_mine(cells[one.cell], one, blind=blind) for one in queue.mine[-_MOST_MINE:] if one.cell in cells],
    }


def _cell(shown: QueuedCell, *, blind: bool) -> dict[str, object]:
    cell = shown.cell
    made: dict[str, object] = {
        "cell": str(cell.cell),
        "reading": shown.reading,
        "box": list(cell.box),
        "part": str(cell.stratum),
        "words": "" if blind else f"{_PARTS[cell.stratum]}: {cell.label}, score {cell.score:.4f}",
    }
    return made


def _mine(cell: ReviewCell, one: ReaderDecision, *, blind: bool) -> dict[str, object]:
    said = {"answer": str(one.answer), "label": one.label, "stage": one.stage}
    return {**_cell(QueuedCell(cell), blind=blind), "said": said}


def cells_of(plan: ReviewPlan) -> dict[CellPlace, ReviewCell]:
    """All cells that can be shown, by their place."""
    return {cell.cell: cell for part in plan.parts for cell in part.cells}


def _progress(plan: ReviewPlan, queue: ReaderQueue) -> str:
    top = next((part for part in plan.parts if part.stratum is Stratum.TOP), None)
    others = queue.answered - queue.suspects
    if top is None or not top.size:
        return f"No suspect; {many(others, plan.unit)} read"
    return f"{queue.suspects} of {many(top.size, 'suspect')}, {many(others, 'other')} read"


def answer_words(one: ReaderDecision) -> str:
    """What a reader said, in words."""
    if one.answer is ReaderAnswer.CLASS:
        return f"{one.label}, {one.stage}" if one.stage else one.label
    return {"no cell": "not a cell", "unsure": "cannot tell"}.get(str(one.answer), str(one.answer))


def verdict_shown(verdict: ReviewedVerdict | None, machine: str, unit: str) -> dict[str, object] | None:
    """The reviewed verdict as JSON values; None: there is none.

    Args:
        verdict: after review.
        machine: the machine's flag, empty: the sample has not ended.
        unit: ``cell`` or ``tile``.
    """
    if verdict is None:
        return None
    looked = many(verdict.looked, unit)
    return {
        "flag": verdict.flag,
        "machine": machine or "none yet",
        "reasons": list(verdict.reasons),
        "confirmed": f"{verdict.confirmed:,} confirmed of {looked} looked at",
        "share": "" if verdict.flag == NOT_REVIEWED else _interval(verdict.share, "positive"),
        "short": short_words(verdict, unit),
        "readers": [
            f"{one.reader}, {many(one.cells, unit)} read twice: {_interval(one.sensitivity, 'sensitivity')},"
            f" {_interval(one.specificity, 'specificity')}"
            for one in verdict.readers
        ],
    }


def _interval(share: Interval, of: str) -> str:
    span = f"{percent(share.low)} to {percent(share.high)}"
    return (
        f"{span} {of} (95\u00a0% interval)"
        if share.value is None
        else f"{percent(share.value)} {of} (95\u00a0% interval {span})"
    )


def hidden_words(readings: Sequence[CellReading], reader: str, *, blind: bool) -> str:
    """Why a reader does not see the verdict yet; empty: it may be seen. Others' answers are in it, and what the machine says."""
    if any(one.reader != reader for one in standing_of(readings)):
        return "Somebody else has read this sample too: the verdict is shown when you are done."
    return "Blind: the verdict is shown when you are done." if blind else ""


def short_words(verdict: ReviewedVerdict, unit: str) -> str:
    """What is still to be looked at: ``Look at 14 more cells and it is decided.``"""
    if verdict.short:
        return f"Look at {verdict.short:,} more {unit}{'' if verdict.short == 1 else 's'} and it is decided."
    if verdict.flag in ("positive", "negative"):
        return "Decided: you may stop here."
    advised = sum(verdict.next.values())
    return f"Next: {many(advised, unit)}." if advised else ""


def differences(plan: ReviewPlan, readings: Sequence[CellReading], reader: str) -> list[dict[str, object]]:
    """Cells that this reader and others answered differently; others' answers to cells it has not read stay hidden."""
    cells = cells_of(plan)
    made = list[dict[str, object]]()
    for reading in sorted(readings, key=lambda one: draw_key(one.cell)):
        first = [one for one in standing_of([reading]) if one.reading == 0]
        said = {(one.answer, one.label) for one in first}
        if len(said) < 2 or reading.cell not in cells or all(one.reader != reader for one in first):
            continue
        shown = _cell(QueuedCell(cells[reading.cell]), blind=True)
        others = [f"{one.reader}: {answer_words(one)}" for one in first]
        made.append({**shown, "others": others})
    return made


def choice_values(choice: ReaderChoice) -> dict[str, object]:
    """An answer's button."""
    tone = "positive" if choice.positive else "class" if choice.answer is ReaderAnswer.CLASS else "other"
    return {
        "key": choice.key,
        "answer": str(choice.answer),
        "label": choice.label,
        "stage": choice.stage,
        "words": choice.words,
        "tone": tone,
    }
