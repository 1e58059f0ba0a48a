"""What was said when a sample ended, or what can be said of one that a crash ended."""

from __future__ import annotations

from edge.book.book import Book
from edge.book.records import SampleRow
from edge.book.standing import standing_of
from edge.events import SampleEvent
from edge.types import Verdict
from edge.verdict.flag import decide

_CUT_OFF = "The count was cut off before its end, so it is not judged: edge-run --resume goes on with it."


def event_of(book: Book, row: SampleRow) -> SampleEvent:
    """What was said when the sample ended; of one that was cut off, what can be said of it as it stands. Raises BookError."""
    said = book.event(row.id)
    if said is not None:
        return said
    tally, about = standing_of(book, row.id), book.about(row.run)
    verdict = decide(tally, about.card, unit=about.unit)
    if about.calibration is not None:
        verdict = Verdict("insufficient", (_CUT_OFF,), verdict.share, unit=about.unit)
    return SampleEvent(tally, verdict, row.seconds, notes=(_CUT_OFF,), interrupted=True)
