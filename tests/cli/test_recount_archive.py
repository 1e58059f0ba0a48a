"""``edge recount`` of an archive counts what ``edge-run`` counts, cell by cell, however it is cut up and whoever counts it."""

from __future__ import annotations

import json
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
from edge.book.replay import events
from edge.cli import edge_app, edge_run_app
from edge.cli.archive_recipe import recipe_of
from edge.cli.book_reading import open_existing
from edge.cli.counting import load_parts
from edge.cli.run_settings import RunSettings
from edge.cli.settings import FieldSettings, ProcessSettings
from edge.virtual_slide import SlideSpec
from edge.virtual_slide.render import render_field
from tests.archive.serial import serial
from tests.archive.test_run import everything

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


def settings(**fields: Any) -> RunSettings:
    return replace(RunSettings(), process=ProcessSettings(workers=1), fields=FieldSettings(**fields))


def recounted(
    archive: Path, results: Path, given: RunSettings, limits: int, workers: int
) -> dict[str, list[dict[str, Any]]]:
    """The tables of a recount in this process."""
    recipe = recipe_of(given, load_parts(given))
    opened = Results(str(results))
    opened.begin(recipe.described)
    job = RecountJob(str(archive), str(results), recipe.fingerprint)
    Recount(job, opened, serial(recipe, workers), limits=PartitionLimits(limits)).run(threading.Event())
    return everything(results)


def by_edge_run(archive: Path, folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """What ``edge-run`` says of each sample: its event, and its fields and cells from the book."""
    told: dict[str, dict[str, Any]] = {}
    for path in sorted({file.parent for file in archive.rglob("*") if file.is_file()}):
        name = str(path.relative_to(archive))
        book = folder / f"{name.replace('/', '-')}.sqlite"
        given = [str(path), "--sample-id", name, "--book", str(book), "--json", "--workers", "1", *options]
        got = CliRunner().invoke(edge_run_app(), given)
        assert got.exit_code in (0, 3, 9), got.stderr
        event = json.loads(got.stdout.splitlines()[-1])
        with open_existing(book, "test") as opened:
            (row,) = opened.samples()
            fields = list(events(opened, row.id))
        told[name] = {"event": event, "fields": fields}
    return told


def compare(tables: dict[str, list[dict[str, Any]]], told: dict[str, dict[str, Any]]) -> int:
    """Hold the tables against ``edge-run``, number by number; returns how many cells were compared."""
    assert {row["sample"] for row in tables["samples"]} == told.keys()
    compared = 0
    for row in tables["samples"]:
        name, event = row["sample"], told[row["sample"]]["event"]
        labels = list(event["counts"])
        assert {label: row[f"count_{label}"] for label in labels} == event["counts"]
        assert (row["flag"], row["reasons"], row["notes"]) == (event["flag"], event["reasons"], event.get("notes", []))
        assert (row["kept"], row["rejected"] + row["unreadable"]) == tuple(event["fields"].values())
        shares = [event["share"][label]["value"] for label in labels]
        assert [row[f"share_{label}"] for label in labels] == pytest.approx(shares, abs=1e-9)
        fields = [one for one in tables["fields"] if one["sample"] == name]
        cells = [one for one in tables["cells"] if one["sample"] == name]
        assert len(fields) == len(told[name]["fields"])
        for field, expected in zip(fields, told[name]["fields"], strict=True):
            assert (field["field"], field["name"], field["reason"]) == (
                expected.index,
                expected.name,
                expected.reject_reason,
            )
            identity = expected.identity
            assert (field["bytes"], field["sha256"]) == (identity.size, identity.sha256)
            overlaps = [
                {"field": o.field, "cells": o.cells, "shift_x": o.shift[0], "shift_y": o.shift[1]}
                for o in expected.overlaps
            ]
            assert (field["overlaps"] or []) == overlaps
            mine = [one for one in cells if one["field"] == field["field"]]
            result = expected.result
            if result is None:
                assert (field["state"], mine) == ("unreadable", [])
                continue
            found = result.cells
            assert [[one[side] for side in "xywh"] for one in mine] == found.boxes.tolist()
            assert [one["kind"] for one in mine] == [found.kinds[kind] for kind in found.kind]
            assert [one["class"] for one in mine] == [labels[k] if k >= 0 else None for k in result.classes]
            assert [one["scores"] for one in mine] == result.scores.tolist()
            assert [one["confidence"] for one in mine] == found.confidence.tolist()
            assert [one["counted"] for one in mine] == [bool(k >= 0 and expected.kept) for k in result.classes]
            compared += len(mine)
    return compared


def test_it_counts_what_edge_run_counts_cell_by_cell(archive: Path, tmp_path: Path) -> None:
    told = by_edge_run(archive, tmp_path)
    tables = recounted(archive, tmp_path / "a", settings(), limits=100, workers=1)
    assert compare(tables, told) > 100
    assert [row["name"] for row in tables["fields"] if row["state"] == "unreadable"] == ["1.jpg"]
    assert [row["name"] for row in tables["fields"] if row["sample"] == "stack"][:2] == ["s0.tif#1", "s0.tif#2"]
    for limits in (1, 2, 3):
        assert recounted(archive, tmp_path / f"b{limits}", settings(), limits, workers=limits) == tables


def test_options_of_fields_mean_what_they_mean_to_edge_run(archive: Path, tmp_path: Path) -> None:
    told = by_edge_run(archive, tmp_path, "--no-gate", "--no-overlap", "--depth", "16")
    given = settings(gate=False, overlap=False, depth=16)
    assert compare(recounted(archive, tmp_path / "a", given, limits=2, workers=1), told) > 100


def test_the_command_counts_on_processes_of_its_own(archive: Path, tmp_path: Path) -> None:
    """Two worker processes, and the same as in one process; a second call has nothing left to do."""
    results = tmp_path / "counts.parquet"
    command = [sys.executable, "-m", "edge", "recount", str(archive), "-o", str(results), "--workers", "2", "--json"]
    got = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert got.returncode == 3, got.stderr
    told = json.loads(got.stdout)
    assert (told["samples"], told["fields"], told["unreadable"]) == (4, 19, 1)
    assert told["named"] == [["day/jpeg/1.jpg", told["named"][0][1]]]
    assert "http://127.0.0.1:" in got.stderr
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
