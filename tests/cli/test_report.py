"""edge-run --report as its user meets it. Model and finder are stand-ins here, but for the last test."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge import shelf
from edge.cli import edge_run_app
from edge.report import output
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource, TwoSamples
from tests.report.made import Seen, check, read


def run(*args: object, source: FakeSource | None = None) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_run_app(), ["--camera", "--no-gate", *(str(a) for a in args)])


def page(path: Path) -> Seen:
    seen = read(path.read_text())
    check(seen.facts)
    return seen


def test_a_sample_leaves_a_page_that_says_what_the_table_says(tmp_path: Path) -> None:
    got = run("--report", tmp_path / "out", source=FakeSource([5, "no image", 9]))
    assert got.exit_code == 3, got.stderr
    (path,) = (tmp_path / "out").iterdir()
    found = page(path)
    assert path.name == "s.html"
    assert found.facts["counts"] == {"uninfected": 10, "parasitized": 2}
    assert [cell["cell"] for cell in found.facts["galleries"][0]["cells"]] == ["0-0", "2-0"]
    assert found.facts["fields"] == {"kept": 2, "rejected": {}, "unreadable": 1}
    assert "field-1.png" in found.text
    assert "The gate was off" in found.text


def test_samples_have_a_page_each(tmp_path: Path) -> None:
    assert run("--report", tmp_path, source=TwoSamples([3, 3, 4, 4])).exit_code == 0
    assert {p.name for p in tmp_path.iterdir()} == {"a.html", "b.html", "index.html"}
    assert page(tmp_path / "b.html").facts["cells"] == 6


def test_the_same_run_gives_the_same_page_with_any_number_of_workers(tmp_path: Path) -> None:
    pages = []
    for workers in (1, 3):
        source = FakeSource([5, 9, 40, 2] * 5, slow=1)
        assert run("--report", tmp_path, "--workers", workers, source=source).exit_code == 0
        facts = page(tmp_path / "s.html").facts
        facts.pop("made")
        pages.append(facts)
    assert pages[0] == pages[1]


def test_a_grid_is_said_to_be_tiles_everywhere(tmp_path: Path) -> None:
    got = run("--tiling", "grid", "--report", tmp_path, source=FakeSource([5, 9]))
    assert got.exit_code == 0
    assert "tiles      12 counted" in got.stdout
    assert "of 12 tiles counted as parasitized" in got.stdout
    assert page(tmp_path / "s.html").facts["unit"] == "tile"


def test_a_camera_that_is_lost_leaves_a_page_of_what_was_counted(tmp_path: Path) -> None:
    got = run("--report", tmp_path, source=FakeSource([5, 5, None]))
    assert got.exit_code == 6
    assert page(tmp_path / "s.html").facts["cells"] == 8


def test_a_report_that_cannot_be_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / ("a" * 300)):
        source = FakeSource([5])
        got = run("--report", place, source=source)
        assert got.exit_code == 7
        (line,) = got.stderr.splitlines()
        assert "cannot be written" in line
        assert source.loaded == []


def test_a_disk_that_fills_up_loses_nothing_that_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(*_: Any) -> Iterable[str]:
        yield "<!DOCTYPE html>"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "page", half)
    table, detections, out = tmp_path / "t.csv", tmp_path / "d.json", tmp_path / "out"
    source = FakeSource([5, 5])
    got = run("--csv", table, "--detections", detections, "--report", out, source=source)
    assert got.exit_code == 7
    assert got.stderr.splitlines()[-1].endswith("s.html: cannot be written: No space left on device")
    assert "8 counted" in got.stdout
    with table.open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 2
    assert len(json.loads(detections.read_text())["images"]) == 2
    assert list(out.iterdir()) == []


def test_without_report_and_book_no_pixels_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.outputs.console import Summary

    seen: list[object] = []
    monkeypatch.setattr(Summary, "field", lambda _self, event: seen.append(event.rgb))
    assert run("--no-book", source=FakeSource([5, 5])).exit_code == 0
    assert seen == [None, None]


def test_the_whole_way_with_the_shipped_models(tmp_path: Path) -> None:
    if not shelf.has(shelf.CLASSIFIER):
        pytest.skip(f"the shelf does not hold {shelf.CLASSIFIER} yet")
    args = ["--simulate", "--size", "640x480", "--max-fields", "6", "--report", str(tmp_path), "--json"]
    got = CliRunner().invoke(edge_run_app(), args)
    assert got.exit_code == 0, got.stderr
    found = page(tmp_path / "simulated-0.html")
    sample = json.loads(got.stdout.splitlines()[-1])
    assert found.facts["counts"] == sample["counts"]
    assert found.facts["model"] == sample["model"]
    shown = sum(len(gallery["cells"]) for gallery in found.facts["galleries"])
    assert len(found.of("img")) >= shown > 36
