"""edge-run --resume as its user meets it. Model and finder are stand-ins here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from edge.errors import BookError
from tests.cli.resuming import ROOT, edge, edge_run, killed, lines, outputs, paint, rows, written
from tests.fakes import FakeSource


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """Three samples of a few fields, one of them unreadable."""
    for i, name in enumerate("abc"):
        paint(tmp_path / "slides" / name, 5 + i, 7, 4, 9)
    (tmp_path / "slides" / "b" / "2.png").write_bytes(b"no picture")
    return tmp_path / "slides"


@pytest.mark.parametrize("after", [1, 4, 6, 7, 12])
def test_a_killed_run_of_several_samples_ends_as_if_it_had_never_stopped(
    after: int, slides: Path, tmp_path: Path
) -> None:
    call = (slides, "--sample-per-folder", "--workers", "2")
    killed(after, *call, *outputs(tmp_path / "cut"))
    assert not (tmp_path / "cut" / "t.csv").exists()  # nothing looks complete
    went_on = edge_run(*call, "--resume", *outputs(tmp_path / "cut"))
    whole = edge_run(*call, "--no-book", *outputs(tmp_path / "whole"))
    assert (went_on.exit_code, whole.exit_code) == (3, 3), went_on.stderr
    assert written(tmp_path / "cut", went_on) == written(tmp_path / "whole", whole)
    listed = json.loads(edge("samples", "--json").stdout)["samples"]
    assert [(row["name"], row["count"], row["state"]) for row in listed] == [
        (name, 1, "complete") for name in ("c", "b", "a")
    ]


def test_it_may_be_killed_again_and_again(slides: Path, tmp_path: Path) -> None:
    call = (slides / "a", "--sample-id", "S", "--workers", "1")
    killed(1, *call)
    killed(2, *call, "--resume")
    killed(3, *call, "--resume")
    got = edge_run(*call, "--resume", *outputs(tmp_path))
    assert got.exit_code == 0
    assert [row["field"] for row in rows(tmp_path / "t.csv")] == ["0", "1", "2", "3"]
    assert edge("show", "S", "--json").exit_code == 0


def test_limits_end_a_resumed_sample_where_they_would_have_ended_it(slides: Path, tmp_path: Path) -> None:
    call = (slides, "--sample-per-folder", "--max-cells", "8", "--workers", "1")
    killed(3, *call)
    got = edge_run(*call, "--resume", *outputs(tmp_path / "cut"))
    whole = edge_run(*call, "--no-book", *outputs(tmp_path / "whole"))
    assert written(tmp_path / "cut", got) == written(tmp_path / "whole", whole)


def test_after_ctrl_c_it_goes_on_and_the_sample_is_complete(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cli.fake_edge_run", "--camera", "--no-gate", "--json", "--sample-id", "s"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "FAKE_SOURCE": "endless"}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGTERM)
    out = process.stdout.read()
    process.wait(timeout=20)
    process.stdout.close()
    before = lines("".join(seen) + out)
    (row,) = json.loads(edge("samples", "--json").stdout)["samples"]
    assert (process.returncode, row["state"], row["fields"]) == (130, "interrupted", len(before) - 1)
    got = edge_run("--camera", "--sample-id", "s", "--resume", "--json", source=FakeSource([5] * (len(before) + 3)))
    assert got.exit_code == 0
    fields = lines(got.stdout)[:-1]
    assert [field["field"] for field in fields] == list(range(len(before) + 3))
    assert fields[: len(before) - 1] == before[:-1]
    (row,) = json.loads(edge("samples", "--json").stdout)["samples"]
    assert (row["state"], row["fields"]) == ("complete", len(before) + 3)


SETTINGS = {
    "gate": (["--gate"], "gate off (now on)"),
    "overlap": (["--no-overlap"], "overlap on (now off)"),
    "threshold": (["--threshold", "0.25"], "threshold 0.5 (now 0.25)"),
    "cells": (["--max-cells", "9"], "max-cells none (now 9)"),
    "fields": (["--max-fields", "9"], "max-fields none (now 9)"),
    "seconds": (["--max-seconds", "9"], "max-seconds none (now 9.0)"),
    "plane": (["--z", "2"], "z the sharpest (now 2)"),
    "depth": (["--depth", "12"], "depth as the file says (now 12)"),
    "microscope": (["--scope", "x"], "microscope not named (now x)"),
    "step": (["--every", "2"], "source files (now files, every 2 of a video)"),
    "tiles": (["--tiling", "grid"], "tiling cells (now grid)"),
    "two of them": (["--z", "2", "--no-overlap"], "overlap on (now off); z the sharpest (now 2)"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_another_setting_is_refused_and_named(name: str, tmp_path: Path) -> None:
    options, said = SETTINGS[name]
    folder = paint(tmp_path / "f", 5, 5)
    assert edge_run(folder, "--sample-id", "S", source=FakeSource([5, None], "S")).exit_code == 6
    got = edge_run(folder, "--sample-id", "S", "--resume", *options)
    assert got.exit_code == BookError.exit_code
    assert got.stderr.splitlines()[-1].startswith("edge-run: S was counted with other settings: ")
    assert said in got.stderr


def test_a_complete_sample_is_refused(tmp_path: Path) -> None:
    folder = paint(tmp_path / "f", 5, 5)
    assert edge_run(folder).exit_code == 0
    got = edge_run(folder, "--resume")
    assert got.exit_code == BookError.exit_code
    assert got.stderr == (
        "edge-run: f is complete (2 fields, 8 cells): there is nothing to go on with; --again counts it once more\n"
    )


def test_nothing_in_the_book_is_said_and_counting_begins(tmp_path: Path) -> None:
    got = edge_run(paint(tmp_path / "f", 5, 5), "--resume")
    assert got.exit_code == 0
    assert got.stderr.startswith("edge-run: note: nothing of this is in the book yet: counting begins\n")


def test_a_sample_id_that_exists_is_refused_unless_it_is_to_be_counted_again(tmp_path: Path) -> None:
    folder = paint(tmp_path / "f", 5, 5)
    call = (folder, "--sample-id", "S")
    assert edge_run(*call).exit_code == 0
    got = edge_run(*call)
    assert got.exit_code == BookError.exit_code
    assert got.stderr == "edge-run: S is in the book already (complete, 2 fields): --again counts it once more\n"
    assert edge_run(*call, "--again").exit_code == 0
    rows = json.loads(edge("samples", "--json").stdout)["samples"]
    assert [(row["name"], row["count"]) for row in rows] == [("S", 2), ("S", 1)]


def test_a_folder_is_counted_again_under_its_name_and_that_is_said(tmp_path: Path) -> None:
    folder = paint(tmp_path / "f", 5, 5)
    assert edge_run(folder).exit_code == 0
    got = edge_run(folder)
    assert got.exit_code == 0
    assert "edge-run: note: f is in the book already: this is count 2\n" in got.stderr


def test_renamed_and_changed_files_are_known_by_content(tmp_path: Path) -> None:
    folder = paint(tmp_path / "f", 5, 6, 7)
    killed(2, folder, "--sample-id", "S", "--workers", "1")
    (folder / "0.png").rename(folder / "first.png")
    paint(folder, 8, first=1)
    got = edge_run(folder, "--sample-id", "S", "--resume", "--json")
    assert [(field["field"], field["name"]) for field in lines(got.stdout)[:-1]] == [
        (0, "0.png"), (1, "1.png"), (2, "1.png"), (3, "2.png"),
    ]  # fmt: skip
    assert "note: first.png (was 0.png): known by content under another name, not counted again" in got.stderr
    assert "note: 1.png: changed since counted, so taken for further fields" in got.stderr


def test_a_report_and_annotated_fields_are_whole_after_going_on(tmp_path: Path) -> None:
    folder = paint(tmp_path / "f", 5, 6, 7)
    out = ("--report", tmp_path / "out", "--annotate", tmp_path / "seen")
    killed(2, folder, "--sample-id", "S", "--workers", "1", *out)
    for file in (tmp_path / "seen").iterdir():
        file.unlink()  # as if they had not reached the medium
    assert edge_run(folder, "--sample-id", "S", "--resume", *out).exit_code == 0
    assert edge_run(folder, "--no-book", "--sample-id", "S", "--report", tmp_path / "whole").exit_code == 0
    assert sorted(file.name for file in (tmp_path / "seen").iterdir()) == ["00000-0.jpg", "00001-1.jpg", "00002-2.jpg"]
    assert all(cv2.imread(str(file)) is not None for file in (tmp_path / "seen").iterdir())
    pages = [(tmp_path / place / "S.html").read_text().count("data:image/jpeg") for place in ("out", "whole")]
    assert pages[0] == pages[1]
    assert pages[0] > 3


def test_a_sample_that_another_run_is_counting_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cli.fake_edge_run", "--camera", "--no-gate", "--json", "--sample-id", "s"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "FAKE_SOURCE": "endless"}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    got = edge_run("--camera", "--sample-id", "s", "--resume", source=FakeSource([5]))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert got.exit_code == BookError.exit_code
    assert "s is being counted by another run" in got.stderr


def seconds_in_the_book() -> float:
    (row,) = json.loads(edge("samples", "--json").stdout)["samples"]
    return float(row["seconds"])


def test_seconds_of_a_resumed_sample_leave_out_the_time_between(tmp_path: Path) -> None:
    folder = paint(tmp_path / "f", 5, 6, 7)
    killed(2, folder, "--sample-id", "S", "--workers", "1")
    before = seconds_in_the_book()
    time.sleep(2)
    began = time.monotonic()
    assert edge_run(folder, "--sample-id", "S", "--resume").exit_code == 0
    assert seconds_in_the_book() - before < time.monotonic() - began
