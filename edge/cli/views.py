"""Views of a sample in the book: the table on screen, and every file that ``edge-run`` writes, made again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from edge.book.book import Book
from edge.book.collected import collected_samples, collected_scopes
from edge.book.ending import event_of
from edge.book.records import SampleRow
from edge.book.replay import events
from edge.book.standing import overlapping
from edge.cli.book_reading import open_existing
from edge.cli.exchanged import ExchangeWish, added_of, reviewed_of, sample_of
from edge.cli.originals import EarlierPictures
from edge.cli.outlets import pictures_of, screen
from edge.door import say
from edge.errors import OutputError
from edge.events import Output
from edge.exchange.formats import FORMATS, Format
from edge.lines import print_json, print_lines
from edge.network.news import standing_words
from edge.outputs.coco import Coco
from edge.outputs.console import Screen, Summary
from edge.outputs.csv import FieldTable
from edge.outputs.jsonl import JsonLines, sample_facts
from edge.report.output import HtmlReport
from edge.review.state import ReviewState, state_of
from edge.review.words import is_reviewed, review_facts, review_lines
from edge.safe_file import whole_file
from edge.sources.decode import AS_IT_IS
from edge.verdict.units import plural


def print_sample(path: Path | None, name: str, count: int | None, *, json: bool) -> None:
    """Print the table of a sample and its history; with ``json`` its event with the same beside it. Raises BookError."""
    with open_existing(path, "edge show") as book:
        _print(book, book.sample(name, count), json=json)


def _print(book: Book, row: SampleRow, *, json: bool) -> None:
    about, event = book.about(row.run), event_of(book, row)
    notes = book.notes(row.id)
    pictures = len(book.pictures(row.id))
    state = state_of(book, row) if any(book.answered(row.id)) else None
    if json:
        origin = collected_samples(book.store).get(row.id)
        history = [asdict(note) for note in notes]
        facts = {key: value for key, value in asdict(row).items() if key not in ("id", "run", "name", "counts", "unit")}
        reviewed = None if state is None else review_facts(state)
        kept = {**facts, "notes": history, "pictures": pictures, **({"origin": origin} if origin else {})}
        print_json({**sample_facts(event, about.model), "reviewed": reviewed, "book": kept})
        return
    summary = Summary(screen(Screen, error=False), about.model, about.card.positive)
    summary.overlapping = overlapping(book, row.id)
    summary.sample(event)
    lines = [f"  count      {row.count}, {row.state}, {_span(row)}"]
    lines += _microscope(book, row)
    if pictures:
        lines.append(f"  pictures   {pictures:,} kept beside the book")
    if row.lost:
        lines.append(f"  lost       {row.lost:,} fields, to damage of the book")
    lines += _reviewed(book, row, state)
    heads = ["history", *[""] * len(notes)]
    lines += [f"  {head:<10} {_time(note.at)} {note.text}" for head, note in zip(heads, notes, strict=False)]
    print_lines(lines)


def _microscope(book: Book, row: SampleRow) -> list[str]:
    """Which one it is from; of one that was collected, how it stands with it."""
    origin = collected_samples(book.store).get(row.id)
    scope = next((one for one in collected_scopes(book.store) if one.origin == origin), None)
    name = row.scope or ("" if scope is None else scope.name)
    standing = "" if scope is None else f" (book {scope.origin[:8]}): {standing_words(scope)}"
    return [f"  microscope {name}{standing}"] if name else []


def _reviewed(book: Book, row: SampleRow, state: ReviewState | None) -> list[str]:
    """What people made of it; and where they looked at another count of it, that their answers stay there."""
    lines = [] if state is None or not is_reviewed(state) else review_lines(state)
    looked = book.reviewed()
    for other in book.samples(name=row.name):
        if other.id != row.id and looked.get(other.id):
            lines.append(
                f"  note       count {other.count} was reviewed ({plural(looked[other.id], row.unit)} looked at): "
                "answers stay with the count they were given for"
            )
    return lines


def write_report(path: Path | None, name: str, count: int | None, folder: Path) -> None:
    """Write the sample's page, as ``--report`` does; raises BookError or OutputError."""
    with open_existing(path, "edge report") as book:
        row = book.sample(name, count)
        about = book.about(row.run)
        pictures = EarlierPictures(book, book.store.path, [row], AS_IT_IS)
        state = state_of(book, row) if any(book.answered(row.id)) else None
        _tell(book, row, HtmlReport(folder, about, pictures=pictures_of(about.card, pictures), reviewed=state))


def write_export(
    path: Path | None, name: str, count: int | None, kind: str, output: Path, *, um_per_px: float | None = None
) -> None:
    """Write a sample as ``edge-run`` does (``csv``, ``coco``, ``jsonl``) or as another program's files.

    Args:
        path: of the book; None: the usual one.
        name: of the sample.
        count: which of several counts of it; None: the newest.
        kind: as ``edge export --to`` takes it.
        output: a file; for some programs a new folder.
        um_per_px: µm per pixel, for files that carry a scale; None: as the microscope's profile has it.

    Raises:
        BookError: no such sample, or the book is damaged.
        OutputError: it cannot be written.
    """
    with open_existing(path, "edge export") as book:
        row = book.sample(name, count)
        about = book.about(row.run)
        if kind == "csv":
            _tell(book, row, FieldTable(output, about.card.labels))
        elif kind == "coco":
            _tell(book, row, Coco(output, about.card, about.model))
        elif kind == "jsonl":
            with whole_file(output) as stream:
                _tell(book, row, JsonLines(stream, about.card.labels, about.model))
        else:
            wish = ExchangeWish(reviewed=reviewed_of(book, row), added=added_of(book, row), um_per_px=um_per_px)
            _send(book, row, FORMATS[kind], output, wish)


def _send(book: Book, row: SampleRow, way: Format, output: Path, wish: ExchangeWish) -> None:
    """Write a sample for another program, and say what went out without a picture."""
    if way.write is None:
        raise OutputError(f"{way.kind} is only read")
    sample, fields = sample_of(book, row, wish)
    written = way.write(sample, fields, output)
    if written.without_picture:
        gone = f"{written.without_picture:,} of {written.fields:,} fields have no picture any more"
        what = "nothing of them" if way.kind == "ecotaxa" else "their boxes alone"
        say(f"{gone}: {way.kind} got {what}", "edge export")


def _tell(book: Book, row: SampleRow, output: Output) -> None:
    """Give an output all events of a sample."""
    try:
        for event in events(book, row.id):
            output.field(event)
        output.sample(event_of(book, row))
        output.close()
    except BaseException:
        output.discard()
        raise


def _span(row: SampleRow) -> str:
    began, ended = _time(row.began), _time(row.touched)
    return f"{began} UTC" if began == ended else f"{began} to {ended[11:] if ended[:10] == began[:10] else ended} UTC"


def _time(text: str) -> str:
    return text[:16].replace("T", " ")
