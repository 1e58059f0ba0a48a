"""The benchmark of recounts: its archives, its comparison of results, its page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.archive.figures import (
    ArchiveFigures,
    CountingTurn,
    MeasuredOn,
    RecountSpeed,
    UnderFire,
    read_figures,
    write_figures,
)
from benchmarks.archive.kills import KilledRun
from benchmarks.archive.made import bomb, make_archive
from benchmarks.archive.page import EDGE_RUN, ONE, TWO, page, processor_ratio, ratios
from benchmarks.archive.results import ResultsCompared, compare_results
from benchmarks.errors import ResultError
from benchmarks.places import REPOSITORY
from edge.errors import UnreadableFieldError
from edge.sources.decode import decode_image

MACHINE = MeasuredOn("2026-11-30", "a processor", 2, ("avx2",), 0.1)
TURNS = (
    *(CountingTurn(ONE, 100.0, 90.0, 250.0, 150.0), CountingTurn(TWO, 50.0, 95.0, 250.0, 150.0)),
    *(CountingTurn(EDGE_RUN, 50.0, 90.0, 0.0, 200.0), CountingTurn(ONE, 120.0, 90.0, 250.0, 150.0)),
    *(CountingTurn(TWO, 55.0, 95.0, 251.0, 150.0), CountingTurn(EDGE_RUN, 50.0, 90.0, 0.0, 200.0)),
)
SPEED = RecountSpeed(MACHINE, 2000, 40, TURNS, same=True)


def test_ratios_are_of_the_same_turn() -> None:
    assert ratios(SPEED) == pytest.approx(((100 / 50 + 120 / 55) / 2, (50 / 50 + 55 / 50) / 2))
    assert processor_ratio(SPEED) == pytest.approx(95 / 90)


def test_the_page_says_what_was_measured_and_what_was_not() -> None:
    told = page(ArchiveFigures(speed=SPEED))
    assert "2,000 fields in 40 samples" in told
    assert "| edge recount, 2 workers | 52.5 | 38.1 | 48 | 251 |" in told
    assert told.count("Not measured yet.") == 3
    assert "2.09 times as fast (target: at least 1.85): met" in told
    assert "whole time: 1.05 (target: at most 1.10): met" in told
    slow = tuple(replace(one, seconds=2 * one.seconds) if one.way == TWO else one for one in TURNS)
    assert page(ArchiveFigures(speed=replace(SPEED, turns=slow))).count("**missed**") == 2
    few = page(ArchiveFigures(speed=replace(SPEED, fields=100, same=False)))
    assert "fewer than 2,000 fields" in few
    assert "NOT EQUAL" in few


def test_the_page_says_what_was_counted_twice_or_otherwise() -> None:
    found = ResultsCompared({"samples": 4}, 1, ("cells",))
    told = page(ArchiveFigures(killed=UnderFire(MACHINE, 100, 10.0, KilledRun(3, 1, 2, (16, 0), 60.0), found)))
    assert "killed: 3 workers, the scheduler once, in 60 s" in told
    assert "counted twice: 1" in told
    assert "NOT EQUAL in cells" in told


def test_the_page_in_the_docs_is_made_of_what_is_kept() -> None:
    assert (REPOSITORY / "docs" / "recount-figures.md").read_text() == page(read_figures())


def test_figures_are_kept_as_they_are(tmp_path: Path) -> None:
    figures = ArchiveFigures(speed=SPEED)
    write_figures(figures, tmp_path / "kept.json")
    assert read_figures(tmp_path / "kept.json") == figures
    (tmp_path / "kept.json").write_text("{}[")
    with pytest.raises(ResultError, match="cannot be used"):
        read_figures(tmp_path / "kept.json")


def test_an_archive_has_its_pictures_in_turn_in_samples(tmp_path: Path) -> None:
    pictures = [tmp_path / "a.png", tmp_path / "b.JPG"]
    for picture in pictures:
        picture.write_bytes(picture.name.encode())
    made = make_archive(pictures, tmp_path / "archive", 5, 2)
    found = {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*.*")}
    assert found == {
        "sample-00000/0000.png": b"a.png",
        "sample-00000/0001.jpg": b"b.JPG",
        "sample-00001/0000.png": b"a.png",
        "sample-00001/0001.jpg": b"b.JPG",
        "sample-00002/0000.png": b"a.png",
    }


def test_the_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb(9000))
    assert (tmp_path / "bomb.png").stat().st_size < 500_000
    with pytest.raises(UnreadableFieldError, match="81"):
        decode_image(tmp_path / "bomb.png")


def results(folder: Path, *parts: list[tuple[str, int]]) -> Path:
    """Tables of so many parts: rows of sample and field."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
    from pyarrow import parquet

    for name in ("samples", "fields", "cells"):
        (folder / name).mkdir(parents=True)
        for number, rows in enumerate(parts):
            columns = {"sample": [row[0] for row in rows], "field": [row[1] for row in rows], "cell": [0] * len(rows)}
            if name == "samples":
                columns = {"sample": sorted({row[0] for row in rows})}
            parquet.write_table(arrow.table(columns), folder / name / f"part-{number}.parquet")
    return folder


COMPARED: dict[str, tuple[list[list[tuple[str, int]]], Callable[[ResultsCompared], bool]]] = {
    "the same in other parts": ([[("b", 0)], [("a", 0), ("a", 1)]], lambda found: found.same),
    "a field twice": ([[("a", 0), ("a", 1), ("b", 0)], [("c", 0), ("c", 0)]], lambda found: found.doubled == 2),
    "a field missing": ([[("a", 0), ("b", 0)]], lambda found: found.different == ("fields", "cells")),
    "a sample twice": ([[("a", 0), ("a", 1), ("b", 0)], [("b", 0)]], lambda found: found.doubled == 3),
}


@pytest.mark.parametrize("case", COMPARED)
def test_results_are_compared_row_by_row_whatever_their_parts(case: str, tmp_path: Path) -> None:
    parts, right = COMPARED[case]
    one = results(tmp_path / "one", [("a", 0), ("a", 1), ("b", 0)])
    assert right(compare_results(one, results(tmp_path / "other", *parts)))
