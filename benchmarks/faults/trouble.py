"""Disks that are full, read-only or failing, deleted folders, locked books: nothing counted is lost, one clear line."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.nursery import Action, Calls, Disturbance, Nursery, State
from benchmarks.faults.sample import book_of, shown_fields
from benchmarks.faults.trial import EXPECTED, Bench, Uninterrupted, last_line
from edge.book.file import BUSY_SECONDS
from edge.errors import BookError, OutputError

_BRIEF = 1.0  # seconds for which another program keeps the book locked
_LONG = BUSY_SECONDS + 5.0  # seconds of the same, longer than a run waits
_SMALLEST = 16384  # bytes that a file may have at least: what the run says fits
_LOOK = 0.02  # seconds between looks at what the first of two runs has shown
_KINDS: dict[str, tuple[int, Calls]] = {
    "the disk is full": (errno.ENOSPC, Calls.ROOM),
    "the quota is used up": (errno.EDQUOT, Calls.ROOM),
    "the disk becomes read-only": (errno.EROFS, Calls.ALL),
    "the disk takes nothing any more (fsync fails)": (errno.EIO, Calls.SYNC),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble, at several places of a run.

    Attributes:
        name: in words.
        tried: places.
        right: of them, with nothing shown lost, one clear line, and after ``--resume`` the uninterrupted sample.
        line: what was said, at one of them.
        wrong: what was wrong, a line each.
    """

    name: str
    tried: int
    right: int
    line: str
    wrong: tuple[str, ...]


