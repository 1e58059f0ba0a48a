"""A reader's answers on their way into the book: killed, or the power cut, before each call that changes something.

The reader is a program that answers cell after cell through ``BookDesk`` and says each answer when it is on the medium. Every second
trial begins with a book of version 1, which the first answer brings up to date.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid5

from benchmarks.errors import CaseError
from benchmarks.faults.kills import follow, moments
from benchmarks.faults.medium import Medium
from benchmarks.faults.nursery import Action, Disturbance, Job, Nursery, State
from benchmarks.faults.trial import Bench, Trial, last_line, trial_of
from edge.book.care import check
from edge.book.file import connect
from edge.book.opening import open_book
from edge.book.schema import make_tables, names
from edge.errors import EdgeError
from edge.review.desk import BookDesk
from edge.review.records import ReaderAddition, ReaderAnswer, ReaderDecision, Stratum
from edge.safe_file import sync_file, sync_folder

ANSWERS = 12
"""About cells in a trial; to each third belongs a mark where the machine has nothing, in one transaction with it."""

_SPACE = UUID(int=17)
_AT = "2026-11-30T08:00:00Z"
_MARK = (2, 2, 5, 5)  # a box that no cell has
_EARLIER = 1  # version of the tables of every second book


def read_main() -> None:
    """The reader: ``BOOK``. Says each answer's uuid when it is in the book."""
    desk = BookDesk(Path(sys.argv[1]))
    for given, marks in answers_of(desk):
        for one in desk.answer(1, given, marks)[0]:
            print(one.uuid, flush=True)  # noqa: T201 - the screen


def answers_of(desk: BookDesk) -> Iterator[tuple[tuple[ReaderDecision, ...], tuple[ReaderAddition, ...]]]:
    """The answers, always the same ones."""
    plan = desk.plan(1)
    cells = [one for part in plan.parts for one in part.cells][:ANSWERS]
    for n, cell in enumerate(cells):
        label = plan.labels[n % len(plan.labels)]
        told = (ReaderAnswer.CLASS, label, "", 0, Stratum(cell.stratum))
        decision = ReaderDecision(str(uuid5(_SPACE, f"{n}")), cell.cell, "Ada", _AT, plan.model, *told)
        x, y, w, h = _MARK
        box = (x + n, y, w, h)
        mark = ReaderAddition(str(uuid5(_SPACE, f"mark {n}")), cell.cell.field, box, "Ada", _AT, plan.model, label)
        yield (decision,), (mark,) if n % 3 == 0 else ()


class ReaderBench:
    """Tries readers on a book in a folder of its own.

    Args:
        nursery: runs the reader.
        folder: where the book is put before each trial.
        logs: where stdout goes; another disk, for the screen stays when a disk is lost.
        kept: a book without answers, copied for each trial; beside it, with ``.version-1``, the same of version 1.
    """

    def __init__(self, nursery: Nursery, folder: Path, logs: Path, kept: Path) -> None:
        self._nursery = nursery
        self._folder = folder
        self._logs = logs
        self._kept = kept
        self.book = folder / "book.sqlite"
        as_version_1(kept, _earlier(kept))

    def job(self) -> Job:
        """The reader at the book."""
        told = ("reader", "benchmarks.faults.answers:read_main")
        return Job((str(self.book),), self._logs, self._folder, self._logs / "reader", *told)

    def begin(self, *, earlier: bool) -> None:
        """Put a book without answers there."""
        for path in self._folder.iterdir():
            if path.name != "lost+found":
                path.unlink()
        shutil.copyfile(_earlier(self._kept) if earlier else self._kept, self.book)

    def run(self, fault: Disturbance | None = None, *, stopped: Callable[[State], bool] | None = None) -> State:
        """The reader, with a fault or left alone."""
        return self._nursery.run(self.job(), fault or Disturbance(), stopped=stopped)

    def said(self) -> list[str]:
        """What the screen said to be answered."""
        return [line for line in self.job().out.read_text().split("\n")[:-1] if line]

    def left(self) -> list[str]:
        """What is wrong with what is left now."""
        try:
            said = self.said()
            with closing(open_book(self.book, lambda _: None)) as book:
                there, marks = book.decisions(1), len(book.additions(1))
                wrong = list(check(book).problems)
        except (EdgeError, OSError) as error:
            return [f"the book: {error}"]
        found = [one.uuid for one in there]
        if found[: len(said)] != said:
            wrong.append(f"{len(set(said) - set(found))} answers were said to be in the book and are lost")
        if len(found) > len(said) + 1:
            wrong.append("more answers than were given")
        if marks != sum(one.uuid in _marked() for one in there):
            wrong.append("a mark without its answer, or an answer without its mark")
        return wrong

    def go_on(self) -> list[str]:
        """Let the reader answer once more, all of it: what is there already changes nothing. Lines of what is wrong."""
        state = self.run()
        wrong = [f"once more: {last_line(self.job().err)}"] if state.code else []
        with closing(open_book(self.book, lambda _: None)) as book:
            found = [one.uuid for one in book.decisions(1)]
        if found != [str(uuid5(_SPACE, f"{n}")) for n in range(ANSWERS)]:
            wrong.append(f"{len(found)} answers at the end, {ANSWERS} were given")
        return wrong + self.left()


