"""Convert a trained founding net by ``convert``'s own door, and hold the device file against the net it came from, cell by cell.

Differences are paired: the same cells, both ways of reading them, resampled by slide. That interval is much narrower than
the two accuracies' own, since a slide that is hard for one is hard for the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from convert.classify.job import Task
from convert.classify.make import quantize
from convert.measure.bootstrap import figure_interval, share_interval
from convert.measure.cells import CellSet, some, split
from convert.measure.metrics import auc
from convert.measure.operating import HALF
from convert.measure.reading import read_cells
from convert.measure.scoring import as_scores, decide, outputs
from convert.net.values import RANGES
from edge.classifier import Classifier
from edge.modelfile import CropSpec, read_model
from edge.types import FloatArray
from models.places import REPOSITORY
from models.studies.founding.data import COLLECTIONS, folder, notebook_rgb
from models.studies.founding.train import Row, Say, Trained

_RESAMPLES = 300
_OWN_READING_MACS = 1e8
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """Device file minus net as trained: accuracies 0..1 or areas, and the 95 % interval of the difference by slide."""

    before: float
    after: float
    interval: Interval

    @property
    def value(self) -> float:
        """How much was won; below zero: lost."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Paired:
    """Device file against the net as trained, on the same cells.

    Attributes:
        cells: judged.
        groups: slides, or cells where they stand alone.
        accuracy: a cell counts as positive from one half (without positive classes: as its highest score).
        agreement_at_half: share of cells that count as the same from one half.
        interval: 95 % interval by slide of the device file's own accuracy.
        operating: accuracy, each at its own operating threshold.
        auc: None where no class is positive.
        agreement: share of cells that count as the same, each at its own operating threshold; its interval by slide.
    """

    cells: int
    groups: int
    accuracy: Difference
    agreement_at_half: float
    interval: Interval
    operating: Difference
    auc: Difference | None
    agreement: float
    agreement_interval: Interval


@dataclass(frozen=True, slots=True)
class Converted:
    """One row's figures.

    Attributes:
        report: ``convert``'s own.
        paired: None where the gate refused the device file.
        own_reading: accuracy and agreement of the trained net on the same cells as the notebook's code reads them,
            held against ``convert``'s reading; None for large nets.
        code: digest of the code that converted.
    """

    report: dict[str, Any]
    paired: Paired | None
    own_reading: tuple[float, float] | None
    code: str


def converted(row: Row, net: Trained, work: Path, say: Say, *, again: bool) -> Converted:
    """The row's figures, from ``work`` where they were taken before and ``again`` is not asked for."""
    note = work / "rows" / f"{row.name}.json"
    if note.exists() and not again:
        return from_json(json.loads(note.read_text()))
    note.parent.mkdir(parents=True, exist_ok=True)
    collection = COLLECTIONS[row.cells]
    cells = folder(row.cells, work, row.held_out)
    out = note.with_suffix(".tflite")
    out.unlink(missing_ok=True)
    code = code_digest(REPOSITORY / "convert")
    task = Task(
        model=str(net.path),
        cells=str(cells),
        out=str(out),
        labels=collection.labels,
        positive=collection.positive,
        value_range="0..1",
        colour=row.colour,
        group_by=collection.group_by,
    )
    last = ""

    def told(doing: str, _share: float) -> None:
        nonlocal last
        if doing != last:
            say(f"{row.name}: {doing}")
        last = doing

    report = quantize(task, None, force=True, progress=told, verbose=False)
    say(f"{row.name}: {report['way']}, {report['recipe']}, passed: {report['passed']}")
    result = figures(row, net, cells, report, code=code, device=out)
    note.write_text(json.dumps(asdict(result), indent=1) + "\n")
    return result


def figures(row: Row, net: Trained, cells: Path, report: dict[str, Any], *, code: str, device: Path) -> Converted:
    """The device file held against the net as trained, on the cells that ``convert`` judged on."""
    positive = COLLECTIONS[row.cells].positive
    small = judged(cells, row.cells, report["cells"]["check"])
    theirs, own = _as_trained(row, net, cells, small, report)
    if not report["passed"]:
        return Converted(report, None, own, code)
    thresholds = (_threshold(report, "as_trained"), float(report["threshold"]))
    mine = Classifier(read_model(device)).scores(small.images)
    return Converted(report, paired((theirs, mine), thresholds, small, positive), own, code)


def judged(cells: Path, collection: str, count: int) -> CellSet:
    """The cells ``convert`` judged on with its usual seed, at the device's size."""
    return some(split(_read(cells, collection, 32))[1], count)


@cache
def _read(cells: Path, collection: str, size: int) -> CellSet:
    known = COLLECTIONS[collection]
    return read_cells(cells, known.labels, CropSpec(size=size), known.group_by, keep_black=True)


