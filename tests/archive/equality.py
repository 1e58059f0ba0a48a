"""What ``edge-run`` says of each sample of an archive, and the tables of a recount, held against each other number by number."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge.archive.partitions import PartitionLimits
from edge.archive.records import RecountJob
from edge.archive.results import Results
from edge.archive.run import Recount
from edge.book.replay import events
from edge.cli import edge_run_app
from edge.cli.archive_recipe import recipe_of
from edge.cli.book_reading import open_existing
from edge.cli.counting import load_parts
from edge.cli.run_settings import RunSettings
from edge.cli.settings import FieldSettings, ProcessSettings
from tests.archive.serial import serial
from tests.archive.tables import everything


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
