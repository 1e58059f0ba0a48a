"""Answers of readers about the samples of ``tests.book.made``."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from edge.answers import CellPlace, ReaderAddition, ReaderAnswer, ReaderDecision
from edge.book.book import Book
from tests.book.made import ABOUT

_SPACE = UUID(int=7)
AT = "2026-11-30T08:00:00Z"


def uuid_of(*what: object) -> str:
    """The same words give the same uuid."""
    return str(uuid5(_SPACE, " ".join(map(str, what))))


def decided(cell: str, label: str = "parasitized", reader: str = "Ada", **changed: object) -> ReaderDecision:
    """An answer; ``label``: a class, or one of the other answers."""
    others = {one.value: one for one in ReaderAnswer if one is not ReaderAnswer.CLASS}
    answer = others.get(label, ReaderAnswer.CLASS)
    named = label if answer is ReaderAnswer.CLASS else ""
    uuid = uuid_of(cell, label, reader, changed)
    made = ReaderDecision(uuid, CellPlace.parse(cell), reader, AT, ABOUT.model.sha256, answer, named)
    return replace(made, **changed)  # type: ignore[arg-type]


def marked(field: int, box: tuple[int, int, int, int] = (600, 440, 20, 21), **changed: object) -> ReaderAddition:
    """A mark where the machine has nothing."""
    uuid = uuid_of("mark", field, box, changed)
    made = ReaderAddition(uuid, field, box, "Ada", AT, ABOUT.model.sha256, "parasitized")
    return replace(made, **changed)  # type: ignore[arg-type]


def counted(book: Book, sample: int) -> list[str]:
    """Places of the cells that count."""
    query = (
        "SELECT number, n FROM field JOIN cell ON field_id = field.id "
        "WHERE sample_id = ? AND reason IS NULL AND class >= 0 AND NOT seen ORDER BY number, n"
    )
    return [f"{field}-{n}" for field, n in book.store.rows(query, sample)]
