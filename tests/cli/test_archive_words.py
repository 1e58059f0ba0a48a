"""What is said of a recount while it goes on, and at its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.archive.records import RecountEnd, RecountProgress
from edge.cli.archive_words import duration_words, end_lines, progress_words

BEGUN = RecountProgress(
    samples=1,
    fields=3,
    cells=1200,
    unreadable=0,
    listed=40,
    listing=True,
    before=0,
    rate=None,
    seconds_left=None,
    workers=1,
)
SAID = {
    "begun": (BEGUN, "3 of 40 or more fields, 1 sample, 1,200 cells, 1 worker"),
    "under way": (
        replace(
            BEGUN, listing=False, fields=1000, before=203, listed=40000, rate=31.04, seconds_left=1251.0, workers=2
        ),
        "1,203 of 40,000 fields, 21 min left, 31.0 fields/s, 1 sample, 1,200 cells, 2 workers",
    ),
    "with unreadable fields": (
        replace(BEGUN, unreadable=2, listing=False),
        "3 of 40 fields, 2 unreadable, 1 sample, 1,200 cells, 1 worker",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_the_progress_in_words(case: str) -> None:
    progress, words = SAID[case]
    assert progress_words(progress) == words


@pytest.mark.parametrize(("seconds", "words"), [(4.2, "4 s"), (99, "99 s"), (100, "2 min"), (7200, "2.0 h")])
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_the_end_names_what_is_missing_and_what_is_not_read() -> None:
    named = tuple((f"a/{n}.png", "the file is empty (0 bytes)") for n in range(12))
    end = RecountEnd(
        2, 40, 4000, 15, named, ("b",), False, (("c", "Permission denied"),), 3, ("d/t.tif: it holds a preview",)
    )
    lines = list(end_lines(end, "counts.parquet"))
    assert lines[0] == "2 samples, 40 fields, 4,000 cells: counts.parquet"
    assert lines[1:3] == ["15 fields could not be read:", "  a/0.png: the file is empty (0 bytes)"]
    assert "  and 5 more: in the table fields, state unreadable" in lines
    assert [line for line in lines if line.endswith(": b")]
    assert "left out: c: Permission denied" in lines
    assert "note: d/t.tif: it holds a preview" in lines
    assert lines[-1].startswith("left out: 3 videos")