def _marked() -> set[str]:
    return {str(uuid5(_SPACE, f"{n}")) for n in range(0, ANSWERS, 3)}


def _earlier(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.version-{_EARLIER}")


def a_counted_book(bench: Bench, path: Path) -> Path:
    """A book with the sample that ``bench`` counts, without answers, as one file."""
    bench.uninterrupted()
    with closing(connect(bench.place.book)) as connection:
        path.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(path),))
    return path


def as_version_1(path: Path, copy: Path) -> None:
    """Write the same book as version 1 had it: without tables of answers."""
    copy.unlink(missing_ok=True)
    copy.touch()
    with closing(connect(copy)) as connection:
        make_tables(connection, _EARLIER)
        connection.execute("ATTACH ? AS whole", (str(path),))
        for name in names(_EARLIER):
            connection.execute(f"INSERT INTO {name} SELECT * FROM whole.{name}")  # noqa: S608 - names of our own
        connection.execute("DETACH whole")


def answer_kills(bench: ReaderBench, count: int, seed: int, tell: Callable[[str], None]) -> Iterator[Trial]:
    """The reader is killed; trials, one after the other."""
    yield from _trials(bench, None, count, seed, tell)


def answer_cuts(
    bench: ReaderBench, medium: Medium, count: int, seed: int, tell: Callable[[str], None]
) -> Iterator[Trial]:
    """The power of the disk that the book is on is cut."""
    yield from _trials(bench, medium, count, seed, tell)


def _trials(
    bench: ReaderBench, medium: Medium | None, count: int, seed: int, tell: Callable[[str], None]
) -> Iterator[Trial]:
    faults: list[tuple[bool, Disturbance]] = []
    for earlier in (False, True):
        bench.begin(earlier=earlier)
        began = monotonic()
        state = bench.run()
        if state.code or (wrong := bench.left()):
            raise CaseError(f"the undisturbed reader: {last_line(bench.job().err) if state.code else wrong[0]}")
        some = moments(count // 2, state.calls, monotonic() - began, seed)
        faults += [(earlier, fault) for fault in some]
    for number, (earlier, fault) in enumerate(faults):
        found = answer_trial(bench, fault, medium, earlier=earlier)
        follow(found, number, len(faults), tell)
        yield found


def answer_trial(bench: ReaderBench, fault: Disturbance, medium: Medium | None = None, *, earlier: bool) -> Trial:
    """Disturb a reader, look at what is left, let the reader answer once more.

    Args:
        bench: with its book on the medium, where there is one.
        fault: the moment.
        medium: whose power is cut; None: the reader is killed.
        earlier: begin with a book of version 1.
    """
    bench.begin(earlier=earlier)
    if medium is None:
        state = bench.run(fault)
    else:
        sync_file(bench.book)  # it is there before the reader comes
        sync_folder(bench.book.parent)
        state = bench.run(replace(fault, action=Action.STOP), stopped=lambda _: _cut(medium))
        if state.code == 0:  # it had ended before: the power goes just then
            medium.cut()
        medium.unplug()
        medium.plug_in()
    shown = len(bench.said())
    left = bench.left()
    return trial_of(fault, state, shown, 1, (*left, *bench.go_on()))


def _cut(medium: Medium) -> bool:
    medium.cut()
    return False
