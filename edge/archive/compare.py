"""Two recounts of one archive, sample by sample: what another model changes.

Fields are paired by their names within a sample, and by their content where both counts know it. Samples come in natural order of
their names; only the columns that matter are read, a part at a time: memory is a few hundred bytes a sample, and a few parts.
"""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.archive.packages import package
from edge.archive.part_reading import read_part
from edge.archive.results import Results
from edge.archive.tables import COUNTED
from edge.errors import ArchiveError
from edge.sources.names import natural_key
from edge.types import Int32Array
from edge.verdict.paired import ShareChange, share_change
from edge.verdict.table import UNCALIBRATED

_LONGEST_NAME = 4096  # characters of a sample's: of a path, on any system
_PARTS_HELD = 4  # of each count: samples that follow each other are in the same part, or in one of a few


@dataclass(frozen=True, slots=True)
class CountOfSample:
    """One of the two counts of a sample.

    Attributes:
        fields: of it; ``kept`` of them count.
        cells, positive: that were counted.
        flag: of its verdict.
    """

    fields: int
    kept: int
    cells: int
    positive: int
    flag: str


@dataclass(frozen=True, slots=True)
class SampleComparison:
    """A sample that was counted twice.

    Attributes:
        name: of the sample.
        before, after: the two counts.
        change: of the share of positive cells, over the fields that both counts had.
        unpaired: fields that only one of them had, or whose content is not the same.
    """

    name: str
    before: CountOfSample
    after: CountOfSample
    change: ShareChange
    unpaired: int

    @property
    def flag_changed(self) -> bool:
        """Whether the flag is another one; without a calibration there is none to compare."""
        return self.before.flag != self.after.flag and UNCALIBRATED not in (self.before.flag, self.after.flag)

    @property
    def changed(self) -> bool:
        """Whether the flag is another one, or the share surely is."""
        return self.flag_changed or self.change.sure


@dataclass(frozen=True, slots=True)
class ComparisonEnd:
    """Two counts as a whole.

    Attributes:
        samples: in both; ``changed`` of them have another flag or surely another share.
        only_before, only_after: samples that are in one alone: an interrupted count, or files that came or went.
        fields: that are paired and count in at least one of the two; ``differ`` of them have other numbers; ``unpaired``: the others.
        before_cells, before_positive, after_cells, after_positive: of the samples in both.
        change: of the share over all samples; its interval takes the sample as the unit that is drawn.
        flags: flag before, flag after, and how many samples have both, most first.
    """

    samples: int
    changed: int
    only_before: int
    only_after: int
    fields: int
    differ: int
    unpaired: int
    before_cells: int
    before_positive: int
    after_cells: int
    after_positive: int
    change: ShareChange
    flags: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class _FieldCounts:
    """The fields of a sample.

    Attributes:
        names: of their files; ``hashes``: of their content, None: not known.
        cells, positive: int32 [fields], 0 where a field does not count.
        kept: how many count.
    """

    names: list[str]
    hashes: list[str | None]
    cells: Int32Array
    positive: Int32Array
    kept: int

    def keys(self) -> list[tuple[str, int]]:
        """Its name, and which one of that name, for each field."""
        seen: Counter[str] = Counter()
        out = []
        for name in self.names:
            out.append((name, seen[name]))
            seen[name] += 1
        return out


class Comparison:
    """Iterate once for the samples, then ask for ``end``.

    Args:
        before, after: folders of results.

    Raises:
        ArchiveError: one of them is no folder of results, or they do not count the same things.
    """

    def __init__(self, before: Results, after: Results) -> None:
        one, other = before.described(), after.described()
        if one.unit != other.unit:
            raise ArchiveError(
                f"{before.url} counts {one.unit}s, {after.url} {other.unit}s: their shares cannot be compared"
            )
        self.positive = (one.positive, other.positive)
        self._counts = (_PartCounts(before), _PartCounts(after))
        self._rows = array("q")  # cells and positive cells before and after, of one sample after the other
        self._flags: Counter[tuple[str, str]] = Counter()
        self._changed = self._fields = self._differ = self._unpaired = 0

    def __iter__(self) -> Iterator[SampleComparison]:
        """Every sample that both have; raises ArchiveError for a damaged part."""
        before, after = self._counts
        for name in sorted(before.where.keys() & after.where.keys(), key=natural_key):
            one = self._compared(name)
            yield one

    def end(self) -> ComparisonEnd:
        """All samples that were iterated."""
        rows = np.frombuffer(self._rows, np.int64).reshape(-1, 4).astype(np.float64)
        n1, k1, n2, k2 = (int(total) for total in rows.sum(axis=0))
        before, after = (counts.where.keys() for counts in self._counts)
        return ComparisonEnd(
            samples=len(rows),
            changed=self._changed,
            only_before=len(before - after),
            only_after=len(after - before),
            fields=self._fields,
            differ=self._differ,
            unpaired=self._unpaired,
            before_cells=n1,
            before_positive=k1,
            after_cells=n2,
            after_positive=k2,
            change=share_change((rows[:, 0], rows[:, 1]), (rows[:, 2], rows[:, 3])),
            flags=tuple((one, other, n) for (one, other), n in self._flags.most_common()),
        )

    def _compared(self, name: str) -> SampleComparison:
        (told, fields), (told_after, fields_after) = (counts.sample(name) for counts in self._counts)
        pairs, pairs_after, unpaired = _paired(fields, fields_after)
        change = share_change(
            (fields.cells[pairs], fields.positive[pairs]),
            (fields_after.cells[pairs_after], fields_after.positive[pairs_after]),
        )
        one = SampleComparison(name, told, told_after, change, unpaired)
        self._rows.extend((told.cells, told.positive, told_after.cells, told_after.positive))
        self._flags[told.flag, told_after.flag] += 1
        self._changed += one.changed
        self._fields += change.fields
        self._differ += change.differ
        self._unpaired += unpaired
        return one


