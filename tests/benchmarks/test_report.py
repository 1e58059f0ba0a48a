"""The page: everything sound is in it, nothing unsound is, and strangers' files cannot write markup."""

from __future__ import annotations

import pytest

from benchmarks.errors import MissingPackageError
from benchmarks.record.run import FAILED, CaseRecord
from benchmarks.report import plots
from benchmarks.report.page import page
from benchmarks.workload import Workload
from tests.benchmarks.steps import DEVICE, case, run, work
from tests.benchmarks.test_summary import fields, staged

SOUND = run(case("classify/a", [10.0] * 10), staged("run/x", [100, 100], [80, 80], workers=1))


def test_a_sound_run_is_in_the_page_with_its_machine_and_figures() -> None:
    text = page([("pi5.json", SOUND)])
    assert "Raspberry Pi 5 Model B Rev 1.0" in text
    assert "| classify/a | 10.00 |" in text
    assert "ondemand" in text
    assert "51.5" in text
    assert "Left out" not in text
    assert text == page([("pi5.json", SOUND)])


def test_invalid_and_partial_runs_are_named_and_kept_out() -> None:
    hot = run(case("hot", [77.77] * 10), invalid=("throttled while it measured",))
    half = run(case("half", [88.88] * 10), partial=True)
    text = page([("a.json", SOUND), ("hot.json", hot), ("half.json", half)])
    assert "hot.json" in text
    assert "invalid: throttled while it measured" in text
    assert "partial: stopped before the end" in text
    assert "77.77" not in text
    assert "88.88" not in text


def test_a_page_without_one_sound_run_says_so() -> None:
    assert "No result could be used." in page([("h.json", run(case("a", [1.0]), invalid=("hot",)))])


def test_machines_that_measured_the_same_case_stand_side_by_side() -> None:
    other = run(case("classify/a", [30.0] * 10), device={**DEVICE, "board": "Raspberry Pi 4"})
    text = page([("pi5.json", SOUND), ("pi4.json", other)])
    assert "| classify/a | 10.00 | 30.00 |" in text


def test_growth_targets_failures_and_notes_are_shown() -> None:
    failed = CaseRecord(work("broken"), FAILED, "no such net")
    text = page(
        [("a.json", run(*fields(2.0, 4.0, 10.0), staged("f", [100], [900], workers=1), failed, notes=("busy",)))]
    )
    assert "x megapixels" in text
    assert "**missed**" in text
    assert "- broken: failed: no such net" in text
    assert "- busy" in text


def test_names_from_files_cannot_write_markup() -> None:
    name = "a|b<script>[x](y)`\n# big"
    evil = run(case(name, [1.0] * 4, workload=Workload(name, "g", "cell", "x:y")))
    text = page([("e|vil.json", evil)])
    assert "<script>" not in text
    assert "\n# big" not in text
    assert "a\\|b" in text


def test_plots_are_svg_and_the_same_each_time() -> None:
    pytest.importorskip("matplotlib")
    runs = [("a.json", SOUND), ("bad.json", run(case("hot", [1.0]), invalid=("hot",)))]
    drawn = plots.draw(runs, "benchmarks")
    assert sorted(drawn) == ["benchmarks-cells.svg", "benchmarks-fields.svg"]
    assert all("<svg" in svg for svg in drawn.values())
    assert "hot" not in drawn["benchmarks-cells.svg"]
    assert drawn == plots.draw(runs, "benchmarks")
    assert plots.draw([("a.json", run())], "x") == {}


def test_without_matplotlib_it_says_how_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match="--no-plots"):
        plots.draw([("a.json", SOUND)], "x")
