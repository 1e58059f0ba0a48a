"""What people answered in a book, as cells to learn from.

What stands about a cell is decided by the rules of a review (``edge.review.consensus``): a majority of readers says it. Where they
are even, and where an answer contradicts an annotation that is learned from as well, the cell is learned once as either: two copies,
each with its own class, so that neither opinion is lost and the net is sure of none. What nobody could tell is not learned. "No cell"
is learned as the ordinary class, for that is what the classifier has to call it.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.reading import Progress
from edge.book.book import Book
from edge.book.folder import folder_of
from edge.book.opening import open_book
from edge.book.records import SampleRow
from edge.book.rows import FieldRow, metadata_of
from edge.card import Card
from edge.door import say
from edge.errors import UnreadableFieldError
from edge.near import counted_positive
from edge.review.consensus import readings_of
from edge.review.plan import SampleCells
from edge.review.records import CellReading, Consensus, ReaderAnswer
from edge.scope.check import FINGERPRINT
from edge.sources.decode import AS_IT_IS, ReadOptions, decode_image
from edge.sources.originals import original_pixels
from edge.types import FieldIdentity, Int32Array, UInt8Array
from models.adapt.known_cells import TaughtField, cells_of
from models.adapt.streams import AdaptStream
from models.data.cells import LabelledCells, join


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredFile:
    """Answered cells of one image file: its SHA-256, their boxes int32 [n, 4], and their classes int32 [n]."""

    sha256: str
    boxes: Int32Array
    classes: Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedCells:
    """What a book's answers teach.

    Attributes:
        cells: plain and with slack; groups are the samples.
        samples: names of the samples they are of.
        answered: cells with an answer, by what stands about them.
        disputed: cells that are learned as either class.
        files: where they are, for files that can be told.
        folders: that these files are in.
        notes: what was noticed, in words.
    """

    cells: LabelledCells
    samples: tuple[str, ...]
    answered: Counter[Consensus]
    disputed: int
    files: tuple[AnsweredFile, ...]
    folders: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What is noticed on the way."""

    answered: Counter[Consensus] = field(default_factory=Counter)
    disputed: int = 0
    gone: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    corrected: int = 0
    tiles: int = 0
    files: list[AnsweredFile] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)


def read_reviewed(path: Path, card: Card, tell: Progress, seed: int, samples: Sequence[str] = ()) -> ReviewedCells:
    """The answered cells of a book.

    Args:
        path: of the book.
        card: of the classifier that shall learn.
        tell: gets progress.
        seed: chooses the cells of variants of a field's typical cell.
        samples: names of the samples that are taken; empty: all.

    Raises:
        BookError: there is no such book or sample, or it cannot be read.
        CellsError: it holds no answer that can be learned from.
    """
    parts, taken = list[LabelledCells](), list[str]()
    with open_book(path, say, make=False) as book:
        for name in samples:
            book.sample(name)  # says what is near, where there is none of that name
        rows = [row for row in reversed(book.samples()) if not samples or row.name in samples]
        reader = _BookReader(book, folder_of(path), card, seed)
        for number, row in enumerate(rows):
            tell("reading what was answered", number / len(rows))
            found = list(reader.sample(row))
            if found:
                parts += found
                taken.append(row.name)
    seen = reader.seen
    if not parts:
        raise CellsError(f"{path}: {_nothing(seen)}")
    named, folders = tuple(dict.fromkeys(taken)), tuple(sorted(seen.folders))
    notes = tuple(_notes(seen, card))
    return ReviewedCells(join(parts), named, seen.answered, seen.disputed, tuple(seen.files), folders, notes)


@dataclass(frozen=True, slots=True)
class _BookReader:
    """Reads the answered cells of samples.

    Attributes:
        book: that they are in; ``folder``: of its pictures.
        card: of the classifier that shall learn.
        seed: see ``read_reviewed``.
        seen: what is noticed.
    """

    book: Book
    folder: Path
    card: Card
    seed: int
    seen: _Seen = field(default_factory=_Seen)

    def sample(self, row: SampleRow) -> Iterator[LabelledCells]:
        """The answered cells of a count of a sample, field by field; counts of one sample are one group."""
        decisions = self.book.decisions(row.id)
        if not decisions:
            return
        if row.unit != "cell":
            self.seen.tiles += 1
            return
        known = SampleCells.read(self.book, row)
        counted_by = known.about.card
        by_field: defaultdict[int, list[CellReading]] = defaultdict(list)
        for one in readings_of(decisions, known.stratum, counted_by.positive):
            self.seen.answered[one.consensus] += 1
            by_field[one.cell.field].append(one)
        kept = {one.field: one.file for one in self.book.pictures(row.id)}
        reading = _reading(known.about.config)
        for found in self.book.field_rows(row.id):
            number = int(found.values["number"])
            lessons = _lessons(by_field.get(number, ()), counted_by.positive, self.card, self.seen)
            if not lessons:
                continue
            rgb = _pixels(found, self.folder, kept.get(number), reading)
            if rgb is None:
                self.seen.gone += len({cell for cell, _ in lessons})
                continue
            made, boxes = _known(found, rgb, lessons, counted_by, f"sample/{row.name}")
            rng = np.random.default_rng([self.seed, AdaptStream.ANSWERED_CELLS, row.id, number])
            yield cells_of(made, self.card.labels, self.card.crop, rng)
            self._note(found, boxes, made.classes)

    def _note(self, row: FieldRow, boxes: Int32Array, classes: Int32Array) -> None:
        self.seen.corrected += FINGERPRINT in metadata_of(row.values["metadata"])
        if row.values["sha256"] is not None:
            self.seen.files.append(AnsweredFile(row.values["sha256"].hex(), boxes, classes))
            self.seen.folders.add(Path(row.values["path"]).parent)


