"""Analysed slices in files: what comes back is what was written; damage is said, and nothing of it is run."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.archive.slices import SliceError, read_outcomes, write_outcomes
from edge.events import AnalysedField, Outcome, Unreadable
from edge.types import Appearance, FieldIdentity, FieldResult, FieldTypical, Region
from tests.archive.made import made_result

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")

IDENTITY = FieldIdentity("/a/\udc80.png#2", 17, "ab" * 32)


def full(index: int, cells: int) -> FieldResult:
    region = Region(np.array([[0.5, 0.1], [3.25, 9.0], [7.0, 1.0]], np.float32), 2.5)
    look = Appearance(cells, (1.0, 2.0, 3.1), (0.1, 0.2, 0.3), 12.3, 0.7, np.arange(5, dtype=np.int32))
    typical = FieldTypical(cells, np.array([1, 2, 3], np.uint8), np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    told = {"scope": "bench", "scope_allowed": (0.1, 0.2), "n": 3}
    return replace(
        made_result(index, "s", f"{index}.png", cells),
        region=region,
        appearance=look,
        typical=typical,
        metadata=told,
        identity=IDENTITY,
    )


OUTCOMES: list[Outcome] = [
    AnalysedField(full(0, 7)),
    Unreadable(1, "s", "1.png", "truncated", identity=IDENTITY),
    AnalysedField(made_result(2, "s", "2.png", 0)),
    *(AnalysedField(made_result(n, "s", f"{n}.png", n % 9)) for n in range(3, 40)),
]


def told(outcome: Outcome) -> list[object]:
    """All of an outcome but its timings, in what can be compared."""
    if isinstance(outcome, Unreadable):
        return [outcome]
    one = outcome.result
    arrays = [one.cells.boxes, one.cells.kind, one.cells.confidence, one.classes, one.scores]
    more: list[object] = [one.region and (one.region.outline.tolist(), one.region.rim)]
    more += [one.appearance and (*one.appearance[:5], one.appearance.confidence.tolist())]
    more += [one.typical and (one.typical.finds, one.typical.paper.tolist(), one.typical.cell.tolist())]
    plain = [
        one.index,
        one.sample,
        one.name,
        one.shape,
        one.cells.kinds,
        repr(one.quality),
        dict(one.metadata),
        one.identity,
    ]
    return [*plain, *more, *((array.dtype, array.tolist()) for array in arrays)]


def test_outcomes_come_back_exactly(tmp_path: Path) -> None:
    number, unreadable = write_outcomes(tmp_path / "s", OUTCOMES)
    assert (number, unreadable) == (len(OUTCOMES), 1)
    assert [told(one) for one in read_outcomes(tmp_path / "s", "s")] == [told(one) for one in OUTCOMES]


def test_the_same_slice_is_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        write_outcomes(tmp_path / name, OUTCOMES)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damage_is_said_in_a_way_that_can_be_mended(tmp_path: Path) -> None:
    write_outcomes(tmp_path / "s", OUTCOMES)
    data = bytearray((tmp_path / "s").read_bytes())
    rng = random.Random(5)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        path = tmp_path / "broken"
        path.write_bytes(broken[: rng.randrange(len(broken))] if rng.random() < 0.3 else broken)
        try:
            list(read_outcomes(path, "s"))
        except (SliceError, OSError):
            continue
