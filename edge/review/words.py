"""How a review stands, in words for a terminal and as JSON values."""

from __future__ import annotations

from typing import Any

from edge.review.state import ReviewState
from edge.types import Interval
from edge.verdict.flag import percent_range
from edge.verdict.interval import clopper_pearson
from edge.verdict.review_records import NOT_REVIEWED, ReaderRates
from edge.verdict.units import percent, plural

_HEAD = 10  # characters of what stands before a line


def is_reviewed(state: ReviewState) -> bool:
    """Whether anybody has said anything of it."""
    return state.verdict.flag != NOT_REVIEWED and bool(state.readings or state.marks)


def review_lines(state: ReviewState) -> list[str]:
    """Both verdicts side by side, then what the reviewed one rests on, a line each."""
    verdict, unit = state.verdict, state.plan.unit
    beside = [
        ("", "the machine", "reviewed"),
        ("flag", state.machine.flag, verdict.flag),
        ("infected", machine_range(state), percent_range(verdict.share)),
        ("positive", f"{suspects(state):,} counted", f"{verdict.confirmed:,} confirmed, {verdict.looked:,} looked at"),
    ]
    width = max(len(machine) for _, machine, _ in beside)
    lines = [f"  {name:<{_HEAD}} {machine:<{width}}  {reviewed}" for name, machine, reviewed in beside]
    told = [("reviewed", reason) for reason in verdict.reasons]
    told += [("by", ", ".join(state.readers))]
    told += [("reader", rates_words(rates)) for rates in verdict.readers]
    if state.strays:
        told.append(("note", f"answers about {plural(state.strays, unit)} that no longer count are left out"))
    last = ""
    for name, text in told:
        lines.append(f"  {name if name != last else '':<{_HEAD}} {text}")
        last = name
    return lines


def machine_range(state: ReviewState) -> str:
    """What the machine says of the share of infected cells: by its calibration where it has one, else as counted."""
    findings = state.machine.findings
    if len(findings) == 1:
        return percent_range(findings[0].infected)
    return f"{percent_range(clopper_pearson(suspects(state), state.plan.cells))} as counted"


def suspects(state: ReviewState) -> int:
    """Cells that the machine counts as positive."""
    return sum(part.size for part in state.counts.parts if part.suspect)


def rates_words(rates: ReaderRates) -> str:
    """How a reader reads, in a line."""
    seen, right = (_range(one) for one in (rates.sensitivity, rates.specificity))
    return f"{rates.reader}: calls {seen} of the positive ones positive, {right} of the others not ({rates.cells:,} read again)"


def _range(rate: Interval) -> str:
    if rate.value is None:
        return "an unknown share"
    return f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})"


def review_facts(state: ReviewState) -> dict[str, Any] | None:
    """The same as JSON values; None: nobody has looked. Keys: docs/outputs.md."""
    if not is_reviewed(state):
        return None
    verdict, counts = state.verdict, state.counts
    return {
        "flag": verdict.flag,
        "reasons": list(verdict.reasons),
        "confirmed": verdict.confirmed,
        "looked": verdict.looked,
        "share": _facts(verdict.share),
        "at_most": verdict.most,
        "target": verdict.target,
        "rests_on": verdict.rests_on,
        "next": dict(verdict.next),
        "short": verdict.short,
        "added": counts.added,
        "strays": state.strays,
        "parts": [
            {
                "name": part.name,
                "cells": part.size,
                "positive": part.positive,
                "negative": part.negative,
                "no_cell": part.no_cell,
                "unsure": part.unsure,
            }
            for part in counts.parts
        ],
        "by": list(state.readers),
        "readers": [
            {
                "reader": one.reader,
                "cells": one.cells,
                "sensitivity": _facts(one.sensitivity),
                "specificity": _facts(one.specificity),
            }
            for one in verdict.readers
        ],
    }


def _facts(interval: Interval) -> dict[str, float | None]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}
