"""Two recounts of one archive are compared sample by sample; tables that are damaged or a stranger's are refused in one line."""

from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.archive.compare import Comparison, ComparisonEnd, SampleComparison
from edge.archive.partitions import PartitionLimits
from edge.archive.records import RecountJob
from edge.archive.results import HEAD, Results
from edge.archive.run import Recount
from edge.cli.recount_words import comparison_facts, comparison_lines, sample_facts, sample_line
from edge.errors import ArchiveError
from tests.archive.made import MadeRecipe, description, paint
from tests.archive.serial import serial

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
pytest.importorskip("fsspec", reason="fsspec (extra archive) is not installed")


def counted(archive: Path, results: Path, limits: int = 4, **changes: object) -> Results:
    recipe = MadeRecipe(description(**changes))
    opened = Results(str(results))
    opened.begin(recipe.described)
    job = RecountJob(str(archive), str(results), recipe.fingerprint)
    Recount(job, opened, serial(recipe), limits=PartitionLimits(limits)).run(threading.Event())
    return Results(str(results))


def compared(before: Results, after: Results) -> tuple[dict[str, SampleComparison], ComparisonEnd]:
    comparison = Comparison(before, after)
    samples = {one.name: one for one in comparison}
    return samples, comparison.end()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    paint(root / "s2", 30, 1, 70)
    paint(root / "s10", 0, 20, 25)
    paint(root / "large", *range(12, 23))
    return root