def paired(
    scores: tuple[FloatArray, FloatArray], thresholds: tuple[float, float], cells: CellSet, positive: tuple[str, ...]
) -> Paired:
    """The device file against the net as trained.

    Args:
        scores: of the net as trained and of the device file, float32 [n, labels].
        thresholds: of either.
        cells: the cells.
        positive: labels that are suspicious; with none, the highest score counts.
    """
    suspect = np.array([label in positive for label in cells.labels])
    infected = suspect[cells.truth] if suspect.any() else cells.truth == 0
    groups = cells.resampled()

    def verdicts(at: tuple[float, float]) -> np.ndarray:
        both = zip(scores, at, strict=True)
        return np.stack([decide(one, cells.labels, positive, threshold) for one, threshold in both], axis=1)

    def difference(measure: Callable[[np.ndarray, np.ndarray], float], both: np.ndarray) -> Difference:
        def gain(truth: np.ndarray, pair: np.ndarray) -> float:
            return measure(truth, pair[:, 1]) - measure(truth, pair[:, 0])

        values = [measure(infected, both[:, i]) for i in (0, 1)]
        return Difference(values[0], values[1], figure_interval(gain, infected, both, groups, _RESAMPLES))

    def share(_: np.ndarray, right: np.ndarray) -> float:
        return float(right.mean())

    halves, operating = verdicts((HALF, HALF)), verdicts(thresholds)
    same = operating[:, 0] == operating[:, 1]
    areas = np.stack([one[:, suspect].sum(axis=1) for one in scores], axis=1)
    return Paired(
        cells=len(cells),
        groups=len(np.unique(cells.groups)),
        accuracy=difference(share, halves == cells.truth[:, None]),
        agreement_at_half=float((halves[:, 0] == halves[:, 1]).mean()),
        interval=share_interval(halves[:, 1] == cells.truth, groups),
        operating=difference(share, operating == cells.truth[:, None]),
        auc=difference(auc, areas) if suspect.any() else None,
        agreement=float(same.mean()),
        agreement_interval=share_interval(same, groups),
    )


def _threshold(report: dict[str, Any], which: str) -> float:
    return float(report["figures"][which].get("threshold", HALF))


def _as_trained(
    row: Row, net: Trained, cells: Path, check: CellSet, report: dict[str, Any]
) -> tuple[FloatArray, tuple[float, float] | None]:
    """Scores of the trained net on these cells, kept for the next time, and its accuracy as the notebook reads them."""
    names = hashlib.sha256("\n".join((report["model"]["sha256"], *check.names)).encode()).hexdigest()[:16]
    kept = net.path.parent / f"{row.name}-{names}.npz"
    if not kept.exists():
        model = _loaded(net.path)
        whole = _read(cells, row.cells, row.side)
        native = whole.named(check.names).images
        scores = as_scores(outputs(model, native, RANGES["0..1"], row.colour), logits=False)
        own = np.zeros(0, np.float32)
        if 0 < report["model"]["macs"] < _OWN_READING_MACS:
            rgb = notebook_rgb([cells / name for name in check.names], row.side)
            own = as_scores(outputs(model, rgb, RANGES["0..1"], row.colour), logits=False)
        np.savez(kept, scores=scores, own=own)
    with np.load(kept) as data:
        scores, own = data["scores"], data["own"]
    positive = COLLECTIONS[row.cells].positive
    threshold = _threshold(report, "as_trained")
    verdict = decide(scores, check.labels, positive, threshold)
    accuracy = float((verdict == check.truth).mean())
    if abs(accuracy - report["figures"]["as_trained"]["accuracy"]) > 1e-3:
        raise RuntimeError(f"{row.name}: {accuracy} here, {report['figures']['as_trained']['accuracy']} in the report")
    if not len(own):
        return scores, None
    theirs = decide(own, check.labels, positive, threshold)
    return scores, (float((theirs == check.truth).mean()), float((theirs == verdict).mean()))


def _loaded(path: Path) -> Any:
    from convert.reading.load import load_model  # noqa: PLC0415 - TensorFlow
    from convert.reading.source import open_source  # noqa: PLC0415

    return load_model(open_source(path))


def code_digest(place: Path) -> str:
    """Which code converted: of all Python files below ``place``."""
    whole = hashlib.sha256()
    for path in sorted(place.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def from_json(raw: dict[str, Any]) -> Converted:
    """What ``asdict`` and JSON made of a ``Converted``."""
    pair: dict[str, Any] | None = raw["paired"]
    if pair is not None:
        pair = {key: _untold(value) for key, value in pair.items()}
    return Converted(raw["report"], Paired(**pair) if pair else None, _untold(raw["own_reading"]), raw["code"])


def _untold(value: Any) -> Any:
    """JSON's lists and objects back to pairs and differences."""
    if isinstance(value, dict):
        return Difference(**{key: _untold(one) for key, one in value.items()})
    return tuple(value) if isinstance(value, list) else value
