"""What a run or a calibration is bound to, and the calibration a run is judged by."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from edge import shelf
from edge.cli.run_settings import RunSettings
from edge.cli.settings import JudgingSettings, NetSettings
from edge.crops import crop_cells
from edge.errors import CalibrationError
from edge.modelfile import Card, ModelFile
from edge.verdict.assess import Assessor
from edge.verdict.calibration import Bound, Calibration
from edge.verdict.schema import read_calibration
from edge.verdict.units import RBC_PER_UL, parse_share


def bound_of(nets: NetSettings, model: ModelFile, card: Card, finder: str, *, gate: bool, scope: str | None) -> Bound:
    """What a run with these settings counts with; ``finder`` is the finder's name."""
    return Bound(card.name, model.sha256, finder, _finder_id(nets), fingerprint(card), scope or "", gate)


def _finder_id(nets: NetSettings) -> str:
    if nets.grid:
        return f"{nets.tile_px or 'default'} px, overlap {nets.tile_overlap:g}"
    wanted = nets.finder
    if wanted == "auto":
        wanted = "learned" if shelf.has(shelf.FINDER) else "classical"
    if wanted == "classical":
        return ""
    model = shelf.load(shelf.FINDER if wanted == "learned" else wanted)
    spec = model.card.finder if model.card else None  # thresholds stand in the card, which the hash does not cover
    return _short(f"{model.sha256} {spec}".encode())


def fingerprint(card: Card) -> str:
    """Hash the crops that this version makes for this model from a drawn field: another way of cropping gives another hash."""
    rows, columns = np.mgrid[0:96, 0:128]
    field = np.stack([rows * 2, columns, (rows * columns) % 251], axis=2).astype(np.uint8)
    boxes = np.array([[10, 10, 40, 44], [60, 30, 21, 20], [90, -4, 30, 30]], np.int32)
    masks = np.full((3, card.crop.size, card.crop.size), 255, np.uint8) if card.crop.mask == "black" else None
    return _short(crop_cells(field, boxes, card.crop, masks).tobytes() + f"{card.crop} {card.colour}".encode())


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def calibration_for(judging: JudgingSettings) -> Calibration | None:
    """Read the calibration where one is given; raises CalibrationError. Whether it fits the run is checked later."""
    return None if judging.calibration is None else read_calibration(judging.calibration)


def calibrated_card(card: Card, calibration: Calibration | None) -> Card:
    """Return the card at the calibration's threshold; raises CalibrationError if the calibration is of other classes."""
    if calibration is None:
        return card
    if tuple(card.positive) != calibration.positive:
        raise CalibrationError("the calibration is of other positive classes than this model's: calibrate this one")
    return replace(card, threshold=calibration.threshold, threshold_origin="calibration")


def assessor_for(settings: RunSettings, bound: Bound, calibration: Calibration | None) -> Assessor | None:
    """Return what judges this run's samples; None without a calibration.

    Args:
        settings: of the run.
        bound: what the run counts with.
        calibration: as read.

    Raises:
        CalibrationError: the calibration is of another set-up, or lacks a target.
    """
    if calibration is None:
        return None
    calibration.bound.refuse_other(bound)
    judging, until_decided = settings.judging, settings.stop.until is not None
    if judging.rbc_per_ul is not None:
        calibration = replace(calibration, rbc_per_ul=judging.rbc_per_ul)
    target = calibration.target
    if judging.target_parasitaemia is not None:
        target = share_of(judging.target_parasitaemia, calibration)
    if until_decided and target is None:
        raise CalibrationError(
            "--until decided needs a target: give --target-parasitaemia (the calibration holds none)"
        )
    return Assessor(calibration, target, every_look=until_decided)


def share_of(text: str, calibration: Calibration | None) -> float:
    """Read a share, at the assumed number of red cells per µL; raises CalibrationError for parasites per µL of tiles."""
    if calibration is not None and calibration.rbc is None and text.rstrip().lower().endswith("l"):
        raise CalibrationError(
            f"{text}: tiles are no red cells and have no parasites per µL: give a share of the tiles"
        )
    return parse_share(text, RBC_PER_UL if calibration is None else calibration.rbc_per_ul)
