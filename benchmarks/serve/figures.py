"""The figures as docs/serve-figures.md."""

from __future__ import annotations

from typing import Final

from benchmarks.serve.attacks import CheckRow
from benchmarks.serve.frames import CHROMIUM, NOBODY, WayCost

TARGET_FRAMES: Final = 10.0
"""Pictures a second that a page shows at least."""

TARGET_SLOWER: Final = 0.05
"""Share by which the count may be slower for it."""


_HEAD: Final = (
    "| | fields/s | slower than without | pictures/s | camera, frames/s "
    "| count, processor s a field | camera, share of a core | page, share of a core |"
)


def figures_page(
    machine: str,
    options: list[str],
    rows: list[WayCost],
    checks: list[CheckRow],
    broken: list[str],
    *,
    load: float = 0.0,
) -> str:
    """The page.

    Args:
        machine: what it was measured on, in a few words.
        options: of ``edge serve`` that were given.
        rows: one per way of looking; empty: not measured.
        checks: of the web.
        broken: what the page complained of meanwhile.
        load: of the machine while pictures were counted: threads that wanted a core.
    """
    lines = [
        "# What the page costs, and what it stands",
        "",
        "Written by `python -m benchmarks.serve`. Method: [serve.md](serve.md#measured).",
    ]
    if rows:
        lines += ["", *_frames(machine, options, rows, load)]
    if checks:
        lines += ["", *_checks(checks, broken)]
    return "\n".join([*lines, ""])


def _frames(machine: str, options: list[str], rows: list[WayCost], load: float) -> list[str]:
    given = f" with `{' '.join(options)}`" if options else ""
    lines = [
        "## Pictures while cells are counted",
        "",
        f"On {machine}: `edge serve --simulate --interval 0`{given}, so that fields follow each other without waiting. Medians.",
        "",
        _HEAD,
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        slower = "" if row.slower is None else f"{row.slower:.1%}"
        frames = "" if row.way == NOBODY else f"{row.frames:.1f}"
        spent = f"{row.cpu_s:.3f} | {row.camera_cpu_s:.1%} | {row.page_cpu_s:.1%}"
        lines.append(f"| {row.way} | {row.fields:.2f} | {slower} | {frames} | {row.camera:.1f} | {spent} |")
    looked = [row for row in rows if row.slower is not None]
    missed = [f"{row.way}: {row.frames:.1f} pictures/s" for row in looked if row.frames < TARGET_FRAMES]
    missed += [f"{row.way}: {row.slower:.1%} slower" for row in looked if (row.slower or 0.0) > TARGET_SLOWER]
    said = f"Missed: {'; '.join(missed)}" if missed else "All met"
    lines += [
        "",
        f"On average {load:.1f} threads of the whole machine wanted a core meanwhile.",
        f"Targets: {TARGET_FRAMES:g} pictures/s; {TARGET_SLOWER:.0%} slower. {said}.",
    ]
    if any(row.way == CHROMIUM for row in rows):
        drawn = "The camera's process draws the virtual slide, and more often when somebody looks: a real camera's sensor does that."
        lines.append(f"{drawn} So the count is slower by more than with a real camera.")
        room = "At most eleven frames a second are looked at: where the processors have room to spare, a page takes from that first."
        lines.append(f"{room} Processor seconds a field show what is left.")
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
