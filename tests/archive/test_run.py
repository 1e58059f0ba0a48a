"""A recount from listing to tables with a recipe that needs no nets: slices, what is gone on with, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.archive.partitions import PartitionLimits
from edge.archive.records import RecountEnd, RecountJob, RecountProgress
from edge.archive.results import Results
from edge.archive.run import Recount
from edge.errors import ArchiveError, NoInputError
from tests.archive.made import MadeRecipe, description, paint
from tests.archive.serial import SerialClient, serial
from tests.archive.tables import everything, table

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
pytest.importorskip("fsspec", reason="fsspec (extra archive) is not installed")

LIMITS = PartitionLimits(fields=4)


def counted(
    archive: Path,
    results: Path,
    *,
    before: Callable[[int], None] = lambda _: None,
    told: Callable[[RecountProgress], None] | None = None,
    stop: threading.Event | None = None,
    limits: PartitionLimits = LIMITS,
) -> tuple[RecountEnd, list[str]]:
    recipe = MadeRecipe()
    opened = Results(str(results))
    opened.begin(recipe.described)
    cluster = serial(recipe, before=before)
    job = RecountJob(str(archive), str(results), recipe.fingerprint)
    end = Recount(job, opened, cluster, told, limits=limits).run(stop or threading.Event())
    client: SerialClient = cluster.client
    return end, client.tasks


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    paint(root / "small", 3, 1, 7)
    paint(root / "broken", 0, 2)
    paint(root / "large", *range(2, 13))
    return root


def test_tables_hold_each_sample_field_and_cell_once(archive: Path, tmp_path: Path) -> None:
    end, tasks = counted(archive, tmp_path / "c")
    assert tasks.count("decide_sample") == 1
    assert tasks.count("count_partition") == 3 + 2  # slices of the large sample, and two of small ones
    assert (end.samples, end.fields, end.unreadable, end.changed, end.stopped) == (3, 16, 1, (), False)
    assert end.named == (("broken/0.png", "no picture"),)
    samples = {row["sample"]: row for row in table(tmp_path / "c", "samples")}
    assert {name: (r["fields"], r["kept"], r["rejected"], r["unreadable"]) for name, r in samples.items()} == {
        "small": (3, 2, 1, 0),
        "broken": (2, 1, 0, 1),
        "large": (11, 11, 0, 0),
    }
    fields, cells = table(tmp_path / "c", "fields"), table(tmp_path / "c", "cells")
    assert [(r["field"], r["name"], r["state"], r["reason"]) for r in fields if r["sample"] == "small"] == [
        (0, "0.png", "counted", None),
        (1, "1.png", "rejected", "too dark"),
        (2, "2.png", "counted", None),
    ]
    assert [r["field"] for r in fields if r["sample"] == "large"] == list(range(11))
    for name, row in samples.items():
        mine = [r for r in cells if r["sample"] == name and r["counted"]]
        assert row["cells"] == len(mine) == row["count_uninfected"] + row["count_parasitized"]
        assert row["positive"] == sum(r["positive"] for r in mine)
        assert row["cells"] == sum(r["cells"] for r in fields if r["sample"] == name and r["state"] == "counted")
    assert not list((tmp_path / "c" / "_slices").iterdir())


@pytest.mark.parametrize("limits", [PartitionLimits(1), PartitionLimits(3), PartitionLimits(100)])
def test_the_tables_are_the_same_however_the_archive_is_cut(
    limits: PartitionLimits, archive: Path, tmp_path: Path
) -> None:
    counted(archive, tmp_path / "a")
    counted(archive, tmp_path / "b", limits=limits)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


class _CutError(Exception):
    """A recount ends here."""


@pytest.mark.parametrize("at", range(1, 7))
def test_a_recount_that_was_cut_off_goes_on(at: int, archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "whole")

    def cut(number: int) -> None:
        if number == at:
            raise _CutError

    with pytest.raises(_CutError):
        counted(archive, tmp_path / "c", before=cut)
    (tmp_path / "c" / "fields").mkdir(exist_ok=True)
    (tmp_path / "c" / "fields" / "part-gone.parquet").write_bytes(b"its samples never came")
    (tmp_path / "c" / "fields" / ".part-x.parquet.123.part.parquet").write_bytes(b"half of it")
    _, tasks = counted(archive, tmp_path / "c")
    assert len(tasks) < 6
    assert everything(tmp_path / "c") == everything(tmp_path / "whole")
    assert not [path for path in (tmp_path / "c").rglob("*") if "gone" in path.name or path.name.startswith(".")]


def test_what_is_there_is_not_counted_again(archive: Path, tmp_path: Path) -> None:
    first, _ = counted(archive, tmp_path / "c")
    again, tasks = counted(archive, tmp_path / "c")
    assert tasks == []
    assert (again.samples, again.fields, again.cells, again.unreadable) == (3, 16, first.cells, 1)


def test_a_new_sample_is_added_and_a_changed_one_is_named_and_stays(archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "c")
    before = everything(tmp_path / "c")
    paint(archive / "small", 9, 9, 9, 9)
    paint(archive / "new", 5)
    end, tasks = counted(archive, tmp_path / "c")
    assert (end.samples, end.changed, len(tasks)) == (4, ("small",), 1)
    left = {name: [row for row in rows if row["sample"] != "new"] for name, rows in everything(tmp_path / "c").items()}
    assert left == before


def test_a_sample_that_two_parts_hold_is_left_once(archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "c")
    before = everything(tmp_path / "c")
    counted(archive, tmp_path / "d", limits=PartitionLimits(7))  # other parts of the same samples
    for name in ("cells", "fields", "samples"):
        for path in (tmp_path / "d" / name).iterdir():
            (tmp_path / "c" / name / path.name).write_bytes(path.read_bytes())
    counted(archive, tmp_path / "c")
    assert everything(tmp_path / "c") == before


@pytest.mark.parametrize("lost", ["fields", "cells"])
def test_a_part_that_lost_a_table_is_counted_anew(lost: str, archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "c")
    before = everything(tmp_path / "c")
    next((tmp_path / "c" / lost).iterdir()).unlink()
    counted(archive, tmp_path / "c")
    assert everything(tmp_path / "c") == before


def test_a_part_that_loses_a_table_meanwhile_is_no_success(archive: Path, tmp_path: Path) -> None:
    def lose(number: int) -> None:
        if number == 5:
            next((tmp_path / "c" / "cells").iterdir()).unlink()

    with pytest.raises(ArchiveError, match=r"1 part lost a table .* call again"):
        counted(archive, tmp_path / "c", before=lose)
    counted(archive, tmp_path / "whole")
    counted(archive, tmp_path / "c")
    assert everything(tmp_path / "c") == everything(tmp_path / "whole")


def test_stopped_it_keeps_what_is_finished(archive: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    end, _ = counted(archive, tmp_path / "c", stop=stop)
    assert (end.stopped, end.samples) == (True, 0)


def test_progress_ends_with_all_of_it(archive: Path, tmp_path: Path) -> None:
    told: list[RecountProgress] = []
    counted(archive, tmp_path / "c", told=told.append)
    last = told[-1]
    assert (last.listed, last.listing, last.before, last.workers) == (16, False, 0, 2)
    assert (last.samples, last.fields, last.unreadable) == (3, 16, 1)


def test_a_damaged_slice_is_analysed_again(archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "whole")
    done: list[int] = []

    def damage(number: int) -> None:
        slices = sorted((tmp_path / "c" / "_slices").glob("*.parquet"))
        if len(slices) == 3 and not done:
            done.append(number)
            slices[1].write_bytes(slices[1].read_bytes()[:200])

    _, tasks = counted(archive, tmp_path / "c", before=damage)
    assert done
    assert tasks.count("decide_sample") == 2
    assert everything(tmp_path / "c") == everything(tmp_path / "whole")


def test_slices_of_another_cut_are_not_used(archive: Path, tmp_path: Path) -> None:
    def cut(number: int) -> None:
        if number == 3:
            raise _CutError

    with pytest.raises(_CutError):
        counted(archive, tmp_path / "c", before=cut)
    assert list((tmp_path / "c" / "_slices").iterdir())
    counted(archive, tmp_path / "c", limits=PartitionLimits(5))
    counted(archive, tmp_path / "whole")
    assert everything(tmp_path / "c") == everything(tmp_path / "whole")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder that holds something else": (lambda c: (c / "notes.txt").write_text("mine"), "not empty"),
    "results of other settings": (
        lambda c: Results(str(c)).begin(description(fingerprint="e" * 64, binding={"threshold": "0.9"})),
        r"counted otherwise: threshold 0\.9 \(now 0\.5\); model not noted \(now made\)",
    ),
    "a head that is no JSON": (lambda c: (c / "_edge.json").write_text("{"), "cannot be read"),
    "a head of something else": (lambda c: (c / "_edge.json").write_text('{"format": "x"}'), "_edge.json"),
    "a head of a newer version": (
        lambda c: (
            Results(str(c)).begin(description()),
            (c / "_edge.json").write_text((c / "_edge.json").read_text().replace('"version":1', '"version":9')),
        ),
        "newer version",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_results_of_something_else_are_refused_in_one_line(case: str, archive: Path, tmp_path: Path) -> None:
    make, words = REFUSED[case]
    (tmp_path / "c").mkdir()
    make(tmp_path / "c")
    before = sorted(path.name for path in (tmp_path / "c").iterdir())
    with pytest.raises(ArchiveError, match=words) as error:
        counted(archive, tmp_path / "c")
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == before


def test_results_that_are_a_file_are_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("")
    with pytest.raises(ArchiveError, match="a file, and results are a folder"):
        counted(archive, tmp_path / "c")


def test_two_processes_do_not_write_at_once(tmp_path: Path) -> None:
    code = "import sys; from edge.archive.results import Results; Results(sys.argv[1]).hold(); print('in', flush=True); input()"
    command = [sys.executable, "-c", code, str(tmp_path / "c")]
    mine = Results(str(tmp_path / "c"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with pytest.raises(ArchiveError, match="another recount writes there"):
            mine.hold()
        other.kill()
    mine.hold()
    mine.let_go()


def test_a_damaged_part_is_said(archive: Path, tmp_path: Path) -> None:
    counted(archive, tmp_path / "c")
    part = next((tmp_path / "c" / "samples").iterdir())
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(ArchiveError, match=rf"{part.name}: damaged .*remove it"):
        counted(archive, tmp_path / "c")


def test_an_archive_without_images_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    with pytest.raises(NoInputError, match="no images"):
        counted(tmp_path / "archive", tmp_path / "c")
