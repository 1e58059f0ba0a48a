"""What a file of corrections says, as answers: which box is an answer, and to what.

A box that came back as it went out says nothing by itself: programs hand back what nobody looked at. It counts as agreement only
where the person who brings the file says that all of it was looked at. A row of a table with an answer in it is an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID, uuid5

from edge.boxes import pairs_of_boxes
from edge.errors import ReviewError
from edge.exchange.naming import NO_CELL, UNSURE, category_of
from edge.exchange.records import CorrectedCell, Corrections
from edge.review.keys import choices_of
from edge.review.matching import Matched, MatchedBox, corners, pixel_box
from edge.review.records import (
    Box,
    CellPlace,
    ReaderAddition,
    ReaderAnswer,
    ReaderDecision,
    ReviewPlan,
    Stratum,
)
from edge.words import is_set_aside

EXPLICIT = ("csv", "ecotaxa")
"""Kinds of files that hold nothing but answers of people."""

_OF_FILES = UUID("0f6c3d52-3b0e-5c0b-9d55-4b1f0a4f7a10")  # names answers of files: the same file gives the same uuids
_FEW = 10  # cells that may be missing in any file


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """What words in a file mean.

    Args:
        plan: of the sample: its classes.
        stages: words that may stand for a stage of the positive class.
        keys: take the page's keys for answers too, as people type them into tables.
    """

    plan: ReviewPlan
    stages: tuple[str, ...] = ()
    keys: bool = False

    def said(self, came: CorrectedCell, where: str) -> tuple[ReaderAnswer, str, str]:
        """Answer, class and stage of a thing of a file; raises ReviewError for a word that means nothing here."""
        word, folded, labels = came.label, came.label.casefold(), self.plan.labels
        same = [label for label in labels if word == label] or [one for one in labels if folded == one.casefold()]
        if len(same) == 1:
            return ReaderAnswer.CLASS, same[0], came.stage
        if folded == NO_CELL or is_set_aside(word):
            return ReaderAnswer.NO_CELL, "", ""
        if folded == UNSURE:
            return ReaderAnswer.UNSURE, "", ""
        stages = [stage for stage in self.stages if folded == stage.casefold()]
        if stages and len(self.plan.positive) == 1:
            return ReaderAnswer.CLASS, self.plan.positive[0], stages[0]
        for choice in choices_of(labels, self.plan.positive, self.stages) if self.keys else ():
            if folded in (choice.key, choice.words):
                return choice.answer, choice.label, choice.stage or came.stage
        known = ", ".join((*labels, *self.stages, NO_CELL, UNSURE))
        raise ReviewError(f"{where}: {word[:40]!r} means nothing here: {known} (or a stage: --stages)")


@dataclass(frozen=True, slots=True)
class FileAnswers:
    """What a file says of a sample, before anything of it is in a book.

    Attributes:
        decisions: answers about counted cells.
        additions: cells that the machine has not.
        same: boxes that came back as they went out and say nothing.
        removed: of ``decisions``, boxes that somebody removed.
        passed: things that are neither: not counted before and not afterwards.
    """

    decisions: tuple[ReaderDecision, ...]
    additions: tuple[ReaderAddition, ...]
    same: int
    removed: int
    passed: int


@dataclass(frozen=True, slots=True)
class FileReading:
    """How a file is read.

    Attributes:
        words: what its words mean.
        reader: whose answers they are.
        at: now, UTC, ISO 8601.
        parts: which part each counted cell is in.
        agree: boxes that came back as they went out were looked at.
        removed: cells that are missing were removed by the reader, however many.
        sent: the cells of each export that went out of this sample, oldest first.
    """

    words: AnswerWords
    reader: str
    at: str
    parts: Mapping[CellPlace, Stratum]
    agree: bool = False
    removed: bool = False
    sent: tuple[frozenset[CellPlace], ...] = ()


def answers_of(corrections: Corrections, found: Matched, reading: FileReading) -> FileAnswers:
    """What a file says.

    Args:
        corrections: the file.
        found: it beside its sample.
        reading: how to read it.

    Raises:
        ReviewError: a word in it means nothing, a cell is answered twice, or most of the cells are missing.
    """
    made = _Answers(corrections, reading)
    for box in found.boxes:
        made.box(box)
    removed = _removed(corrections.file.name, found, reading)
    for cell in removed:
        made.decide(cell, ReaderAnswer.NO_CELL, "", "")
    return FileAnswers(tuple(made.decisions.values()), tuple(made.additions), made.same, len(removed), made.passed)


class _Answers:
    """Gathers the answers of a file."""

    def __init__(self, corrections: Corrections, reading: FileReading) -> None:
        self._corrections, self._reading = corrections, reading
        self._digest = sha256(corrections.file.read_bytes()).hexdigest() if corrections.file.is_file() else ""
        self._all = reading.agree or corrections.source in EXPLICIT
        self.decisions: dict[CellPlace, ReaderDecision] = {}
        self.additions: list[ReaderAddition] = []
        self.same = self.passed = 0

    def box(self, one: MatchedBox) -> None:
        """Take in one thing of the file."""
        where = f"{self._corrections.file.name}: field {one.field.index}"
        answer, label, stage = self._reading.words.said(one.came, where)
        if one.cell is not None and one.cell.counted:
            # It went out as the machine has it, or with what had been answered by then.
            by_machine = category_of(replace(one.cell, reviewed="", stage=""))
            went = ((by_machine, ""), (category_of(one.cell), one.cell.stage))
            if not self._all and (one.came.label, one.came.stage) in went:
                self.same += 1
            else:
                self.decide(CellPlace.parse(one.cell.cell), answer, label, stage)
            return
        box = one.came.box if one.cell is None or one.came.box is not None else one.cell.box
        here = None if box is None else pixel_box(box, one.field)
        if answer is not ReaderAnswer.CLASS or here is None:
            self.passed += 1
            return
        told = (self._reading.reader, self._reading.at, self._reading.words.plan.model, label, stage)
        uuid = self._uuid(f"{one.field.index} {here} {label} {stage}")
        self.additions.append(ReaderAddition(uuid, one.field.index, here, *told, self._corrections.source))

    def decide(self, cell: CellPlace, answer: ReaderAnswer, label: str, stage: str) -> None:
        """Take in an answer to a counted cell; raises ReviewError where there is one already."""
        if cell in self.decisions:
            raise ReviewError(f"{self._corrections.file.name}: answers cell {cell} twice")
        reading = self._reading
        part = reading.parts.get(cell, Stratum.REST)
        told = (self._uuid(f"{cell} {answer} {label} {stage}"), cell, reading.reader, reading.at)
        model, source = reading.words.plan.model, self._corrections.source
        self.decisions[cell] = ReaderDecision(*told, model, answer, label, stage, 0, part, source=source)

    def _uuid(self, what: str) -> str:
        told = (self._reading.words.plan.sample, self._reading.reader, self._digest, what)
        return str(uuid5(_OF_FILES, "\n".join(told)))


def _removed(file: str, found: Matched, reading: FileReading) -> list[CellPlace]:
    """Cells that went out and did not come back: of the newest export that holds all that came, else all of those fields.

    A whole sample of which most is missing was cut, not corrected: it is refused, unless the reader says so.
    """
    came = {CellPlace.parse(one.cell.cell) for one in found.boxes if one.cell is not None and one.cell.counted}
    for sent in reversed(reading.sent):
        if came <= sent and not sent.isdisjoint(came or found.left):
            return [cell for cell in found.left if cell in sent]
    if len(found.left) > max(len(came), _FEW) and not reading.removed:
        raise ReviewError(
            f"{file}: {len(found.left):,} of {len(found.left) + len(came):,} cells of its fields are not in it: "
            "if the reader removed them all as no cells, say --removed"
        )
    return list(found.left)


def new_decisions(given: Iterable[ReaderDecision], standing: Collection[ReaderDecision]) -> tuple[ReaderDecision, ...]:
    """Those that say something else than what stands of the same reader, cell and reading."""
    there = {(one.cell, one.reader, one.reading): (one.answer, one.label, one.stage) for one in standing}
    new = []
    for one in given:
        before = there.get((one.cell, one.reader, one.reading))
        if before != (one.answer, one.label, one.stage) and (before or one.answer is not ReaderAnswer.WITHDRAWN):
            new.append(one)
    return tuple(new)


def new_additions(given: Iterable[ReaderAddition], standing: Collection[ReaderAddition]) -> tuple[ReaderAddition, ...]:
    """Those that the same reader has not marked at the same place already."""
    there: defaultdict[tuple[int, str, str], list[Box]] = defaultdict(list)
    for one in standing:
        there[one.field, one.reader, one.label].append(one.box)
    groups: defaultdict[tuple[int, str, str], list[ReaderAddition]] = defaultdict(list)
    for one in given:
        groups[one.field, one.reader, one.label].append(one)
    new = []
    for key, marks in groups.items():
        known = {i for i, _ in pairs_of_boxes(corners(one.box for one in marks), corners(there[key]))}
        new += [one for i, one in enumerate(marks) if i not in known]
    return tuple(new)