def troubles(
    bench: Bench, nursery: Nursery, other: Nursery, count: int, tell: Callable[[str], None]
) -> Iterator[Trouble]:
    """All kinds; the full disk at ``count`` places, the others at a quarter of them.

    Args:
        bench: where runs work.
        nursery: the bench's.
        other: a second one, for two runs at a time.
        count: places.
        tell: takes progress.
    """
    whole = bench.uninterrupted()
    for name, (number, calls) in _KINDS.items():
        places = count if number == errno.ENOSPC else max(1, count // 4)
        tell(name)
        yield _failing(bench, whole, name, places, Disturbance(Action.FAIL, error=number, calls=calls))
    few = max(2, count // 20)
    tell("files may not grow")
    limits = [_limited(bench, whole, nursery, _SMALLEST + largest) for largest in _spread(few, whole.book)]
    yield _summary("no file may grow beyond a size (ulimit -f)", limits)
    tell("folders are deleted")
    outputs = [_deleted(bench, whole, at, book=False) for at in _spread(few, whole.calls)]
    yield _summary("the folder of outputs is deleted", outputs)
    everything = [_deleted(bench, whole, at, book=True) for at in _spread(few, whole.calls)]
    yield _summary("the book and its folder are deleted", everything)
    tell("locked")
    brief = [_locked(bench, whole, at, _BRIEF) for at in _spread(few, whole.calls)]
    yield _summary(f"another program keeps the book locked for {_BRIEF:g} s", brief)
    yield _summary(f"another program keeps it locked for {_LONG:g} s", [_locked(bench, whole, whole.calls // 2, _LONG)])
    tell("two runs")
    yield _summary("two runs into one book, two samples", [_two(bench, whole, nursery, other, same=False)])
    yield _summary("two runs into one book, the same sample", [_two(bench, whole, nursery, other, same=True)])


def _spread(count: int, calls: int) -> list[int]:
    return [1 + n * calls // count for n in range(count)]


_One = tuple[str, tuple[str, ...]]
"""The line that was said, and what is wrong."""


def _summary(name: str, tried: Sequence[_One]) -> Trouble:
    wrong = tuple(line for _, lines in tried for line in lines)
    said = [line for line, _ in tried if line]
    return Trouble(name, len(tried), sum(not lines for _, lines in tried), said[len(said) // 2] if said else "", wrong)


def _failing(bench: Bench, whole: Uninterrupted, name: str, count: int, fault: Disturbance) -> Trouble:
    return _summary(name, [under(bench, whole, replace(fault, at=at)) for at in _spread(count, whole.calls)])


def under(bench: Bench, whole: Uninterrupted, fault: Disturbance) -> _One:
    """A run under a fault: the line that was said, and what is wrong."""
    state = bench.disturb(fault)
    return _judged(bench, whole, state, f"{fault.at} {state.call}", failed=bool(state.call))


def _judged(bench: Bench, whole: Uninterrupted, state: State, moment: str, *, failed: bool) -> _One:
    """Look at what a run said and left, and go on."""
    job = bench.job()
    said = clear_lines(job.err)
    lines: list[str] = []
    if state.code not in ((EXPECTED, OutputError.exit_code) if failed else (EXPECTED,)):
        lines.append(f"ended with {state.code}")
    if len(said) != 1:
        lines.append(f"{len(said)} lines: {' | '.join(said)}")
    lines += bench.left(whole, job.out, delivered=state.code == OutputError.exit_code)
    bench.place.out.mkdir(exist_ok=True)
    lines += bench.go_on(whole)[1]
    return said[0] if said and state.code != EXPECTED else "", tuple(f"{moment}: {line}" for line in lines)


def clear_lines(log: Path) -> list[str]:
    """What a run said, notes left out; a traceback is many lines."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if line and not line.startswith("edge-run: note: ")]


def _limited(bench: Bench, whole: Uninterrupted, nursery: Nursery, largest: int) -> _One:
    bench.empty()
    job = replace(bench.job(), largest=largest)
    return _judged(bench, whole, nursery.run(job), f"{largest} bytes", failed=True)


def _deleted(bench: Bench, whole: Uninterrupted, at: int, *, book: bool) -> _One:
    """The folder of outputs is deleted, or everything; of the latter nothing can be gone on with, and that is said."""

    def stopped(_: State) -> bool:
        bench.empty() if book else shutil.rmtree(bench.place.out, ignore_errors=True)
        return True

    state = bench.disturb(Disturbance(Action.STOP, at=at), stopped=stopped)
    moment = f"{at} {state.call}"
    if not book:
        return _judged(bench, whole, state, moment, failed=True)
    said = clear_lines(bench.job().err)
    lines = [] if len(said) == 1 else [f"{moment}: {len(said)} lines: {' | '.join(said)}"]
    if state.code not in (EXPECTED, OutputError.exit_code):  # nothing was there yet
        lines.append(f"{moment}: ended with {state.code}")
    return said[0] if said else "", tuple(lines)


def _locked(bench: Bench, whole: Uninterrupted, at: int, seconds: float) -> _One:
    def hold(held: threading.Event) -> None:
        with closing(sqlite3.connect(bench.place.book, timeout=1.0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                held.set()
                time.sleep(seconds)
            except sqlite3.Error:  # the run itself is writing just now
                held.set()

    def stopped(_: State) -> bool:
        if bench.place.book.exists():
            held = threading.Event()
            threading.Thread(target=hold, args=(held,), daemon=True).start()
            held.wait()
        return True

    state = bench.disturb(Disturbance(Action.STOP, at=at), stopped=stopped)
    line, wrong = _judged(bench, whole, state, f"{at} {state.call}", failed=seconds > BUSY_SECONDS)
    return line, wrong


def _two(bench: Bench, whole: Uninterrupted, nursery: Nursery, other: Nursery, *, same: bool) -> _One:
    """Two runs at a time; the second has outputs of its own."""
    bench.empty()
    second = bench.place.folder / "second"
    second.mkdir()
    arguments = [text.replace(str(bench.place.out), str(second)) for text in bench.place.arguments()]
    if not same:
        arguments[2] = "S-0043"
    first, job = bench.job(), replace(bench.job(name="second"), arguments=arguments)
    first.out.unlink(missing_ok=True)  # of an earlier trial
    with ThreadPoolExecutor(2) as pool:
        ended = [pool.submit(nursery.run, first)]
        while not ended[0].done() and not (first.out.exists() and shown_fields(first.out)):
            time.sleep(_LOOK)
        ended.append(pool.submit(other.run, job))
        codes = sorted(one.result().code or 0 for one in ended)
    wanted = sorted((EXPECTED, BookError.exit_code if same else EXPECTED))
    lines = [] if codes == wanted else [f"ended with {codes}"]
    said = [last_line(one.err) for one in (first, job)]
    if not same:
        for name in ("S-0042", "S-0043"):
            found = book_of(bench.place.book, name)
            parts = [part for part in found if part != "book: crops"]  # a random few: by the sample's name
            lines += [f"{name}: differs: {part}" for part in parts if found[part] != whole.sample[part]]
    elif len({*shown_fields(first.out)} | {*shown_fields(job.out)}) != len(whole.sample["book: fields"]):
        lines.append("not every field was counted")
    return max(said, key=len) if same else "", tuple(lines)
