"""A measured figure beside its target, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what, where, the target as text, the value as text with its interval and n, and whether it is met."""

    what: str
    where: str
    target: str
    value: str
    met: bool


def show(rows: list[Figure], *, markdown: bool) -> str:
    """The rows as text or as a Markdown table."""
    if markdown:
        lines = ["| figure | where | target | measured | |", "|---|---|---|---|---|"]
        return "\n".join(
            lines
            + [f"| {r.what} | {r.where} | {r.target} | {r.value} | {'met' if r.met else '**missed**'} |" for r in rows]
        )
    missed = [r.what + ", " + r.where for r in rows if not r.met]
    return f"{len(rows) - len(missed)} of {len(rows)} targets met" + "".join(f"\n  missed: {m}" for m in missed)
