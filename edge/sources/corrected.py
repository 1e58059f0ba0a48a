"""A source whose fields are corrected when they are loaded, by whatever it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from edge.sources import Source
from edge.types import CountedField, Field, Shot


class CorrectedSource:
    """Args:
    source: of the fields.
    correct: a field to the corrected one; runs in a worker's thread, and may raise what ``Shot.load`` may.
    """

    def __init__(self, source: Source, correct: Callable[[Field], Field]) -> None:
        self.total = source.total
        self.samples = source.samples
        self.notes: tuple[str, ...] = getattr(source, "notes", ())
        self._source = source
        self._correct = correct

    def __iter__(self) -> Iterator[Shot]:
        """Yield the source's shots."""
        for shot in self._source:
            yield replace(shot, load=self._loading(shot))

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """As the source does."""
        said = self._source.go_on(counted, complete)
        self.total = self._source.total
        return said

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _loading(self, shot: Shot) -> Callable[[], Field]:
        return lambda: self._correct(shot.load())
