"""The events of a sample made again from the book, as they were when it was counted: for reports, exports and views of it.

Nothing is decided here. What the gate and the register of overlaps said then is in the book, so the events are the same with another
version of this program, and neither models nor settings are needed. Going on with a sample is another matter: there gate, register
and test need their state, which ``Book.outcomes`` through a session gives them.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.book.book import Book
from edge.book.rows import decided_of
from edge.events import AnalysedField, FieldEvent
from edge.sample import Sample
from edge.types import Overlap


def events(book: Book, sample_id: int) -> Iterator[FieldEvent]:
    """The fields of a sample in field order, each with the tally up to it, without pixels; memory stays flat.

    Raises:
        BookError: the book is damaged or was changed by hand.
    """
    adding = Sample(book.name_of(sample_id), book.about(book.run_of(sample_id)).card.labels)
    for row, outcome in book.rows_and_outcomes(sample_id):
        analysed = result = None
        overlaps: tuple[Overlap, ...] = ()
        reason = row.values["reason"]
        if isinstance(outcome, AnalysedField):
            analysed = outcome.result
            result, overlaps = decided_of(row, analysed)
            adding.add(result, reason)
            identity = analysed.identity
        else:
            adding.add_unreadable(outcome.name, outcome.reason)
            identity = outcome.identity
        number, name = row.values["number"], row.values["name"]
        tally = adding.tally()
        yield FieldEvent(
            number, adding.name, name, result, None, reason, tally, overlaps, analysed, row.seconds, identity
        )