def _known(
    row: FieldRow, rgb: UInt8Array, lessons: Sequence[tuple[int, int]], counted_by: Card, group: str
) -> tuple[TaughtField, Int32Array]:
    """A field with its counted cells and lessons, each a cell's place in the field and a class; and the boxes of the lessons."""
    table = row.cells
    counted = np.flatnonzero(table.classes >= 0)
    place = {int(n): i for i, n in enumerate(counted.tolist())}
    rows = np.array([place[n] for n, _ in lessons], np.int32)
    classes = np.array([label for _, label in lessons], np.int32)
    doubtful = counted_positive(table.classes[counted], counted_by.positive_mask)
    doubtful[rows] = True
    boxes = table.boxes[counted]
    return TaughtField(rgb, boxes, rows, classes, doubtful, group, int(row.values["number"])), boxes[rows]


def _lessons(
    readings: Sequence[CellReading], positive: Sequence[str], card: Card, seen: _Seen
) -> list[tuple[int, int]]:
    """Cells of a field and the class to learn of each: a cell's place in the field, a class of the card; in dispute both."""
    ordinary = next(i for i, label in enumerate(card.labels) if label not in card.positive)
    lessons: list[tuple[int, int]] = []
    for one in readings:
        sick = _class_of(one, positive, card, seen) if one.consensus in _MAY_BE_POSITIVE else None
        if one.consensus is Consensus.POSITIVE and sick is not None:
            lessons.append((one.cell.n, sick))
        elif one.consensus is Consensus.DISPUTED and sick is not None:
            lessons += [(one.cell.n, sick), (one.cell.n, ordinary)]
            seen.disputed += 1
        elif one.consensus in (Consensus.NEGATIVE, Consensus.NO_CELL):
            lessons.append((one.cell.n, ordinary))
    return lessons


_MAY_BE_POSITIVE = (Consensus.POSITIVE, Consensus.DISPUTED)


def _class_of(one: CellReading, positive: Sequence[str], card: Card, seen: _Seen) -> int | None:
    """The card's class that most readers named; None: the card has none like it, and more than one positive class."""
    named = Counter(
        told.label for told in one.decisions if told.answer is ReaderAnswer.CLASS and told.label in positive
    )
    for label, _ in named.most_common():
        if label in card.positive:
            return card.labels.index(label)
    if len(card.positive) == 1:
        return card.labels.index(card.positive[0])
    seen.unknown.update(named.keys())
    return None


def _reading(config: str) -> ReadOptions:
    """How the pictures were read when they were counted."""
    try:
        said = tomllib.loads(config)
    except (ValueError, RecursionError):
        return AS_IT_IS
    z, depth = (said.get(key) for key in ("z", "depth"))
    return ReadOptions(z if isinstance(z, int) else None, depth if isinstance(depth, int) else None)


def _pixels(row: FieldRow, folder: Path, kept: str | None, reading: ReadOptions) -> UInt8Array | None:
    """The field's pixels, uint8 [H, W, 3]; None where they are gone or are others by now."""
    values = row.values
    try:
        if values["sha256"] is not None:
            identity = FieldIdentity(values["path"], values["size"], values["sha256"].hex())
            rgb = original_pixels(identity, reading)
        else:
            rgb = None if kept is None else decode_image(folder / Path(kept).name)
    except (OSError, UnreadableFieldError):
        return None
    return rgb if rgb is not None and rgb.shape[:2] == (values["height"], values["width"]) else None


def _nothing(seen: _Seen) -> str:
    if not seen.answered:
        return "nobody has answered anything in this book: edge serve, page Review, or edge review"
    if seen.gone:
        return f"the pixels of all {seen.gone} answered cells are gone (count with --keep, or put the files back)"
    return "no answer can be learned from: nobody could tell, or the classes are others"


def _notes(seen: _Seen, card: Card) -> Iterator[str]:
    if seen.gone:
        yield f"{seen.gone} answered cells are left out: the pixels of their fields are gone"
    if unsure := seen.answered[Consensus.UNSURE]:
        yield f"{unsure} cells that nobody could tell are left out"
    if seen.disputed:
        yield f"{seen.disputed} cells that readers call different things are learned once as either"
    if seen.unknown:
        named = ", ".join(sorted(seen.unknown))
        yield f"answers {named} are left out: {card.name} tells {', '.join(card.labels)} apart"
    if seen.corrected:
        yield f"{seen.corrected} fields were counted through a profile: they are learned as their files have them, uncorrected"
    if seen.tiles:
        yield f"{seen.tiles} samples whose tiles were counted are left out: a tile is no cell"
