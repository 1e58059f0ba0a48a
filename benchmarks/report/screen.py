"""What a person sees of a run: progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from benchmarks.measure.device import BITS_NOTE
from benchmarks.measure.harness import Progress
from benchmarks.record.run import CaseRecord, Run
from benchmarks.record.summary import growth, summarise
from benchmarks.report.figures import digits, digits_or_dash, megabytes
from benchmarks.report.ratios import Target, not_measured, targets
from edge.lines import folded
from edge.outputs.console import Screen, printable
from edge.streams import stdout_errors

_PLAIN_EVERY_S = 10.0
"""Seconds between two lines of progress where there is no terminal."""

_WHOLE = 120  # columns of a terminal in which every table stands whole


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar on a terminal's stderr; elsewhere a plain line every ten seconds."""
    console = Screen(stderr=True, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        yield _plain()
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def tell(what: str, share: float) -> None:
            bar.update(task, description=printable(what)[:60], completed=share)

        yield tell


def _plain() -> Progress:
    last = monotonic()

    def tell(what: str, share: float) -> None:
        nonlocal last
        if monotonic() - last >= _PLAIN_EVERY_S:
            last = monotonic()
            sys.stderr.write(f"edge-bench: {share * 100:3.0f} %  {printable(what)}\n")
            sys.stderr.flush()

    return tell


def show_run(run: Run) -> None:
    """Everything a run measured, and everything that speaks against it."""
    with stdout_errors():
        console = output()
        narrow = console.width < _WHOLE
        with_rounds = [case for case in run.cases if case.rounds]
        for unit in dict.fromkeys(case.workload.unit for case in with_rounds):
            _print(console, _times(unit, [case for case in with_rounds if case.workload.unit == unit], narrow=narrow))
        staged = [case for case in with_rounds if summarise(case).stages_us]
        if staged:
            _print(console, _stages(staged, narrow=narrow))
        for line in _growth(run):
            _note(console, line)
        if narrow and with_rounds:
            _note(console, f"  ({_WHOLE} columns show all figures; so do --json and -o FILE)", "dim")
        if found := targets(run):
            _print(console, _targets(found))
        for line in not_measured(run):
            _note(console, f"  {printable(line)}")
        for note in run.notes:
            _note(console, f"  note: {printable(note)}")
        if run.partial:
            _note(console, "  PARTIAL: stopped before the end; reports leave this run out", "bold yellow")
        for reason in run.invalid:
            _note(console, f"  INVALID: {printable(reason)}: these figures must not be used", "bold red")


def show_device(device: Mapping[str, Any], state: Mapping[str, Any], notes: Sequence[str]) -> None:
    """What this machine is, and its state now."""
    with stdout_errors():
        console = output()
        rows = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, value in (*device.items(), *state.items()):
            if name not in ("when", "time", "busy_s", "stolen_s", "own_s"):
                rows.add_row(Text(f"  {name}", "dim"), Text(printable(_plain_value(name, value)), overflow="fold"))
        console.print(rows)
        _note(console, f"  {BITS_NOTE}", "dim")
        for note in notes:
            _note(console, f"  note: {printable(note)}")


def _plain_value(name: str, value: Any) -> str:
    if value is None:
        return "unknown" if name != "virtual" else "no"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "throttled":
        return f"{value:#x}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one}" for key, one in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return f"{value:,}" if name.endswith("_bytes") else str(value)


def _times(unit: str, cases: Sequence[CaseRecord], *, narrow: bool) -> Table:
    """``narrow``: only the columns that stand unabridged in 80."""
    rows: list[dict[str, str]] = []
    for case in cases:
        s = summarise(case)
        rows.append(
            {
                "p50 µs": digits_or_dash(s.p50_us),
                "p90 µs": digits_or_dash(s.p90_us),
                "p99 µs": digits_or_dash(s.p99_us),
                f"{unit}s/s": digits_or_dash(s.units_per_s),
                "CPU µs": digits_or_dash(s.cpu_us),
                "GMAC/s": digits_or_dash(s.gmac_s),
                "start ms": digits_or_dash(s.start_ms),
                "RSS MB": megabytes(case.peak_rss),
                "PSS MB": megabytes(case.peak_pss),
                "mJ": digits_or_dash(s.mj),
            }
        )
    shown = [name for name in rows[0] if not narrow or name in ("p50 µs", "p99 µs", f"{unit}s/s", "RSS MB")]
    made = table(f"per {unit}", *shown)
    for case, row in zip(cases, rows, strict=True):
        made.add_row(Text(_label(case)), *(row[name] for name in shown))
    return made


def _stages(cases: Sequence[CaseRecord], *, narrow: bool) -> Table:
    names = list(dict.fromkeys(name for case in cases for name in summarise(case).stages_us))
    ratios = () if narrow else ("f+c+c / decode", "whole / decode")
    rows = table("µs in each stage, p50", *names, *ratios)
    for case in cases:
        s = summarise(case)
        cells = [digits_or_dash(s.stages_us.get(name)) for name in names]
        rows.add_row(
            Text(_label(case)), *cells, *[digits_or_dash(s.to_decode), digits_or_dash(s.whole_to_decode)][: len(ratios)]
        )
    return rows


def _targets(found: Sequence[Target]) -> Table:
    rows = table("target", "wanted", "measured", "")
    for one in found:
        rows.add_row(Text(one.name), one.wanted, digits(one.measured), "met" if one.met else "MISSED")
    return rows


def _growth(run: Run) -> list[str]:
    fit = growth(run)
    if fit is None:
        return []
    line = (
        f"  ms per field = {digits(fit.base)} + {digits(fit.per_mpixel)} x megapixels + {digits(fit.per_kcell)} x thousand "
        f"cells; R² {digits(fit.r2)}, largest residual {digits(fit.worst * 100)} % of the field's time"
    )
    return [
        line,
        *(f"    {name}: residual {digits(ms)} ms" for name, ms in fit.residuals_ms.items()),
    ]


def _label(case: CaseRecord) -> str:
    marks = {"measured": "", "partial": " (partial)", "failed": " (failed)"}
    return f"  {case.name}{marks.get(case.status, '')}"


def table(first: str, *others: str) -> Table:
    """An empty table: a column of names, then columns of figures."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    made.add_column(f"  {first}", overflow="fold")  # a long name goes on below, figures stay whole
    for name in others:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def _note(console: Screen, text: str, style: str = "") -> None:
    """A line of words: broken between them on a terminal, whole elsewhere."""
    for line in folded(text, console.width if console.is_terminal else None):
        console.print(Text(line, style), soft_wrap=True)


def _print(console: Screen, table: Table) -> None:
    console.print(table)
    console.print()


def output() -> Screen:
    """Stdout; where it is no terminal, wide enough for every table."""
    width = None if sys.stdout.isatty() else 200
    return Screen(width=width, highlight=False, emoji=False, markup=False)
