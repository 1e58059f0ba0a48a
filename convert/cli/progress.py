"""How far a command is: one live line on a terminal, plain lines now and then in a log; both with a percentage and the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from convert.child import Progress as Report
from edge.outputs.console import Screen

SHORT_S = 2.0
"""Seconds; a stage that takes no longer gets no percentage."""

_EVERY_S = 10.0  # seconds between two lines of a log about the same stage
_TICK_S = 0.5  # seconds between two looks whether a line is due
_LEAST = 0.01  # share that must be done before the time left is told
_ALMOST = 0.95  # most that a stage is told to be done of which only the usual time is known


@dataclass(slots=True)
class StageClock:
    """The stage at work, and how long it will still take if it goes on as it did.

    Attributes:
        doing: the stage in words.
        at: how far it is, as ``convert.child.Progress`` has it.
        began: when, in seconds of the clock.
        clock: tells the time in seconds.
    """

    clock: Callable[[], float] = monotonic
    doing: str = ""
    at: float = -1.0
    began: float = 0.0

    def tell(self, doing: str, at: float) -> bool:
        """Take a report; whether a new stage began. A share that falls back begins one too: the same is done again."""
        new = doing != self.doing or (0 <= at < self.at)
        if new:
            self.began = self.clock()
        self.doing, self.at = doing, at
        return new

    @property
    def spent(self) -> float:
        """Seconds since the stage began."""
        return self.clock() - self.began

    @property
    def share(self) -> float | None:
        """How far the stage is, 0..1; None: nobody can tell. What usually takes so many seconds is never quite done."""
        if self.at < -1:
            return min(_ALMOST, self.spent / -self.at)
        return None if self.at < 0 else self.at

    @property
    def left(self) -> float | None:
        """Seconds that the stage will still take; None: nobody can tell yet."""
        share = self.share
        if share is None or share < _LEAST or self.spent < SHORT_S:
            return None
        return max(1.0, -self.at - self.spent) if self.at < -1 else self.spent * (1 - share) / share

    def words(self) -> str:
        """How far it is, as ``40%, 12 s left``; empty in the first seconds, ``12 s so far`` where nobody can tell."""
        if self.spent < SHORT_S:
            return ""
        share, left = self.share, self.left
        if share is None:
            return f"{duration(self.spent)} so far"
        return f"{'about ' * (self.at < -1)}{share:.0%}" + ("" if left is None else f", {duration(left)} left")


def duration(seconds: float) -> str:
    """As ``45 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def live() -> Iterator[Report]:
    """A progress line on stderr where that is a terminal; elsewhere a line per stage, and one every ten seconds of it."""
    console = Screen(stderr=True)
    with _on_terminal(console) if console.is_terminal else _in_log(StageClock()) as tell:
        yield tell


@contextmanager
def _on_terminal(console: Screen) -> Iterator[Report]:
    clock = StageClock()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[how_far]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("starting", total=None, how_far="")

        def update(doing: str, at: float) -> None:
            clock.tell(doing, at)
            show()

        def show() -> None:
            share = clock.share
            total = None if share is None else 1.0
            bars.update(task, description=clock.doing, total=total, completed=share or 0.0, how_far=clock.words())

        with _every(1.0, show):
            yield update


@contextmanager
def _in_log(clock: StageClock) -> Iterator[Report]:
    shown = clock.clock()

    def write(doing: str) -> None:
        nonlocal shown
        shown = clock.clock()
        how_far = clock.words()
        sys.stderr.write(f"edge-convert: {doing}{': ' if how_far else ''}{how_far}\n")
        sys.stderr.flush()

    def tell(doing: str, at: float) -> None:
        before = clock.doing
        clock.tell(doing, at)
        if doing != before:
            write(doing)

    def now_and_then() -> None:
        wait = SHORT_S if shown <= clock.began else _EVERY_S
        if clock.words() and clock.clock() - shown >= wait:
            write(clock.doing)

    with _every(_TICK_S, now_and_then):
        yield tell


@contextmanager
def _every(seconds: float, call: Callable[[], None]) -> Iterator[None]:
    """Call again and again, from a thread: a stage that says nothing for long must be seen to go on."""
    ended = Event()

    def work() -> None:
        while not ended.wait(seconds):
            call()

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