def test_a_count_against_itself_differs_in_nothing(archive: Path, tmp_path: Path) -> None:
    samples, end = compared(counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b", limits=2))
    assert list(samples) == ["large", "s2", "s10"]
    assert [(one.before, one.changed, one.unpaired) for one in samples.values()] == [
        (one.after, False, 0) for one in samples.values()
    ]
    assert (samples["s2"].before.fields, samples["s2"].before.kept, samples["s2"].change.fields) == (3, 2, 2)
    assert (end.samples, end.changed, end.differ, end.only_before, end.only_after) == (3, 0, 0, 0, 0)
    assert end.change.difference == 0.0
    assert end.flags == (("uncalibrated", "uncalibrated", 3),)


def changed_fields(
    results: Path, change: Callable[[dict[str, Any]], None], flags: dict[str, str] | None = None
) -> None:
    """Change rows of the fields, and let their samples add up to them again."""
    from pyarrow import Table, parquet

    for part in sorted((results / "fields").glob("*.parquet")):
        fields = parquet.read_table(part)
        rows = fields.to_pylist()
        for row in rows:
            change(row)
        parquet.write_table(Table.from_pylist(rows, fields.schema), part)
        samples = parquet.read_table(results / "samples" / part.name)
        told = samples.to_pylist()
        for sample in told:
            mine = [row for row in rows if row["sample"] == sample["sample"] and row["state"] == "counted"]
            sample["cells"], sample["positive"] = (sum(row[key] for row in mine) for key in ("cells", "positive"))
            sample["flag"] = (flags or {}).get(sample["sample"], sample["flag"])
        parquet.write_table(Table.from_pylist(told, samples.schema), results / "samples" / part.name)


def fewer(row: dict[str, Any]) -> None:
    if row["sample"] == "large" and row["positive"]:
        row["positive"] = 0


def test_what_changes_is_said_sample_by_sample(archive: Path, tmp_path: Path) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b", limits=20)
    changed_fields(tmp_path / "a", lambda _: None, {"s2": "negative", "s10": "uncalibrated"})
    changed_fields(tmp_path / "b", fewer, {"s2": "positive", "s10": "negative"})
    samples, end = compared(before, after)
    assert {name: (one.changed, one.flag_changed) for name, one in samples.items()} == {
        "large": (True, False),  # surely another share
        "s2": (True, True),
        "s10": (False, False),  # without a calibration there was no flag to change
    }
    large = samples["large"].change
    assert (large.after, large.differ, large.sure) == (0.0, 11, True)
    assert large.difference == pytest.approx(-(large.before or 0))
    assert (end.changed, end.differ) == (2, 11)
    assert end.before_positive - end.after_positive == samples["large"].before.positive
    assert set(end.flags) == {
        ("uncalibrated", "uncalibrated", 1),
        ("negative", "positive", 1),
        ("uncalibrated", "negative", 1),
    }


def test_fields_are_paired_by_name_and_content(archive: Path, tmp_path: Path) -> None:
    before = counted(archive, tmp_path / "a")
    (archive / "large" / "3.png").unlink()
    paint(archive / "large", 90)  # another content of 0.png
    after = counted(archive, tmp_path / "b")

    def hashed(row: dict[str, Any]) -> None:
        row["sha256"] = "1" * 64 if row["name"] == "0.png" and row["cells"] == 72 else "0" * 64

    changed_fields(tmp_path / "a", hashed)
    changed_fields(tmp_path / "b", hashed)
    samples, end = compared(before, after)
    large = samples["large"]
    assert (large.before.fields, large.after.fields, large.unpaired, large.change.fields) == (11, 10, 3, 9)
    assert large.change.difference == 0.0  # what came and went is no difference between the models
    assert end.unpaired == 3
    assert "3 fields in one count alone" in sample_line(large)


def test_samples_that_one_count_lacks_are_said(archive: Path, tmp_path: Path) -> None:
    before = counted(archive, tmp_path / "a")
    shutil.rmtree(archive / "s2")
    paint(archive / "new", 5, 6)
    samples, end = compared(before, counted(archive, tmp_path / "b"))
    assert (list(samples), end.only_before, end.only_after) == (["large", "s10"], 1, 1)


def test_passwords_of_addresses_are_not_shown(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = counted(archive, tmp_path / "a")
    part = min((tmp_path / "a" / "fields").glob("*.parquet"))
    part.write_bytes(b"")
    monkeypatch.setattr(results.place, "url", "sftp://me:secret@host/counts")
    with pytest.raises(ArchiveError, match="me@host") as refused:
        compared(results, results)
    assert "secret" not in str(refused.value)


def test_tiles_are_not_compared_with_cells(archive: Path, tmp_path: Path) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b", unit="tile")
    with pytest.raises(ArchiveError, match=r"counts cells, .* tiles"):
        Comparison(before, after)


def test_words_and_facts_say_the_same(archive: Path, tmp_path: Path) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b")
    changed_fields(tmp_path / "a", lambda _: None, {"s2": "negative"})
    changed_fields(tmp_path / "b", fewer, {"s2": "positive"})
    samples, end = compared(before, after)
    assert "; 11 of 11 fields differ; uncalibrated; CHANGED" in sample_line(samples["large"])
    assert sample_line(samples["large"]).startswith("large: ")
    assert sample_line(samples["s2"]).endswith("; 0 of 2 fields differ; negative before, positive after; CHANGED")
    told = json.loads(json.dumps(sample_facts(samples["large"])))
    assert (told["event"], told["sample"], told["changed"], told["flag_changed"]) == ("compared", "large", True, False)
    assert told["fields"] == {"compared": 11, "differ": 11, "unpaired": 0}
    lines = list(comparison_lines(end, (("parasitized",), ("ring", "trophozoite"))))
    assert lines[0].startswith("3 samples counted twice, 2 changed")
    assert lines[-1] == "positive classes: parasitized before, ring, trophozoite after"
    facts = json.loads(json.dumps(comparison_facts(end, ("a", "b"))))
    assert facts["before"] == {"results": "a", "cells": end.before_cells, "positive": end.before_positive}


def test_a_field_alone_has_no_interval_and_an_empty_sample_no_share(tmp_path: Path) -> None:
    paint(tmp_path / "archive" / "one", 40)
    paint(tmp_path / "archive" / "none", 0)
    samples, _ = compared(counted(tmp_path / "archive", tmp_path / "a"), counted(tmp_path / "archive", tmp_path / "b"))
    assert "too few fields for an interval" in sample_line(samples["one"])
    assert "nothing counted before, nothing counted after: no difference to tell" in sample_line(samples["none"])


HEADS = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe{}",
    "a list": b"[]",
    "of another program": b'{"format": "spark", "version": 1, "description": {}}',
    "nested without end": b"[" * 100_000,
    "a number of too many digits": b'{"version": ' + b"9" * 5000 + b"}",
    "half of it": b'{"description": {"fingerprint": "f", "binding": {}}, "format": "edge-recount", "version": 1}',
}


@pytest.mark.parametrize("head", HEADS)
def test_a_strange_head_is_refused_in_one_line(head: str, tmp_path: Path) -> None:
    (tmp_path / HEAD).write_bytes(HEADS[head])
    with pytest.raises(ArchiveError) as refused:
        Results(str(tmp_path)).described()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_a_head_of_a_newer_version_says_so(archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "a")
    head = json.loads((tmp_path / "a" / HEAD).read_text())
    (tmp_path / "a" / HEAD).write_text(json.dumps(head | {"version": 99}))
    with pytest.raises(ArchiveError, match="newer version"):
        Results(str(tmp_path / "a")).described()


def test_a_folder_without_a_head_is_no_count(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no results of edge recount"):
        Results(str(tmp_path)).described()


def _in_place_of(part: Path, column: str, value: object) -> None:
    """Give every row of a part's column this value."""
    from pyarrow import array, parquet

    table = parquet.read_table(part)
    place = table.schema.get_field_index(column)
    values = array([value] * len(table), table.schema[place].type)
    parquet.write_table(table.set_column(place, table.schema[place], [values]), part)


def _rewritten(part: Path, change: Callable[[Any], Any]) -> None:
    from pyarrow import parquet

    parquet.write_table(change(parquet.read_table(part)), part)


def _a_folder(part: Path) -> None:
    part.unlink()
    part.mkdir()


STRANGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda part: part.write_bytes(part.read_bytes()[:-20]),
    "not Parquet": lambda part: part.write_text("sample,flag\n"),
    "empty": lambda part: part.write_bytes(b""),
    "a folder": _a_folder,
    "gone": Path.unlink,
    "no sample column": lambda part: _rewritten(part, lambda table: table.drop_columns(["sample"])),
    "samples are numbers": lambda part: _rewritten(
        part, lambda table: table.set_column(0, "sample", [list(range(len(table)))])
    ),
    "two sample columns": lambda part: _rewritten(part, lambda table: table.append_column("sample", table["sample"])),
    "another's": lambda part: _rewritten(part, lambda table: table.select([]).append_column("a", [[1] * len(table)])),
    "a sample without name": lambda part: _in_place_of(part, "sample", None),
    "a name without end": lambda part: _in_place_of(part, "sample", "9" * 5000),
    "counts that do not add up": lambda part: _in_place_of(part, "cells", 7),
    "more cells than any": lambda part: _in_place_of(part, "positive", 2**31 - 1),
}


@pytest.mark.parametrize("how", STRANGE)
@pytest.mark.parametrize("table", ["samples", "fields"])
def test_strange_tables_are_refused_in_one_line(how: str, table: str, archive: Path, tmp_path: Path) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b")
    part = min((tmp_path / "b" / table).glob("*.parquet"))
    STRANGE[how](part)
    if (how, table) == ("gone", "samples"):  # the part has never been finished
        assert compared(before, after)[1].only_before > 0
        return
    with pytest.raises(ArchiveError) as refused:
        compared(before, after)
    assert "\n" not in str(refused.value)
    assert "remove" in str(refused.value) or "not of edge recount" in str(refused.value)


@pytest.mark.parametrize("how", [one for one in STRANGE if one not in ("gone", "a name without end")])
def test_what_is_there_is_not_read_from_strange_tables(how: str, archive: Path, tmp_path: Path) -> None:
    """A recount that goes on reads which samples are there."""
    results = counted(archive, tmp_path / "b")
    part = min((tmp_path / "b" / "samples").glob("*.parquet"))
    STRANGE[how](part)
    if how in ("counts that do not add up", "more cells than any"):
        assert len(list(results.samples())) == 3
        return
    with pytest.raises(ArchiveError) as refused:
        list(results.samples())
    assert "\n" not in str(refused.value)


def test_a_part_that_promises_more_than_it_may_is_not_unpacked(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b")
    monkeypatch.setattr("edge.archive.part_reading.MOST_BYTES", 100)
    with pytest.raises(ArchiveError, match="bytes unpacked"):
        compared(before, after)


def _refused(before: Results, after: Results) -> bool:
    try:
        compared(before, after)
    except ArchiveError as error:
        return "\n" not in str(error)
    return False


@pytest.mark.parametrize("table", ["samples", "fields"])
def test_mutated_tables_are_refused_or_read_but_never_a_defect(table: str, archive: Path, tmp_path: Path) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b")
    part = min((tmp_path / "b" / table).glob("*.parquet"))
    whole = part.read_bytes()
    rng = random.Random(7)
    refused = 0
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 1, 3, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        part.write_bytes(data)
        refused += _refused(before, after)
    assert refused > 10
    part.write_bytes(whole)
    assert compared(before, after)[1].changed == 0


def test_memory_of_a_comparison_does_not_grow_with_fields(archive: Path, tmp_path: Path) -> None:
    comparison = Comparison(counted(archive, tmp_path / "a", limits=1), counted(archive, tmp_path / "b", limits=1))
    assert len(list(comparison)) == 3
    assert all(len(counts._held) <= 4 for counts in comparison._counts)


def test_a_finder_that_finds_others_changes_both_numbers(archive: Path, tmp_path: Path) -> None:
    before, after = counted(archive, tmp_path / "a"), counted(archive, tmp_path / "b")

    def more(row: dict[str, Any]) -> None:
        row["cells"] += 10 * (row["state"] == "counted")

    changed_fields(tmp_path / "b", more)
    samples, _ = compared(before, after)
    one = samples["large"]
    assert one.after.cells == one.before.cells + 110
    assert one.change.before == one.before.positive / one.before.cells
    assert one.change.after == one.after.positive / one.after.cells
    assert replace(one.before, cells=one.after.cells) == one.after
