"""A collected book: what microscopes say of their journals, put into one book, each entry once and in order per microscope.

| number of the entry | what happens |
|---|---|
| the next one | it is applied, and the next one is the one after it, in one transaction |
| below that | it came twice: nothing, where its sample and field are here; else it is of a copy of that book: it is applied too |
| above that | entries before it are missing: nothing, it comes once more |

A microscope that speaks of a sample this book has never heard of is asked for all of its journal again: what is here already changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.book.book import Book
from edge.book.collected import collected_scopes
from edge.book.opening import open_book
from edge.book.rows import FieldRow
from edge.book.schema import stored
from edge.book.store import now
from edge.book.taking import MessageTaking, prepared
from edge.journal import CollectedScope, JournalMessage, Taken


class Inbox:
    """A book that collects. Use it from one thread, as a context manager or with ``close``.

    Args:
        path: of the book; it is made where there is none.
        say: takes a line for a person: what opening the book did to it.

    Raises:
        BookError: another program's file, or a newer version's.
        OutputError: it cannot be made or written; from every method too: then nothing of the messages given to it was taken.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.book: Book = open_book(path, say)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the book."""
        self.book.close()

    def take(self, message: JournalMessage) -> Taken:
        """Take a message, in one transaction. Raises ValueError for one that makes no sense: nothing of it is taken."""
        (taken,) = self.take_all((message,))
        if isinstance(taken, ValueError):
            raise taken
        return taken

    def take_all(self, messages: Sequence[JournalMessage]) -> tuple[Taken | ValueError, ...]:
        """Take several in one transaction, which costs the disk no more than one does.

        Returns:
            For each what became of it; ValueError: it makes no sense, and nothing of it was taken.
        """
        ready: list[FieldRow | ValueError | None] = []
        for message in messages:
            try:
                ready.append(prepared(message))
            except ValueError as error:
                ready.append(error)
        taken: list[Taken | ValueError] = []
        with self.book.store.writing() as connection:
            for message, row in zip(messages, ready, strict=True):
                if isinstance(row, ValueError):
                    taken.append(row)
                    continue
                connection.execute("SAVEPOINT message")
                try:
                    taken.append(MessageTaking(self.book, connection, message.origin, message.scope).take(message, row))
                except ValueError as error:
                    connection.execute("ROLLBACK TO message")
                    taken.append(error)
                connection.execute("RELEASE message")
        return tuple(taken)

    def scopes(self) -> tuple[CollectedScope, ...]:
        """The microscopes that were ever heard, by name."""
        return collected_scopes(self.book.store)

    def next(self, origin: str) -> int:
        """Number of the entry of this origin that comes next; 1 for one that was never heard."""
        row = self.book.store.row("SELECT next FROM microscope WHERE origin = ?", origin)
        return 1 if row is None else int(row["next"])

    def heard(self, name: str, origin: str, *, online: bool, newest: int | None = None, at: str | None = None) -> None:
        """Note what a microscope said of itself.

        Args:
            name: of it.
            origin: of its book.
            online: whether it is there.
            newest: number of the newest entry it has; None: it did not say.
            at: when, UTC, ISO 8601; None: now.
        """
        with self.book.store.writing() as connection:
            taking = MessageTaking(self.book, connection, origin, name)
            change = "UPDATE microscope SET name = CAST(? AS TEXT), online = ?, newest = coalesce(?, newest), heard = ? WHERE id = ?"
            connection.execute(change, (stored(name), int(online), newest, at or now(), taking.id))
