"""What people made of a sample: their verdict beside the machine's, which stays as it was."""

from __future__ import annotations

from edge.report.html import Markup, el, join, table
from edge.report.records import Report
from edge.review.state import ReviewState
from edge.review.words import is_reviewed, machine_range, rates_words, suspects
from edge.verdict.flag import percent_range
from edge.verdict.review_records import PartCounts


def reviewed(report: Report) -> Markup:
    """The section; nothing where nobody looked."""
    state = report.reviewed
    if state is None or not is_reviewed(state):
        return join()
    verdict = state.verdict
    rows: list[tuple[object, ...]] = [
        ("flag", state.machine.flag, el("b", verdict.flag)),
        ("infected, 95 % interval", machine_range(state), percent_range(verdict.share)),
        ("positive", f"{suspects(state):,} counted", f"{verdict.confirmed:,} confirmed, {verdict.looked:,} looked at"),
    ]
    by = ", ".join(state.readers)
    return join(
        el("h2", "Reviewed"),
        el("p", f"By {by}. The machine's verdict above stays as it was.", class_="soft"),
        table(("", "the machine", "reviewed"), rows, "words"),
        el("ul", *(el("li", reason) for reason in verdict.reasons), *(el("li", line) for line in _also(state))),
        table(
            ("part", f"{state.plan.unit}s", "positive", "negative", "no cell", "not told"),
            [_part(part) for part in state.counts.parts if part.size],
        ),
    )


def _also(state: ReviewState) -> list[str]:
    lines = [rates_words(rates) + "." for rates in state.verdict.readers]
    if state.strays:
        lines.append(f"Answers about {state.strays:,} {state.plan.unit}s that no longer count are left out.")
    return lines


def _part(part: PartCounts) -> tuple[object, ...]:
    return (part.name, *(f"{n:,}" for n in (part.size, part.positive, part.negative, part.no_cell, part.unsure)))
