"""The microscopes that a book has collected from, and which of its samples are theirs."""

from __future__ import annotations

from collections.abc import Mapping

from edge.book.schema import JOURNAL_FROM
from edge.book.store import Store
from edge.journal import CollectedScope

_SCOPES = "SELECT name, origin, next, heard, online, newest FROM microscope ORDER BY name, id"


def collected_scopes(store: Store) -> tuple[CollectedScope, ...]:
    """The microscopes, by name; of two with one name the one that was heard first comes first. Raises BookError."""
    if not holds_a_journal(store):
        return ()
    return tuple(
        CollectedScope(name, origin, following, heard, bool(online), newest)
        for name, origin, following, heard, online, newest in store.rows(_SCOPES)
    )


def heard_scopes(store: Store) -> tuple[CollectedScope, ...]:
    """Those that were heard; microscopes whose samples came with a merged book alone are left out. Raises BookError."""
    return tuple(scope for scope in collected_scopes(store) if scope.heard)


def collected_samples(store: Store) -> Mapping[int, str]:
    """Origin of the microscope that a sample is from, by the sample's id; those counted into this book are left out.

    Raises BookError.
    """
    if not holds_a_journal(store):
        return {}
    query = "SELECT sample_id, origin FROM collected JOIN microscope ON microscope.id = microscope_id"
    return {int(sample): str(origin) for sample, origin in store.rows(query)}


def holds_a_journal(store: Store) -> bool:
    """Whether the book is of a version that has a journal. Raises BookError."""
    row = store.row("PRAGMA user_version")
    return row is not None and int(row[0]) >= JOURNAL_FROM
