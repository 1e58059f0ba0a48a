"""The engine as a page uses it: samples begin, pause, end and are gone on with, and what is shown as counted is in the book."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.book.opening import open_book
from edge.book.records import COMPLETE, INTERRUPTED, SampleRow
from edge.control.link import EngineLink
from edge.control.records import (
    BeginSetUp,
    CameraCommand,
    Command,
    CommandRefusedError,
    FinishSample,
    Pause,
    Resume,
    SetUpAsk,
    SetUpCommand,
    StartSample,
    TakeNow,
)
from edge.scope.profile_file import read_profile
from edge.status import Hint, RunEnd, RunState, Status
from tests.control.test_link import PROGRAM, until


def rows(book: Path, name: str) -> list[SampleRow]:
    with open_book(book, lambda _: None) as opened:
        return opened.samples(name=name)


def idle(status: Status) -> bool:
    return status.state is RunState.IDLE and status.view is not None


def started(book: Path) -> EngineLink:
    link = EngineLink(["--book", str(book), "--workers", "1"], PROGRAM)
    until(link, idle)
    return link


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine") / "book.sqlite"


@pytest.fixture(scope="module")
def scopes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the profiles of the engine are."""
    return tmp_path_factory.mktemp("home") / "scopes"


@pytest.fixture(scope="module")
def one_engine(book: Path, scopes: Path) -> Iterator[EngineLink]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_SCOPES", str(scopes))
        link = started(book)
    yield link
    link.close()
    assert not link.alive


@pytest.fixture
def link(one_engine: EngineLink) -> Iterator[EngineLink]:
    """An engine that counts nothing."""
    yield one_engine
    with suppress(CommandRefusedError):
        one_engine.send(FinishSample())
    with suppress(CommandRefusedError):
        one_engine.send(SetUpCommand(SetUpAsk.STOP))
    until(one_engine, idle)


def counting(name: str, fields: int = 1) -> Callable[[Status], bool]:
    """Whether so many fields of this sample count."""

    def holds(status: Status) -> bool:
        sample = status.sample
        return status.ended is None and sample is not None and sample.name == name and sample.kept >= fields

    return holds


def test_a_whole_sample(link: EngineLink, book: Path) -> None:
    link.send(StartSample("S-1", notes="thin film\nMay-Grünwald"))
    now = until(link, counting("S-1", 2))
    assert now.sample is not None
    assert now.sample.cells == sum(now.sample.counts.values()) > 0
    assert now.last is not None
    assert len(now.last.cells) == 5
    assert now.taken >= 2
    link.send(FinishSample())
    done = until(link, lambda status: status.ended is not None)
    assert (done.ended, done.state, done.failure) == (RunEnd.FINISHED, RunState.IDLE, "")
    (row,) = rows(book, "S-1")
    assert done.sample is not None
    assert (row.state, row.kept, row.cells) == (COMPLETE, done.sample.kept, done.sample.cells)
    with open_book(book, lambda _: None) as opened:
        assert [note.text for note in opened.notes(row.id) if note.kind == "notes"] == ["thin film\nMay-Grünwald"]


def test_samples_come_one_after_the_other_and_the_one_before_is_finished(link: EngineLink, book: Path) -> None:
    link.send(StartSample("S-2"))
    until(link, counting("S-2"))
    link.send(StartSample("S-3"))
    until(link, counting("S-3"))
    assert rows(book, "S-2")[0].state == COMPLETE


def test_a_sample_that_is_in_the_book_is_refused_unless_it_is_said_what_to_do(link: EngineLink, book: Path) -> None:
    link.send(StartSample("S-4"))
    until(link, counting("S-4"))
    link.send(FinishSample())
    until(link, lambda status: status.ended is RunEnd.FINISHED)
    with pytest.raises(CommandRefusedError, match=r"in the book already .complete, .* count it again, or give another"):
        link.send(StartSample("S-4"))
    with pytest.raises(CommandRefusedError, match="S-4 is complete: there is nothing to go on with"):
        link.send(StartSample("S-4", resume=True))
    with pytest.raises(CommandRefusedError, match="S-9 is not in the book"):
        link.send(StartSample("S-9", resume=True))
    link.send(StartSample("S-4", again=True))
    until(link, counting("S-4"))
    assert len(rows(book, "S-4")) == 2


def at_step(name: str, *, good: bool | None = True) -> Callable[[Status], bool]:
    """Whether this step is being done, and is good or not; None: either."""

    def holds(status: Status) -> bool:
        now = status.set_up
        return now is not None and now.step == name and good in (None, now.good)

    return holds


def test_the_microscope_is_set_up_and_its_profile_written_after_the_last_step(link: EngineLink, scopes: Path) -> None:
    link.send(BeginSetUp("bench-3", "Ada", "100x"))
    for step in ("light", "white balance", "flat field", "dust"):
        until(link, at_step(step))
        with pytest.raises(CommandRefusedError, match="that step is over"):
            link.send(SetUpCommand(SetUpAsk.NEXT, "scale"))
        link.send(SetUpCommand(SetUpAsk.NEXT, step))
    for step in ("focus", "scale"):
        until(link, at_step(step, good=None))
        assert not scopes.exists()
        link.send(SetUpCommand(SetUpAsk.SKIP, step))
    done = until(link, lambda status: not status.setting_up).set_up
    assert done is not None
    assert done.done.startswith(f"Done. The profile is written to {scopes / 'bench-3.json'}")
    assert "focus: left out" in done.notes
    made = read_profile(str(scopes / "bench-3.json"))
    assert (made.operator, made.objective, made.unfinished, made.scale) == ("Ada", "100x", (), None)
    assert made.flat is not None
    with pytest.raises(CommandRefusedError, match=r"there is a profile of bench-3 already, .* set it up anew"):
        link.send(BeginSetUp("bench-3"))


