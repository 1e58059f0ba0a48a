"""What goes out of a sample to be looked at: a page for an expert, or a file of another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from edge.book.book import Book
from edge.book.ending import event_of
from edge.book.records import SampleRow
from edge.book.reviews import SentBundle
from edge.book.store import now
from edge.cli.exchanged import ExchangeWish, sample_of
from edge.cli.review_settings import ReviewKind, ReviewOutSettings
from edge.errors import OutputError, ReviewError
from edge.exchange.formats import FORMATS
from edge.review.bundle import Bundle, BundleFacts, BundlePictures
from edge.review.desk import BookDesk
from edge.review.drawing import drawn, mixed
from edge.review.records import CellPlace, ReviewCell
from edge.review.state import ReviewState, state_of
from edge.safe_file import whole_file
from edge.verdict.flag import percent_range, percent_value
from edge.verdict.units import plural

_BY_ENDING = {
    ".html": ReviewKind.HTML,
    ".htm": ReviewKind.HTML,
    ".csv": ReviewKind.CSV,
    ".json": ReviewKind.COCO,
    ".zip": ReviewKind.CVAT,
}
_WITHOUT_FIELDS = (ReviewKind.CSV, ReviewKind.COCO, ReviewKind.ECOTAXA)


@dataclass(frozen=True, slots=True)
class ReviewSent:
    """What went out.

    Attributes:
        sample: its name, for whoever sends it.
        file, kind: of it.
        cells: in it; ``again``: shown a second time, for what a reader says twice.
        fields: whole fields in it.
        missing: cells that are not in it, because nothing is left to show of them.
        parts: cells by part.
        named: names and times are in it.
    """

    sample: str
    file: str
    kind: str
    cells: int
    again: int
    fields: int
    missing: int
    parts: dict[str, int]
    named: bool


def send_review(book: Book, row: SampleRow, out: ReviewOutSettings, stages: tuple[str, ...]) -> ReviewSent:
    """Write what is to be looked at, and note in the book what went out.

    Raises:
        ReviewError: there is nothing to look at, or nothing says what kind of file is wanted.
        OutputError: the file or the book cannot be written.
    """
    file = out.export
    if file is None:
        raise ReviewError("nothing is to be written")
    kind = out.as_ or _BY_ENDING.get(file.suffix.lower())
    if kind is None:
        raise ReviewError(f"{file}: which kind of file? --as {', '.join(ReviewKind)}")
    state = state_of(book, row)
    answered = {one.cell for one in state.readings} if out.open_ else frozenset[CellPlace]()
    cells = drawn(state.plan, out.cells, state.verdict.next, answered)
    if not cells:
        raise ReviewError(f"{row.name}: nothing is {'left ' if out.open_ else ''}to look at")
    if kind is ReviewKind.HTML:
        return _bundle(book, row, state, cells, (file, out.with_names, stages))
    return _exchanged(book, row, cells, (file, kind, out.with_names, stages))


def _bundle(
    book: Book,
    row: SampleRow,
    state: ReviewState,
    cells: tuple[ReviewCell, ...],
    how: tuple[Path, bool, tuple[str, ...]],
) -> ReviewSent:
    file, named, stages = how
    path = book.store.path
    if path is None:
        raise OutputError(f"{file}: a book that nobody keeps cannot be reviewed")
    desk = BookDesk(path)
    wanted = {cell.cell for cell in cells}
    sizes = {field.index: (field.width, field.height) for field in sample_of(book, row, ExchangeWish(wanted))[1]}
    pictures = BundlePictures(
        lambda cell, side, around: desk.cell_picture(row.id, cell, side, around),
        lambda field, longest: desk.field_picture(row.id, field, longest),
        sizes,
    )
    facts = BundleFacts(bundle_facts(book, row, state, named=named), stages)
    made = Bundle(state.plan, facts, pictures)
    shown = mixed(cells)
    with whole_file(file) as stream:
        stream.writelines(made.parts(shown))
        if not made.names:
            raise ReviewError(
                f"{row.name}: no picture is left of any cell: its files are gone, and none was kept (--keep)"
            )
        names = {name: str(cell) for name, cell in made.names.items()}
        book.send_out(row.id, SentBundle(made.uuid, now(), ReviewKind.HTML.value, names))
    went = set(made.names.values())
    return ReviewSent(
        *(row.name, str(file), ReviewKind.HTML, len(went), len(made.names) - len(went), made.fields),
        *(len(cells) - len(went), _by_part([cell for cell in cells if cell.cell in went]), named),
    )


def _exchanged(
    book: Book, row: SampleRow, cells: tuple[ReviewCell, ...], how: tuple[Path, ReviewKind, bool, tuple[str, ...]]
) -> ReviewSent:
    file, kind, named, stages = how
    writer = FORMATS[kind].write
    if writer is None:
        raise ReviewError(f"{kind}: is only read")
    wanted = {cell.cell for cell in cells}
    sample, fields = sample_of(book, row, ExchangeWish(wanted, names=named, stages=stages))
    written = writer(sample, fields, file)
    names = {str(cell): str(cell) for cell in wanted}
    book.send_out(row.id, SentBundle(str(uuid4()), now(), kind.value, names))
    pictured = 0 if kind in _WITHOUT_FIELDS else written.fields - written.without_picture
    told = (written.cells, 0, pictured, len(cells) - written.cells)
    return ReviewSent(row.name, str(file), kind, *told, _by_part(cells), named)


def bundle_facts(book: Book, row: SampleRow, state: ReviewState, *, named: bool) -> tuple[tuple[str, str], ...]:
    """What an expert is told of a sample: how much was counted, and what the machine makes of it. No word says whose it is.

    Reasons stay at home: they name the microscope, and what a person typed.
    """
    about, event = book.about(row.run), event_of(book, row)
    verdict, tally = event.verdict, event.tally
    told = [("sample", row.name), ("counted on", f"{row.began[:16].replace('T', ' ')} UTC")] if named else []
    told.append(("counted", f"{plural(tally.cells, about.unit)} in {plural(tally.kept, 'field')}"))
    told.append(("the machine's flag", verdict.flag))
    for label in about.card.positive:
        share = verdict.share[label]
        told.append((f"called {label}", f"{tally.counts[label]:,}: {percent_value(share)} ({percent_range(share)})"))
    for finding in verdict.findings:
        words = f"{percent_value(finding.infected)} ({percent_range(finding.infected)}), 95 % interval"
        told.append((f"estimated {finding.label}", words))
    told.append(("threshold", f"{state.plan.threshold:.3g} (a score from 0 to 1 that reaches it is called so)"))
    return tuple(told)


def _by_part(cells: list[ReviewCell] | tuple[ReviewCell, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        found[cell.stratum] = found.get(cell.stratum, 0) + 1
    return found
