"""Killed, cut off, on a full disk: edge-run itself, and whether the harness would notice what is wrong."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from errno import ENOSPC, EROFS
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.errors import CaseError, NoInputError, ResultError
from benchmarks.faults import cuts, kills, trouble
from benchmarks.faults.__main__ import PAGE, app
from benchmarks.faults.answers import ReaderBench, a_counted_book, answer_trial
from benchmarks.faults.drawn import field_folder
from benchmarks.faults.endurance import Endurance, ProcessLook
from benchmarks.faults.figures import Figures, Trials, measured, read_figures, write_figures
from benchmarks.faults.medium import Medium
from benchmarks.faults.nursery import Action, Calls, Disturbance, Nursery, State
from benchmarks.faults.page import page
from benchmarks.faults.sample import differing, rows_of, sample_of, without_times
from benchmarks.faults.trial import Bench, Trial, Uninterrupted, last_line, trial_of
from benchmarks.faults.trouble import Trouble

needs_shim = pytest.mark.skipif(
    shutil.which("cc") is None or not Path("/proc/self/fd").exists(), reason="needs Linux and a C compiler"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Uninterrupted, Nursery]]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch, Nursery(folder) as nursery:
        patch.setenv("EDGE_BENCH_CACHE", str(folder / "cache"))
        bench = Bench(nursery, folder / "work", folder, field_folder())
        yield bench, bench.uninterrupted(), nursery


@pytest.fixture(scope="module")
def kept(
    lab: tuple[Bench, Uninterrupted, Nursery], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Uninterrupted]:
    """What a whole run left."""
    bench = lab[0]
    whole = bench.uninterrupted()
    copy = tmp_path_factory.mktemp("kept") / "work"
    shutil.copytree(bench.place.folder, copy)
    return copy, whole


@pytest.fixture
def finished(
    lab: tuple[Bench, Uninterrupted, Nursery], kept: tuple[Path, Uninterrupted]
) -> tuple[Bench, Uninterrupted]:
    bench = lab[0]
    shutil.rmtree(bench.place.folder)
    shutil.copytree(kept[0], bench.place.folder)
    return bench, kept[1]


# Shares of the calls of a whole run before which it is killed
KILLED = {"while the book is made": 0.03, "early": 0.3, "late": 0.6, "when the sample is complete in the book": 0.97}


@needs_shim
@pytest.mark.parametrize("when", KILLED)
def test_a_run_that_was_killed_goes_on_to_the_same_sample(lab: tuple[Bench, Uninterrupted, Nursery], when: str) -> None:
    bench, whole, _ = lab
    found = kills.trial(bench, whole, Disturbance(Action.KILL, at=round(KILLED[when] * whole.calls)))
    assert found.call
    assert found.wrong == ()


@needs_shim
def test_a_run_that_is_killed_while_it_goes_on_goes_on_once_more(lab: tuple[Bench, Uninterrupted, Nursery]) -> None:
    bench, whole, _ = lab
    half = whole.calls // 2
    found = kills.trial(bench, whole, Disturbance(Action.KILL, at=half), (Disturbance(Action.KILL, at=half // 2),))
    assert (found.runs, found.wrong) == (2, ())


@needs_shim
@pytest.mark.parametrize(("number", "calls"), [(ENOSPC, Calls.ROOM), (EROFS, Calls.ALL)])
def test_a_disk_that_takes_no_more_loses_nothing_and_is_one_line(
    lab: tuple[Bench, Uninterrupted, Nursery], number: int, calls: Calls
) -> None:
    bench, whole, _ = lab
    fault = Disturbance(Action.FAIL, at=whole.calls // 2, error=number, calls=calls)
    line, wrong = trouble.under(bench, whole, fault)
    assert wrong == ()
    assert line.startswith("edge-run: ")


@needs_shim
def test_a_power_cut_takes_nothing_that_was_shown(tmp_path: Path, lab: tuple[Bench, Uninterrupted, Nursery]) -> None:
    bench, _, nursery = lab
    with ExitStack() as stack:
        try:
            medium = stack.enter_context(Medium(tmp_path / "image", tmp_path / "work"))
        except (NoInputError, CaseError) as error:
            pytest.skip(str(error))
        bench = Bench(nursery, tmp_path / "work", tmp_path, bench.place.fields)
        whole = bench.uninterrupted()
        for share in (0.05, 0.5, 0.85):
            fault = Disturbance(Action.STOP, at=round(share * whole.calls))
            assert cuts.trial(bench, medium, whole, fault).wrong == ()


@pytest.fixture(scope="module")
def reading(lab: tuple[Bench, Uninterrupted, Nursery], tmp_path_factory: pytest.TempPathFactory) -> ReaderBench:
    """A reader at a book of its own."""
    folder = tmp_path_factory.mktemp("reading")
    (folder / "work").mkdir()
    return ReaderBench(lab[2], folder / "work", folder, a_counted_book(lab[0], folder / "kept.sqlite"))


READ = {"as the book is": False, "of version 1": True}


@needs_shim
@pytest.mark.parametrize("book", READ)
def test_answers_that_were_said_to_be_in_the_book_survive_kill(reading: ReaderBench, book: str) -> None:
    reading.begin(earlier=READ[book])
    calls = reading.run().calls
    assert reading.left() == []
    for share in (0.1, 0.4, 0.8):
        found = answer_trial(reading, Disturbance(Action.KILL, at=round(share * calls)), earlier=READ[book])
        assert found.call
        assert found.wrong == ()


@needs_shim
def test_a_power_cut_takes_no_answer_that_was_said(tmp_path: Path, lab: tuple[Bench, Uninterrupted, Nursery]) -> None:
    with ExitStack() as stack:
        kept = a_counted_book(lab[0], tmp_path / "kept.sqlite")
        try:
            medium = stack.enter_context(Medium(tmp_path / "image", tmp_path / "disk"))
        except (NoInputError, CaseError) as error:
            pytest.skip(str(error))
        reading = ReaderBench(lab[2], medium.mount, tmp_path, kept)
        reading.begin(earlier=False)
        calls = reading.run().calls
        for share in (0.3, 0.9):
            fault = Disturbance(Action.KILL, at=round(share * calls))
            assert answer_trial(reading, fault, medium, earlier=False).wrong == ()


@needs_shim
def test_an_answer_that_was_said_too_early_would_be_noticed(reading: ReaderBench) -> None:
    reading.begin(earlier=False)
    reading.run()
    with reading.job().out.open("a") as screen:
        screen.write("0e9f2a5c-0000-4000-8000-000000000000\n")
    assert reading.left() == ["1 answers were said to be in the book and are lost"]


def _without(what: str) -> Callable[[Bench], None]:
    def spoil(bench: Bench) -> None:
        with closing(sqlite3.connect(bench.place.book)) as book, book:
            book.execute(what)

    return spoil


def _shortened(name: str) -> Callable[[Bench], None]:
    return lambda bench: os.truncate(bench.place.out / name, 100)


SPOILT: dict[str, tuple[Callable[[Bench], None], str]] = {
    "a field is missing": (
        _without("DELETE FROM field WHERE number = 3"),
        "1 fields were shown as counted and are lost",
    ),
    "a sample is not complete": (_without("UPDATE sample SET state = 'interrupted'"), "shown as complete and is not"),
    "a CSV file is cut short": (_shortened("fields.csv"), "fields.csv looks complete and is not"),
    "a COCO file is cut short": (_shortened("cells.json"), "cells.json looks complete and is not"),
    "a picture is cut short": (
        _shortened("seen/00003-03-right.jpg"),
        "seen/00003-03-right.jpg looks complete and is not",
    ),
    "a report is cut short": (_shortened("report/S-0042.html"), "report/S-0042.html looks complete and is not"),
}


@needs_shim
@pytest.mark.parametrize("how", SPOILT)
def test_what_is_lost_or_half_is_noticed(finished: tuple[Bench, Uninterrupted], how: str) -> None:
    bench, whole = finished
    spoil, line = SPOILT[how]
    assert bench.left(whole, bench.job(name="whole").out) == ()
    spoil(bench)
    assert line in "\n".join(bench.left(whole, bench.job(name="whole").out))


@needs_shim
@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("UPDATE cell SET class = 1 - class WHERE class >= 0 AND n = 1", "book: cells"),
        ("UPDATE field SET reason = 'black' WHERE number = 2", "book: fields"),
        ("UPDATE sample SET cells = cells + 1", "book: sums"),
    ],
)
def test_a_sample_that_differs_is_noticed(finished: tuple[Bench, Uninterrupted], change: str, part: str) -> None:
    bench, whole = finished
    _without(change)(bench)
    found = sample_of(bench.place, bench.job(name="whole").out)
    assert differing(whole.sample, found) == [part]


def test_every_call_is_a_moment_and_the_rest_are_times() -> None:
    faults = list(kills.moments(12, 10, 2.0, 1))
    assert [fault.at for fault in faults[:10]] == list(range(1, 11))
    assert all(fault.after_s is not None and 0 <= fault.after_s <= 2 for fault in faults[10:])
    assert [fault.at for fault in kills.moments(5, 10, 2.0, 1)] == [1, 3, 5, 7, 9]


def test_times_are_no_part_of_a_count(tmp_path: Path) -> None:
    table = tmp_path / "fields.csv"
    table.write_text("cells,decode_ms\n3,1.5\n")
    assert rows_of(table) == [{"cells": "3"}]
    assert without_times({"a": [{"seconds": 1, "cells": 2, "ms": {}}]}) == {"a": [{"cells": 2}]}


def test_trials_are_added_up_with_temporary_names_left_out() -> None:
    state = State(stopped=False, code=-9, pid=1, calls=5, call="fsync .00004-04-good.jpg.g73suggf.part")
    at_call = trial_of(Disturbance(Action.KILL, at=5), state, 3, 2, ())
    at_time = trial_of(Disturbance(Action.KILL, after_s=0.25), replace(state, call=""), 1, 1, ("differs: csv",))
    found = Trials.of([at_call, at_time])
    assert found == Trials(2, 1, 1, 1, 4, {"fsync .jpg": 1}, ("250 ms: differs: csv",))


def figures() -> Figures:
    trials = Trials.of(
        [Trial("write book.sqlite-wal", "call 3", 1, 1, ()), Trial("", "20 ms", 0, 1, ("differs: csv",))]
    )
    looks = tuple(ProcessLook(n * 1000, 90_000 + n, 10, 5) for n in range(1, 12))
    troubles = (Trouble("the disk is full", 4, 4, "edge-run: a|b: full", ()),)
    return Figures(trials, None, trials, troubles, Endurance(looks, 12.5, 11_000, 0), {"kills": measured("a disk")})


def test_the_page_says_what_is_kept_and_what_was_wrong(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    write_figures(figures(), kept)
    assert read_figures(kept) == figures()
    text = page(read_figures(kept))
    for line in (
        "| drawn | 2 | 1 | 1 | 1 | 0 | 1 |",
        "- 20 ms: differs: csv",
        "| the disk is full | 4 | 4 | edge-run: a\\|b: full |",
        "it grew by 0.0 MB at most",
    ):
        assert line in text
    assert "## Power cut" not in page(replace(figures(), cuts=None))


def test_the_command_writes_the_page_from_what_is_kept(tmp_path: Path) -> None:
    kept, out = tmp_path / "kept.json", tmp_path / "faults.md"
    write_figures(figures(), kept)
    done = CliRunner().invoke(app, ["--only", "page", "--keep", str(kept), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text() == page(figures())
    kept.write_text("{}")
    assert CliRunner().invoke(app, ["--only", "page", "--keep", str(kept)]).exit_code == ResultError.exit_code


def test_the_page_in_the_repository_is_what_the_command_writes() -> None:
    assert PAGE.read_text() == page(read_figures())


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": "another"}', '{"format": "edge-faults", "kills": {"tried": 1}}']
)
def test_a_file_that_holds_no_figures_is_refused(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(text)
    with pytest.raises(ResultError, match=r"kept\.json: cannot be used"):
        read_figures(kept)


def test_figures_that_are_not_there_are_an_empty_page(tmp_path: Path) -> None:
    assert read_figures(tmp_path / "none.json") == Figures()
    assert "## kill" not in page(Figures())


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""),
        ("note: a\nedge-run: /mnt/x/edge-1/work/out/a.csv: full\n", "edge-run: out/a.csv: full"),
        ("edge-run: S-0042 is there", "edge-run: S-0042 is there"),
    ],
)
def test_a_line_is_kept_without_the_place_of_the_machine(tmp_path: Path, said: str, kept: str) -> None:
    (tmp_path / "err").write_text(said)
    assert last_line(tmp_path / "err") == kept


def test_no_figure_that_is_kept_names_a_place_of_a_machine() -> None:
    kept = Path(__file__).parents[2] / "benchmarks" / "faults" / "kept.json"
    assert not re.search(r"[\" ]/\w", kept.read_text())
