"""Answers to a bundle as they come back: a small JSON file from anywhere, and what it says of the sample's cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from edge.checked_json import headed, items, mapping, maybe, read_json, text
from edge.errors import ReviewError
from edge.review.records import CellPlace, ReaderAnswer, ReaderDecision, ReviewPlan, Stratum

FORMAT = "edge-review-answers"
VERSION = 1  # of the file
SOURCE = "bundle"
LONGEST = 60
"""Characters of a name, a class or a stage."""

_HEAD_BYTES = 1000  # of a file, in which its format stands
_MOST_SECONDS = 3600.0  # for one answer
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True, slots=True)
class BundleAnswer:
    """One answer of the file: ``name`` is the bundle's for the cell; the rest as in ``ReaderDecision``."""

    name: str
    uuid: str
    answer: ReaderAnswer
    label: str
    stage: str
    blind: bool
    seconds: float | None
    at: str


@dataclass(frozen=True, slots=True)
class BundleAnswers:
    """A file of answers; ``bundle``: uuid of the bundle it answers; ``reader``: as he or she typed it."""

    file: Path
    bundle: str
    reader: str
    answers: tuple[BundleAnswer, ...]


def holds_answers(path: Path) -> bool:
    """Whether a file says of itself that it holds answers to a bundle; raises ReviewError where it cannot be read."""
    if path.is_dir():
        return False
    try:
        with path.open("rb") as stream:
            return FORMAT.encode() in stream.read(_HEAD_BYTES)
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_answers(path: Path) -> BundleAnswers:
    """Read a file of answers; raises ReviewError in one line."""
    try:
        top = headed(read_json(path), FORMAT, VERSION, "save the answers anew with the page they belong to")
        answers = tuple(_answer(one) for one in items(top.get("answers"), "its list of answers"))
        _check_once(answers)
        return BundleAnswers(
            path, _uuid(top.get("bundle"), "its bundle"), _short(top.get("reader"), "its reader"), answers
        )
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ReviewError(f"{path}: holds no answers to a bundle: {why}") from error


def decisions_of(
    given: BundleAnswers,
    names: Mapping[str, CellPlace],
    plan: ReviewPlan,
    reader: str,
    parts: Mapping[CellPlace, Stratum],
) -> tuple[ReaderDecision, ...]:
    """What the answers say of the sample's cells.

    Args:
        given: the file.
        names: of the bundle, in the order they were shown.
        plan: of the sample.
        reader: whose answers they are.
        parts: which part each of those cells is in.

    Raises:
        ReviewError: an answer to a cell that the bundle has not, or of a class that the sample has not.
    """
    readings = dict(_readings(names))
    made = []
    for one in given.answers:
        cell = names.get(one.name)
        if cell is None:
            raise ReviewError(f"{given.file}: answers a cell that is not in its bundle: {one.name[:20]!r}")
        if one.answer is ReaderAnswer.CLASS and one.label not in plan.labels:
            raise ReviewError(f"{given.file}: {one.label!r} is no class of this sample: {', '.join(plan.labels)}")
        made.append(
            ReaderDecision(
                *(one.uuid, cell, reader, one.at, plan.model, one.answer, one.label, one.stage, readings[one.name]),
                *(parts.get(cell, Stratum.REST), one.blind, one.seconds, SOURCE),
            )
        )
    return tuple(made)


def _readings(names: Mapping[str, CellPlace]) -> Iterator[tuple[str, int]]:
    """Which reading of its cell each name stands for: the first one shown is 0."""
    times: dict[CellPlace, int] = {}
    for name, cell in names.items():
        yield name, times.get(cell, 0)
        times[cell] = times.get(cell, 0) + 1


def _answer(raw: Any) -> BundleAnswer:
    one = mapping(raw, "an answer")
    said = one.get("answer")
    if said not in [known.value for known in ReaderAnswer]:
        raise ValueError(f"an answer is none of: {', '.join(ReaderAnswer)}")
    answer = ReaderAnswer(said)
    classed = answer is ReaderAnswer.CLASS
    at = text(one.get("at"), "the time of an answer")
    if not _TIME.fullmatch(at):
        raise ValueError("the time of an answer is not of the form 2026-11-01T08:00:00Z")
    return BundleAnswer(
        _short(one.get("id"), "the id of an answer"),
        _uuid(one.get("uuid"), "the uuid of an answer"),
        answer,
        _short(one.get("label"), "the class of an answer") if classed else "",
        _short(one.get("stage"), "the stage of an answer") if classed else "",
        _truth(one.get("blind"), "blind"),
        maybe(one.get("seconds"), "the seconds of an answer", 0.0, _MOST_SECONDS),
        at,
    )


def _check_once(answers: Sequence[BundleAnswer]) -> None:
    if min(len({one.name for one in answers}), len({one.uuid for one in answers})) < len(answers):
        raise ValueError("it answers a cell twice")


def _short(value: Any, what: str) -> str:
    told = text(value, what)
    if len(told) > LONGEST:
        raise ValueError(f"{what} is longer than {LONGEST} characters")
    return told


def _uuid(value: Any, what: str) -> str:
    try:
        return str(UUID(text(value, what)))
    except ValueError:
        raise ValueError(f"{what} is not a uuid") from None


def _truth(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{what} is not true or false")  # noqa: TRY004 - the file is wrong, not the caller
    return value
