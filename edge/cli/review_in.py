"""What comes back to a sample: answers of an expert's page, or another program's corrections. All of a file or none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from edge.book.book import Book
from edge.book.records import SampleRow
from edge.book.reviews import SentBundle
from edge.book.store import now
from edge.cli.exchanged import ExchangeWish, reviewed_of, sample_of
from edge.cli.review_settings import ReviewInSettings
from edge.errors import ReviewError
from edge.exchange.formats import FORMATS, kind_of
from edge.exchange.records import Corrections
from edge.review.bundle_answers import SOURCE, BundleAnswers, decisions_of, holds_answers, read_answers
from edge.review.consensus import standing, standing_marks
from edge.review.corrections import (
    AnswerWords,
    FileAnswers,
    FileReading,
    answers_of,
    new_additions,
    new_decisions,
)
from edge.review.desk import BookDesk
from edge.review.matching import matched
from edge.review.plan import SampleCells, planned
from edge.review.records import CellPlace, ReaderDecision, ReviewPlan, Stratum


@dataclass(frozen=True, slots=True)
class AnswersTaken:
    """What a file held, and what of it is new.

    Attributes:
        file, kind: of it; ``reader``: whose answers they are.
        answers: about cells; ``said``: how many of each.
        new: answers that were not in the book; ``marks``: cells that the machine has not, ``new_marks`` of them new.
        same: boxes that came back as they went out and say nothing.
        removed: of ``answers``, boxes that the reader removed.
        passed: things that were not counted and are not to be.
        taken: they are in the book now; False: ``--check``.
    """

    file: str
    kind: str
    reader: str
    answers: int
    said: dict[str, int]
    new: int
    marks: int
    new_marks: int
    same: int
    removed: int
    passed: int
    taken: bool


def take_answers(book: Book, row: SampleRow, back: ReviewInSettings, stages: tuple[str, ...]) -> AnswersTaken:
    """Take answers out of a file into the book.

    Raises:
        ReviewError: the file does not fit the sample.
        OutputError: the book cannot be written.
    """
    file = back.import_
    if file is None:
        raise ReviewError("nothing is to be read")
    known = SampleCells.read(book, row)
    plan = planned(book, known)
    if holds_answers(file):
        kind = SOURCE
        answers = read_answers(file)
        reader = _reader(file, back.reader, answers.reader)
        cells = _cells_of(book, row, answers)
        parts = {cell: part for cell in cells.values() if (part := known.stratum(cell))}
        found = FileAnswers(decisions_of(answers, cells, plan, reader, parts), (), 0, 0, 0)
        _check_whose(book, row, file, found.decisions)
    else:
        kind = kind_of(file)
        reading = FORMATS[kind].read
        if reading is None:
            raise ReviewError(f"{file}: {kind} holds no answers that could be read back")
        corrections = reading(file)
        reader = _reader(file, back.reader, corrections.reader)
        found = _corrected(book, row, corrections, (known, plan, reader, stages, back))
    return _into(book, row, found, (file, kind, reader), taken=not back.check)


def _corrected(
    book: Book,
    row: SampleRow,
    corrections: Corrections,
    how: tuple[SampleCells, ReviewPlan, str, tuple[str, ...], ReviewInSettings],
) -> FileAnswers:
    known, plan, reader, stages, back = how
    wish = ExchangeWish(reviewed=reviewed_of(book, row))  # as edge export sends it
    beside = matched(corrections, sample_of(book, row, wish)[1], plan.model)
    cells = [one.cell.cell for one in beside.boxes if one.cell is not None and one.cell.counted]
    places = [*map(CellPlace.parse, cells), *beside.left]
    parts: dict[CellPlace, Stratum] = {cell: part for cell in places if (part := known.stratum(cell))}
    sent = tuple(
        frozenset(map(CellPlace.parse, one.names.values())) for one in book.bundles(row.id) if one.kind != "html"
    )
    words = AnswerWords(plan, stages, keys=corrections.source == "csv")
    reading = FileReading(words, reader, now(), parts, back.agree, back.removed, sent)
    return answers_of(corrections, beside, reading)


def _into(book: Book, row: SampleRow, found: FileAnswers, whose: tuple[Path, str, str], *, taken: bool) -> AnswersTaken:
    new = new_decisions(found.decisions, _standing(book, row))
    marks = new_additions(found.additions, standing_marks(book.additions(row.id)))
    if book.store.path is not None and taken:
        BookDesk(book.store.path).answer(row.id, new, marks)
    said = Counter(one.label or str(one.answer) for one in found.decisions)
    told = (len(found.decisions), dict(said.most_common()), len(new), len(found.additions), len(marks))
    file, kind, reader = whose
    return AnswersTaken(str(file), kind, reader, *told, found.same, found.removed, found.passed, taken)


def _standing(book: Book, row: SampleRow) -> tuple[ReaderDecision, ...]:
    return tuple(one for answers in standing(book.decisions(row.id)).values() for one in answers)


def _cells_of(book: Book, row: SampleRow, answers: BundleAnswers) -> dict[str, CellPlace]:
    """What the names in a bundle stand for; raises ReviewError where it went out of another sample."""
    for one in book.bundles(row.id):
        if one.uuid == answers.bundle:
            return _places(one)
    for other in book.samples():
        if any(one.uuid == answers.bundle for one in book.bundles(other.id)):
            count = f" --count {other.count}" if other.count > 1 or other.name == row.name else ""
            raise ReviewError(
                f"{answers.file}: answers about another sample: edge review {quote(other.name)}{count} --import"
            )
    raise ReviewError(
        f"{answers.file}: answers to a bundle that this book did not send out: which book did? --book FILE"
    )


def _places(sent: SentBundle) -> dict[str, CellPlace]:
    return {name: CellPlace.parse(place) for name, place in sent.names.items()}


def _check_whose(book: Book, row: SampleRow, file: Path, given: tuple[ReaderDecision, ...]) -> None:
    """A file taken twice under two names would look like two readers who agree on everything."""
    known = {one.uuid: one.reader for one in book.decisions(row.id)}
    for one in given:
        if known.get(one.uuid, one.reader) != one.reader:
            raise ReviewError(f"{file}: its answers are in the book already, as those of {known[one.uuid]}")


def _reader(file: Path, given: str | None, told: str) -> str:
    reader = (given or told).strip()
    if not reader:
        raise ReviewError(f"{file}: does not say who answered: --reader NAME")
    return reader
