"""What people answered about the samples of a book: the part of ``edge.book.book.Book`` that gives and takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.answers import ReaderAddition, ReaderDecision
from edge.book import reviews
from edge.book.reviews import SentBundle
from edge.book.store import Store


class BookAnswers:
    """Methods that read raise BookError, those that write OutputError too.

    Args:
        store: the book's.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def answer(
        self, sample_id: int, decisions: Sequence[ReaderDecision], additions: Sequence[ReaderAddition] = ()
    ) -> tuple[tuple[ReaderDecision, ...], tuple[ReaderAddition, ...]]:
        """Put answers into the book, see ``edge.book.reviews.answer``; raises ReviewError for one that cannot be."""
        return reviews.answer(self.store, sample_id, decisions, additions)

    def decide(self, sample_id: int, decisions: Sequence[ReaderDecision]) -> tuple[ReaderDecision, ...]:
        """The same, answers about cells alone."""
        return self.answer(sample_id, decisions)[0]

    def add(self, sample_id: int, additions: Sequence[ReaderAddition]) -> tuple[ReaderAddition, ...]:
        """The same, marks of cells that the machine has not."""
        return self.answer(sample_id, (), additions)[1]

    def decisions(self, sample_id: int) -> tuple[ReaderDecision, ...]:
        """All answers about cells of a sample in the order they came, superseded ones too; a book of version 1 holds none."""
        return reviews.decisions(self.store, sample_id)

    def additions(self, sample_id: int) -> tuple[ReaderAddition, ...]:
        """All marks of cells that the machine has not, likewise."""
        return reviews.additions(self.store, sample_id)

    def answered(self, sample_id: int) -> tuple[int, int]:
        """Numbers of the newest answer and the newest mark of a sample, 0: none: what changes when somebody answers."""
        return reviews.newest(self.store, sample_id)

    def reviewed(self) -> Mapping[int, int]:
        """How many cells of each sample, by id, have answers that were not taken back; those without are left out."""
        return reviews.reviewed(self.store)

    def send_out(self, sample_id: int, bundle: SentBundle) -> None:
        """Note what goes out to somebody without its names."""
        reviews.send_out(self.store, sample_id, bundle)

    def bundles(self, sample_id: int) -> tuple[SentBundle, ...]:
        """What went out of a sample, oldest first."""
        return reviews.bundles(self.store, sample_id)
