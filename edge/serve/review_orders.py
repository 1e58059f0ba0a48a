"""What a page may say of a review: JSON of a request to answers, checked and bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from unicodedata import normalize

from edge.review.keys import ReaderChoice
from edge.review.records import CellPlace, ReaderAnswer, ReaderDecision, Stratum
from edge.serve.orders import BadOrderError, json_object

LONGEST_READER = 60
"""Letters of a reader's name."""

MOST_ANSWERS = 40
"""Answers in one request."""

_MOST_MORE = 1000  # times that a person may ask for more cells than are advised
_LONGEST_S = 86_400.0  # seconds over one cell that are believed
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{1,64}", re.ASCII)
_NOT_UNDERSTOOD = "The request is not understood."


@dataclass(frozen=True, slots=True)
class ReviewAsk:
    """A request of the page.

    Attributes:
        reader: who reads.
        sample: uuid of the sample that the page shows: a row's number may be another sample's in another book.
        blind: whether score and machine's class are to be hidden, and all parts mixed.
        done: the reader has finished, so that the verdict, to which others' answers belong, may be shown.
        more: how many times more cells than advised were asked for.
        queue: whether to say which cells come next.
        answers: oldest first.
    """

    reader: str
    sample: str
    blind: bool
    done: bool
    more: int
    queue: bool
    answers: tuple[ReaderDecision, ...]


def review_ask(body: bytes, choices: tuple[ReaderChoice, ...], now: str) -> ReviewAsk:
    """Read a request. Raises BadOrderError.

    Args:
        body: JSON.
        choices: answers that the sample's model has; any other one is refused.
        now: UTC, ISO 8601: what answers are dated with.
    """
    asked = json_object(body)
    reader, more, given = asked.get("reader"), asked.get("more", 0), asked.get("answers", [])
    sample, model = asked.get("sample"), asked.get("model")
    if not isinstance(reader, str) or not isinstance(sample, str) or not isinstance(model, str):
        raise BadOrderError(_NOT_UNDERSTOOD)
    reader = normalize("NFC", reader).strip()  # one name, however it was typed
    if not reader:
        raise BadOrderError("Say first who reads.")
    if len(reader) > LONGEST_READER or not reader.isprintable():
        raise BadOrderError(f"A reader's name must be printable and of at most {LONGEST_READER} letters.")
    if (
        not isinstance(more, int)
        or isinstance(more, bool)
        or not 0 <= more <= _MOST_MORE
        or not _SHA256.fullmatch(model)
    ):
        raise BadOrderError(_NOT_UNDERSTOOD)
    if not isinstance(given, list) or len(given) > MOST_ANSWERS:
        raise BadOrderError(_NOT_UNDERSTOOD)
    answers = tuple(_answer(one, reader, model, choices, now) for one in given)
    return ReviewAsk(reader, sample, _flag(asked, "blind"), _flag(asked, "done"), more, _flag(asked, "queue"), answers)


def _flag(asked: Mapping[str, object], key: str) -> bool:
    value = asked.get(key, False)
    if not isinstance(value, bool):
        raise BadOrderError(_NOT_UNDERSTOOD)
    return value


def _answer(given: object, reader: str, model: str, choices: tuple[ReaderChoice, ...], now: str) -> ReaderDecision:
    if not isinstance(given, dict):
        raise BadOrderError(_NOT_UNDERSTOOD)
    uuid, cell, part, reading = given.get("uuid"), given.get("cell"), given.get("part"), given.get("reading", 0)
    answer, label, stage = given.get("answer"), given.get("label", ""), given.get("stage", "")
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid) or not isinstance(cell, str):
        raise BadOrderError(_NOT_UNDERSTOOD)
    if not isinstance(answer, str) or not isinstance(label, str) or not isinstance(stage, str):
        raise BadOrderError(_NOT_UNDERSTOOD)
    if part not in list(Stratum) or reading not in (0, 1) or isinstance(reading, bool):
        raise BadOrderError(_NOT_UNDERSTOOD)
    known = {(one.answer.value, one.label, one.stage) for one in choices} | {(ReaderAnswer.WITHDRAWN.value, "", "")}
    if (answer, label, stage) not in known:
        raise BadOrderError("That is no answer to a cell of this sample: load the page again.")
    try:
        place = CellPlace.parse(cell)
    except ValueError as error:
        raise BadOrderError(f"{error}.") from error
    return ReaderDecision(
        uuid,
        place,
        reader,
        now,
        model,
        ReaderAnswer(answer),
        label,
        stage,
        int(reading),
        Stratum(str(part)),
        _flag(given, "blind"),
        _seconds(given.get("seconds")),
    )


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LONGEST_S:
        raise BadOrderError(_NOT_UNDERSTOOD)
    return round(float(value), 2)
