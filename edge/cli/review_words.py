"""What ``edge review`` says, in lines and as JSON."""

from __future__ import annotations

from collections import Counter
from shlex import quote
from typing import Any

from edge.cli.review_in import AnswersTaken
from edge.cli.review_out import ReviewSent
from edge.record_json import plain_of
from edge.report.words import plural
from edge.review.records import CellReading, Consensus, Stratum
from edge.review.state import ReviewState
from edge.verdict.flag import percent_range, percent_value
from edge.verdict.review_records import NOT_REVIEWED

PART_WORDS = {
    Stratum.TOP: "suspects, highest",
    Stratum.SUSPECTS: "other suspects",
    Stratum.NEAR: "just below",
    Stratum.REST: "all others",
}
"""The parts of a sample in words of a table."""

_HEAD = ("", "cells", "looked at", "positive", "not", "no cell", "unclear")


def state_lines(state: ReviewState, *, short: bool = False) -> list[str]:
    """How a review stands; ``short``: the verdict alone."""
    verdict, plan = state.verdict, state.plan
    flag = (
        verdict.flag
        if verdict.flag == NOT_REVIEWED or verdict.share.value is None
        else (f"{verdict.flag}, {percent_value(verdict.share)} ({percent_range(verdict.share)})")
    )
    lines = [f"reviewed   {flag}", *(f"           {reason}" for reason in verdict.reasons)]
    if short:
        return lines
    count = f", count {plan.count}" if plan.count > 1 else ""
    head = [f"{plan.name}{count}: {plural(plan.cells, plan.unit)}, threshold {plan.threshold:.3g}"]
    head.append(f"machine    {state.machine.flag}")
    lines = [*head, *lines, "", *_table(state)]
    if state.readers:
        lines.append(f"readers    {', '.join(_readers(state))}")
    disputed = sum(one.consensus is Consensus.DISPUTED for one in state.readings)
    if disputed:
        lines.append(f"disputed   {plural(disputed, plan.unit)}: readers say different things")
    if state.marks:
        lines.append(f"marked     {plural(len(state.marks), plan.unit)} that the machine has not")
    if state.strays:
        lines.append(f"left out   answers to {plural(state.strays, plan.unit)} that are not counted (any more)")
    if verdict.next:
        advised = ", ".join(f"{n} of {name}" for name, n in _named(verdict.next))
        short_of = (
            "" if verdict.short is None else f" (with {verdict.short} more it is decided, if they go on as they did)"
        )
        lines.append(f"next       {advised}{short_of}")
    lines.append(f"to look    edge serve, or: edge review {quote(plan.name)} --export FILE.html")
    return lines


def sent_lines(sent: ReviewSent) -> list[str]:
    """What went out."""
    parts = ", ".join(f"{n} of {name}" for name, n in _named(sent.parts))
    lines = [f"{sent.file}: {plural(sent.cells, 'cell')} to look at: {parts}"]
    if sent.again:
        lines.append(f"again      {sent.again} of them are shown twice, to see how a reader differs from himself")
    if sent.fields:
        lines.append(f"fields     {plural(sent.fields, 'field')} whole")
    if sent.missing:
        lines.append(f"missing    {plural(sent.missing, 'cell')}: nothing is left to show of them")
    if sent.named:
        lines.append("names      it carries names and times: do not give it away")
    back = "answers-NNNN.json" if sent.kind == "html" else sent.file
    lines.append(f"back       edge review {quote(sent.sample)} --import {quote(back)}")
    return lines


def taken_lines(taken: AnswersTaken) -> list[str]:
    """What came back."""
    said = ", ".join(f"{label} {n}" for label, n in taken.said.items())
    lines = [f"{taken.file}: {plural(taken.answers, 'answer')} of {taken.reader}{said and ': '}{said}"]
    if taken.removed:
        lines.append(
            f"removed    {plural(taken.removed, 'box')[:-1] + 'es' if taken.removed > 1 else '1 box'}: no cell"
        )
    if taken.marks:
        lines.append(
            f"marked     {plural(taken.marks, 'cell')} that the machine has not, {taken.new_marks} of them new"
        )
    if taken.same:
        lines.append(f"unchanged  {taken.same} came back as they went out: if they were looked at, say --agree")
    if taken.passed:
        lines.append(f"passed     {plural(taken.passed, 'thing')} not counted, and not to be")
    known = taken.answers - taken.new
    lines.append(f"new        {taken.new:,}{f', {known:,} stood already' if known else ''}")
    if not taken.taken:
        lines.append("check      nothing was taken: the same without --check takes it")
    return lines


def state_facts(state: ReviewState) -> dict[str, Any]:
    """The same for programs."""
    plan = state.plan
    return {
        "sample": plan.name,
        "count": plan.count,
        "unit": plan.unit,
        "cells": plan.cells,
        "threshold": plan.threshold,
        "machine": {"flag": state.machine.flag, "reasons": list(state.machine.reasons)},
        "reviewed": plain_of(state.verdict),
        "parts": [{"part": part, "cells": size, **counts} for part, size, counts in _parts(state)],
        "readers": [{"reader": name, "answers": n} for name, n in _answers(state).items()],
        "disputed": [str(one.cell) for one in state.readings if one.consensus is Consensus.DISPUTED],
        "marked": len(state.marks),
        "left_out": state.strays,
    }


def _parts(state: ReviewState) -> list[tuple[str, int, dict[str, int]]]:
    by_part: dict[Stratum, list[CellReading]] = {part.stratum: [] for part in state.plan.parts}
    for one in state.readings:
        by_part[one.stratum].append(one)
    made = []
    for part in state.plan.parts:
        found = Counter(one.consensus for one in by_part[part.stratum])
        told = {
            "looked": found.total(),
            "positive": found[Consensus.POSITIVE],
            "negative": found[Consensus.NEGATIVE],
            "no_cell": found[Consensus.NO_CELL],
            "unclear": found[Consensus.UNSURE] + found[Consensus.DISPUTED],
        }
        made.append((str(part.stratum), part.size, told))
    return made


def _table(state: ReviewState) -> list[str]:
    """A line per part that has cells: words to the left, numbers to the right."""
    rows: list[tuple[str, ...]] = [_HEAD]
    for part, size, counts in _parts(state):
        if size:
            rows.append((PART_WORDS[Stratum(part)], f"{size:,}", *(f"{n:,}" for n in counts.values())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        row[0].ljust(widths[0]) + "".join(f"  {n:>{w}}" for n, w in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]


def _answers(state: ReviewState) -> Counter[str]:
    return Counter(one.reader for reading in state.readings for one in reading.decisions)


def _readers(state: ReviewState) -> list[str]:
    counts = _answers(state)
    return [f"{name} {counts[name]:,}" for name in state.readers]


def _named(parts: Any) -> list[tuple[str, int]]:
    return [(PART_WORDS.get(name, name), n) for name, n in parts.items() if n]
