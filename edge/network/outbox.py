"""The outbox of a microscope: its book's journal, sent in order, a window of entries at a time.

An entry counts as delivered when the broker acknowledged it with all before it; from there a new connection goes on. What a broker
acknowledged and lost, a collector misses and asks for: then the outbox goes back to that number (go-back-N).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from edge.errors import BookError, EdgeError
from edge.journal import JournalEntry, JournalMessage

WINDOW: Final = 20
"""Entries that are sent and not acknowledged, at most."""

WINDOW_BYTES: Final = 500_000
"""Bytes of them, at most, unless a single one is larger: over a slow network an answer to what comes after them must not be late."""

BACK_APART_S: Final = 2.0
"""Seconds within which the outbox goes back once, unless further back is asked for: anybody may ask."""

NOTED_APART_S: Final = 1.0
"""Seconds from one note in the book of what was acknowledged to the next: each is a write."""


class JournalReader(Protocol):
    """What is read of a book's journal (``edge.book.journal.Journal``)."""

    @property
    def origin(self) -> str:
        """Of the book."""
        ...

    def newest(self) -> int:
        """Number of the newest entry; 0: there is none."""
        ...

    def cursor(self) -> int:
        """Number of the last entry that a broker acknowledged with all before it; 0: none."""
        ...

    def acknowledge(self, number: int) -> None:
        """Move the cursor, also back."""
        ...

    def entries(self, first: int, most: int) -> tuple[JournalEntry, ...]:
        """Entries from a number on, in order."""
        ...

    def message(self, entry: JournalEntry, scope: str, *, names: bool) -> JournalMessage:
        """What an entry stands for."""
        ...


class Outbox:
    """Which entries are sent next.

    Args:
        journal: of the book.
        scope: name of the microscope.
        names: whether names are sent.
        encode: makes the payload of a message.
        tell: takes a line for a person.

    Attributes:
        newest: number of the newest entry when it was looked last.
        acknowledged: number of the last entry that is delivered with all before it.
    """

    def __init__(
        self,
        journal: JournalReader,
        scope: str,
        *,
        names: bool,
        encode: Callable[[JournalMessage], bytes],
        tell: Callable[[str], None],
    ) -> None:
        self._journal, self._scope, self._names = journal, scope, names
        self._encode, self._tell = encode, tell
        self._flying: dict[int, tuple[int, int]] = {}  # id of the message: number of the entry, bytes
        self._done: set[int] = set()  # numbers acknowledged before one below them
        self._bytes = 0
        self._back: tuple[int, float] | None = None  # where it went back to last, and when
        self._noted = (0, float("-inf"))  # what the book has of ``acknowledged``, and since when
        self._said = ""
        self._stuck = 0  # number of an entry that cannot be read
        self.newest = self.acknowledged = 0
        self.look()
        self._trying(self._read_cursor)
        self._next = self.acknowledged + 1

    @property
    def waiting(self) -> int:
        """Entries that no broker has acknowledged."""
        return max(self.newest - self.acknowledged, 0)

    @property
    def flying(self) -> int:
        """Entries that are sent and not acknowledged."""
        return len(self._flying)

    @property
    def blocked(self) -> bool:
        """Whether what comes next cannot be read, so that nothing more can be delivered."""
        return bool(self._stuck)

    def look(self) -> None:
        """Look for new entries."""
        self._stuck = 0
        self._trying(self._read_newest)

    def connected(self) -> None:
        """Begin again after what is acknowledged: what was under way may be lost."""
        self._flying.clear()
        self._done.clear()
        self._bytes = 0
        self._next = self.acknowledged + 1

    def send(self, publish: Callable[[bytes], int]) -> None:
        """Send what fits into the window; ``publish`` gives the id by which a message is acknowledged."""
        while (
            self._next <= self.newest and len(self._flying) < WINDOW and self._bytes < WINDOW_BYTES and not self._stuck
        ):
            entries: tuple[JournalEntry, ...] = ()

            def read() -> None:
                nonlocal entries
                entries = self._journal.entries(
                    self._next, min(WINDOW - len(self._flying), self.newest + 1 - self._next)
                )

            if not self._trying(read) or not entries:
                return
            for entry in entries:
                if self._bytes >= WINDOW_BYTES or not self._send(entry, publish):
                    return

    def delivered(self, message: int, now: float) -> bool:
        """Take an acknowledgement; whether it was of an entry."""
        number, size = self._flying.pop(message, (0, 0))
        if not number:
            return False
        self._bytes -= size
        self._done.add(number)
        while self.acknowledged + 1 in self._done:
            self.acknowledged += 1
            self._done.discard(self.acknowledged)
        self.note(now)
        return True

    def wanted(self, number: int, now: float) -> bool:
        """Go back to this entry, because somebody misses it; whether that is done."""
        if number > self.newest:
            self.look()
        if number > self.newest + 1:
            self._say(
                f"whoever collects has {number - 1:,} entries of this book, which holds {self.newest:,}: it is an earlier copy, "
                "and what is counted now is not taken there: count into a new book"
            )
            return False
        if not 1 <= number < self._next:
            return False  # it comes anyway
        if self._back is not None and now - self._back[1] < BACK_APART_S and number >= self._back[0]:
            return False
        self._back = (number, now)
        self.acknowledged = min(self.acknowledged, number - 1)
        self.connected()
        self.note(now, at_once=True)
        return True

    def rewind(self, now: float) -> None:
        """Go back to the first entry: somebody collects who has none of them."""
        self.acknowledged = 0
        self.connected()
        self.note(now, at_once=True)

    def note(self, now: float, *, at_once: bool = False) -> None:
        """Note in the book what is acknowledged, from time to time."""
        if self.acknowledged == self._noted[0] or (not at_once and now - self._noted[1] < NOTED_APART_S):
            return
        self._noted = (self.acknowledged, now)
        self._trying(lambda: self._journal.acknowledge(self.acknowledged))

    def _send(self, entry: JournalEntry, publish: Callable[[bytes], int]) -> bool:
        payload = b""

        def read() -> None:
            nonlocal payload
            try:
                payload = self._encode(self._journal.message(entry, self._scope, names=self._names))
            except BookError:
                self._stuck = entry.number
                raise

        if not self._trying(read):
            return False
        self._flying[publish(payload)] = (entry.number, len(payload))
        self._bytes += len(payload)
        self._next = entry.number + 1
        return True

    def _read_newest(self) -> None:
        self.newest = self._journal.newest()

    def _read_cursor(self) -> None:
        self.acknowledged = min(self._journal.cursor(), self.newest)
        self._noted = (self.acknowledged, float("-inf"))

    def _trying(self, step: Callable[[], None]) -> bool:
        """Do this with the book; what fails is said, and counting goes on."""
        try:
            step()
        except EdgeError as error:
            self._say(f"the book cannot be read for the broker: {error}")
            return False
        return True

    def _say(self, line: str) -> None:
        """Say it, once for as long as it stays so."""
        if line != self._said:
            self._said = line
            self._tell(line)
