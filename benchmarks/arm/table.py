"""Counts as a Markdown table, with the times they may stand for, and the place in ``docs/arm.md`` that holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.arm.boards import BOARDS, PI_5, Board
from benchmarks.arm.errors import ArmError
from benchmarks.arm.instructions import InstructionCounts
from benchmarks.places import REPOSITORY
from edge import shelf
from edge.finders.learned import GUESS_PX
from edge.safe_file import write_text

PAGE = REPOSITORY / "docs" / "arm.md"
TARGET = 150_000
"""Instructions per cell that the shipped classifier may take on a Cortex-A76."""

_IN_THE_FIELD = ("decode", "gate", "find", "crop", "classify", "tally")


def render(counts: InstructionCounts, boards: Sequence[Board] = BOARDS) -> str:
    """The whole table with its notes; ``boards`` bring the clock and the IPC of the estimate."""
    counted = [board for board in boards if board.cpu in counts.boards]
    guessed = [board for board in counted if board.ipc is not None]
    heads = [f"{board.cpu}" for board in counted] + [f"{board.name}: estimate, µs" for board in guessed]
    lines = ["| instructions | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    totals = {cpu: sum(pieces.get(stage, 0) for stage in _IN_THE_FIELD) for cpu, pieces in counts.boards.items()}
    pieces = {**next(iter(counts.boards.values())), "whole field": 0}
    for name in sorted(pieces, key=_order):
        row = [counts.boards[board.cpu].get(name, totals[board.cpu]) for board in counted]
        guesses = [_shown(board.microseconds(row[counted.index(board)])) for board in guessed]
        lines.append(f"| {_label(name)} | " + " | ".join([f"{value:,}" for value in row] + guesses) + " |")
    return "\n".join([*lines, "", *_notes(counts, guessed)]) + "\n"


def target(counts: InstructionCounts) -> str:
    """Whether the shipped classifier's net keeps to its target, in words."""
    value = counts.boards.get(PI_5.cpu, {}).get(f"net {shelf.CLASSIFIER}")
    if value is None:
        return f"Target: {shelf.CLASSIFIER} on {PI_5.cpu}: not counted."
    word = "met" if value <= TARGET else f"missed by {value / TARGET - 1:.0%}"
    return f"Target: {shelf.CLASSIFIER} takes at most {TARGET:,} instructions a cell on {PI_5.cpu}: {value:,}, {word}."


def with_table(page: str, place: str, table: str) -> str:
    """The page's text with the table in its place; raises ArmError where the place is not marked."""
    first, last = f"<!-- {place}: begin -->\n", f"<!-- {place}: end -->\n"
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ArmError(f"no place is marked for the table: {first.strip()} and {last.strip()}")
    return before + first + table + last + after


def write_page(place: str, table: str, page: Path = PAGE) -> None:
    """Put a table into its ``place`` (``counts``, ``float`` or ``operations``) in ``docs/arm.md``."""
    write_text(page, with_table(page.read_text(), place, table))


def boards_with(ipc: Mapping[str, float], ghz: Mapping[str, float]) -> list[Board]:
    """The boards under other assumptions, by core."""
    return [replace(board, ipc=ipc.get(board.cpu, board.ipc), ghz=ghz.get(board.cpu, board.ghz)) for board in BOARDS]


def _order(name: str) -> tuple[int, str]:
    if name in _IN_THE_FIELD:
        return 2, str(_IN_THE_FIELD.index(name))
    return (0 if name.startswith("net ") else 1 if name.startswith("classify ") else 3), name


def _label(name: str) -> str:
    kind, _, model = name.partition(" ")
    if kind == "net" and model == shelf.FINDER:
        return f"`{model}`, bare net, per field of {GUESS_PX}x{GUESS_PX * 3 // 4}"
    if kind in ("net", "classify") and model:
        return f"`{model}`, {'bare net' if kind == 'net' else 'scores and classes'}, per cell"
    return {
        "find classical": "find with the classical finder instead, per field",
        "whole field": "**whole field**",
    }.get(name, f"{name}, per field")


def _shown(microseconds: float | None) -> str:
    if microseconds is None:
        return "—"
    return f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.1f}"


def _notes(counts: InstructionCounts, guessed: Sequence[Board]) -> list[str]:
    told = counts.conditions
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    model = "; ".join(f"{board.name}: {board.ipc:g} at {board.ghz:g} GHz" for board in guessed)
    return [
        target(counts),
        "",
        f"Field: a JPEG of 1280x960 with {told['found']} cells. Counted over {told['cells']:,} cells and {told['fields']} fields,",
        f"{versions}, QEMU {told['qemu']}.",
        f"The estimates are not measurements: µs = instructions / (IPC x clock), IPC assumed: {model}.",
    ]
