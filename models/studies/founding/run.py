"""``python -m models founding``: train the founding nets, convert them, write what became of them to docs/founding.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.measure.reading import read_cells
from edge.crops import to_colour
from edge.modelfile import CropSpec
from models.places import REPOSITORY
from models.studies.founding.convert import converted
from models.studies.founding.data import COLLECTIONS, folder, notebook_rgb
from models.studies.founding.table import FoundingResult, render
from models.studies.founding.train import ROWS, FoundingRow, Say, trained

_COMPARED = 1000


def run(
    work: Path, out: Path, say: Say, *, only: Sequence[str] = (), again: bool = False, training: bool = True
) -> int:
    """Train what is not trained, convert what is not converted, write the page.

    Args:
        work: keeps nets, cells and figures; a second run takes up where the first stopped.
        out: the page.
        say: hears of progress.
        only: names of rows; all others are taken as they are in ``work``. Empty: all.
        again: convert again what is in ``work`` already.
        training: train nets that are not in ``work``; without, their rows are left out.

    Returns:
        number of rows in the page.

    Raises:
        ValueError: ``work`` is inside the repository (cells must not get there), or a row has no such name.
    """
    if work.resolve().is_relative_to(REPOSITORY):
        raise ValueError(f"{work}: is in the repository, where no cell image may be: give --work another folder")
    if unknown := sorted(set(only) - {row.name for row in ROWS}):
        raise ValueError(f"--only {', '.join(unknown)}: no such row, there are {', '.join(row.name for row in ROWS)}")
    wanted = [row for row in ROWS if not only or row.name in only]
    for row in wanted:
        if training or _is_trained(row, work):
            converted(row, trained(row, work, say), work, say, again=again)
    measured = [_kept(row, work, say) for row in ROWS if _is_trained(row, work) and _is_converted(row, work)]
    lacking = [row.name for row in ROWS if row not in [one.row for one in measured]]
    out.write_text(render(measured, lacking, reading(work)))
    return len(measured)


def reading(work: Path) -> list[str]:
    """How far the notebook's own reading of a cell and the converter's differ, measured on held-out NIH cells."""
    place = folder("nih", work)
    rows = [
        "| side | the same bytes | mean difference in a byte, HSV | cells with any difference |",
        "|---|---|---|---|",
    ]
    rng = np.random.default_rng(41)
    for size in (64, 32):
        cells = read_cells(place, COLLECTIONS["nih"].labels, CropSpec(size=size), keep_black=True)
        chosen = cells.take(rng.permutation(len(cells))[:_COMPARED])
        theirs = to_colour(notebook_rgb([place / name for name in chosen.names], size), "hsv")
        difference = np.abs(theirs.astype(int) - to_colour(chosen.images, "hsv").astype(int))
        # Hue is a circle of 180
        difference[..., 0] = np.minimum(difference[..., 0], 180 - difference[..., 0])
        touched = (difference > 0).any(axis=(1, 2, 3)).mean()
        rows.append(f"| {size} | {(difference == 0).mean():.2%} | {difference.mean():.2f} | {touched:.1%} |")
    return [
        "Notebooks scale a cell to fit, pad it black in the middle and convert BGR to HSV, all in OpenCV. The converter reads a",
        "folder of cells with the device's own crop function: it pads black where at least three corners of the image are black,",
        f"and else repeats the border as the device does. On {_COMPARED} held-out NIH cells:\n",
        *rows,
        "",
        "The cells here have 64 px on their longer side already, so at 64 neither scales; at 32 the notebook's area",
        "averaging meets the device's halving. On whole fields the device cuts cells with their background and pads nothing:",
        "black surroundings come back only with a finder that gives masks and a card that says `mask: black`. A net",
        "trained on cells on black should not be used on fields without it.",
    ]


def _is_trained(row: FoundingRow, work: Path) -> bool:
    return (work / "nets" / f"{row.name}.json").exists()


def _is_converted(row: FoundingRow, work: Path) -> bool:
    return (work / "rows" / f"{row.name}.json").exists()


def _kept(row: FoundingRow, work: Path, say: Say) -> FoundingResult:
    net = trained(row, work, say)
    return FoundingResult(row, net, converted(row, net, work, say, again=False))
