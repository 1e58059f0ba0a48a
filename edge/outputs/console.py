"""What a person sees at the end: a small table per sample. While it runs: ``edge.outputs.live_line``."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from dataclasses import replace
from time import monotonic

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge import words
from edge.description import ModelLine
from edge.events import FieldEvent, SampleEvent
from edge.streams import ReaderGoneError, stdout_errors
from edge.types import NOT_NEW, Tally, Verdict
from edge.verdict.flag import percent_range, percent_value

NOTICE = "For research and triage: puts suspicious cells before a trained person. Not a diagnosis."
_FLAG_STYLES = {"positive": "bold red", "negative": "bold green"}
_INDENT = 13  # columns of the summary's labels
_MOST_CLASSES = 4  # columns of the table of all samples
_NAMED = 20  # unreadable inputs named on screen; the CSV has them all


class Screen(Console):
    """A rich console that raises our own error when the reader closed the pipe."""

    def on_broken_pipe(self) -> None:
        """Called by rich instead of raising BrokenPipeError."""
        raise ReaderGoneError("the terminal or pipe has gone")


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
