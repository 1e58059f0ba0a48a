"""The figures as docs/serve-figures.md."""

from __future__ import annotations

from typing import Final

from benchmarks.serve.attacks import CheckRow
from benchmarks.serve.frames import CHROMIUM, NOBODY, WayCost

TARGET_FRAMES: Final = 10.0
"""Pictures a second that a page shows at least."""

TARGET_SLOWER: Final = 0.05
"""Share by which the count may be slower for it."""


def figures_page(
    machine: str, options: list[str], rows: list[WayCost], checks: list[CheckRow], broken: list[str]
) -> str:
    """The page.

    Args:
        machine: what it was measured on, in a few words.
        options: of ``edge serve`` that were given.
        rows: one per way of looking; empty: not measured.
        checks: of the web.
        broken: what the page complained of meanwhile.
    """
    lines = [
        "# What the page costs, and what it stands",
        "",
        "Written by `python -m benchmarks.serve`. Method: [serve.md](serve.md#measured).",
    ]
    if rows:
        lines += ["", *_frames(machine, options, rows)]
    if checks:
        lines += ["", *_checks(checks, broken)]
    return "\n".join([*lines, ""])


def _frames(machine: str, options: list[str], rows: list[WayCost]) -> list[str]:
    given = f" with `{' '.join(options)}`" if options else ""
    lines = [
        "## Pictures while cells are counted",
        "",
        f"On {machine}: `edge serve --simulate --interval 0`{given}, so that fields follow each other without waiting. Medians.",
        "",
        "| | fields/s | slower than without | pictures/s | camera, frames/s | processor s a field | page, share of a core |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        slower = "" if row.slower is None else f"{row.slower:.1%}"
        frames = "" if row.way == NOBODY else f"{row.frames:.1f}"
        lines.append(
            f"| {row.way} | {row.fields:.2f} | {slower} | {frames} | {row.camera:.1f} | {row.cpu_s:.3f} | {row.page_cpu_s:.1%} |"
        )
    looked = [row for row in rows if row.slower is not None]
    missed = [f"{row.way}: {row.frames:.1f} pictures/s" for row in looked if row.frames < TARGET_FRAMES]
    missed += [f"{row.way}: {row.slower:.1%} slower" for row in looked if (row.slower or 0.0) > TARGET_SLOWER]
    said = f"Missed: {'; '.join(missed)}" if missed else "All met"
    lines += [
        "",
        f"Targets: {TARGET_FRAMES:g} pictures/s; {TARGET_SLOWER:.0%} slower. {said}.",
    ]
    if any(row.way == CHROMIUM for row in rows):
        lines.append(
            "Processor seconds a field: of the processes that count and of the camera's, which draws the virtual slide."
        )
        lines.append("Chromium draws without a graphics processor here, on the processors that count.")
    return lines


def _checks(checks: list[CheckRow], broken: list[str]) -> list[str]:
    lines = [
        "## Web checks",
        "",
        "On the loopback, while a sample is counted.",
        "",
        "| check | sent | came back | held |",
        "|---|---:|---|---|",
    ]
    lines += [f"| {row.name} | {row.sent:,} | {row.came} | {'yes' if row.held else 'NO'} |" for row in checks]
    said = "The page complained of nothing." if not broken else f"The page complained {len(broken)} times: {broken[0]}"
    return [*lines, "", said]
