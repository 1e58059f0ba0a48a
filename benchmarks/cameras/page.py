"""The page of bad cameras: docs/cameras-bad.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.cameras.kinds import KINDS
from benchmarks.cameras.run import WITHIN_S, CameraOutcome
from edge.safe_file import write_text

_HEAD = """# Bad cameras

Written by `python -m benchmarks.cameras -o docs/cameras-bad.md`. Each kind stands in for `cv2.VideoCapture` inside the real
camera process, sound at first where nothing else is said. *Told*: seconds until one line names the trouble; {within:.0f} are
allowed. *Wrong*: frames handed out that do not show what the camera looked at, or came twice. *Back*: seconds from the fault's end
to the next frame; a process starts in two or three on this machine. {right} of {all} go as they have to: {faults} kinds are told,
{sound} are sound cameras that only look bad and must not be.

| kind | what it does | told after | frames, wrong | back after | what a person reads |
|---|---|---|---|---|---|
"""


def write_page(path: Path, outcomes: Sequence[CameraOutcome]) -> None:
    """Write the table."""
    faults = sum(bool(KINDS[one.kind].told) for one in outcomes)
    counted = {"faults": faults, "sound": len(outcomes) - faults}
    head = _HEAD.format(within=WITHIN_S, right=sum(one.right for one in outcomes), all=len(outcomes), **counted)
    write_text(path, head + "".join(_row(one) for one in outcomes))


def _row(one: CameraOutcome) -> str:
    told = f"{one.told_s:.1f} s" if one.told_s is not None else "not told"
    back = f"{one.back_s:.1f} s" if one.back_s is not None else ""
    mark = "" if one.right else " **wrong**"
    return (
        f"| {one.kind}{mark} | {KINDS[one.kind].does} | {told} | {one.frames}, {one.wrong} | {back} | {one.words} |\n"
    )
