"""``python -m models founding``: train the founding nets, convert them, and write docs/founding.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.measure.reading import read_cells
from edge.crops import to_colour
from edge.modelfile import CropSpec
from edge.safe_file import write_text
from models.report.markdown import table
from models.studies.founding.convert import convert_net
from models.studies.founding.data import COLLECTIONS, folder, notebook_rgb
from models.studies.founding.table import FoundingResult, render
from models.studies.founding.train import ROWS, FoundingRow, Say, train_net
from models.studies.kept import check_request
from models.studies.streams import StudyStream

_COMPARED = 1000  # held-out NIH cells on which two ways of reading are compared


def run(
    work: Path, out: Path, say: Say, *, only: Sequence[str] = (), again: bool = False, training: bool = True
) -> int:
    """Train what is not trained, convert what is not converted, write the page.

    Args:
        work: keeps nets, cells and figures; a second run continues where the first stopped.
        out: the page.
        say: gets lines of progress.
        only: names of rows; all others are taken as they are in ``work``. Empty: all.
        again: convert again what is in ``work`` already.
        training: train nets that are not in ``work``; without, their rows are left out.

    Returns:
        number of rows in the page.

    Raises:
        ValueError: ``work`` is inside the repository (cells must not get there), or a row has no such name.
    """
    check_request(work, only, [row.name for row in ROWS])
    wanted = [row for row in ROWS if not only or row.name in only]
    for row in wanted:
        if training or _is_trained(row, work):
            convert_net(row, train_net(row, work, say), work, say, again=again)
    measured = [_kept(row, work, say) for row in ROWS if _is_trained(row, work) and _is_converted(row, work)]
    lacking = [row.name for row in ROWS if row not in [one.row for one in measured]]
    write_text(out, render(measured, lacking, reading(work)))
    return len(measured)


def reading(work: Path) -> list[str]:
    """How far the notebook's own reading of a cell and the converter's differ, measured on held-out NIH cells."""
    place = folder("nih", work)
    rows = []
    rng = np.random.default_rng(StudyStream.READING_SAMPLE)
    for size in (64, 32):
        cells = read_cells(place, COLLECTIONS["nih"].labels, CropSpec(size=size), keep_black=True)
        chosen = cells.take(rng.permutation(len(cells))[:_COMPARED])
        theirs = to_colour(notebook_rgb([place / name for name in chosen.names], size), "hsv")
        difference = np.abs(theirs.astype(int) - to_colour(chosen.images, "hsv").astype(int))
        # hue is a circle of 180
        difference[..., 0] = np.minimum(difference[..., 0], 180 - difference[..., 0])
        touched = (difference > 0).any(axis=(1, 2, 3)).mean()
        rows.append((f"{size}", f"{(difference == 0).mean():.2%}", f"{difference.mean():.2f}", f"{touched:.1%}"))
    head = ("side", "the same bytes", "mean difference in a byte, HSV", "cells with any difference")
    return [
        "Notebooks scale a cell to fit, pad it black in the middle and convert BGR to HSV, all in OpenCV. The converter reads a",
        "folder of cells with the device's own crop function: it pads black where at least three corners of the image are black,",
        f"and else repeats the border as the device does. On {_COMPARED} held-out NIH cells:\n",
        *table(head, rows),
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
    net = train_net(row, work, say)
    return FoundingResult(row, net, convert_net(row, net, work, say, again=False))
