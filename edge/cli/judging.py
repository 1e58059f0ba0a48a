"""What a run or a calibration is bound to, and the calibration a run is judged by."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge import shelf
from edge.crops import crop_cells
from edge.errors import CalibrationError
from edge.modelfile import Card, ModelFile
from edge.verdict.assess import Assessor
from edge.verdict.calibration import Bound, Calibration
from edge.verdict.schema import read_calibration
from edge.verdict.units import RBC_PER_UL, parse_share

if TYPE_CHECKING:
    from edge.cli.build import Options


def bound_of(options: Options, model: ModelFile, card: Card, finder: str) -> Bound:
    """What this command line counts with; ``finder`` is the finder's name."""
    scope = options.scope or ""
    return Bound(card.name, model.sha256, finder, _finder_id(options), fingerprint(card), scope, options.gate)


def _finder_id(options: Options) -> str:
    if options.grid:
        return f"{options.tile_px or 'default'} px, overlap {options.tile_overlap:g}"
    wanted = options.finder
    if wanted == "auto":
        wanted = "learned" if shelf.has(shelf.FINDER) else "classical"
    if wanted == "classical":
        return ""
    model = shelf.load(shelf.FINDER if wanted == "learned" else wanted)
    spec = model.card.finder if model.card else None  # thresholds stand in the card, which the hash does not cover
    return _short(f"{model.sha256} {spec}".encode())


def fingerprint(card: Card) -> str:
    """Of the crops this version makes for this model: those of a drawn field, hashed. Another cropping, another fingerprint."""
    rows, columns = np.mgrid[0:96, 0:128]
    field = np.stack([rows * 2, columns, (rows * columns) % 251], axis=2).astype(np.uint8)
    boxes = np.array([[10, 10, 40, 44], [60, 30, 21, 20], [90, -4, 30, 30]], np.int32)
    masks = np.full((3, card.crop.size, card.crop.size), 255, np.uint8) if card.crop.mask == "black" else None
    return _short(crop_cells(field, boxes, card.crop, masks).tobytes() + f"{card.crop} {card.colour}".encode())


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def calibration_for(options: Options) -> Calibration | None:
    """The calibration asked for, not yet held against the run; raises CalibrationError."""
    return None if options.calibration is None else read_calibration(options.calibration)


def calibrated_card(card: Card, calibration: Calibration | None) -> Card:
    """The card at the calibration's operating threshold; raises CalibrationError where its classes are not the calibration's."""
    if calibration is None:
        return card
    if tuple(card.positive) != calibration.positive:
        raise CalibrationError("the calibration is of other positive classes than this model's: calibrate this one")
    return replace(card, threshold=calibration.threshold, threshold_origin="calibration")


def assessor_for(
    options: Options, calibration: Calibration | None, model: ModelFile, card: Card, finder: str
) -> Assessor | None:
    """What judges this run's samples; ``finder`` is the finder's name.

    Raises CalibrationError where the calibration is of another set-up or lacks a target.
    """
    if calibration is None:
        return None
    calibration.bound.refuse_other(bound_of(options, model, card, finder))
    if options.rbc_per_ul is not None:
        calibration = replace(calibration, rbc_per_ul=options.rbc_per_ul)
    target = calibration.target
    if options.target is not None:
        target = share_of(options.target, calibration)
    if options.until_decided and target is None:
        raise CalibrationError(
            "--until decided needs a target: give --target-parasitaemia (the calibration holds none)"
        )
    return Assessor(calibration, target, every_look=options.until_decided)


def share_of(text: str, calibration: Calibration | None) -> float:
    """A target as typed, at the red cells per µL assumed; raises CalibrationError where tiles have no parasites per µL."""
    if calibration is not None and calibration.rbc is None and text.rstrip().lower().endswith("l"):
        raise CalibrationError(
            f"{text}: tiles are no red cells and have no parasites per µL: give a share of the tiles"
        )
    return parse_share(text, RBC_PER_UL if calibration is None else calibration.rbc_per_ul)
