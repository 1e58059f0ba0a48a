"""One sample: field results added up in field order, after the gate's decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from edge.appearance import Appearances
from edge.types import FieldResult, SampleAppearance, Tally


class Sample:
    """Adds field results up. The order of calls is the order of fields; ``tally`` may be called at any time.

    Args:
        name: the sample's name.
        labels: the model's classes, in its order; all of them are in the counts, found or not.
    """

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name = name
        self._labels = tuple(labels)
        self._counts = np.zeros(len(self._labels), np.int64)
        self._set_aside: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._kept = 0
        self._appearances = Appearances()
        self._unreadable: list[tuple[str, str]] = []

    @property
    def fields(self) -> int:
        """Inputs seen so far: kept, rejected and unreadable."""
        return self._kept + self._rejected.total() + len(self._unreadable)

    @property
    def cells(self) -> int:
        """Cells counted so far."""
        return int(self._counts.sum())

    def add(self, result: FieldResult, reject_reason: str | None) -> None:
        """Add one field; a rejected one is only counted as such."""
        if reject_reason is not None:
            self._rejected[reject_reason] += 1
            return
        self._kept += 1
        self._counts += class_counts(result, len(self._labels))
        self._set_aside.update(set_aside_counts(result))
        if result.appearance is not None:
            self._appearances.add(result.appearance, result.quality.sharpness)

    def add_unreadable(self, name: str, reason: str) -> None:
        """Note an input that could not be read."""
        self._unreadable.append((name, reason))

    def appearance(self) -> SampleAppearance:
        """Appearance of the kept fields. Call it once per sample, not per field: it goes through all of them."""
        return self._appearances.sample()

    def tally(self) -> Tally:
        """The sample so far."""
        counts = {label: int(n) for label, n in zip(self._labels, self._counts, strict=True)}
        return Tally(
            self.name, counts, dict(self._set_aside), self._kept, dict(self._rejected), tuple(self._unreadable)
        )


def class_counts(result: FieldResult, classes: int) -> np.ndarray:
    """Cells per class of one field, int64 [classes]; what is set aside is in none."""
    return np.bincount(result.classes[result.classes >= 0], minlength=classes)


def set_aside_counts(result: FieldResult) -> Mapping[str, int]:
    """Things per ``not-...`` kind of one field, every kind the finder knows."""
    found = np.bincount(result.cells.kind, minlength=len(result.cells.kinds))
    return {kind: int(found[i]) for i, kind in enumerate(result.cells.kinds) if i > 0}
