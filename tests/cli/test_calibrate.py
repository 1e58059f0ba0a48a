"""edge calibrate, plan and edge-run --calibration as their user meets them. Model and finder are stand-ins here."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_app
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource


def call(*args: object, source: FakeSource | None = None) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_app(), [str(a) for a in args])


def slide(folder: Path, fields: int = 4, things: int = 9) -> Path:
    """Fields in which the stand-ins find ``things - 1`` cells each, the first of them positive at scores up to 0.75."""
    folder.mkdir(parents=True)
    for i in range(fields):
        image = np.full((240, 320, 3), 200, np.uint8)
        image[0, 0] = (200, 200, things)
        cv2.imwrite(str(folder / f"f{i}.png"), image)
    return folder


@pytest.fixture
def blanks(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        slide(tmp_path / "blanks" / name)
    return tmp_path / "blanks"


@pytest.fixture
def made(blanks: Path, tmp_path: Path) -> Path:
    out = tmp_path / "scope.json"
    got = call(
        "calibrate", "--blank", blanks, "--no-gate", "--no-overlap", "--scope", "scope-3", "--target", "5%", "-o", out
    )
    assert got.exit_code == 0, got.stderr
    return out


def test_a_folder_of_folders_is_as_many_slides(made: Path) -> None:
    raw = json.loads(made.read_text())
    assert [(b["name"], b["cells"], b["fields"]) for b in raw["blanks"]] == [("a", 32, 4), ("b", 32, 4), ("c", 32, 4)]
    assert raw["bound"]["scope"] == "scope-3"
    assert raw["target"] == pytest.approx(0.05)


def test_the_report_says_what_it_rests_on_and_what_is_missing(blanks: Path, tmp_path: Path) -> None:
    got = call("calibrate", "--blank", blanks / "a", "--no-gate", "--no-overlap", "-o", tmp_path / "c.json")
    assert "1 slide, 32 cells" in got.stdout
    assert "1 blank slide cannot show how slides differ" in got.stdout
    assert "sensitivity      not known: give --positive" in got.stdout
    assert "microscope not named" in got.stdout


def test_positive_slides_give_the_sensitivity(blanks: Path, tmp_path: Path) -> None:
    positive = slide(tmp_path / "p", 6)
    out = tmp_path / "c.json"
    got = call(
        "calibrate", "--blank", blanks, "--positive", f"{positive}=12/48", "--no-gate", "--no-overlap", "-o", out
    )
    assert got.exit_code == 0, got.stderr
    (known,) = json.loads(out.read_text())["known"]
    assert known["infected"]["parasitized"] == 12
    assert "1 positive slide of this microscope" in got.stdout


def test_marked_cells_give_the_sensitivity_with_what_the_finder_lost(blanks: Path, tmp_path: Path) -> None:
    positive = slide(tmp_path / "p", 2)
    boxes = [
        [10, 10, 20, 20],
        [200, 200, 20, 20],
    ]  # the stand-in finds the first in every field, and nothing at the second
    truth = {
        "categories": [{"id": 7, "name": "parasitized"}],
        "images": [{"id": i, "file_name": f"f{i}.png"} for i in range(2)],
        "annotations": [{"image_id": i, "category_id": 7, "bbox": b} for i in range(2) for b in boxes],
    }
    (positive / "truth.json").write_text(json.dumps(truth))
    out = tmp_path / "c.json"
    got = call("calibrate", "--blank", blanks, "--positive", positive, "--no-gate", "--no-overlap", "-o", out)
    assert got.exit_code == 0, got.stderr
    raw = json.loads(out.read_text())
    assert raw["known"][0]["infected"] == {"parasitized": 4}
    assert raw["known"][0]["found"]["parasitized"] <= 2


def test_a_positive_slide_of_which_nothing_is_known_is_not_used_and_said(blanks: Path, tmp_path: Path) -> None:
    got = call(
        "calibrate",
        "--blank",
        blanks,
        "--positive",
        slide(tmp_path / "p"),
        "--no-gate",
        "--no-overlap",
        "-o",
        tmp_path / "c.json",
    )
    assert got.exit_code == 0
    assert "its infected cells are not known" in got.stdout


def test_files_of_detections_are_as_good_as_folders(blanks: Path, made: Path, tmp_path: Path) -> None:
    files = []
    for name in ("a", "b", "c"):
        files += ["--blank", tmp_path / f"{name}.json"]
        assert (
            call("run", blanks / name, "--no-gate", "--no-overlap", "--detections", tmp_path / f"{name}.json").exit_code
            == 0
        )
    out = tmp_path / "from-files.json"
    got = call("calibrate", *files, "--no-gate", "--no-overlap", "-o", out)
    assert got.exit_code == 0, got.stderr
    first, second = json.loads(made.read_text()), json.loads(out.read_text())
    assert first["blanks"] == second["blanks"]
    assert first["threshold"] == second["threshold"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"info": {"model": {"sha256": "x"}, "finder": "y"}}', "[" * 99999])
def test_a_json_that_is_no_detections_is_one_plain_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(text)
    got = call("calibrate", "--blank", path, "-o", tmp_path / "c.json")
    assert got.exit_code == 4
    assert len(got.stderr.splitlines()) == 1
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["--blank", "missing", "-o", "c.json"], 4, "no such file"),
        (["--blank", "blanks", "-o", "no/such/c.json"], 7, "cannot be written"),
        (["--blank", "blanks", "--positive", "blanks/a=9/0", "-o", "c.json"], 4, "27/2000"),
        (["--blank", "blanks", "--target", "7x", "-o", "c.json"], 2, "give a share"),
        (["--blank", "blanks", "--tiling", "grid", "--target", "9/uL", "-o", "c.json"], 2, "share of the tiles"),
        (["--blank", "blanks", "--scope", "a\nb", "-o", "c.json"], 2, "printable"),
        (["-o", "c.json"], 2, "blank"),
    ],
)
def test_bad_input_is_said_plainly(
    blanks: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, word: str
) -> None:
    tmp_path = blanks.parent
    monkeypatch.chdir(tmp_path)
    got = call("calibrate", "--no-gate", "--no-overlap", *args)
    assert got.exit_code == code
    assert word in got.stderr.replace("\n", " ")
    assert "Traceback" not in got.stderr
    assert not (tmp_path / "c.json").exists()


def test_an_unreadable_image_among_the_blanks_ends_it(blanks: Path, tmp_path: Path) -> None:
    (blanks / "a" / "f9.png").write_text("no image")
    got = call("calibrate", "--blank", blanks, "--no-gate", "--no-overlap", "-o", tmp_path / "c.json")
    assert got.exit_code == 4
    assert "cannot be read" in got.stderr


def test_a_blank_that_holds_parasites_is_named(blanks: Path, tmp_path: Path) -> None:
    for i in range(5):
        slide(blanks / f"more-{i}", 2, 121)  # two positives of 240 cells
    slide(blanks / "evil", 60, 3)  # 60 of 120
    got = call("calibrate", "--blank", blanks, "--no-gate", "--no-overlap", "-o", tmp_path / "c.json")
    assert got.exit_code == 0, got.stderr
    said = " ".join(got.stdout.split())  # lines may be folded anywhere
    assert said.count("is it really negative") == 1
    assert "evil has 60 parasitized of 120 cells" in said


def test_all_fields_rejected_is_no_calibration(tmp_path: Path) -> None:
    flat = slide(tmp_path / "flat")  # the real gate finds these empty
    got = call("calibrate", "--blank", flat, "-o", tmp_path / "c.json")
    assert got.exit_code == 4
    assert "no cells that count" in got.stderr


def test_a_second_call_goes_on_from_the_cache(blanks: Path, tmp_path: Path) -> None:
    args = (
        "calibrate",
        "--blank",
        blanks,
        "--no-gate",
        "--no-overlap",
        "--cache",
        tmp_path / "work",
        "-o",
        tmp_path / "c.json",
    )
    assert call(*args).exit_code == 0
    first = json.loads((tmp_path / "c.json").read_text())
    (kept,) = (tmp_path / "work").iterdir()
    changed = kept.stat().st_mtime_ns
    assert call(*args).exit_code == 0
    assert kept.stat().st_mtime_ns == changed
    assert json.loads((tmp_path / "c.json").read_text())["blanks"] == first["blanks"]
    slide(blanks / "d")  # other content is another entry
    assert call(*args).exit_code == 0
    assert len(json.loads((tmp_path / "c.json").read_text())["blanks"]) == 4


def test_ctrl_c_leaves_no_calibration(tmp_path: Path) -> None:
    class Stopping(FakeSource):
        def _load(self, index: int) -> Any:
            if index == 3:
                signal.raise_signal(signal.SIGINT)
            return super()._load(index)

    out = tmp_path / "c.json"
    got = call("calibrate", "--blank", "any", "--workers", 1, "-o", out, source=Stopping([5], endless=True, delay=0.02))
    assert got.exit_code == 130
    assert got.stderr.splitlines()[-1] == (
        "edge calibrate: stopped: no calibration is written; --cache DIR would keep finished slides"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_judged_by_its_calibration(made: Path, blanks: Path) -> None:
    got = call("run", blanks / "a", "--no-gate", "--no-overlap", "--calibration", made, "--scope", "scope-3", "--json")
    assert got.exit_code == 0, got.stderr
    sample = json.loads(got.stdout.splitlines()[-1])
    assert sample["flag"] == "insufficient"
    assert sample["findings"][0]["class"] == "parasitized"
    assert set(sample["findings"][0]) >= {"limit_of_blank", "limit_of_detection", "infected", "at_most", "cells_short"}


@pytest.mark.parametrize(
    ("args", "word"),
    [(["--scope", "scope-4"], "another microscope"), (["--gate"], "another gate"), (["--tiling", "grid"], "another")],
)
def test_another_set_ups_calibration_is_refused_in_one_line(
    made: Path, blanks: Path, args: list[str], word: str
) -> None:
    gate = [] if "--gate" in args else ["--no-gate", "--no-overlap"]
    got = call("run", blanks / "a", "--calibration", made, *gate, *args)
    assert got.exit_code == 8
    assert word in got.stderr
    assert len(got.stderr.splitlines()) == 1
    assert got.stdout == ""


@pytest.mark.parametrize("args", [["--until", "decided"], ["--target-parasitaemia", "1%"], ["--rbc-per-ul", "4e6"]])
def test_what_needs_a_calibration_says_so(blanks: Path, args: list[str]) -> None:
    got = call("run", blanks / "a", *args)
    assert got.exit_code == 2
    assert "needs --calibration" in got.stderr


def test_a_calibration_brings_its_own_threshold(made: Path, blanks: Path) -> None:
    got = call("run", blanks / "a", "--calibration", made, "--threshold", "0.9")
    assert got.exit_code == 2
    assert "its own threshold" in got.stderr.replace("\n", " ")


def with_blanks(made: Path, path: Path, positives: int, cells: int) -> Path:
    """The same set-up with ten good blanks and a good sensitivity."""
    raw = json.loads(made.read_text())
    blank = {"name": "b", "cells": cells, "fields": 9, "positives": {"parasitized": positives}}
    known = {"name": "k", "found": {"parasitized": 95}, "infected": {"parasitized": 100}}
    path.write_text(json.dumps({**raw, "blanks": [blank] * 10, "known": [known] * 5}))
    return path


@pytest.mark.parametrize("workers", [1, 4])
def test_until_decided_stops_at_the_same_field_for_any_number_of_workers(
    made: Path, tmp_path: Path, workers: int
) -> None:
    path = with_blanks(made, tmp_path / "good.json", 10, 100_000)
    source = FakeSource([9], endless=True)  # 1 positive of 8 cells in every field: far above the blanks
    args = ("--calibration", path, "--until", "decided", "--max-cells", 5000, "--workers", workers, "--json")
    got = call("run", "--camera", "--no-gate", "--no-overlap", *args, source=source)
    assert got.exit_code == 0, got.stderr
    *fields, sample = map(json.loads, got.stdout.splitlines())
    assert sample["flag"] == "positive"
    assert len(fields) == sample["fields"]["kept"] < 20


@pytest.mark.parametrize("before", [1, 3])
def test_until_decided_stops_at_the_same_field_after_a_cut(made: Path, tmp_path: Path, before: int) -> None:
    path = with_blanks(made, tmp_path / "good.json", 10, 100_000)
    args = ("--calibration", path, "--until", "decided", "--max-cells", 5000, "--json", "--sample-id", "s")
    run = ("run", "--camera", "--no-gate", "--no-overlap", *args)
    whole = call(*run, "--no-book", source=FakeSource([9], endless=True))
    assert call(*run, source=FakeSource([*[9] * before, None])).exit_code == 6  # the camera is lost
    went_on = call(*run, "--resume", source=FakeSource([9], endless=True))
    assert went_on.exit_code == 0, went_on.stderr
    events = [
        [{k: v for k, v in json.loads(line).items() if k != "ms"} for line in got.stdout.splitlines()]
        for got in (whole, went_on)
    ]
    assert events[0] == events[1]


def test_the_budget_of_seconds_ends_an_undecided_sample(made: Path, tmp_path: Path) -> None:
    path = with_blanks(made, tmp_path / "bad.json", 12_000, 100_000)
    args = ("--calibration", path, "--until", "decided", "--max-seconds", 1, "--json")
    got = call("run", "--camera", "--no-gate", "--no-overlap", *args, source=FakeSource([9], endless=True, delay=0.05))
    assert json.loads(got.stdout.splitlines()[-1])["flag"] in ("insufficient", "indeterminate")


def test_a_plan_says_cells_fields_minutes_and_mistakes(made: Path, tmp_path: Path) -> None:
    path = with_blanks(made, tmp_path / "good.json", 10, 100_000)
    got = call("plan", "--calibration", path, "--parasitaemia", "0.2%", "--seconds-per-field", "2")
    assert got.exit_code == 0, got.stderr
    for word in ("cells; a sample is flagged above", "fields of 8", "minutes (2 s each)", "of 1,000 blank samples"):
        assert word in got.stdout


def test_a_plan_without_a_calibration_is_the_notebooks_arithmetic() -> None:
    got = call("plan", "--cells", 350, "--sensitivity", 0.95, "--specificity", 0.85, "--parasitaemia", "0.5%")
    assert "0.999536" in got.stdout
    assert "0.991477" in got.stdout
    assert "no classifier can" in got.stdout


def test_a_plan_without_anything_to_plan_by_says_so(made: Path) -> None:
    assert call("plan").exit_code == 2
    got = call("plan", "--calibration", made)
    assert got.exit_code == 8
    assert "calibrate with --positive" in got.stderr
