"""From a camera's buffer to a counted field, no JPEG anywhere: instructions, bytes written to memory; ``edge-bench arm camera``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.arm import counter, host
from benchmarks.arm.boards import PI_4, PI_5, Board
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit
from benchmarks.arm.errors import ArmError
from benchmarks.arm.instructions import per_unit
from benchmarks.arm.roots import BOOKWORM, cache
from edge.virtual_slide import SlideSpec, render_field

FRAMES: Final = 4
"""Frames that are counted over."""

BOARDS: Final = (PI_4, PI_5)
"""Whose cores are counted on."""

_MARKS: Final = "marks.txt"
_STEPS: Final[Mapping[str, str]] = {
    "control fill": "control: a frame is filled",
    "control copy": "control: a frame is copied",
    "control read": "control: a frame is only read",
    "convert BGR888": "from the driver's buffer into shared memory, BGR888",
    "convert YUYV": "the same from YUYV",
    "convert NV12": "the same from NV12",
    "check": "checks of the frame",
    "copy": "out of shared memory",
    "look": "look: new, still, sharp",
    "flat field": "flat field of a profile",
    "analysis": "gate, find, crop, classify, tally",
}
_COUNTED: Final = ("convert BGR888", "check", "copy", "look", "analysis")
"""The way of a field from a camera that gives BGR888, without a profile."""


@dataclass(frozen=True, slots=True)
class CameraCounts:
    """What was counted.

    Attributes:
        instructions: core to step to instructions per frame.
        stored: core to step to bytes written to memory per frame.
        told: ``versions``, ``frames``, ``found`` (cells in the field) and ``shape`` (h, w).
    """

    instructions: Mapping[str, Mapping[str, int]]
    stored: Mapping[str, Mapping[str, int]]
    told: Mapping[str, Any]


def count(boards: Sequence[Board] = BOARDS, frames: int = FRAMES) -> CameraCounts:
    """Count in the bookworm root as each board; raises ArmError where that cannot be done here."""
    build(BOOKWORM)
    emulator = counter.folder()
    work = cache() / "camera"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    np.save(work / "frame.npy", render_field(SlideSpec(seed=3, bad_fields=0), 0)[0])
    instructions, stored = {}, {}
    told: dict[str, Any] = {}
    for board in boards:
        host.say(f"counting frames on {board.cpu}")
        program = ["/usr/bin/python3", "-m", "benchmarks.arm.frames", WORK, str(frames)]
        done = Visit(BOOKWORM, board, work, emulator).run(counter.counting(program, board.cpu, _MARKS, stores=True))
        if done.returncode:
            said = " / ".join(done.stderr.strip().splitlines()[-3:])
            raise ArmError(f"counting on {board.cpu} ended with code {done.returncode}: {said}")
        told = json.loads(done.stdout.splitlines()[-1])
        pieces = told.pop("pieces")
        marks = [line.split() for line in (work / _MARKS).read_text().splitlines()]
        instructions[board.cpu] = per_unit(pieces, [int(executed) for executed, _ in marks])
        stored[board.cpu] = per_unit(pieces, [int(written) for _, written in marks])
    shutil.rmtree(work, ignore_errors=True)
    return CameraCounts(instructions, stored, {**told, "qemu": counter.qemu_version()})


def render(counts: CameraCounts) -> str:
    """The table of docs/arm.md."""
    height, width = counts.told["shape"]
    frame = height * width * 3
    cpus = list(counts.instructions)
    heads = [*cpus, *(f"written to memory, frames, {cpu}" for cpu in cpus)]
    lines = ["| per frame | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    rows: dict[str, tuple[str, ...]] = {_STEPS[step]: (step,) for step in _STEPS}
    rows["**camera to counted, a field of BGR888**"] = _COUNTED
    rows["of that, copies of the full frame"] = ("convert BGR888", "copy")
    for label, steps in rows.items():
        executed = [f"{sum(counts.instructions[cpu][step] for step in steps):,}" for cpu in cpus]
        written = [f"{sum(counts.stored[cpu][step] for step in steps) / frame:.2f}" for cpu in cpus]
        lines.append(f"| {label} | " + " | ".join([*executed, *written]) + " |")
    versions = ", ".join(f"{name} {version}" for name, version in counts.told["versions"].items())
    notes = [
        "",
        f"A frame of {width}x{height} with {counts.told['found']} cells, counted over {counts.told['frames']}; {versions},",
        f"QEMU {counts.told['qemu']}. Written to memory: all bytes that the program's store instructions wrote, over the {frame:,}",
        "of a frame; what the driver and the kernel write, and lines that DC ZVA clears, are not among them.",
    ]
    return "\n".join([*lines, *notes]) + "\n"
