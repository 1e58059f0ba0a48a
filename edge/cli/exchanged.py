"""A sample in the book as other programs get it (``edge.exchange``): its kept fields, with their cells and pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from edge.book.book import Book
from edge.book.records import SampleRow
from edge.book.replay import events
from edge.cli.originals import EarlierPictures
from edge.cli.scoped import profile_named
from edge.errors import ScopeError
from edge.events import FieldEvent
from edge.exchange.naming import NO_CELL, UNSURE
from edge.exchange.records import ExchangeBox, ExchangeCell, ExchangeField, ExchangeSample
from edge.modelfile import Card
from edge.near import positive_scores
from edge.review.consensus import consensus_of, says, standing, standing_marks
from edge.review.records import CellPlace, Consensus, ReaderDecision
from edge.scope.check import FINGERPRINT
from edge.sources.decode import AS_IT_IS
from edge.types import FieldResult


@dataclass(frozen=True, slots=True)
class ExchangeWish:
    """What of a sample goes out.

    Attributes:
        only: these cells, and the fields that hold one of them; None: all that was found in all kept fields.
        names: with the sample's, the microscope's and the files' names, and times; without, nothing tells whose sample it is.
        reviewed: what people say of cells: a class, ``no cell`` or ``unsure``, and the stage (empty: none).
        added: cells that readers marked where the machine has none, by field.
        stages: words that readers may add.
        um_per_px: µm per pixel; None: as the microscope's profile has it, where the sample was counted with that profile.
    """

    only: Container[CellPlace] | None = None
    names: bool = True
    reviewed: Mapping[CellPlace, tuple[str, str]] = field(default_factory=dict)
    added: Mapping[int, tuple[ExchangeCell, ...]] = field(default_factory=dict)
    stages: tuple[str, ...] = ()
    um_per_px: float | None = None


ALL_THAT_IS_KNOWN = ExchangeWish()


def sample_of(
    book: Book, row: SampleRow, wish: ExchangeWish = ALL_THAT_IS_KNOWN
) -> tuple[ExchangeSample, Iterator[ExchangeField]]:
    """A sample and its kept fields, in field order and one at a time: the book must stay open until they have gone out.

    Raises:
        BookError: the book is damaged.
    """
    about = book.about(row.run)
    card, model = about.card, about.model
    name, scope = (row.name, row.scope) if wish.names else ("sample", "")
    sample = ExchangeSample(
        name, model.sha256, model.name, card.labels, tuple(card.positive), card.threshold, wish.stages, scope
    )
    return sample, _fields(book, row, card, wish)


def reviewed_of(book: Book, row: SampleRow) -> Mapping[CellPlace, tuple[str, str]]:
    """What all readers together say of cells, as ``ExchangeWish.reviewed`` takes it: no majority is ``unsure``. Raises BookError."""
    positive = book.about(row.run).card.positive
    return {cell: _together(answers, positive) for cell, answers in standing(book.decisions(row.id)).items()}


def added_of(book: Book, row: SampleRow) -> Mapping[int, tuple[ExchangeCell, ...]]:
    """Cells that readers marked where the machine has none, as ``ExchangeWish.added`` takes them. Raises BookError."""
    positive, found = book.about(row.run).card.positive, dict[int, tuple[ExchangeCell, ...]]()
    for one in standing_marks(book.additions(row.id)):
        x, y, w, h = map(float, one.box)
        cell = ExchangeCell("", (x, y, w, h), one.label, None, False, one.label in positive, one.label, one.stage)
        found[one.field] = (*found.get(one.field, ()), cell)
    return found


def _together(answers: Sequence[ReaderDecision], positive: Collection[str]) -> tuple[str, str]:
    said = consensus_of(answers, positive)
    if said in (Consensus.UNSURE, Consensus.DISPUTED):
        return UNSURE, ""
    agreed = [one for one in answers if says(one, positive) is said]
    ((label, stage), _) = Counter((one.label, one.stage) for one in agreed).most_common(1)[0]
    return (NO_CELL, "") if said is Consensus.NO_CELL else (label, stage)


def _fields(book: Book, row: SampleRow, card: Card, wish: ExchangeWish) -> Iterator[ExchangeField]:
    pictures = EarlierPictures(book, book.store.path, [row], AS_IT_IS)
    fingerprint, scale = _scale(row.scope)
    for event in events(book, row.id):
        result = event.result
        if result is None or not event.kept:
            continue
        cells = tuple(_cells(event.index, result, card, wish))
        if wish.only is not None and not cells:
            continue
        same = fingerprint and result.metadata.get(FINGERPRINT) == fingerprint
        height, width = result.shape
        yield ExchangeField(
            event.index,
            event.name if wish.names else f"field-{event.index:04d}",
            width,
            height,
            wish.um_per_px or (scale if same else None),
            partial(pictures.pixels, event),
            (*cells, *wish.added.get(event.index, ())),
            _taken(event) if wish.names else "",
        )


def _cells(index: int, result: FieldResult, card: Card, wish: ExchangeWish) -> Iterator[ExchangeCell]:
    total = positive_scores(result.scores, card.positive_mask)
    for n in range(len(result.cells)):
        place = CellPlace(index, n)
        if wish.only is not None and place not in wish.only:
            continue
        klass = int(result.classes[n])
        counted = klass >= 0
        kind = result.cells.kinds[int(result.cells.kind[n])]
        x, y, w, h = map(float, result.cells.boxes[n])
        box: ExchangeBox = (x, y, w, h)
        label = card.labels[klass] if counted else kind
        score = float(total[n]) if counted else None
        said, stage = wish.reviewed.get(place, ("", ""))
        yield ExchangeCell(str(place), box, label, score, counted, label in card.positive and counted, said, stage)


def _scale(scope: str) -> tuple[str, float | None]:
    """The fingerprint of a microscope's profile, and its µm per pixel; empty and None where there is none, or it is damaged."""
    try:
        profile = profile_named(scope or None)
    except ScopeError:
        return "", None
    if profile is None or profile.scale is None:
        return "", None
    return profile.fingerprint, profile.scale.um_per_px


def _taken(event: FieldEvent) -> str:
    captured = None if event.result is None else event.result.metadata.get("captured")
    if not isinstance(captured, int | float):
        return ""
    return datetime.fromtimestamp(captured, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
