"""A blind reading of IML cells: the net's worst false positives shuffled among cells drawn at random, with no word on any.

``python -m models report --blind DIR`` writes the sheet; a person writes ``cell,verdict`` lines; ``--reading FILE`` keeps what
was read in ``report/reading.json``, for the page: names and boxes, no image. A reading counts only for the cells that were
drawn: once other cells are the worst, the page says that nobody has read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import CellsError
from edge.crops import crop_cells
from edge.errors import OutputError
from edge.types import UInt8Array
from models.data.fields import load_iml
from models.judge.scores import FieldCells, NetScores
from models.report.looked import fingerprint
from models.report.sheets import SHOW, check_outside, save, worst

VERDICTS = ("infected", "unsure", "uninfected")
HIGHEST = "not annotated as infected, highest scores"
INFECTED = "annotated as infected, at random"
UNINFECTED = "not annotated as infected, at random"
_COUNTS = {HIGHEST: 48, INFECTED: 24, UNINFECTED: 24}
FILE = "reading.json"


@dataclass(frozen=True, slots=True, eq=False)
class BlindSample:
    """Cells of one sheet in its order: rows int [n] of the field cells, and what is known of each."""

    rows: np.ndarray
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlindReading:
    """What was read.

    Attributes:
        reader: who, in words.
        cells: ``fingerprint`` of the cells that were drawn.
        verdicts: one of ``VERDICTS`` by cell (``FieldCells.name``).
    """

    reader: str
    cells: str
    verdicts: Mapping[str, str]


def drawn(iml: FieldCells, net: NetScores, seed: int = 0) -> BlindSample:
    """The same cells in the same order for the same scores."""
    rng = np.random.default_rng([seed, 61])
    high = worst(net.iml, iml.infected, _COUNTS[HIGHEST])[0]
    rest = np.setdiff1d(np.flatnonzero(~iml.infected), high)
    sick = np.flatnonzero(iml.infected)
    parts = {
        HIGHEST: high,
        INFECTED: rng.choice(sick, min(_COUNTS[INFECTED], len(sick)), replace=False),
        UNINFECTED: rng.choice(rest, min(_COUNTS[UNINFECTED], len(rest)), replace=False),
    }
    groups = np.repeat(list(parts), [len(rows) for rows in parts.values()])
    order = rng.permutation(len(groups))
    return BlindSample(np.concatenate(list(parts.values()))[order], tuple(str(group) for group in groups[order]))


def write_sheet(folder: Path, iml: FieldCells, net: NetScores) -> Path:
    """The sheet as PNG, each cell with its number and nothing else; raises OutputError."""
    check_outside(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror or error}") from error
    paths = {one.path.name: one for one in load_iml()}
    tiles: list[UInt8Array] = []
    for row in drawn(iml, net).rows:
        rgb = paths[iml.names[iml.fields[row]]].read()
        tiles.append(crop_cells(rgb, iml.boxes[row : row + 1].astype(np.int32), SHOW)[0])
    return save(folder / "blind.png", tiles, [str(number + 1) for number in range(len(tiles))])


def take(reading: Path, reader: str, iml: FieldCells, net: NetScores) -> BlindReading:
    """What a person wrote: CSV with ``cell`` (its number on the sheet) and ``verdict``; raises CellsError."""
    cells = drawn(iml, net).rows
    names = [iml.name(row) for row in cells]
    said: dict[str, str] = {}
    try:
        with reading.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                number, verdict = int(row["cell"]), row["verdict"].strip()
                if verdict not in VERDICTS or not 1 <= number <= len(names):
                    raise CellsError(f"{reading}: cell {number}, '{verdict}': verdicts are {', '.join(VERDICTS)}")
                said[names[number - 1]] = verdict
    except OSError as error:
        raise CellsError(f"{reading}: cannot be read: {error.strerror or error}") from error
    except (KeyError, ValueError, AttributeError) as error:
        raise CellsError(f"{reading}: columns cell and verdict are needed, the first a number") from error
    if len(said) != len(names):
        raise CellsError(f"{reading}: {len(said)} of {len(names)} cells are read")
    return BlindReading(reader, fingerprint(names), said)


def keep(reading: BlindReading, path: Path) -> None:
    """Write a reading; raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(reading), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def kept(path: Path, iml: FieldCells, net: NetScores) -> BlindReading | None:
    """The reading that is kept, if it is of the cells that are drawn now."""
    if not path.is_file():
        return None
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    reading = BlindReading(**values)
    current = fingerprint(iml.name(row) for row in drawn(iml, net).rows)
    return reading if reading.cells == current else None


def counts(reading: BlindReading, iml: FieldCells, net: NetScores) -> dict[str, dict[str, int]]:
    """Cells by what is annotated and what was read."""
    cells = drawn(iml, net)
    out = {group: dict.fromkeys(VERDICTS, 0) for group in _COUNTS}
    for row, group in zip(cells.rows, cells.groups, strict=True):
        out[group][reading.verdicts[iml.name(row)]] += 1
    return out


def without_read_as_infected(reading: BlindReading, iml: FieldCells, net: NetScores) -> tuple[FieldCells, NetScores]:
    """Cells and scores without those that are not annotated as infected and were read as infected."""
    cells = drawn(iml, net).rows
    out = [row for row in cells if not iml.infected[row] and reading.verdicts[iml.name(row)] == "infected"]
    rest = np.setdiff1d(np.arange(len(iml.infected)), out)
    columns = {key: getattr(iml, key)[rest] for key in ("infected", "annotated", "stages", "boxes", "fields", "folds")}
    return replace(iml, **columns), replace(net, iml=net.iml[rest])
