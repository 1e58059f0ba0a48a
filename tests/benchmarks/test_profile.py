"""The profile: stages that add up, tables that compare, and one line where something is missing."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from benchmarks.errors import NoInputError
from benchmarks.places import REPOSITORY
from benchmarks.profile import figures as profile
from benchmarks.profile.__main__ import app
from benchmarks.profile.figures import models, table
from benchmarks.profile.tracing import DECODE, STAGES, TALLY, CpuClock, Pipeline
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
    (figures,) = profile.cpu_us([image], [REPOSITORY], rounds=1)
    assert all(figures[stage] > 0 for stage in STAGES)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("FOLDER",), 4, "no JPEG image in it"),
        (("IMAGES", "--against", "FOLDER"), 4, "not a checkout"),
        (("IMAGES", "--fields", "0"), 2, "--fields"),
        ((), 2, "FOLDER"),
    ],
)
def test_what_cannot_be_profiled_is_one_line(
    image: str, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"IMAGES": str(Path(image).parent), "FOLDER": str(tmp_path / "empty")}
    got = CliRunner().invoke(app, [places.get(word, word) for word in arguments])
    assert got.exit_code == code
    assert said in got.stderr.splitlines()[0]


def test_without_valgrind_it_says_what_to_install(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "which", lambda _: None)
    with pytest.raises(NoInputError, match="apt install valgrind"):
        profile.count([image], REPOSITORY)
