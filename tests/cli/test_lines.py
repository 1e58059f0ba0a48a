"""Reports are broken between words, below their text, where a terminal is narrow; in a pipe a line is a line."""

from __future__ import annotations

import os
import sys

import pytest

from edge.lines import folded
from tests.cli.terminal import on_a_terminal


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("short", 40, ["short"]),
        ("a line of words that is long", None, ["a line of words that is long"]),
        ("a line of words", 10, ["a line of", "  words"]),
        ("note       one two three four", 24, ["note       one two three", "           four"]),
        ("  at 9 cells: a blank shows", 20, ["  at 9 cells: a", "    blank shows"]),
        ("  false positives  one two three four", 38, ["  false positives  one two three four"]),
        ("  false positives  one two three fours", 37, ["  false positives  one two three", "                  fours"]),
        ("see /a/path/that/cannot/be/broken here", 20, ["see", "  /a/path/that/cannot/be/broken", "  here"]),
        ("well-known words", 12, ["well-known", "  words"]),
    ],
)
def test_a_long_line_goes_on_below_its_text(line: str, width: int | None, lines: list[str]) -> None:
    assert folded(line, width) == lines


@pytest.mark.parametrize("columns", [80, 60])
def test_no_line_of_a_report_or_of_a_complaint_is_wider_than_the_terminal(columns: int) -> None:
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "dumb"}
    for call in (["plan", "--cells", "350"], ["models"], ["calibrate", "--blank", "x", "-o", "y", "--target", "1e9"]):
        _, text = on_a_terminal([sys.executable, "-m", "edge", *call], env)
        assert text.split()
        assert [line for line in text.splitlines() if len(line) > columns] == []
