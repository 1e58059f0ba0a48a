"""A comparison as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from benchmarks.report.compare import CaseDifference, RunComparison
from benchmarks.report.figures import digits
from benchmarks.report.screen import output, table
from edge.outputs.console import printable
from edge.streams import stdout_errors


def comparison_json(found: RunComparison) -> dict[str, Any]:
    """Plain values, every figure unrounded, each case with its verdict in words."""
    plain = asdict(found)
    for one, difference in zip(plain["differences"], found.differences, strict=True):
        one["verdict"] = difference.verdict
    return plain


def show_compared(found: RunComparison) -> None:
    """The table on stdout, warnings below it."""
    with stdout_errors():
        console = output()
        names = ("old µs", "new µs", "new / old", "95 % interval", "shift µs", "Cliff's delta", "p (Holm)", "")
        rows = table("µs per cell, field or file", *names)
        for one in found.differences:
            rows.add_row(*_cells(one), style="bold" if one.real else "")
        console.print(rows)
        for title, cases in (("only in the old one", found.only_old), ("only in the new one", found.only_new)):
            if cases:
                console.print(Text(f"  {title}: {', '.join(map(printable, cases))}"), soft_wrap=True)
        for warning in found.warnings:
            console.print(Text(f"  note: {printable(warning)}"), soft_wrap=True)


def _cells(one: CaseDifference) -> tuple[Text | str, ...]:
    return (
        Text(f"  {printable(one.name)}"),
        digits(one.old_us),
        digits(one.new_us),
        digits(one.ratio),
        f"{digits(one.low)} to {digits(one.high)}",
        digits(one.shift_us, 3),
        f"{one.delta:+.2f}",
        f"{one.p:.2g}",
        one.verdict,
    )
