"""One trial: a run of ``edge-run`` is disturbed, what is left is looked at, ``--resume`` goes on, and the sample is compared."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.errors import CaseError, EdgeError
from benchmarks.faults.nursery import Disturbance, Job, Nursery, State
from benchmarks.faults.sample import (
    NAME,
    Place,
    differing,
    digest,
    events_of,
    fields_in,
    is_complete,
    report_of,
    rows_of,
    sample_of,
    shown_fields,
    temporary,
)
from edge.book.opening import open_book
from edge.errors import EXIT_UNREADABLE_INPUTS, BookError

EXPECTED = EXIT_UNREADABLE_INPUTS
"""Exit code of the undisturbed run: one of the drawn fields is cut short."""

_FOLDER = re.compile(r"/\S+/work/")  # that runs work in
_TEMPORARY = re.compile(r"\.\S*?(\.[\w-]+)\.\w+\.part\S*$|\.\S+(\.run)$|\d{5}-\S*(\.\w+)$")
"""A temporary name: of it, and of names that differ from field to field, the ending is kept."""

_MOST_RUNS = 4
"""Runs with ``--resume`` until the sample must be complete."""


@dataclass(frozen=True, slots=True)
class Uninterrupted:
    """The same run, left alone.

    Attributes:
        sample: all that is left of it, see ``sample_of``.
        calls: that changed something in its folder.
        book: bytes of its book.
    """

    sample: Mapping[str, Any]
    calls: int
    book: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one disturbed run.

    Attributes:
        call: before which it happened, as ``write book.sqlite-wal``; empty: at a time.
        moment: the call's number or the time, in words.
        shown: fields that the screen showed before it.
        runs: with ``--resume``, until the sample was complete.
        wrong: what is wrong, a line each; empty: the sample is the uninterrupted one, and nothing that was shown was lost.
    """

    call: str
    moment: str
    shown: int
    runs: int
    wrong: tuple[str, ...]


