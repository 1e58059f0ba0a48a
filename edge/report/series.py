"""Fields in the order they came, in a bounded number of stretches: when there are too many, neighbours are joined."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from edge.events import FieldEvent
from edge.report.records import Stage, Stretch
from edge.words import without_numbers

MOST = 480
"""Stretches kept; half as many are left when they are joined."""

_LONGEST_NAME = 120  # letters


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    n: int = 0
    largest: float = 0.0

    def add(self, value: float) -> None:
        self.total += value
        self.n += 1
        self.largest = max(self.largest, value)

    def join(self, other: _Mean) -> None:
        self.total += other.total
        self.n += other.n
        self.largest = max(self.largest, other.largest)

    @property
    def value(self) -> float | None:
        return self.total / self.n if self.n else None


@dataclass(slots=True)
class _Part:
    first: int
    name: str
    last: int
    fields: int = 1
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    cells: int = 0
    positives: int = 0
    focus: tuple[_Mean, _Mean] = field(default_factory=lambda: (_Mean(), _Mean()))  # kept, rejected
    brightness: tuple[_Mean, _Mean] = field(default_factory=lambda: (_Mean(), _Mean()))

    def join(self, other: _Part) -> None:
        self.last = other.last
        self.fields += other.fields
        self.kept += other.kept
        both = self.rejected + other.rejected
        self.rejected = Counter()
        for reason, n in both.items():
            self.rejected[without_numbers(reason)] += n  # of the fields joined here each may have a reason of its own
        self.cells += other.cells
        self.positives += other.positives
        for mine, theirs in zip((*self.focus, *self.brightness), (*other.focus, *other.brightness), strict=True):
            mine.join(theirs)

    def frozen(self) -> Stretch:
        focus, brightness = ([mean.value for mean in pair] for pair in (self.focus, self.brightness))
        return Stretch(
            self.first, self.last, self.name, self.kept, dict(self.rejected), self.cells, self.positives,
            focus[0], brightness[0], focus[1], brightness[1],
        )  # fmt: skip


class Series:
    """Takes fields in order. A stretch is one field until there are more than ``most``, then two, then four."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 1
        self._parts: list[_Part] = []
        self._stages: dict[str, _Mean] = {}

    def add(self, event: FieldEvent, cells: int, positives: int) -> None:
        """Add one field; ``cells`` and ``positives`` count only where it is kept."""
        part = _Part(event.index, event.name[:_LONGEST_NAME], event.index)
        if event.kept:
            part.kept, part.cells, part.positives = 1, cells, positives
        else:
            part.rejected[reason_of(event)] = 1
        if event.result is not None:
            part.focus[not event.kept].add(event.result.quality.sharpness)
            part.brightness[not event.kept].add(event.result.quality.brightness)
            for stage, ms in event.result.ms._asdict().items():
                self._stages.setdefault(stage, _Mean()).add(ms)
        if self._parts and self._parts[-1].fields < self._size:
            self._parts[-1].join(part)
            return
        if len(self._parts) == self._most:
            self._halve()
        self._parts.append(part)

    def _halve(self) -> None:
        joined = self._parts[::2]
        for first, second in zip(joined, self._parts[1::2], strict=False):
            first.join(second)
        self._parts = joined
        self._size *= 2

    def stretches(self) -> tuple[Stretch, ...]:
        """The stretches so far, in field order."""
        return tuple(part.frozen() for part in self._parts)

    def stages(self) -> tuple[Stage, ...]:
        """Mean and slowest of each stage."""
        return tuple(Stage(name, mean.value or 0.0, mean.largest) for name, mean in self._stages.items())


def reason_of(event: FieldEvent) -> str:
    """Why a field does not count, in few words: one reason for all that could not be read."""
    return "unreadable" if event.result is None else (event.reject_reason or "")
