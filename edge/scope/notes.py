"""What there is to say of the typical cells of a run's fields: too few cells to tell, or other than what was settled."""

from __future__ import annotations

from collections.abc import Callable

from edge.scope.settling import SettledScope, misfit_in_words
from edge.types import FieldResult
from edge.typical import FEWEST

_NONE_SETTLED = (
    "compared with what little there is. Settle this microscope (edge scope settle --fields DIR -o FILE) "
    "and give --settled FILE"
)


class TypicalWatch:
    """Makes the notes of each sample, and says once per run of each kind what does not fit.

    Args:
        settled: the microscope; None: it is not settled.
        tell: takes one line for a person.
    """

    def __init__(self, settled: SettledScope | None, tell: Callable[[str], None]) -> None:
        self._settled = settled
        self._tell = tell
        self._told: set[str] = set()

    def sample(self) -> TypicalNotes:
        """The notes of a new sample."""
        return TypicalNotes(self._settled, self._once)

    def _once(self, kind: str, line: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._tell(line)


class TypicalNotes:
    """The notes of one sample. Call ``add`` for each field that counts, in field order."""

    def __init__(self, settled: SettledScope | None, tell: Callable[[str, str], None]) -> None:
        self._settled = settled
        self._tell = tell
        self._fields = self._few = 0
        self._misfits: dict[str, tuple[int, str, float]] = {}  # fields, and the one that is furthest off

    def add(self, result: FieldResult) -> None:
        """Look at one field."""
        self._fields += 1
        if result.typical is not None and result.typical.finds < FEWEST:
            self._few += 1
        if self._settled is None:
            return
        for name, factor in self._settled.misfits(result).items():
            fields, worst, most = self._misfits.get(name, (0, result.name, factor))
            if max(factor, 1 / factor) > max(most, 1 / most):
                worst, most = result.name, factor
            self._misfits[name] = (fields + 1, worst, most)
            words = misfit_in_words(name, factor)
            self._tell(name, f"{result.name}: {words} than when this microscope was settled")

    def doubts(self) -> tuple[str, ...]:
        """None: a look that is another leaves a sample to be judged by ``edge.verdict.fitness``."""
        return ()

    def sentences(self) -> tuple[str, ...]:
        """What there is to say, a sentence each."""
        out = []
        if self._few:
            short = f"{self._of(self._few)} fewer than {FEWEST} cells, too few to tell what a typical cell looks like: "
            out.append(short + (_NONE_SETTLED if self._settled is None else "compared with the settled one") + ".")
        for name, (fields, worst, factor) in self._misfits.items():
            then = f"{self._of(fields)} another look than when this microscope was settled"
            out.append(f"{then}: {misfit_in_words(name, factor)} in {worst}.")
        if self._misfits:
            out.append(
                "Look at lamp, stain and objective; if they are meant to be so, settle it anew (edge scope settle)."
            )
        return tuple(out)

    def _of(self, fields: int) -> str:
        return f"{fields:,} of {self._fields:,} fields {'have' if fields != 1 else 'has'}"
