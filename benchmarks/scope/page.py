"""The tables of docs/scope.md."""

from __future__ import annotations

from benchmarks.scope.measure import CORNER, LIGHTER, ScopeFigures

PLACE = "measured"
"""Where they stand in the page."""

TARGET_MS = 1.0
"""Milliseconds per megapixel that correcting a frame may take."""


def tables(figures: ScopeFigures) -> str:
    """The tables as Markdown."""
    cost = figures.cost
    copies, share = cost.correct_ms / cost.copy_ms, cost.correct_ms / cost.analyse_ms
    even = [
        f"| {one.where} | {one.flat.fields} | {one.flat.uneven:.1%} | {one.flat.residual:.1%} | {len(one.dust)} "
        f"| {sum(speck.deep for speck in one.dust)} |"
        for one in figures.evenness
    ]
    rows = [
        f"| {v.where}, {v.what} | {v.fields} | {v.cells:,} | {v.f1:.3f} | "
        f"{f'{v.infected_called} of {v.infected}' if v.infected else '-'} | {v.others_called} |"
        for v in figures.variants
    ]
    return f"""\
Written by `python -m benchmarks.scope`. Profiles are made from two of three fields; evenness "after" is that of fields that were not
used (half of them for the other half). `chula_fields` were taken with two settings; these are the fields lighter than {LIGHTER:.0f}.

| set | fields with cells | paper uneven before | after | specks of dust | masked |
|---|---|---|---|---|---|
{chr(10).join(even)}

Counts on every third field, by the finder and the classifier that ship (they have learnt from `iml_fields`: read the differences).
The drawn vignette leaves {CORNER:.0%} of the brightness in the corners, off centre; a darker lamp is one in linear light.

| set and light | fields | cells found | F1 | infected called | others called |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Correcting a frame takes {cost.correct_ms:.2f} ms of processor time per megapixel on the machine that wrote this: {copies:.1f} times
what copying it takes, and {share:.1%} of what analysing it takes; in turns in one run. Target: at most
{TARGET_MS:.0f} ms, {"met" if cost.correct_ms <= TARGET_MS else "**missed**"}.
"""
