"""What a session asks in field order, one of each per sample: does a field count, was it seen before, what is there to say."""

from __future__ import annotations

from typing import Protocol

from edge.types import FieldResult, Overlap, Quality


class Judge(Protocol):
    """What a run needs of a gate; ``edge.gate.Gate`` is the real one. One per sample."""

    def judge(self, quality: Quality) -> str | None:
        """Why the field does not count, or None. Called in field order."""
        ...


class Placer(Protocol):
    """What a run needs of a register of fields; ``edge.overlap.Register`` is the real one. One per sample."""

    def place(self, result: FieldResult) -> tuple[FieldResult, tuple[Overlap, ...]]:
        """The field with what earlier ones showed set aside, and those it overlaps. Called for kept fields, in field order."""
        ...


class NoteTaker(Protocol):
    """What a run needs of who takes notes; ``edge.scope.notes.TypicalNotes`` is the real one. One per sample."""

    def add(self, result: FieldResult) -> None:
        """Look at a field that counts. Called in field order."""
        ...

    def doubts(self) -> tuple[str, ...]:
        """Why the sample cannot be judged, a sentence each; empty: nothing of it speaks against that."""
        ...

    def sentences(self) -> tuple[str, ...]:
        """What there is to say of the sample's fields."""
        ...
