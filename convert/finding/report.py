"""What ``quantize --task finder`` reports: figures, fields, layers, speed and warnings, as plain values."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from convert.finding.judge import (
    FinderComparison,
    agreement,
    drawn_over,
    drop,
    f1,
    figures,
    latency,
    lost_points,
    per_group,
)
from convert.finding.trial import NOTHING
from convert.measure.fields import FieldSet
from convert.net.int8 import HEALTHY, LayerError
from edge.modelfile import ModelFile
from edge.runtime import Net

VIRTUAL = (
    "NO FIELDS WERE GIVEN (--fields): calibrated on fields of virtual slides, checked on nothing. What it finds is unknown; "
    "value range and thresholds are taken on trust. Convert it again with annotated fields before it counts anything"
)
HELD_OUT = (
    "the fields are held out from calibration, but perhaps not from the net's training, which only you know: the figures say what "
    "int8 loses, not what the net is worth"
)
FEW, MOST = 20, 200
"""Fields to calibrate on: fewer are too few, more are not read."""

_COARSE = 20  # fields to check on, below which the figures are called coarse
_NAMED = 4  # saturating layers that are named


@dataclass(frozen=True, slots=True)
class Attempt:
    """One int8 file: how it was made and what it found (None: nothing was judged).

    Attributes:
        recipe: in words.
        flatbuffer: int8 (or partly so).
        judged: beside the float file, on the same fields.
        calibrated_on: fields used.
    """

    recipe: str
    flatbuffer: bytes
    judged: FinderComparison | None
    calibrated_on: int

    @property
    def lost(self) -> float:
        """Points of F1 against the float file."""
        return lost_points(self.judged) if self.judged is not None else 0.0

    def passes(self, limit: float) -> bool:
        """The gate: no more points lost than allowed."""
        return self.lost <= limit + 1e-9


@dataclass(frozen=True, slots=True)
class FinderResult:
    """What the conversion of a finder made.

    Attributes:
        best: the file that is written where it passes.
        tried: all that were result, in order.
        files: ``float`` and ``int8`` as the device reads them.
        layers: error of each layer of the int8 file, largest first.
        size: (height, width) of the files' input.
        limit: of the gate, in points of F1.
        positive: annotated names that are infected.
        calibration: fields to calibrate on; None: virtual ones.
        check: fields to judge on; None: none.
    """

    best: Attempt
    tried: tuple[Attempt, ...]
    files: dict[str, ModelFile]
    layers: tuple[LayerError, ...]
    size: tuple[int, int]
    limit: float
    positive: tuple[str, ...]
    calibration: FieldSet | None
    check: FieldSet | None


def report_of(result: FinderResult, notes: list[str]) -> dict[str, Any]:
    """All that was measured; ``notes`` come first among the warnings."""
    best, judged = result.best, result.best.judged
    speed = latency(result.files, result.size)
    delegated = Net(result.files["int8"]).delegated()
    lost, interval = drop(judged) if judged is not None else (None, None)
    slow = [] if delegated else ["part of the device file runs outside the delegate, which is slow"]
    both = tuple(result.files) if judged is not None else ()
    return {
        "passed": best.passes(result.limit),
        "drop_points": lost,
        "drop_interval": interval,
        "max_drop_points": result.limit,
        "recipe": best.recipe,
        "tried": [{"recipe": one.recipe, "drop_points": one.lost if one.judged else None} for one in result.tried],
        "device_bytes": len(best.flatbuffer),
        "flatbuffer_sha256": hashlib.sha256(best.flatbuffer).hexdigest(),
        "float_bytes": len(result.files["float"].flatbuffer),
        "delegated": delegated,
        "us_per_field": speed,
        "speed_ratio": speed["float"] / speed["int8"],
        "find_ms_per_field": dict(judged.ms) if judged else None,
        "figures": {name: figures(judged, name) for name in both} if judged else {},
        "intervals_over": drawn_over(judged.groups) if judged else None,
        "agreement": agreement(judged.boxes["int8"], judged.boxes["float"]) if judged else None,
        "groups": {name: per_group(judged, name) for name in both} if judged else {},
        "layers": [asdict(layer) for layer in result.layers],
        "healthy_layer": HEALTHY,
        "fields": _fields(result),
        "warnings": [*notes, *(_warnings(result, judged) if judged else [VIRTUAL]), *_saturating(result), *slow],
    }


def _fields(result: FinderResult) -> dict[str, Any]:
    judged = result.best.judged
    if result.calibration is None or result.check is None or judged is None:
        return {"calibration": result.best.calibrated_on, "check": 0, "split": "virtual slides, nothing judged"}
    return {
        "calibration": result.best.calibrated_on,
        "calibration_groups": len(set(result.calibration.groups)),
        "check": len(judged.groups),
        "check_groups": len(set(judged.groups)),
        "split": "by group" if result.check.grouped else "by blocks of consecutive fields",
        "matched_by": "centres" if result.check.pointed else "IoU 0.5",
        "skipped": list(judged.skipped),
    }


def _saturating(result: FinderResult) -> list[str]:
    hurt = [one for one in result.layers if one.ratio > 4 * HEALTHY]
    return [f"layer saturates: {one.op} {one.tensor} (RMSE/scale {one.ratio:.2f})" for one in hurt[:_NAMED]]


def _warnings(result: FinderResult, judged: FinderComparison) -> list[str]:
    found = [HELD_OUT]
    if result.best.calibrated_on < FEW:
        found.append(f"only {result.best.calibrated_on} fields to calibrate on: {FEW} to {MOST} are wanted")
    if len(judged.groups) < _COARSE:
        found.append(f"only {len(judged.groups)} fields to check on: the figures are coarse")
    if judged.skipped:
        found.append(f"{len(judged.skipped)} fields could not be read: {'; '.join(judged.skipped[:3])}")
    if f1(judged.matches["float"]) < NOTHING:
        found.append(
            "the float net finds next to nothing here: another --value-range, other fields than it was trained for, or "
            "boxes that mean something else than dx, dy in strides and w, h in typical cells"
        )
    if result.check is not None and result.check.scored:
        found.append(
            "a program drew the annotations (they carry confidences): unless a person checked them they flatter"
        )
    return found + _infected(result, judged)


def _infected(result: FinderResult, judged: FinderComparison) -> list[str]:
    if result.check is None or result.check.pointed:
        return ["only centres are annotated: finds are matched by distance, and no infected cell is known"]
    if not result.positive:
        return [f"infected cells are not judged: --positive names them among {', '.join(result.check.types[:8])}"]
    lost = {name: sum(one.infected_lost for one in matches) for name, matches in judged.matches.items()}
    if lost["int8"] > lost["float"]:
        return [
            f"int8 loses {lost['int8']} infected cells, float {lost['float']}: what a finder loses no classifier sees"
        ]
    return []
