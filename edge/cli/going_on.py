"""Going on with a run that was cut off: which one it is, whether it may be gone on with, and what it had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from edge.book.book import Book
from edge.book.records import COMPLETE, COUNTING, INTERRUPTED, SampleRow
from edge.cli.binding import CHAIN, INPUTS, differing, places
from edge.cli.run_settings import RunSettings
from edge.door import say
from edge.errors import BookError
from edge.events import AnalysedField, FieldEvent, Ledger, Outcome, SampleEvent
from edge.types import CountedField


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What an earlier part of a run had.

    Attributes:
        chain: name that it shares with whatever goes on with it.
        rows: its samples, in the order they were counted.
        binding: what it was bound to.
    """

    chain: str
    rows: tuple[SampleRow, ...] = ()
    binding: Mapping[str, str] | None = None

    @property
    def complete(self) -> tuple[str, ...]:
        """Names of its samples to which nothing is added."""
        return tuple(row.name for row in self.rows if row.state == COMPLETE)

    def check(self, binding: Mapping[str, str]) -> None:
        """Raise BookError, naming each setting that differs, unless it is bound to the same."""
        if self.binding is None:
            return
        changed = differing(self.binding, binding)
        if changed:
            name = self.rows[-1].name
            raise BookError(
                f"{name} was counted with other settings: {'; '.join(changed)}. Give the same, or count it again (--again)"
            )


def earlier_run(book: Book, settings: RunSettings, samples: Sequence[str]) -> EarlierRun:
    """What ``--resume`` goes on with; an empty one where it is not asked for, or there is nothing of it yet.

    Args:
        book: where it is.
        settings: of this run.
        samples: names of the samples there are.

    Raises:
        BookError: it is complete, or another run is at it; or a sample of this ``--sample-id`` is there already.
    """
    given = settings.input.sample_id
    if not settings.book.resume:
        _say_what_is_there(book, given, samples, again=settings.book.again)
        return EarlierRun(uuid4().hex)
    rows = book.samples() if given is None else book.samples(name=given)
    here = places(settings.input)
    found = next((row for row in rows if given is not None or book.binding(row.run).get(INPUTS) == here), None)
    if found is None:
        say("note: nothing of this is in the book yet: counting begins")
        return EarlierRun(uuid4().hex)
    binding = book.binding(found.run)
    chain = binding.get(CHAIN, "")
    mine = [row for row in reversed(book.samples()) if chain and book.binding(row.run).get(CHAIN) == chain]
    earlier = EarlierRun(chain or uuid4().hex, tuple(mine or [found]), binding)
    _check_state(earlier, samples)
    return earlier


def _check_state(earlier: EarlierRun, samples: Sequence[str]) -> None:
    busy = [row for row in earlier.rows if row.state == COUNTING]
    if busy:
        raise BookError(f"{busy[-1].name} is being counted by another run: nothing to go on with until that ends")
    left = set(samples) - {row.name for row in earlier.rows}
    if not left and all(row.state == COMPLETE for row in earlier.rows):
        row = earlier.rows[-1]
        raise BookError(
            f"{row.name} is complete ({row.fields:,} fields, {row.cells:,} {row.unit}s): there is nothing to go on with; "
            "--again counts it once more"
        )


def _say_what_is_there(book: Book, given: str | None, samples: Sequence[str], *, again: bool) -> None:
    there = [rows[0] for name in samples if (rows := book.samples(name=name))]
    if not there:
        return
    row = there[0]
    if given is not None and not again:
        onward = "--resume goes on with it, " if row.state == INTERRUPTED else ""
        raise BookError(
            f"{row.name} is in the book already ({row.state}, {row.fields:,} fields): {onward}--again counts it once more"
        )
    more = f" and {len(there) - 1:,} more" if len(there) > 1 else ""
    onward = "; --resume would have gone on with it" if row.state == INTERRUPTED else ""
    say(f"note: {row.name}{more} is in the book already: this is count {row.count + 1}{onward}")


class Replayed:
    """The outcomes of an earlier run, and what is learnt on the way.

    Attributes:
        counted: fields so far, for the source.
    """

    def __init__(self, book: Book, rows: Sequence[SampleRow]) -> None:
        self._book = book
        self._rows = rows
        self.counted: list[CountedField] = []

    def __iter__(self) -> Iterator[Outcome]:
        for row in self._rows:
            for outcome in self._book.outcomes(row.id):
                of = outcome.result if isinstance(outcome, AnalysedField) else outcome
                self.counted.append(CountedField(of.index, of.sample, of.name, of.identity))
                yield outcome


class UnlessComplete:
    """A ledger that hears nothing of samples that are complete in the book: they are replayed for the others."""

    def __init__(self, inner: Ledger, complete: Sequence[str]) -> None:
        self._inner = inner
        self._complete = frozenset(complete)

    def field(self, event: FieldEvent) -> None:
        """Pass it on."""
        if event.sample not in self._complete:
            self._inner.field(event)

    def sample(self, event: SampleEvent) -> None:
        """Pass it on."""
        if event.tally.sample not in self._complete:
            self._inner.sample(event)

    @property
    def settled(self) -> bool:
        """Whether every field it was given is on the medium."""
        return self._inner.settled

    def settle(self) -> None:
        """Pass it on."""
        self._inner.settle()

    def close(self) -> None:
        """Pass it on."""
        self._inner.close()

    def discard(self) -> None:
        """Pass it on."""
        self._inner.discard()
