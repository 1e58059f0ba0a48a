"""``python -m models founding``: train the founding nets, convert them, and write docs/founding.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.measure.reading import read_cells
from edge.crops import to_colour
from edge.modelfile import CropSpec
from edge.safe_file import write_text
from models.report.markdown import table
from models.studies.founding.convert import convert_net, kept_figures
from models.studies.founding.course import Say
from models.studies.founding.data import COLLECTIONS, Part, Protocol, folder, notebook_rgb
from models.studies.founding.kept import KEPT, keep_row, kept_row
from models.studies.founding.page import render
from models.studies.founding.rows import ROWS, FoundingRow
from models.studies.founding.table import FoundingResult
from models.studies.founding.train import kept_net, train_net
from models.studies.kept import check_request
from models.studies.streams import StudyStream

_COMPARED = 1000  # held-out NIH cells on which two ways of reading are compared


@dataclass(frozen=True, slots=True)
class FoundingSettings:
    """What a run does.

    Attributes:
        work: keeps nets, cells and figures; a second run continues where the first stopped.
        out: the page.
        only: names of rows to work on; all others are taken as they are in ``work``. Empty: all.
        protocols: to work on; likewise.
        epochs: at most so many; None: the authors'.
        again: convert again what is converted already, and train what the repository keeps figures of but ``work`` no net.
        training: train nets further; without, they are taken as they are.
        kept: folder of the figures of finished rows.
    """

    work: Path
    out: Path
    only: tuple[str, ...] = ()
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    epochs: int | None = None
    again: bool = False
    training: bool = True
    kept: Path = KEPT


def run(settings: FoundingSettings, say: Say) -> int:
    """Train what is not trained, convert what is not converted, keep the figures of what is finished, write the page.

    Returns:
        number of rows that are trained to the end, under either protocol.

    Raises:
        ValueError: ``work`` is inside the repository (cells must not get there), or a row has no such name.
        KeyboardInterrupt: Ctrl-C or SIGTERM was heard; the same command goes on from there.
    """
    work = settings.work
    check_request(work, settings.only, [row.name for row in ROWS])
    for row in ROWS:
        for protocol in settings.protocols if not settings.only or row.name in settings.only else ():
            if kept_row(row, protocol, settings.kept) and not settings.again:
                continue
            net = kept_net(row, protocol, work)
            if settings.training:
                net = train_net(row, protocol, work, say, settings.epochs)
            if net:
                figures = convert_net(row, protocol, net, work, say, again=settings.again)
                result = FoundingResult(row, protocol, net, figures)
                if result.complete:
                    keep_row(result, settings.kept)
    results = [
        kept_row(row, protocol, settings.kept) or _kept(row, protocol, work) for row in ROWS for protocol in Protocol
    ]
    write_text(settings.out, render(results, reading(work)))
    return sum(one.complete for one in results)


def reading(work: Path) -> list[str]:
    """How far the notebook's own reading of a cell and the converter's differ, measured on held-out NIH cells."""
    place = folder("nih", work, Protocol.SLIDES, Part.JUDGING)
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


def _kept(row: FoundingRow, protocol: Protocol, work: Path) -> FoundingResult:
    net = kept_net(row, protocol, work)
    return FoundingResult(row, protocol, net, kept_figures(row, protocol, net, work) if net else None)