class Bench:
    """Runs trials in a folder of its own.

    Args:
        nursery: runs the program.
        folder: where the runs work, emptied before each.
        logs: where stdout and stderr go; another disk, for the screen stays when a disk is lost.
        fields: the pictures.
        code: that an undisturbed run ends with.
    """

    def __init__(self, nursery: Nursery, folder: Path, logs: Path, fields: Path, code: int = EXPECTED) -> None:
        self._nursery = nursery
        self.code = code
        self.place = Place(folder, fields)
        self._logs = logs

    def job(self, *more: str, name: str = "run") -> Job:
        """A run in the folder."""
        return Job(self.place.arguments(*more), self._logs, self.place.folder, self._logs / name)

    def empty(self) -> None:
        """Begin with an empty folder."""
        for path in self.place.folder.iterdir():
            if path.name == "lost+found":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.place.out.mkdir()

    def uninterrupted(self) -> Uninterrupted:
        """Run it once and leave it alone; raises CaseError where that does not work."""
        self.empty()
        job = self.job(name="whole")
        state = self._nursery.run(job)
        if state.code != self.code:
            raise CaseError(f"the undisturbed run ended with {state.code}: {last_line(job.err)}")
        return Uninterrupted(sample_of(self.place, job.out), state.calls, self.place.book.stat().st_size)

    def disturb(
        self, fault: Disturbance, *, stopped: Callable[[State], bool] | None = None, more: Sequence[str] = ()
    ) -> State:
        """Run it with a fault in an empty folder."""
        self.empty()
        return self._nursery.run(self.job(*more), fault, stopped=stopped)

    def go_on(self, whole: Uninterrupted, faults: Sequence[Disturbance] = ()) -> tuple[int, tuple[str, ...]]:
        """Resume until the sample is complete.

        Args:
            whole: to compare with.
            faults: of the first runs, one each.

        Returns:
            How many runs it took, and what is wrong.
        """
        for number in range(_MOST_RUNS + len(faults)):
            job = self.job("--resume", name="resumed")
            state = self._nursery.run(job, faults[number] if number < len(faults) else Disturbance())
            if state.code == BookError.exit_code and self._complete():
                return number + 1, self._compare(whole, None)
            if state.code == self.code:
                return number + 1, self._compare(whole, job.out)
            if number >= len(faults):
                return number + 1, (f"--resume ended with {state.code}: {last_line(job.err)}",)
        return _MOST_RUNS, ("never complete",)

    def left(self, whole: Uninterrupted, screen: Path, *, delivered: bool = False) -> tuple[str, ...]:
        """What is wrong with what is left now, before anything goes on: lines, or none.

        Args:
            whole: to compare with.
            screen: what stdout showed.
            delivered: the run ended by itself, with an error, and delivered what it had counted: outputs hold that part.
        """
        try:
            shown, done = shown_fields(screen), any(one["event"] == "sample" for one in events_of(screen))
            lines = list(self._book_lines())
            there = fields_in(self.place.book) if self.place.book.exists() else set()
            if shown - there:
                lines.append(f"{len(shown - there)} fields were shown as counted and are lost")
            if done and not delivered and not self._complete():
                lines.append("the sample was shown as complete and is not")
        except (EdgeError, OSError, ValueError) as error:
            return (f"the book: {error}",)
        return (*lines, *self._looks_whole(whole, len(shown), delivered=delivered))

    def _book_lines(self) -> Sequence[str]:
        said: list[str] = []
        if not self.place.book.exists():
            return said
        with closing(open_book(self.place.book, said.append)) as book:
            found = book.store.connection.execute("PRAGMA integrity_check").fetchone()[0]
        return [*said, *([] if found == "ok" else [f"the book: {found}"])]

    def _looks_whole(self, whole: Uninterrupted, shown: int, *, delivered: bool) -> list[str]:
        """Files that have their final name and are not what they will be, or not what was shown."""
        wrong, out = [], self.place.out
        for path in sorted(path for path in out.rglob("*") if path.is_file() and not temporary(path)):
            name = str(path.relative_to(out))
            try:
                if path.name == "fields.csv":
                    rows = whole.sample["csv"]
                    same = rows_of(path) == (rows[:shown] if delivered else rows)
                elif path.name == f"{NAME}.html":
                    found = report_of(path)
                    same = delivered or found == whole.sample["report"]
                elif path.name == "cells.json" and delivered:
                    same = len(json.loads(path.read_text())["images"]) <= shown
                else:
                    same = whole.sample["files"].get(name) == digest(path)
            except (OSError, ValueError):
                same = False
            if not same:
                wrong.append(f"{name} looks complete and is not ({path.stat().st_size} bytes)")
        return wrong

    def _complete(self) -> bool:
        try:
            return is_complete(self.place.book)
        except EdgeError:
            return False

    def _compare(self, whole: Uninterrupted, out: Path | None) -> tuple[str, ...]:
        """Lines of what differs; ``out`` None: the sample was complete already, and its files are made from the book."""
        try:
            made = self._made_from_the_book() if out is None else ()
            found = sample_of(self.place, out)
        except (EdgeError, OSError, ValueError) as error:
            return (f"{type(error).__name__}: {error}",)
        return (*made, *(f"differs: {name}" for name in differing(found, whole.sample) if name in found))

    def _made_from_the_book(self) -> tuple[str, ...]:
        """Make the files that a run leaves, from the book alone."""
        out, wrong = self.place.out, []
        for arguments in (
            ("export", NAME, "--to", "csv", "-o", str(out / "fields.csv")),
            ("export", NAME, "--to", "coco", "-o", str(out / "cells.json")),
            ("report", NAME, "-o", str(out / "report")),
        ):
            command = (*arguments, "--book", str(self.place.book))
            job = replace(self.job(name="view"), program="edge", entry="edge.cli:main", arguments=command)
            state = self._nursery.run(job)
            if state.code != 0:
                wrong.append(f"edge {arguments[0]} ended with {state.code}: {last_line(job.err)}")
        return tuple(wrong)


def trial_of(fault: Disturbance, state: State, shown: int, runs: int, wrong: tuple[str, ...]) -> Trial:
    """A trial in words."""
    if fault.after_s is not None:
        return Trial("", f"{fault.after_s * 1000:.0f} ms", shown, runs, wrong)
    return Trial(_TEMPORARY.sub(r"\1\2\3", state.call), f"call {fault.at}", shown, runs, wrong)


def last_line(path: Path) -> str:
    """The last line of a log, empty where there is none; without the folder that runs work in, a place of this machine."""
    lines = path.read_text(errors="replace").strip().splitlines()
    return _FOLDER.sub("", lines[-1]) if lines else ""
