"""Checks of what was typed: of single values (they raise ValueError), and of settings that must fit together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from edge.cli.settings import RunSettings

LONGEST_NAME = 200
"""Letters of a sample's or a microscope's name. It must fit a line of the summary and a file name's stem."""

SMALLEST_SIDE, LARGEST_SIDE = 64, 8192
"""Pixels of a field's side that ``--size`` takes: what the sources accept at least, and more than any camera gives."""


def check_size(text: str) -> tuple[int, int]:
    """Read ``1280x960``: width and height in pixels; raises ValueError."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and SMALLEST_SIDE <= int(part) <= LARGEST_SIDE for part in parts):
        raise ValueError(f"{text!r}: give WIDTHxHEIGHT in pixels, {SMALLEST_SIDE} to {LARGEST_SIDE} each, as 1280x960")
    return int(parts[0]), int(parts[1])


def check_every(text: str) -> None:
    """Raise ValueError for what is neither a number of frames (``25``) nor of seconds (``0.5s``)."""
    from edge.sources.video import Every  # noqa: PLC0415 - comes with OpenCV

    Every.parse(text)


def check_share(text: str) -> None:
    """Raise ValueError for what is no share of cells (``0.1%``, ``200/uL``, ``0.001``)."""
    from edge.verdict.units import parse_share  # noqa: PLC0415 - comes with NumPy

    parse_share(text)


def check_name(text: str) -> None:
    """Raise ValueError for a name that does not fit into one line."""
    if not (text.isprintable() and 0 < len(text) <= LONGEST_NAME):
        raise ValueError(f"must be printable, 1 to {LONGEST_NAME} letters")


def names_a_model_file(text: str) -> bool:
    """Whether this is the path of a model file, not a name on the shelf."""
    from edge.shelf import is_path  # noqa: PLC0415 - comes with NumPy

    return is_path(text)


def check_source(settings: RunSettings) -> None:
    """Raise BadParameter unless there is exactly one source of fields."""
    source = settings.input
    given = sum([bool(source.inputs), source.simulate, source.camera])
    if given != 1:
        what = "nothing to count" if given == 0 else "too much to count"
        raise typer.BadParameter(f"{what}: give inputs, or --simulate, or --camera")


def check_together(settings: RunSettings) -> None:
    """Raise BadParameter for settings that contradict each other."""
    judging, outputs = settings.judging, settings.outputs
    if settings.input.sample_id is not None and settings.input.sample_per_folder:
        raise typer.BadParameter("--sample-id makes one sample, --sample-per-folder many: give one of them")
    if settings.card.labels is None and settings.card.positive is not None:
        raise typer.BadParameter("--positive needs --labels: a model with a card says for itself what is positive")
    places = [os.path.realpath(path) for path in (outputs.detections, outputs.csv) if path is not None]
    if len(set(places)) < len(places):
        raise typer.BadParameter("--detections and --csv name the same file")
    if judging.calibration is not None and settings.card.threshold is not None:
        raise typer.BadParameter("--calibration brings its own threshold: leave --threshold out")
    if judging.calibration is None:
        for option, given in (
            ("--until decided", settings.stop.until is not None),
            ("--target-parasitaemia", judging.target_parasitaemia is not None),
            ("--rbc-per-ul", judging.rbc_per_ul is not None),
        ):
            if given:
                raise typer.BadParameter(f"{option} needs --calibration: without one no count can be judged")
