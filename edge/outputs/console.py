"""What a person sees: one live line while it runs (or a plain line now and then), and a small table per sample."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edge import words
from edge.description import ModelLine
from edge.events import FieldEvent, SampleEvent, overlap_words
from edge.outputs.pace import EndConditions, Pace
from edge.streams import ReaderGoneError, stdout_errors
from edge.types import NOT_NEW, Overlap, Tally, Verdict
from edge.verdict.flag import percent_range, percent_value

NOTICE = "For research and triage: puts suspicious cells before a trained person. Not a diagnosis."
_FLAG_STYLES = {"positive": "bold red", "negative": "bold green"}
_EVERY_S = 0.1  # seconds between two updates of a line that is overwritten
_PLAIN_EVERY_S = 10.0  # seconds between two lines where nothing can be overwritten
_INDENT = 13  # columns of the summary's labels
_MOST_CLASSES = 4  # columns of the table of all samples
_NAMED = 20  # unreadable inputs named on screen; the CSV has them all


class Screen(Console):
    """A rich console that raises our own error when the reader closed the pipe."""

    def on_broken_pipe(self) -> None:
        """Called by rich instead of raising BrokenPipeError."""
        raise ReaderGoneError("the terminal or pipe has gone")


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

    def field(self, event: FieldEvent) -> None:
        """Show the state, at most ten times a second."""
        now = monotonic()
        self._pace.add(now, event.index + 1, self._before + event.tally.cells)
        self._overlaps = event.overlaps or self._overlaps
        if now - self._shown < (_EVERY_S if self._console.is_terminal else _PLAIN_EVERY_S):
            return
        self._shown = now
        pieces = self._pieces(event.tally) + [(overlap_words(overlap), 4) for overlap in self._overlaps[:1]]
        self._overlaps = ()
        with suppress(OSError):  # a closed terminal does not end the count
            if self._console.is_terminal:
                self._line().update(fit(pieces, self._console.width - 1), refresh=True)
            else:
                self._console.print(Text(" · ".join(text for text, _ in pieces)), soft_wrap=True)

    def sample(self, event: SampleEvent) -> None:
        """Remove the live line before the summary is printed."""
        self._before += event.tally.cells
        self._pace.sample_ended()
        self.close()

    def close(self) -> None:
        """Remove the live line."""
        if self._live:
            with suppress(OSError):
                self._live.stop()
            self._live = None

    discard = close

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


class Summary:
    """A small table per sample; after several, one of them all.

    Args:
        console: where it goes (stdout).
        model: the models' names and hash.
        positive: classes to point out.
        hint: what else there is, said once at the end to whoever sits at a terminal.

    Attributes:
        overlapping: fields of the sample at work that overlap earlier ones.
    """

    def __init__(self, console: Screen, model: ModelLine, positive: Collection[str], hint: str = "") -> None:
        self._console = console
        self._model = model
        self._positive = tuple(positive)
        self._hint = hint
        self._began = monotonic()
        self._done: list[tuple[Tally, Verdict]] = []
        self.overlapping = 0

    def field(self, event: FieldEvent) -> None:
        """Nothing is shown per field; those that overlap are counted."""
        self.overlapping += bool(event.overlaps)

    def sample(self, event: SampleEvent) -> None:
        """Print the sample."""
        self._done.append((replace(event.tally, unreadable=(), rejected={}), event.verdict))
        with stdout_errors():
            self._print(event)

    def _print(self, event: SampleEvent) -> None:
        tally, verdict = event.tally, event.verdict
        unit = verdict.unit
        self._console.print(Text(f"Sample {printable(tally.sample)}", style="bold"))
        self._line("fields", _fields(tally))
        self._line(f"{unit}s", f"{tally.cells:,} counted in {took(event)}")
        self._classes(tally, event)
        things = ", ".join(f"{printable(name)} {n:,}" for name, n in words.things(tally.set_aside, unit))
        self._line("set aside", f"{things} (not counted)" if things else "nothing")
        if self.overlapping:
            many = self.overlapping != 1
            fields = f"{self.overlapping:,} field{'s' * many} overlap{'s' * (not many)} earlier ones"
            self._line(
                "overlap", f"{fields}: {tally.set_aside.get(NOT_NEW, 0):,} things were seen there, and count once"
            )
        self.overlapping = 0
        for i, note in enumerate(event.notes):
            self._line("note" if i == 0 else "", f"- {printable(note)}", "yellow")
        for i, (name, reason) in enumerate(tally.unreadable[:_NAMED]):
            self._line("unreadable" if i == 0 else "", _named(name, reason), "red")
        if len(tally.unreadable) > _NAMED:
            self._line("", f"and {len(tally.unreadable) - _NAMED:,} more (--csv names them all)", "red")
        self._line("flag", verdict.flag, _FLAG_STYLES.get(verdict.flag, "bold yellow"))
        for i, reason in enumerate(verdict.reasons):
            self._line("because" if i == 0 else "", f"- {printable(reason)}")
        card = f", card {self._model.card[:12]}" if self._model.card else ""
        self._line(
            "model", f"{printable(self._model.name)} {self._model.sha256[:12]}{card}, finder {self._model.finder}"
        )
        self._line("", NOTICE, "dim")

    def close(self) -> None:
        """Print the table of all samples, and what else there is."""
        with stdout_errors():
            if len(self._done) > 1:
                self._all()
            if self._hint and self._done and self._console.is_terminal:
                self._console.print(Text(self._hint, style="dim"))

    def discard(self) -> None:
        """Nothing to undo: what was printed is correct."""

    def _all(self) -> None:
        unit, seconds = self._done[0][1].unit, monotonic() - self._began
        named: dict[str, tuple[str, ...]] = {label: (label,) for label in self._positive}
        if len(named) > _MOST_CLASSES:
            named = {"positive": self._positive}
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
        table.add_column("  sample", overflow="fold")
        for name in ("fields", f"{unit}s", *map(printable, named)):
            table.add_column(Text(name), justify="right", overflow="fold")
        table.add_column("flag", overflow="fold")
        for tally, verdict in self._done:
            counts = (sum(tally.counts[label] for label in labels) for labels in named.values())
            numbers = (f"{n:,}" for n in (tally.kept, tally.cells, *counts))
            flag = Text(verdict.flag, style=_FLAG_STYLES.get(verdict.flag, "bold yellow"))
            table.add_row(Text(f"  {printable(tally.sample)}"), *numbers, flag)
        cells, kept = (sum(n) for n in zip(*((tally.cells, tally.kept) for tally, _ in self._done), strict=True))
        self._console.print(Text("\nAll samples", style="bold"))
        self._console.print(table)
        rate = f", {cells / seconds:,.0f} {unit}s/s" if seconds > 0 else ""
        total = f"{len(self._done):,} samples, {kept:,} fields, {cells:,} {unit}s in {clock(seconds)}{rate}"
        self._line("together", total)

    def _classes(self, tally: Tally, event: SampleEvent) -> None:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
        table.add_column("  class", overflow="fold")
        table.add_column("count", justify="right", no_wrap=True)
        table.add_column("share", justify="right", no_wrap=True)
        table.add_column("95 % interval", no_wrap=True)
        for label, count in tally.counts.items():
            share = event.verdict.share[label]
            style = "bold red" if label in self._positive and count else ""
            table.add_row(
                Text(f"  {printable(label)}"), f"{count:,}", percent_value(share), percent_range(share), style=style
            )
        self._console.print()
        self._console.print(table)
        self._console.print()

    def _line(self, label: str, text: str, style: str = "") -> None:
        head = f"  {label:<{_INDENT - 2}}"
        if not self._console.is_terminal:  # one line each: easier to search
            self._console.print(Text(head + text), soft_wrap=True)
            return
        room = max(self._console.width - _INDENT, 20)
        for i, part in enumerate(textwrap.wrap(text, room) or [""]):
            self._console.print(Text.assemble((head if i == 0 else " " * _INDENT, "dim"), (part, style)))


def fit(pieces: list[tuple[str, int]], width: int) -> Text:
    """Join the pieces, leaving out those of the highest rank until they fit into ``width`` columns."""
    kept = list(pieces)
    while len(" · ".join(text for text, _ in kept)) > width and any(rank for _, rank in kept):
        worst = max(rank for _, rank in kept)
        last = max(i for i, (_, rank) in enumerate(kept) if rank == worst)
        del kept[last]
    line = Text(" · ".join(text for text, _ in kept), no_wrap=True, overflow="ellipsis")
    line.truncate(max(width, 1), overflow="ellipsis")
    return line


def printable(text: str) -> str:
    """Text that cannot move the cursor: control characters and broken Unicode are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def clock(seconds: float) -> str:
    """``7.3 s``, ``14 s``, ``1:05``, ``2:03:04``."""
    if seconds < 59.5:
        return f"{seconds:.{1 if seconds < 9.95 else 0}f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def took(event: SampleEvent) -> str:
    """``7.3 s, 275 cells/s``; where other samples had a part of that time, no speed is claimed."""
    if not event.alone:
        return f"{clock(event.seconds)}, other samples were under way"
    rate = f", {event.tally.cells / event.seconds:,.0f} {event.verdict.unit}s/s" if event.seconds > 0 else ""
    return clock(event.seconds) + rate


def _fields(tally: Tally) -> str:
    rejected = sum(tally.rejected.values())
    text = f"{tally.kept:,} kept, {rejected:,} rejected"
    if tally.rejected:
        text += f" ({printable(words.reasons(tally.rejected))})"
    if tally.unreadable:
        text += f", {len(tally.unreadable):,} unreadable"
    return text


def _named(name: str, reason: str) -> str:
    return printable(f"{name}: {why_of(name, reason)}")


def why_of(name: str, reason: str) -> str:
    """Why an input could not be read, without its path: sources begin with that, and it may be long."""
    where, colon, why = reason.partition(": ")
    return why if colon and where.endswith(name) else reason
