"""The live line of a run: one line on a terminal that is written over, elsewhere a plain line now and then."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import suppress
from time import monotonic

from rich.live import Live
from rich.text import Text

from edge.events import FieldEvent, SampleEvent, overlap_words
from edge.outputs.console import Screen, clock, printable
from edge.outputs.pace import EndConditions, Pace
from edge.status import Status
from edge.types import Overlap, Tally

_EVERY_S = 0.1  # seconds between two updates of a line that is overwritten
_PLAIN_EVERY_S = 10.0  # seconds between two lines where nothing can be overwritten


class Progress:
    """The live line on a terminal; elsewhere one plain line every ten seconds.

    Args:
        console: where it goes (stderr, so that stdout stays clean).
        positive: classes that stay on the line longest.
        ends: what may end the run, for the time left.
        unit: what is counted.
        sooner: a sample may also end before its limits, so the time left is the longest it can be.
    """

    def __init__(
        self,
        console: Screen,
        positive: Collection[str],
        ends: EndConditions | None = None,
        unit: str = "cell",
        *,
        sooner: bool = False,
    ) -> None:
        self._console = console
        self._positive = tuple(positive)
        self._unit = unit
        self._left = "at most {} left" if sooner else "{} left"
        began = monotonic()
        self._shown = began if not console.is_terminal else 0.0
        self._pace = Pace(ends or EndConditions(), began)
        self._before = 0  # cells of the samples that are complete
        self._overlaps: tuple[Overlap, ...] = ()
        self._live: Live | None = None
        self._doing: Status | None = None
        self._counted: list[tuple[str, int]] = []
        self._closed = False
        self._lock = threading.Lock()

    def field(self, event: FieldEvent) -> None:
        """Show the state, at most ten times a second."""
        now = monotonic()
        self._pace.add(now, event.index + 1, self._before + event.tally.cells)
        self._overlaps = event.overlaps or self._overlaps
        if now - self._shown < self._apart and self._doing is None:
            return
        with self._lock:
            self._counted = self._pieces(event.tally) + [(overlap_words(overlap), 4) for overlap in self._overlaps[:1]]
            self._overlaps = ()
            self._show(now)

    def status(self, status: Status) -> None:
        """Show what a camera's run is doing: the hint comes first, large enough to be read from the microscope."""
        with self._lock:
            said = None if self._doing is None else (self._doing.state, self._doing.hint)
            self._doing = status
            changed = said != (status.state, status.hint)
            if not self._closed and (self._console.is_terminal or (changed and status.hint)):
                self._show(monotonic())

    @property
    def _apart(self) -> float:
        """Seconds from one line to the next."""
        return _EVERY_S if self._console.is_terminal else _PLAIN_EVERY_S

    def _show(self, now: float) -> None:
        """Show the line, unless the one before was shown a moment ago."""
        if now - self._shown < self._apart:
            return
        self._shown = now
        hint, state = ("", []) if self._doing is None else (self._doing.hint.upper(), [(str(self._doing.state), 1)])
        pieces = state + self._counted
        with suppress(OSError):  # a closed terminal does not end the count
            if self._console.is_terminal:
                self._line().update(fit(pieces, self._console.width - 1, printable(hint)), refresh=True)
            else:
                parts = [*([hint] if hint else []), *(text for text, _ in pieces)]
                self._console.print(Text(" · ".join(parts)), soft_wrap=True)

    def sample(self, event: SampleEvent) -> None:
        """Remove the live line before the summary is printed."""
        self._before += event.tally.cells
        self._pace.sample_ended()
        if self._doing is not None:  # of a camera there is one sample: nothing comes after its summary
            self._closed = True
        self._remove()

    def close(self) -> None:
        """Remove the live line, for good."""
        with self._lock:
            self._closed = True
        self._remove()

    discard = close

    def _remove(self) -> None:
        with self._lock:
            if self._live:
                with suppress(OSError):
                    self._live.stop()
                self._live = None

    def _line(self) -> Live:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self._live

    def _pieces(self, tally: Tally) -> list[tuple[str, int]]:
        """The parts of the line with their rank: the highest rank goes first when the terminal is narrow."""
        rejected = sum(tally.rejected.values())
        rate, left = self._pace.cells_per_second, self._pace.left(tally.cells)
        pieces = [(printable(tally.sample), 5), (f"{tally.kept:,} kept, {rejected:,} rejected", 0)]
        if tally.unreadable:
            pieces.append((f"{len(tally.unreadable):,} unreadable", 3))
        pieces.append((f"{tally.cells:,} {self._unit}s", 0))
        if rate is not None:
            pieces.append((f"{rate:,.0f} {self._unit}s/s", 3))
        for label, count in tally.counts.items():
            pieces.append((f"{printable(label)} {count:,}", 1 if label in self._positive else 4))
        if left is not None:
            pieces.append((self._left.format(clock(left)), 2))
        return pieces


def fit(pieces: list[tuple[str, int]], width: int, hint: str = "") -> Text:
    """Join the pieces, leaving out those of the highest rank until they fit into ``width`` columns; the hint stands first."""
    head = Text.assemble((f" {hint} ", "bold reverse"), " ") if hint else Text()
    width -= len(head)
    kept = list(pieces)
    while len(" · ".join(text for text, _ in kept)) > width and any(rank for _, rank in kept):
        worst = max(rank for _, rank in kept)
        last = max(i for i, (_, rank) in enumerate(kept) if rank == worst)
        del kept[last]
    line = Text(" · ".join(text for text, _ in kept), no_wrap=True, overflow="ellipsis")
    line.truncate(max(width, 1), overflow="ellipsis")
    return Text.assemble(head, line, no_wrap=True, overflow="ellipsis") if hint else line
