"""What ``edge review`` says, in lines and as JSON."""

from __future__ import annotations

from collections import Counter
from shlex import quote
from typing import Any

from edge.cli.review_in import AnswersTaken
from edge.cli.review_out import ReviewSent
from edge.review.records import CellReading, Consensus, Stratum
from edge.review.state import ReviewState
from edge.review.words import is_reviewed, review_facts, review_lines
from edge.verdict.review_records import NOT_REVIEWED
from edge.verdict.units import plural

PART_WORDS = {
    Stratum.TOP: "suspects, highest",
    Stratum.SUSPECTS: "other suspects",
    Stratum.NEAR: "just below",
    Stratum.REST: "all others",
}
"""The parts of a sample in words of a table."""

_HEAD = ("", "cells", "looked at", "positive", "not", "no cell", "unclear")


def state_lines(state: ReviewState, *, short: bool = False) -> list[str]:
    """How a review stands; ``short``: the verdicts alone."""
    verdict, plan = state.verdict, state.plan
    stands = review_lines(state) if is_reviewed(state) else [f"  {'reviewed':<10} {NOT_REVIEWED}"]
    if short:
        return stands
    count = f", count {plan.count}" if plan.count > 1 else ""
    lines = [f"Sample {plan.name}{count}: {plural(plan.cells, plan.unit)}, threshold {plan.threshold:.3g}", *stands, ""]
    lines += [f"  {line}" for line in _table(state)]
    told = []
    if state.readers:
        told.append(("answers", ", ".join(_readers(state))))
    disputed = sum(one.consensus is Consensus.DISPUTED for one in state.readings)
    if disputed:
        told.append(("disputed", f"{plural(disputed, plan.unit)}: readers say different things"))
    if state.marks:
        told.append(("marked", f"{plural(len(state.marks), plan.unit)} that the machine has not"))
    if verdict.next:
        advised = ", ".join(f"{n} of {name}" for name, n in _named(verdict.next))
        more = "" if verdict.short is None else f"; with {verdict.short} more it is decided, if they go on as they did"
        told.append(("next", f"{advised}{more}"))
    told.append(("to look", f"edge serve, or: edge review {quote(plan.name)} --export FILE.html"))
    return [*lines, *_indented(told)]


def sent_lines(sent: ReviewSent) -> list[str]:
    """What went out."""
    parts = ", ".join(f"{n} of {name}" for name, n in _named(sent.parts))
    told = []
    if sent.again:
        told.append(
            ("again", f"{sent.again} of them are shown twice: what one reader says twice shows how readers err")
        )
    if sent.fields:
        told.append(("fields", f"{plural(sent.fields, 'field')} whole"))
    if sent.missing:
        told.append(("missing", f"{plural(sent.missing, 'cell')}: nothing is left to show of them"))
    if sent.named:
        told.append(("names", "it carries names and times: do not give it away"))
    back = "answers-NNNN.json" if sent.kind == "html" else quote(sent.file)
    told.append(("back", f"edge review {quote(sent.sample)} --import {back}"))
    return [f"{sent.file}: {plural(sent.cells, 'cell')} to look at: {parts}", *_indented(told)]


def taken_lines(taken: AnswersTaken) -> list[str]:
    """What came back."""
    said = ", ".join(f"{label} {n}" for label, n in taken.said.items())
    known = taken.answers - taken.new
    told = []
    if taken.removed:
        told.append(("removed", f"{plural(taken.removed, 'cell')} without its box: no cell"))
    if taken.marks:
        told.append(
            ("marked", f"{plural(taken.marks, 'cell')} that the machine has not, {taken.new_marks} of them new")
        )
    if taken.same:
        told.append(("unchanged", f"{taken.same} came back as they went out: if they were looked at, say --agree"))
    if taken.passed:
        told.append(("passed", f"{plural(taken.passed, 'thing')} not counted, and not to be"))
    told.append(("new", f"{taken.new:,}{f', {known:,} stood already' if known else ''}"))
    if not taken.taken:
        told.append(("check", "nothing was taken: the same without --check takes it"))
    head = f"{taken.file}: {plural(taken.answers, 'answer')} of {taken.reader}"
    return [f"{head}: {said}" if said else head, *_indented(told)]


def _indented(told: list[tuple[str, str]]) -> list[str]:
    return [f"  {name:<10} {text}" for name, text in told]


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
        "reviewed": review_facts(state),
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
