"""What is known of a sample from its fields' rows and sums alone: no cell is read."""

from __future__ import annotations

import json
from collections import Counter

from edge.book.book import Book
from edge.book.rows import UNREADABLE, metadata_of
from edge.errors import BookError
from edge.types import CountedField, FieldIdentity, Tally


def standing_of(book: Book, sample_id: int) -> Tally:
    """A sample as far as it came; raises BookError."""
    found = book.store.row("SELECT name, counts, set_aside FROM sample WHERE id = ?", sample_id)
    if found is None:
        raise BookError(f"the book holds no sample of number {sample_id}")
    rejected: Counter[str] = Counter()
    unreadable, kept = [], 0
    fields = "SELECT name, reason, readable FROM field WHERE sample_id = ? ORDER BY number"
    for name, reason, readable in book.store.rows(fields, sample_id):
        if not readable:
            unreadable.append((str(name), str(reason).removeprefix(UNREADABLE)))
        elif reason is None:
            kept += 1
        else:
            rejected[reason] += 1
    try:
        counts, set_aside = (
            {str(key): int(n) for key, n in json.loads(text).items()} for text in (found["counts"], found["set_aside"])
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise BookError(f"{book.store.path}: the sums of a sample make no sense: edge book check") from error
    return Tally(found["name"], counts, set_aside, kept, dict(rejected), tuple(unreadable))


def overlapping(book: Book, sample_id: int) -> int:
    """How many fields of a sample overlap earlier ones; raises BookError."""
    found = book.store.row("SELECT count(overlaps) FROM field WHERE sample_id = ?", sample_id)
    return 0 if found is None else int(found[0])


def fields_of(book: Book, sample_id: int) -> list[CountedField]:
    """The fields of a sample, in field order; raises BookError."""
    name = book.name_of(sample_id)
    query = "SELECT number, name, path, size, sha256, metadata FROM field WHERE sample_id = ? ORDER BY number"
    return [
        CountedField(
            number, name, field, None if sha256 is None else FieldIdentity(path, size, sha256.hex()), metadata_of(told)
        )
        for number, field, path, size, sha256, told in book.store.rows(query, sample_id)
    ]
