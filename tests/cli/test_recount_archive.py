"""``edge recount`` of an archive counts what ``edge-run`` counts, cell by cell, however it is cut up and whoever counts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from edge import shelf
from edge.archive.partitions import PartitionLimits
from edge.archive.records import RecountJob
from edge.archive.results import Results
from edge.archive.run import Recount
from edge.cli import edge_app
from edge.cli.archive_recipe import recipe_of
from edge.cli.counting import load_parts
from edge.cli.settings import JudgingSettings, NetSettings, Tiling
from edge.scope.profile import FILES, ScopeCamera, path_of
from edge.scope.profile_file import write_profile
from edge.virtual_slide import SlideSpec
from edge.virtual_slide.render import render_field
from tests.archive.equality import by_edge_run, compare, recounted, settings
from tests.archive.serial import serial
from tests.archive.tables import everything
from tests.scope.lit import SIZE, Lit, profile_of

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
pytest.importorskip("distributed", reason="distributed (extra archive) is not installed")

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 480, 360


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of the virtual slide as PNG, JPEG, 16-bit PNG and TIFFs of several fields; one file is damaged."""
    if not shelf.has(shelf.CLASSIFIER):
        pytest.skip(f"the shelf does not hold {shelf.CLASSIFIER} yet")
    root = tmp_path_factory.mktemp("archives") / "archive"
    spec = SlideSpec(3, WIDTH, HEIGHT, cell_px=40)
    pictures = [np.ascontiguousarray(render_field(spec, n)[0][..., ::-1]) for n in range(7)]
    folders = {name: root / name for name in ("png", "day/jpeg", "deep", "stack")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    for n, picture in enumerate(pictures):
        cv2.imwrite(str(folders["png"] / f"f{n + 5}.png"), picture)
    for n, picture in enumerate(pictures[:3]):
        cv2.imwrite(str(folders["day/jpeg"] / f"{n}.jpg"), picture)
    whole = (folders["day/jpeg"] / "1.jpg").read_bytes()
    (folders["day/jpeg"] / "1.jpg").write_bytes(whole[: len(whole) // 2])
    for n, picture in enumerate(pictures[2:6]):  # only the first field is bright enough to tell that all 16 bits count
        bits = picture.astype(np.uint16) * (257 if n == 0 else 60)
        cv2.imwrite(str(folders["deep"] / f"{n}.png"), bits)
    fields = np.stack(pictures[4:7])[..., ::-1]
    for n in range(2):
        tifffile.imwrite(folders["stack"] / f"s{n}.tif", fields[n:], photometric="rgb", metadata=None)
    return root


def test_it_counts_what_edge_run_counts_cell_by_cell(archive: Path, tmp_path: Path) -> None:
    told = by_edge_run(archive, tmp_path)
    tables = recounted(archive, tmp_path / "a", settings(), limits=100, workers=1)
    assert compare(tables, told) > 100
    assert [row["name"] for row in tables["fields"] if row["state"] == "unreadable"] == ["1.jpg"]
    assert [row["name"] for row in tables["fields"] if row["sample"] == "stack"][:2] == ["s0.tif#1", "s0.tif#2"]
    for limits in (1, 2, 3):
        assert recounted(archive, tmp_path / f"b{limits}", settings(), limits, workers=limits) == tables


def test_a_profile_and_a_calibration_travel_with_the_recipe(archive: Path, tmp_path: Path) -> None:
    """Fields are corrected and samples judged as edge-run does it; a worker needs neither file."""
    profile = replace(
        profile_of(Lit(corner=0.8, dust=((100, 100, 9, 0.6),)), "old"), camera=ScopeCamera(FILES, "", SIZE)
    )
    write_profile(profile, path_of("old"))
    scoped = tmp_path / "archive"
    for name, source in (("a", "png"), ("b", "day/jpeg")):
        (scoped / name).mkdir(parents=True)
        for file in (archive / source).iterdir():
            picture = cv2.imread(str(file))
            if picture is not None:
                cv2.imwrite(str(scoped / name / f"{file.stem}.png"), cv2.resize(picture, SIZE))
    calibration = tmp_path / "old.json"
    blanks = ("calibrate", "--blank", scoped / "a", "--scope", "old", "--target", "5%", "-o", calibration)
    made = CliRunner().invoke(edge_app(), list(map(str, blanks)))
    assert made.exit_code == 0, made.stderr
    told = by_edge_run(scoped, tmp_path, "--scope", "old", "--calibration", str(calibration))
    given = replace(settings(), judging=JudgingSettings(calibration=calibration, scope="old"))
    recipe = recipe_of(given, load_parts(given))
    results = Results(str(tmp_path / "c"))
    results.begin(recipe.described)
    job = RecountJob(str(scoped), str(tmp_path / "c"), recipe.fingerprint)
    cluster = serial(recipe)
    path_of("old").unlink()
    calibration.unlink()
    Recount(job, results, cluster, limits=PartitionLimits(2)).run(threading.Event())
    tables = everything(tmp_path / "c")
    assert compare(tables, told) > 100
    assert "uncalibrated" not in {row["flag"] for row in tables["samples"]}
    findings = {row["sample"]: json.loads(row["findings"] or "[]") for row in tables["samples"]}
    for name, sample in told.items():
        assert [one["limit_of_blank"] for one in findings[name]] == [
            one["limit_of_blank"] for one in sample["event"].get("findings", [])
        ]


def test_what_of_a_file_is_not_read_is_said(archive: Path, tmp_path: Path) -> None:
    fields = tifffile.imread(archive / "stack" / "s0.tif")
    (tmp_path / "archive" / "times").mkdir(parents=True)
    options: dict[str, Any] = {"photometric": "rgb", "metadata": {"axes": "TYXS"}}
    tifffile.imwrite(tmp_path / "archive" / "times" / "t.ome.tif", fields, **options)
    given = settings()
    recipe = recipe_of(given, load_parts(given))
    results = Results(str(tmp_path / "c"))
    results.begin(recipe.described)
    job = RecountJob(str(tmp_path / "archive"), str(tmp_path / "c"), recipe.fingerprint)
    end = Recount(job, results, serial(recipe)).run(threading.Event())
    assert (end.fields, end.notes) == (1, (f"times/t.ome.tif: {end.notes[0].partition(': ')[2]}",))
    assert "of the 3 time points of a view the first is read" in end.notes[0]


def test_options_of_fields_mean_what_they_mean_to_edge_run(archive: Path, tmp_path: Path) -> None:
    told = by_edge_run(archive, tmp_path, "--no-gate", "--no-overlap", "--depth", "16")
    given = settings(gate=False, overlap=False, depth=16)
    assert compare(recounted(archive, tmp_path / "a", given, limits=2, workers=1), told) > 100


def test_the_command_counts_on_processes_of_its_own_and_goes_on_after_ctrl_c(archive: Path, tmp_path: Path) -> None:
    """Two worker processes, stopped while they count; the next call gives what one process gives."""
    results = tmp_path / "counts.parquet"
    command = [sys.executable, "-m", "edge", "recount", str(archive), "-o", str(results), "--workers", "2", "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as first:
        assert first.stderr is not None
        assert "http://127.0.0.1:" in first.stderr.readline()
        os.killpg(first.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        _, said = first.communicate(timeout=100)
    assert (first.returncode, "the same call goes on" in said, "Traceback" in said) == (130, True, False), said
    got = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert got.returncode == 3, got.stderr
    told = json.loads(got.stdout)
    assert (told["samples"], told["fields"], told["unreadable"]) == (4, 19, 1)
    assert told["named"] == [["day/jpeg/1.jpg", told["named"][0][1]]]
    own = recounted(archive, tmp_path / "own", settings(), limits=32, workers=1)
    assert everything(results) == own


USAGE = {
    "a cluster without a folder for results": (["S-1", "--on", "tcp://a:1"], "-o"),
    "an address that is none": (["a", "-o", "b", "--on", "a:1"], "tcp://scheduler:8786"),
    "an option of samples with an archive": (["a", "-o", "b", "--csv", "x"], "--csv is of a sample"),
    "the count of a sample with an archive": (["a", "-o", "b", "--count", "2"], "--count is of a sample"),
    "an option of the first count": (["S-1", "--no-gate"], "--gate"),
    "workers of this machine and a cluster": (["a", "-o", "b", "--on", "tcp://a:1", "--workers", "2"], "--workers"),
}


@pytest.mark.parametrize("case", USAGE)
def test_what_does_not_fit_together_is_said(case: str) -> None:
    args, words = USAGE[case]
    got = CliRunner().invoke(edge_app(), ["recount", *args])
    assert got.exit_code == 2
    assert words in got.stderr


def test_tiles_of_a_grid_are_counted_as_edge_run_counts_them(archive: Path, tmp_path: Path) -> None:
    told = by_edge_run(archive, tmp_path, "--tiling", "grid", "--tile-px", "60", "--tile-overlap", "0.5", "--no-gate")
    nets = NetSettings(tiling=Tiling.GRID, tile_px=60, tile_overlap=0.5)
    given = replace(settings(gate=False), nets=nets)
    assert compare(recounted(archive, tmp_path / "a", given, limits=2, workers=1), told) > 100


@pytest.mark.parametrize("what", ["fields", "s3://bucket/2026"])
def test_an_archive_without_results_is_told_how(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fields").mkdir()
    monkeypatch.chdir(tmp_path)
    got = CliRunner().invoke(edge_app(), ["recount", what])
    assert got.exit_code == 10
    assert f"edge recount {what} -o counts.parquet" in got.stderr
