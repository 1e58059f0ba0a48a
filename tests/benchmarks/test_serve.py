"""Figures of the page: how windows become costs, how requests are mutated, what the page of figures says."""

from __future__ import annotations

import random

import pytest

from benchmarks.serve.attacks import CheckRow
from benchmarks.serve.figures import figures_page
from benchmarks.serve.frames import CHROMIUM, NOBODY, READER, Window, costs
from benchmarks.serve.mutating import changed, originals


def window(way: str, fields: float, frames: float = 0.0) -> Window:
    return Window(way, fields, 0.1, 0.5, 0.05, frames, 20.0, 3.0)


def test_a_window_with_a_page_is_held_against_those_around_it() -> None:
    # the machine is slower and slower: only the neighbours tell what the page costs
    rows = [window(NOBODY, 10), window(READER, 8.1, 12), window(NOBODY, 8), window(READER, 6.3, 12), window(NOBODY, 6)]
    alone, reader = costs(rows)
    assert (alone.way, alone.fields, alone.slower) == (NOBODY, 8, None)
    assert (reader.way, reader.frames) == (READER, 12)
    assert reader.slower == pytest.approx(0.1)


def test_mutations_are_the_same_for_a_seed_and_differ_from_what_they_began_with() -> None:
    whole = originals("127.0.0.1:8400", "edge_8400=abc", "token")
    assert all(one.count(b"\r\n\r\n") == 1 for one in whole)
    first, again = ([changed(one, random.Random(seed)) for one in whole] for seed in (7, 7))
    assert first == again
    assert sum(a != b for a, b in zip(first, whole, strict=True)) > len(whole) - 3


PAGES = {
    "all met": ([window(NOBODY, 10), window(CHROMIUM, 9.8, 15), window(NOBODY, 10)], "All met."),
    "too slow": ([window(NOBODY, 10), window(CHROMIUM, 8, 15), window(NOBODY, 10)], "20.0% slower"),
    "too few pictures": ([window(NOBODY, 10), window(READER, 10, 6), window(NOBODY, 10)], "6.0 pictures/s"),
}


@pytest.mark.parametrize("case", PAGES)
def test_targets_that_are_missed_are_said(case: str) -> None:
    windows, said = PAGES[case]
    text = figures_page("a machine", [], costs(windows), [], [])
    assert said in text
    assert ("Missed" in text) is (case != "all met")


def test_a_check_that_did_not_hold_stands_out() -> None:
    rows = [CheckRow("wrong PIN", 1000, "20 x 403", held=True), CheckRow("foreign Origin", 5, "5 x 200", held=False)]
    text = figures_page("a machine", [], [], rows, ["a defect"])
    assert "| foreign Origin | 5 | 5 x 200 | NO |" in text
    assert "complained 1 times: a defect" in text
