"""A measured figure beside its target, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass

WORD = {True: "met", False: "**missed**", None: ""}
"""What is said of a target that is met, missed, or not there."""

NO_TARGET = "none"

_INTRODUCTION = (
    "# Figures",
    "",
    "Printed by `python -m models figures --markdown`; how they are taken stands in [models.md](models.md). Intervals are",
    "95 % bootstrap over fields (or slides, where it says so). Times depend on the machine; ratios less so.",
    "",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what, where, the target as text, the value as text with its interval and n, whether it is met (None: no target)."""

    what: str
    where: str
    target: str
    value: str
    met: bool | None


def at_least(what: str, where: str, wanted: float | None, value: str, measured: float) -> Figure:
    """A row whose target is a least value; None: it has no target."""
    if wanted is None:
        return Figure(what, where, NO_TARGET, value, None)
    return Figure(what, where, f">= {wanted:g}", value, measured >= wanted)


def line(row: Figure) -> str:
    """One row as it is told while measuring."""
    return " | ".join((row.what, row.where, f"target {row.target}", row.value, WORD[row.met]))


def show(rows: list[Figure], *, markdown: bool) -> str:
    """The rows as text or as a Markdown table."""
    if markdown:
        head = [*_INTRODUCTION, "| figure | where | target | measured | |", "|---|---|---|---|---|"]
        return "\n".join(head + [f"| {r.what} | {r.where} | {r.target} | {r.value} | {WORD[r.met]} |" for r in rows])
    aimed = [r for r in rows if r.met is not None]
    missed = [r.what + ", " + r.where for r in rows if r.met is False]
    return f"{len(aimed) - len(missed)} of {len(aimed)} targets met" + "".join(f"\n  missed: {m}" for m in missed)
