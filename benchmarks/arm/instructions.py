"""Instructions per cell and per field on each board: measured, kept as JSON, compared with what was kept.

The same program on the same data takes the same number of instructions on any machine, to within a fraction of a percent.
The time they take is only ever an estimate (``Board.microseconds``).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.arm import counter, host, inputs
from benchmarks.arm.boards import BOARDS, Board
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit
from benchmarks.arm.errors import ArmError
from benchmarks.arm.inside import models
from benchmarks.arm.roots import BOOKWORM, cache
from edge.safe_file import write_text

VERSION = 1
"""Version of the file; one of another version is refused."""

KEPT = Path(__file__).with_name("instructions.json")
CELLS = 4096
"""Cells a net is counted over, unless told otherwise."""

FIELDS = 8
"""Fields the stages are counted over, unless told otherwise."""

_MARKS = "marks.txt"


@dataclass(frozen=True, slots=True)
class InstructionCounts:
    """Instruction counts of all boards.

    Attributes:
        conditions: what the counts depend on: packages, models, emulator, cells and fields.
        boards: core to piece of work to instructions per cell (nets and ``classify NAME``) or per field (all others).
    """

    conditions: Mapping[str, Any]
    boards: Mapping[str, Mapping[str, int]]

    def write(self, path: Path) -> None:
        """Write the file."""
        text = {"version": VERSION, "conditions": self.conditions, "instructions": self.boards}
        write_text(path, json.dumps(text, indent=1) + "\n")


def read(path: Path = KEPT) -> InstructionCounts:
    """The counts that were kept; raises ArmError where the file is not one that ``write`` makes."""
    try:
        kept = json.loads(path.read_text())
        if kept["version"] != VERSION:
            raise ArmError(f"{path}: version {kept['version']}, this program reads {VERSION}: count anew")
        return InstructionCounts(kept["conditions"], kept["instructions"])
    except OSError as error:
        raise ArmError(f"{path}: {error.strerror}: count first") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ArmError(f"{path}: not a file of counts: {error}") from error


def count(boards: Sequence[Board] = BOARDS, *, cells: int = CELLS, fields: int = FIELDS) -> InstructionCounts:
    """Count everything in the bookworm root as each board.

    Raises:
        ArmError: the root, the emulator or the plugin cannot be built, or a run fails.
    """
    build(BOOKWORM)
    emulator = counter.folder()
    work = cache() / "work"
    given = inputs.make(work)
    shutil.copy(next(given.fields.glob("1280x960-*.jpg")), given.nets / "field.jpg")
    boards_counts: dict[str, dict[str, int]] = {}
    conditions: dict[str, Any] = {}
    for board in boards:
        host.say(f"counting on {board.cpu}")
        program = ["/usr/bin/python3", "-m", "benchmarks.arm.stages", f"{WORK}/nets", str(cells), str(fields)]
        done = Visit(BOOKWORM, board, work, emulator).run(counter.counting(program, board.cpu, _MARKS))
        if done.returncode:
            said = " / ".join(done.stderr.strip().splitlines()[-3:])
            raise ArmError(f"counting on {board.cpu} ended with code {done.returncode}: {said}")
        told = json.loads(done.stdout.splitlines()[-1])
        marks = [int(line) for line in (work / _MARKS).read_text().splitlines()]
        boards_counts[board.cpu] = per_unit(told.pop("pieces"), marks)
        conditions = {**told, "qemu": counter.qemu_version(), "root": BOOKWORM.name}
    conditions["models"] = {name: model.sha256 for name, model in models()}
    return InstructionCounts(conditions, boards_counts)


def per_unit(pieces: Sequence[tuple[str, int]], marks: Sequence[int]) -> dict[str, int]:
    """Instructions per cell or field of each piece of work, without what the marks cost.

    Args:
        pieces: name and units of what each mark ended; an empty name is nothing.
        marks: instructions executed up to each mark.
    """
    if len(pieces) != len(marks):
        raise ArmError(f"{len(pieces)} marks were set and {len(marks)} heard: another plugin version?")
    spans: dict[str, int] = {}
    units: dict[str, int] = {}
    times: dict[str, int] = {}
    for number, (name, done) in enumerate(pieces):
        if name:
            spans[name] = spans.get(name, 0) + marks[number] - marks[number - 1]
            units[name] = units.get(name, 0) + done
            times[name] = times.get(name, 0) + 1
    idle = spans.pop("nothing")
    return {name: round((span - idle * times[name]) / units[name]) for name, span in spans.items()}


def moved(old: InstructionCounts, new: InstructionCounts, tolerance: float) -> list[str]:
    """One line for every count or condition that has changed.

    Args:
        old: what was kept.
        new: what was counted now.
        tolerance: share by which a count may differ.
    """
    lines = [
        f"conditions: {key} is {new.conditions.get(key)}, was {value}"
        for key, value in old.conditions.items()
        if new.conditions.get(key) != value
    ]
    for cpu, counted in new.boards.items():
        kept = old.boards.get(cpu, {})
        for name, value in counted.items():
            before = kept.get(name)
            if before is None:
                lines.append(f"{cpu}: {name}: {value:,}, not counted before")
            elif abs(value - before) > tolerance * before:
                lines.append(f"{cpu}: {name}: {value:,}, was {before:,} ({value / before - 1:+.1%})")
        lines += [f"{cpu}: {name}: not counted any more" for name in kept if name not in counted]
    return lines