def _paired(one: _FieldCounts, other: _FieldCounts) -> tuple[Int32Array, Int32Array, int]:
    """Places of the fields that both have, in each of them, and how many fields are in one alone."""
    if one.names == other.names and one.hashes == other.hashes:
        same = np.arange(len(one.names), dtype=np.int32)
        return same, same, 0
    places = {key: place for place, key in enumerate(other.keys())}
    pairs = []
    for place, key in enumerate(one.keys()):
        there = places.get(key)
        if there is not None and _may_be_one(one.hashes[place], other.hashes[there]):
            pairs.append((place, there))
    both = np.array(pairs, np.int32).reshape(-1, 2)
    return both[:, 0], both[:, 1], len(one.names) + len(other.names) - 2 * len(pairs)


def _may_be_one(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


class _PartCounts:
    """One count: where its samples are, and the parts that were read last.

    Attributes:
        where: number of the part that holds a sample, by its name.
    """

    def __init__(self, results: Results) -> None:
        self._results = results
        self._parts = results.parts()
        self.where: dict[str, int] = {}
        arrow = package("pyarrow")
        for number, part in enumerate(self._parts):
            for name in read_part(results.place, "samples", part, {"sample": arrow.string()})["sample"].to_pylist():
                if not name or len(name) > _LONGEST_NAME:
                    raise ArchiveError(
                        f"{results.url}/samples/{part}: not of edge recount: a sample without a usable name"
                    )
                self.where.setdefault(name, number)
        self._held: OrderedDict[int, dict[str, tuple[CountOfSample, _FieldCounts]]] = OrderedDict()

    def sample(self, name: str) -> tuple[CountOfSample, _FieldCounts]:
        """What was counted of a sample, and of its fields."""
        number = self.where[name]
        if number not in self._held:
            self._held[number] = self._read(self._parts[number])
            while len(self._held) > _PARTS_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(number)
        return self._held[number][name]

    def _read(self, part: str) -> dict[str, tuple[CountOfSample, _FieldCounts]]:
        arrow, place = package("pyarrow"), self._results.place
        text, whole, long = arrow.string(), arrow.int32(), arrow.int64()
        samples = read_part(
            place, "samples", part, {"sample": text, "fields": whole, "cells": long, "positive": long, "flag": text}
        )
        fields = read_part(
            place, "fields", part,
            {"sample": text, "name": text, "state": text, "cells": whole, "positive": whole, "sha256": text},
            gaps=("sha256",),
        )  # fmt: skip
        by_sample = _by_sample(fields)
        told = {}
        for row in samples.to_pylist():
            mine = by_sample.get(row["sample"])
            if mine is None:
                mine = _FieldCounts([], [], np.zeros(0, np.int32), np.zeros(0, np.int32), 0)
            sums = (row["fields"], row["cells"], row["positive"])
            wrong = bool(((mine.positive < 0) | (mine.positive > mine.cells)).any())
            if wrong or sums != (len(mine.names), int(mine.cells.sum()), int(mine.positive.sum())):
                raise ArchiveError(
                    f"{self._results.url}: {row['sample']}: its fields do not add up to what its sample says: remove "
                    f"samples/{part}, and recount again with the same -o, which counts its samples anew"
                )
            told[row["sample"]] = CountOfSample(*sums[:1], mine.kept, *sums[1:], str(row["flag"])), mine
        return told


def _by_sample(fields: Any) -> dict[str, _FieldCounts]:
    """Fields of a part, by their samples; those of a sample stand together."""
    samples, names, states = (fields[column].to_pylist() for column in ("sample", "name", "state"))
    hashes = fields["sha256"].to_pylist()
    cells, positive = (np.asarray(fields[one].to_numpy(), np.int32) for one in ("cells", "positive"))
    counts = np.array([state == COUNTED for state in states], bool)
    cells, positive = np.where(counts, cells, 0), np.where(counts, positive, 0)
    out: dict[str, _FieldCounts] = {}
    start = 0
    for end in range(1, len(samples) + 1):
        if end == len(samples) or samples[end] != samples[start]:
            span = slice(start, end)
            out[samples[start]] = _FieldCounts(
                names[span], hashes[span], cells[span], positive[span], int(counts[span].sum())
            )
            start = end
    return out
