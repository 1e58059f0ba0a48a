"""The profile: stages that add up, tables that compare, and one line where something is missing."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import cv2
import pytest

from benchmarks import profile
from benchmarks.errors import NoInputError
from benchmarks.profile import ROOT, main, models, table
from benchmarks.tracing import DECODE, STAGES, TALLY, CpuClock, Pipeline
from edge.sources.virtual import SlideSpec, render_field


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "a.jpg"
    cv2.imwrite(
        str(path), render_field(SlideSpec(3, 640, 480, 33, cells_per_field=40, bad_fields=0.0), 0)[0][..., ::-1]
    )
    return str(path)


def test_every_stage_is_marked_once_per_field_and_the_nets_apart(image: str) -> None:
    seen: list[str] = []
    pipeline = Pipeline(*models(), seen.append)
    result = pipeline(image)
    marks = Counter(seen)
    assert set(marks) >= set(STAGES)
    assert marks[DECODE] == marks["gate"] == marks["crop"] == marks[TALLY] == 1
    assert marks["classify net"] == -(-int((result.classes >= 0).sum()) // 32)


def test_marking_changes_no_result(image: str) -> None:
    silent = Pipeline(*models(), lambda _: None)(image)
    marked = Pipeline(*models(), CpuClock())(image)
    assert (silent.scores == marked.scores).all()
    assert (silent.cells.boxes == marked.cells.boxes).all()


def test_the_tree_that_runs_is_left_as_it_was(image: str) -> None:
    import edge.analysis

    before = vars(edge.analysis)["perf_counter"]
    Pipeline(*models(), lambda _: None)(image)
    assert sys.modules["edge.analysis"] is edge.analysis
    assert vars(edge.analysis)["perf_counter"] is before


def test_a_clock_adds_up_what_it_is_told() -> None:
    clock = CpuClock()
    sum(range(10000))
    clock("a")
    clock("b")
    clock("a")
    assert clock.spent["a"] > clock.spent["b"] >= 0


def test_the_table_sets_before_beside_after() -> None:
    lines = table("us", [{"find": 200.0, "crop": 100.0, "ratio": 1.5}, {"find": 100.0, "crop": 100.0, "ratio": 1.0}], 0)
    assert "| find | 200 | 100 | 0.50 |" in lines
    assert "| all | 300 | 200 | 0.67 |" in lines
    assert "| (find + crop + classify) / decode | 1.50 | 1.00 | 0.67 |" in lines
    assert table("us", [{"find": 200.0}], 0)[-1] == "| find | 200 |"


def test_times_of_one_field_are_there_for_every_stage(image: str) -> None:
    (figures,) = profile.cpu_us([image], [ROOT], rounds=1)
    assert all(figures[stage] > 0 for stage in STAGES)


def test_a_folder_without_images_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 4
    assert capsys.readouterr().err.strip().endswith("no JPEG image in it")


def test_a_folder_that_is_no_checkout_is_one_line(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(Path(image).parent), "--against", str(Path(image).parent)]) == 4
    assert "not a checkout" in capsys.readouterr().err


def test_without_valgrind_it_says_what_to_install(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "which", lambda _: None)
    with pytest.raises(NoInputError, match="apt install valgrind"):
        profile.instructions([image], ROOT)
