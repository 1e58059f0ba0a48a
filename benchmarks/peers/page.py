"""A result as the tables of docs/peers.md: every case held against ours, in its own unit, nothing rounded below its digits."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers import OURS
from benchmarks.record.run import CaseRecord, Run
from benchmarks.record.summary import summarise
from benchmarks.report.figures import digits

_PREFIX = "peers/"


def tables(run: Run) -> list[str]:
    """Markdown lines: one table per group that peers are in, then who was left out and why."""
    peers = [case for case in run.cases if case.name.startswith(_PREFIX)]
    out = []
    for group in dict.fromkeys(case.workload.group for case in peers):
        out += _table([case for case in peers if case.workload.group == group and case.name in run.measured])
    for case in peers:
        if case.reason:
            out.append(f"- {case.name.removeprefix(_PREFIX)}: {case.status}: {case.reason}")
    return out


def _table(cases: Sequence[CaseRecord]) -> list[str]:
    if not cases:
        return []
    unit = cases[0].workload.unit
    own = next((case for case in cases if case.name.split("/")[2].startswith(OURS)), None)
    head = f"| {cases[0].workload.group} | µs per {unit}, p50 | p90 | CPU µs per {unit} | {unit}s/s |"
    out = [head + (" times ours | times ours, CPU |" if own else ""), "|---|" + "---:|" * (6 if own else 4)]
    for case in cases:
        figures = summarise(case)
        shown = [figures.p50_us, figures.p90_us, figures.cpu_us, figures.units_per_s]
        row = f"| {case.name.split('/', 2)[2]} | " + " | ".join(map(digits, shown)) + " |"
        if own:
            ours = summarise(own)
            row += f" {digits(figures.p50_us / ours.p50_us, 3)} | {digits(figures.cpu_us / ours.cpu_us, 3)} |"
        out.append(row)
    return [*out, ""]
