"""edge-run as its user meets it: what it prints, what it writes, how it ends. Model and finder are stand-ins here."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_app, edge_run_app
from edge.outputs.console import Screen
from edge.outputs.live_line import Progress
from edge.outputs.pace import EndConditions
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource


def run(*args: object, source: FakeSource | None = None) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_run_app(), [str(a) for a in args])


def events(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def textured(seed: int) -> np.ndarray:
    """A field that the real gate lets pass: blobs on a bright ground; five things for the stand-in finder."""
    rng = np.random.default_rng(seed)
    image = np.full((240, 320, 3), 215, np.uint8)
    for x, y in rng.integers(0, (320, 240), (40, 2)):
        cv2.circle(image, (int(x), int(y)), 9, (150, 130, 190), -1)
    image[0, 0] = 5
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fields = tmp_path / "slide-7"
    fields.mkdir()
    for i in range(4):
        cv2.imwrite(str(fields / f"f{i}.png"), textured(i))
    return fields


def test_a_folder_is_counted_and_summed_up(folder: Path) -> None:
    got = run(folder, "--no-gate")
    assert got.exit_code == 0
    assert "Sample slide-7" in got.stdout
    assert "16 counted" in got.stdout  # five things in each of four fields, one of them not a red cell
    assert "uncalibrated" in got.stdout
    assert "red cells 4" in got.stdout


def test_json_is_all_there_is_on_stdout(folder: Path) -> None:
    got = run(folder, "--no-gate", "--json")
    all_events = events(got)
    assert [e["event"] for e in all_events] == ["field"] * 4 + ["sample"]
    assert [e["name"] for e in all_events[:4]] == ["f0.png", "f1.png", "f2.png", "f3.png"]
    assert all_events[-1]["cells"] == 16


def test_a_non_image_among_images_is_named_and_the_run_goes_on(folder: Path) -> None:
    (folder / "f1.jpg").write_text("not an image")
    (folder / "f2.jpg").write_bytes(b"")
    got = run(folder, "--no-gate")
    assert got.exit_code == 3
    assert "f1.jpg" in got.stdout
    assert "f2.jpg" in got.stdout
    assert "2 unreadable" in got.stdout
    assert "2 of 6 inputs could not be read" in got.stderr
    assert "16 counted" in got.stdout


def test_only_unreadable_inputs_are_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no")
    got = run(tmp_path)
    assert got.exit_code == 4
    assert "no field could be read" in got.stderr


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_missing_or_empty_folder_is_one_plain_line(tmp_path: Path, what: str) -> None:
    if what == "empty":
        (tmp_path / what).mkdir()
    got = run(tmp_path / what)
    assert got.exit_code == 4
    assert got.stdout == ""
    assert len(got.stderr.splitlines()) == 1
    assert what in got.stderr


def test_the_answer_is_the_same_for_any_number_of_workers(folder: Path) -> None:
    def answer(workers: int) -> list[dict[str, Any]]:
        out = events(run(folder, "--json", "--workers", workers))
        for event in out:
            event.pop("ms", None)
        return out

    assert answer(1) == answer(2) == answer(4)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_max_cells_stops_after_the_same_field_for_any_number_of_workers(workers: int) -> None:
    source = FakeSource([11], endless=True)
    got = run(
        "--simulate", "--no-gate", "--no-overlap", "--json", "--max-cells", 35, "--workers", workers, source=source
    )
    assert got.exit_code == 0
    assert [e.get("field") for e in events(got)] == [0, 1, 2, 3, None]
    assert events(got)[-1]["cells"] == 40
    assert source.closed


def test_simulation_ends_by_itself() -> None:
    got = run("--simulate", "--no-gate", "--json", source=FakeSource([2], endless=True))
    assert len(events(got)) == 61


def test_an_unplugged_camera_prints_the_sample_so_far() -> None:
    got = run("--camera", "--no-gate", source=FakeSource([3, 3, 3, None]))
    assert got.exit_code == 6
    assert "3 kept" in got.stdout
    assert got.stderr.splitlines() == ["edge-run: the camera stopped answering"]


def test_all_outputs_agree(folder: Path, tmp_path: Path) -> None:
    (folder / "zz.png").write_bytes(b"")
    out = tmp_path / "out"
    out.mkdir()
    args = ("--detections", out / "d.json", "--csv", out / "t.csv", "--annotate", out / "seen", "--sample-id", "S-0042")
    got = run(folder, "--no-gate", "--json", *args)
    assert got.exit_code == 3
    fields = [e for e in events(got) if e["event"] == "field"]
    with (out / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    coco = json.loads((out / "d.json").read_text())
    assert {e["sample"] for e in events(got)} == {"S-0042"} == {r["sample"] for r in rows}
    assert [e["name"] for e in fields] == [r["name"] for r in rows]
    assert sum(int(r["cells"]) for r in rows) == 16 == sum(a["category_id"] <= 2 for a in coco["annotations"])
    assert len(coco["annotations"]) == 20
    assert len(coco["images"]) == 4 == len(list((out / "seen").iterdir()))
    assert sorted(p.name for p in out.iterdir()) == ["d.json", "seen", "t.csv"]


@pytest.mark.parametrize("option", ["--detections", "--csv", "--annotate"])
def test_an_output_that_cannot_be_written_is_said_before_the_run(folder: Path, tmp_path: Path, option: str) -> None:
    source = FakeSource([1])
    (tmp_path / "file").write_text("")
    got = run("--camera", option, tmp_path / "file" / "out", source=source)
    assert got.exit_code == 7
    assert "cannot be written" in got.stderr
    assert len(got.stderr.splitlines()) == 1
    assert source.loaded == []
    assert source.closed


def test_an_earlier_output_that_was_opened_leaves_no_trace(tmp_path: Path) -> None:
    got = run("--camera", "--detections", tmp_path / "d.json", "--annotate", "/dev/null/x", source=FakeSource([1]))
    assert got.exit_code == 7
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("somewhere", "--simulate"),
        ("--simulate", "--camera"),
        ("x", "--sample-id", "a", "--sample-per-folder"),
        ("x", "--positive", "a"),
        ("x", "--max-cells", "0"),
        ("x", "--size", "big"),
        ("x", "--tiling", "hexagons"),
        ("x", "--csv", "a", "--detections", "./a"),
        ("x", "--no-book", "--resume"),
        ("x", "--no-book", "--book", "b"),
        ("x", "--resume", "--again"),
        ("x", "--keep", "some"),
        ("x", "--keep-limit", "much"),
        ("x", "--every", "never"),
        ("x", "--workers", "0"),
        ("x", "--nonsense"),
    ],
)
def test_a_wrong_command_line_is_told_apart(args: tuple[str, ...]) -> None:
    got = run(*args)
    assert got.exit_code == 2
    (line,) = got.stderr.splitlines()
    assert line.endswith("(see run --help)")


def test_a_defect_is_one_line_and_a_traceback_only_on_demand() -> None:
    class Broken(FakeSource):
        def _load(self, index: int) -> Any:
            raise ZeroDivisionError("oh")

    got = run("--camera", source=Broken([1]))
    assert got.exit_code == 1
    assert len(got.stderr.splitlines()) == 1
    assert "a defect of this program: ZeroDivisionError: oh" in got.stderr
    assert "Traceback" in run("--camera", "--debug", source=Broken([1])).stderr


def test_a_defect_leaves_no_file_that_looks_complete(tmp_path: Path) -> None:
    class Broken(FakeSource):
        def _load(self, index: int) -> Any:
            if index == 2:
                raise ZeroDivisionError
            return super()._load(index)

    got = run("--camera", "--detections", tmp_path / "d.json", source=Broken([1, 1, 1]))
    assert got.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_sample_per_folder(tmp_path: Path) -> None:
    for name in ("s1", "s2"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "f.png"), textured(1))
    got = events(run(tmp_path, "--sample-per-folder", "--json"))
    assert [(e["event"], e["sample"]) for e in got] == [
        ("field", "s1"),
        ("sample", "s1"),
        ("field", "s2"),
        ("sample", "s2"),
    ]


def test_help_shows_examples_and_exit_codes() -> None:
    got = CliRunner().invoke(edge_run_app(), ["--help"])
    assert got.exit_code == 0
    for word in ("Examples:", "edge-run --simulate", "130 stopped by Ctrl-C", "Not a diagnostic device"):
        assert word in got.stdout


def test_help_groups_the_options_and_says_limits_in_words() -> None:
    got = CliRunner().invoke(edge_run_app(), ["--help"], env={"COLUMNS": "80"})
    lines = got.stdout.splitlines()
    heads = [line for line in lines if line.endswith(":") and line[0] != " "]
    assert heads == [
        "Input:",
        "When to stop:",
        "Nets and counting:",
        "Judging:",
        "Outputs:",
        "Book:",
        "Network:",
        "Run:",
    ]
    assert "x<=" not in got.stdout
    assert "x>=" not in got.stdout
    assert "  --workers N                  Number of threads.  [default: cores, at most 4]" in lines
    assert "                               [1 to 64]" in lines
    assert "\x1b" not in got.stdout


def test_every_option_has_help() -> None:
    import typer

    for param in typer.main.get_command(edge_run_app()).params:
        assert getattr(param, "help", None), param.name


def test_the_umbrella_has_the_same_run_and_more() -> None:
    got = CliRunner().invoke(edge_app(), ["--help"])
    assert {"run", "models"} <= set(got.stdout.split())
    with fakes(FakeSource([3])):
        assert CliRunner().invoke(edge_app(), ["run", "--camera", "--no-gate"]).exit_code == 0


ONE = [("--camera",), ("--simulate",), ("{d}/a",), ("{d}/a/1.png",), ("{d}/a/1.png", "{d}/b/1.png"), ("{d}/a/*.png",)]
SEVERAL = [("{d}", "--sample-per-folder"), ("{d}/a", "{d}/b"), ("{d}/?",), ("{d}/a.avi", "{d}/b.avi")]


@pytest.mark.parametrize(
    ("args", "several"),
    [
        *((args, False) for args in ONE),
        *((args, True) for args in SEVERAL),
        (("{d}/a", "{d}/b", "--sample-id", "s"), False),
    ],
)
def test_the_time_left_minds_a_samples_limits_where_there_is_one_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], several: bool
) -> None:
    for name in ("a/1.png", "b/1.png", "a.avi", "b.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    ends: list[EndConditions] = []
    real = Progress.__init__

    def seen(
        self: Progress, console: Screen, positive: Any, given: EndConditions, unit: str = "cell", **more: Any
    ) -> None:
        ends.append(given)
        real(self, console, positive, given, unit, **more)

    monkeypatch.setattr(Progress, "__init__", seen)
    given = [a.format(d=tmp_path) for a in args]
    run(*given, "--max-cells", 5, "--max-fields", 6, "--max-seconds", 7, source=FakeSource([3]))
    assert ends == [EndConditions(5, 6, 7.0, 1, several)]


def test_a_pipe_is_told_nothing_of_other_outputs(tmp_path: Path) -> None:
    assert "--annotate" not in run("--camera", source=FakeSource([3])).stdout


def test_a_limit_of_seconds_is_the_limit_of_a_virtual_slide_too() -> None:
    source = FakeSource([1], endless=True, delay=0.01)
    for args, fields in ((("--max-seconds", "2"), 61), ((), 60)):
        (sample,) = [e for e in events(run("--simulate", "--no-gate", "--json", *args, source=source)) if "flag" in e]
        assert sample["fields"]["kept"] >= fields if args else sample["fields"]["kept"] == fields
