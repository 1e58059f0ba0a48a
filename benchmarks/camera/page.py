"""docs/camera-figures.md: a page that the command writes, a section for each figure; what was not measured anew stays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.camera.day import EVERY_S, FAULT_S, PACE, SIZE, DayFigures, DayRecord
from benchmarks.places import REPOSITORY
from edge.safe_file import write_text

PAGE: Final = REPOSITORY / "docs" / "camera-figures.md"
"""Where the figures are."""

_HEAD: Final = """# Figures of the camera

Written by `python -m benchmarks.camera --write`; `--only NAME` measures one of them anew.
"""

_SAID: Final = """\
{hours:g} hours at the virtual microscope, the hand on (it holds each view {pace:g} times as long as in the demo), a fault of
{first:g} to {last:g} s every {every:g} minutes; pressed into {minutes:.0f} minutes. Driver, fault menu, formats, checks of frames,
watchdog, eye, taker, session, gate and book are the runner's own. The clock is not, the camera process is stood in for
(`benchmarks/camera/pressed.py`), and the truth of each frame takes the place of finder and nets. Frames of {size[0]}x{size[1]}."""


def day_text(record: DayRecord, found: DayFigures, seconds: float) -> str:
    """The section on the day."""
    kinds = Counter(one.kind for one in record.faults)
    slowest = {kind: _slowest(record, kind) for kind in sorted(kinds)}
    hour, most = record.memory[min(1, len(record.memory) - 1)], max(record.memory[1:] or record.memory)
    rows = {
        "faults": f"{len(record.faults):,} of {len(kinds)} kinds",
        "times that the camera was opened": f"{record.openings:,}",
        "stretches without the camera, in the sample's outputs": f"{record.lost:,}",
        "fields handed out to be counted": f"{found.fields:,}",
        "of them, counted": f"{found.counted:,}",
        "red cells in those, by the truth": f"{found.cells:,}",
        "the same in the book": f"{found.booked:,}",
        "fields whose cells in the book are not those of the truth": f"{found.differing:,}",
        "frames handed out twice": f"{found.twice:,}",
        "pairs of counted fields that show the same place": f"{found.overlapping:,}",
        "frames changed by a fault that were handed out all the same": _falsified(record),
        "memory after the first hour, and at most after it": f"{hour:.0f} MB, {most:.0f} MB",
    }
    lines = [
        *_SAID.format(
            hours=record.hours,
            pace=PACE,
            first=FAULT_S[0],
            last=FAULT_S[1],
            every=EVERY_S / 60,
            minutes=seconds / 60,
            size=SIZE,
        ).splitlines(),
        "",
        "| | |",
        "|---|---:|",
        *(f"| {what} | {value} |" for what, value in rows.items()),
        "",
        "Seconds from a fault's beginning until the camera was said to be lost (—: it never was; frames went on, bad ones were few):",
        "",
        "| fault | times | median | longest |",
        "|---|---:|---:|---:|",
        *(f"| {kind} | {kinds[kind]} | {slowest[kind]} |" for kind in sorted(kinds)),
    ]
    return "\n".join(lines) + "\n"


def write_section(name: str, title: str, text: str, page: Path = PAGE) -> None:
    """Put a section into the page, in the place of the one it had."""
    old = page.read_text() if page.exists() else _HEAD
    first, last = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    section = f"{first}## {title}\n\n{text}{last}"
    before, begin, rest = old.partition(first)
    new = before + section + rest.partition(last)[2] if begin else old.rstrip("\n") + "\n\n" + section
    write_text(page, new)


def _slowest(record: DayRecord, kind: str) -> str:
    after = [one.after for one in record.faults if one.kind == kind and one.after is not None]
    if not after:
        return "— | —"
    return f"{median(after):.1f} | {max(after):.1f}"


def _falsified(record: DayRecord) -> str:
    if not record.falsified:
        return "none"
    return ", ".join(f"{count} ({kind})" for kind, count in sorted(record.falsified.items()))
