"""Real fields through masks and damaged: the region, the counts, what is incomplete. Limits were chosen on IML and Raabin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.checks import spoilt
from benchmarks.checks import tables as checks
from edge.incomplete import is_incomplete
from edge.region import find_region
from edge.sources.decode import decode_image

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not all((DATA / s).is_dir() for s in checks.SETS), reason=f"no real fields in {DATA}"),
]
WITH_A_BAR = "637acb8f.jpg"
"""A Raabin picture with a black bar along its top: what is lit is a region, and nothing of it is missing."""


@pytest.mark.parametrize("name", checks.SETS)
def test_no_real_field_has_a_region_or_is_incomplete(name: str) -> None:
    for path, rgb in checks.fields(DATA, name, 3):
        region = find_region(rgb)
        assert (region is not None) == path.endswith(WITH_A_BAR), path
        assert not is_incomplete(rgb, region), path


@pytest.mark.parametrize("name", checks.SETS)
def test_odd_pictures_are_not_called_incomplete(name: str) -> None:
    tally = checks.called_incomplete(DATA, name, 30, spoilt.WHOLE)
    assert {kind: caught for kind, (caught, _) in tally.items() if caught} == {}
    assert min(of for _, of in tally.values()) > 0


@pytest.mark.parametrize("name", checks.SETS)
def test_damaged_pictures_are(name: str) -> None:
    tally = checks.called_incomplete(DATA, name, 30, spoilt.DAMAGES)
    # these may look like the field itself: grey on grey, few cells, a smooth line
    faint = {"grey block", "grey to the end", "goes on shifted", "goes on with another frame"}
    faint |= {"last line repeated", "last line repeated, JPEG"}
    assert {kind: counts for kind, counts in tally.items() if counts[0] < counts[1] and kind not in faint} == {}
    assert sum(caught for caught, _ in tally.values()) >= 0.9 * sum(of for _, of in tally.values())


def test_counts_through_masks_are_those_of_the_inside() -> None:
    rows = checks.masked_counts(DATA, "iml_fields", 60, checks.analyser(), large=False)
    _, _, missed, median, _, ours, *_ = (cell.strip() for cell in rows[-1].strip("|").split("|"))
    assert missed == "0"
    assert float(median.split()[0]) <= 3
    assert abs(float(ours.split()[0])) <= 1.5


def test_a_tiff_with_a_zeroed_tail_is_incomplete() -> None:
    path = DATA.parent / "cases" / "zero_tail.tif"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rgb = decode_image(path)
    assert is_incomplete(rgb, find_region(rgb))
