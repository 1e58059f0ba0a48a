"""Contact sheets of the worst mistakes, to look at. They are real cells: written outside the repository, never into it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.crops import crop_cells
from edge.errors import OutputError
from edge.modelfile import CropSpec
from edge.types import FloatArray, UInt8Array
from models.data.fields import data_dir, load_iml, read_rgb
from models.judge.scores import FieldCells, NetScores, NihCells
from models.places import REPOSITORY

COUNT = 48  # cells on a sheet
_KINDS = ("uninfected-highest", "infected-lowest")
_COLUMNS, _SIDE, _LINE = 8, 128, 14  # pictures per row, their side and the height of a line of text, in pixels
SHOW = CropSpec(size=_SIDE, margin=1.3)


def worst(scores: FloatArray, infected: np.ndarray, count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the highest-scoring uninfected cells and of the lowest-scoring infected ones, the worst first: int [<= count]."""
    healthy, sick = np.flatnonzero(~infected), np.flatnonzero(infected)
    high = healthy[np.argsort(-scores[healthy], kind="stable")][:count]
    low = sick[np.argsort(scores[sick], kind="stable")][:count]
    return high, low


def shown(nih: NihCells, iml: FieldCells, net: NetScores) -> dict[str, list[str]]:
    """What names each cell on each sheet, by the sheet's file name without its ending."""
    found = {
        f"nih-{k}": [nih.files[i] for i in rows] for k, rows in zip(_KINDS, worst(net.nih, nih.infected), strict=True)
    }
    for kind, rows in zip(_KINDS, worst(net.iml, iml.infected), strict=True):
        found[f"iml-{kind}"] = [iml.name(i) for i in rows]
    return found


def check_outside(folder: Path) -> None:
    """Raise OutputError where a folder is in the repository."""
    if folder.resolve().is_relative_to(REPOSITORY):
        raise OutputError(
            f"{folder}: the sheets show real cells, which never go into the repository: name a folder outside"
        )


def make_outside(folder: Path) -> None:
    """Make a folder for sheets; raises OutputError where it is in the repository or cannot be made."""
    check_outside(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror or error}") from error


def write_sheets(folder: Path, nih: NihCells, iml: FieldCells, net: NetScores) -> list[Path]:
    """Four PNG files, of NIH and IML each; raises OutputError."""
    make_outside(folder)
    written = []
    paths = {one.path.name: one.path for one in load_iml()}
    for name, rows in zip(_KINDS, worst(net.nih, nih.infected), strict=True):
        words = [f"{net.nih[i]:.4f} {nih.slides[i]}" for i in rows]
        tiles = [_square(read_rgb(data_dir() / "nih_cells" / nih.files[i])) for i in rows]
        written.append(save(folder / f"nih-{name}.png", tiles, words))
    for name, rows in zip(_KINDS, worst(net.iml, iml.infected), strict=True):
        words, tiles = [], []
        for i in rows:
            file = iml.names[iml.fields[i]]
            what = iml.stages[i][:5] if iml.annotated[i] else "none"
            words.append(f"{net.iml[i]:.4f} {Path(file).stem[-5:]} {what}")
            tiles.append(crop_cells(read_rgb(paths[file]), iml.boxes[i : i + 1].astype(np.int32), SHOW)[0])
        written.append(save(folder / f"iml-{name}.png", tiles, words))
    return written


def _square(cell: UInt8Array) -> UInt8Array:
    """A cell in the middle of a tile, its longer side filling it: uint8 [side, side, 3]."""
    height, width = cell.shape[:2]
    scale = _SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    large = np.asarray(cv2.resize(cell, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    tile = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    top, left = (_SIDE - large.shape[0]) // 2, (_SIDE - large.shape[1]) // 2
    tile[top : top + large.shape[0], left : left + large.shape[1]] = large
    return tile


def sheet(tiles: list[UInt8Array], words: list[str]) -> UInt8Array:
    """Tiles uint8 [side, side, 3] in rows of eight, each with its words below: RGB uint8 [H, W, 3]."""
    rows = -(-len(tiles) // _COLUMNS)
    page = np.full((max(rows, 1) * (_SIDE + _LINE), _COLUMNS * (_SIDE + 2), 3), 255, np.uint8)
    for i, (tile, text) in enumerate(zip(tiles, words, strict=True)):
        top, left = i // _COLUMNS * (_SIDE + _LINE), i % _COLUMNS * (_SIDE + 2)
        page[top : top + _SIDE, left : left + _SIDE] = tile
        spot = (left + 2, top + _SIDE + _LINE - 4)
        cv2.putText(page, text, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return page


def save(path: Path, tiles: list[UInt8Array], words: list[str]) -> Path:
    """Write a sheet as PNG; raises OutputError."""
    good, data = cv2.imencode(".png", cv2.cvtColor(sheet(tiles, words), cv2.COLOR_RGB2BGR))
    try:
        if good:
            path.write_bytes(data.tobytes())
            return path
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    raise OutputError(f"{path}: cannot be encoded")