def test_nothing_is_counted_while_the_microscope_is_set_up_and_the_reverse(link: EngineLink, scopes: Path) -> None:
    with pytest.raises(CommandRefusedError, match="is not being set up"):
        link.send(SetUpCommand(SetUpAsk.NEXT, "light"))
    link.send(BeginSetUp("bench-4"))
    until(link, at_step("light", good=None))
    with pytest.raises(CommandRefusedError, match=r"is being set up: complete or stop that first"):
        link.send(StartSample("S-6"))
    with pytest.raises(CommandRefusedError, match="being set up already"):
        link.send(BeginSetUp("bench-5"))
    with pytest.raises(CommandRefusedError, match="light cannot be left out"):
        link.send(SetUpCommand(SetUpAsk.SKIP, "light"))
    link.send(SetUpCommand(SetUpAsk.STOP))
    now = until(link, lambda status: not status.setting_up)
    assert now.set_up is not None
    assert now.set_up.done == "Stopped: nothing is written."
    assert not (scopes / "bench-4.json").exists()
    link.send(StartSample("S-6"))
    until(link, counting("S-6"))
    with pytest.raises(CommandRefusedError, match="a sample is being counted: finish it first"):
        link.send(BeginSetUp("bench-4"))


@pytest.mark.parametrize("name", ["", "../etc/passwd", ".hidden", " a", "a" * 101, "a\nb", "here.json", "微" * 90])
def test_a_microscope_whose_name_cannot_be_a_file_is_refused(link: EngineLink, name: str) -> None:
    with pytest.raises(CommandRefusedError, match="the microscope's name"):
        link.send(BeginSetUp(name))


WITHOUT_SAMPLE: list[Command] = [Pause(), Resume(), FinishSample(), TakeNow()]


def test_orders_that_need_a_sample_are_refused_without(link: EngineLink) -> None:
    for command in WITHOUT_SAMPLE:
        with pytest.raises(CommandRefusedError, match="no sample is being counted: start one first"):
            link.send(command)
    for name in ("", "two\nlines", "x" * 201):
        with pytest.raises(CommandRefusedError, match="the sample's name must be printable"):
            link.send(StartSample(name))
    link.send(CameraCommand("move", (("x", 1.0),)))


def test_a_paused_sample_takes_nothing_until_it_goes_on(link: EngineLink) -> None:
    link.send(StartSample("S-5"))
    until(link, counting("S-5"))
    link.send(Pause())
    paused = until(link, lambda status: status.state is RunState.PAUSED)
    with pytest.raises(CommandRefusedError, match="paused"):
        link.send(TakeNow())
    later = link.status
    for _ in range(20):
        later = link.wait(later.version, 1.0)
    assert later.taken == paused.taken
    assert (later.state, later.hint) == (RunState.PAUSED, Hint.NONE)
    link.send(Resume())
    until(link, lambda status: status.taken > paused.taken)


def test_an_engine_that_is_killed_loses_nothing_that_was_shown_and_its_sample_is_gone_on_with(tmp_path: Path) -> None:
    book = tmp_path / "book.sqlite"
    first = started(book)
    first.send(StartSample("S-1"))
    shown = until(first, counting("S-1", 2))
    os.kill(first.pid, signal.SIGKILL)
    until(first, lambda status: status.ended is RunEnd.INTERRUPTED)
    first.close()
    (row,) = rows(book, "S-1")
    assert shown.sample is not None
    assert row.state == INTERRUPTED
    assert row.cells >= shown.sample.cells

    second = started(book)
    with pytest.raises(CommandRefusedError, match=r"interrupted, .* go on with it, count it again"):
        second.send(StartSample("S-1"))
    second.send(StartSample("S-1", resume=True))
    more = until(second, lambda status: status.sample is not None and status.sample.cells > row.cells)
    second.close()
    (row,) = rows(book, "S-1")
    assert row.state == INTERRUPTED
    assert more.sample is not None
    assert row.cells >= more.sample.cells


def test_a_lost_camera_is_a_field_that_cannot_be_read_and_the_sample_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_LOST", "100")
    link = started(tmp_path / "book.sqlite")
    link.send(StartSample("S-1"))
    lost = until(link, lambda status: status.hint is Hint.CAMERA_LOST)
    assert "does not answer" in lost.words
    back = until(link, lambda status: status.sample is not None and status.sample.lost == 1)
    assert back.sample is not None
    went_on = until(link, counting("S-1", back.sample.kept + 1))
    assert went_on.failure == ""
    link.close()


def test_the_page_that_goes_leaves_the_sample_to_be_gone_on_with(tmp_path: Path) -> None:
    link = started(tmp_path / "book.sqlite")
    link.send(StartSample("S-1"))
    until(link, counting("S-1"))
    link._link.shutdown(socket.SHUT_RDWR)  # as the kernel does when a process dies
    assert link._process.wait(20) == 0
    link.close()
    assert rows(tmp_path / "book.sqlite", "S-1")[0].state == INTERRUPTED
