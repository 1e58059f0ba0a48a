"""Convert a trained founding net with ``edge-convert quantize``, and compare the device file with that net, cell by cell.

Differences are paired: both nets are judged on the same cells, and slides are resampled for both at once. Such an interval is
much narrower than those of the two accuracies, since a slide that is hard for one net is hard for the other.
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
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.classifier import Classifier
from edge.modelfile import CropSpec, read_model
from edge.types import FloatArray
from models.places import REPOSITORY
from models.studies.founding.data import COLLECTIONS, folder, notebook_rgb
from models.studies.founding.train import FoundingRow, Say, TrainedNet
from models.studies.kept import code_digest

_RESAMPLES = 300  # of each paired interval
_OWN_READING_MACS = 1e8  # of a net; larger nets are not judged once more on cells as the notebook reads them
_SAME_ACCURACY = 1e-3  # that the report and this room may differ by
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A figure (accuracy or AUC, 0..1) of the net as trained and of its device file, and the 95 % interval of the gain by slide."""

    before: float
    after: float
    interval: Interval

    @property
    def value(self) -> float:
        """The gain; negative where the device file is worse."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class PairedFigures:
    """A device file compared with the net as trained, on the same cells.

    Attributes:
        cells: that were judged.
        groups: slides, or cells where they stand alone.
        accuracy: at a threshold of one half (without positive classes: of the class with the highest score).
        agreement_at_half: share of cells that both nets put into the same class, at one half.
        interval: 95 % interval by slide of the device file's own accuracy.
        operating: accuracy, each at its own operating threshold.
        auc: None where no class is positive.
        agreement: share of cells that both put into the same class, each at its own operating threshold.
        agreement_interval: 95 % interval of it by slide.
    """

    cells: int
    groups: int
    accuracy: PairedDifference
    agreement_at_half: float
    interval: Interval
    operating: PairedDifference
    auc: PairedDifference | None
    agreement: float
    agreement_interval: Interval


@dataclass(frozen=True, slots=True)
class ConversionFigures:
    """One row's figures.

    Attributes:
        report: what ``convert`` says of its work.
        paired: None where the gate refused the device file.
        own_reading: accuracy and agreement of the trained net on the same cells as the notebook's code reads them,
            compared with ``convert``'s reading; None for large nets.
        code: digest of all files of ``convert``: any change there counts as other code.
    """

    report: dict[str, Any]
    paired: PairedFigures | None
    own_reading: tuple[float, float] | None
    code: str


def convert_net(row: FoundingRow, net: TrainedNet, work: Path, say: Say, *, again: bool) -> ConversionFigures:
    """The row's figures; read from ``work`` where they are kept, unless ``again``."""
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


def figures(
    row: FoundingRow, net: TrainedNet, cells: Path, report: dict[str, Any], *, code: str, device: Path
) -> ConversionFigures:
    """The device file compared with the net as trained, on the cells that ``convert`` judged on."""
    positive = COLLECTIONS[row.cells].positive
    small = judged_cells(cells, row.cells, report["cells"]["check"])
    theirs, own = _as_trained(row, net, cells, small, report)
    if not report["passed"]:
        return ConversionFigures(report, None, own, code)
    thresholds = (_threshold(report, "as_trained"), float(report["threshold"]))
    mine = Classifier(read_model(device)).scores(small.images)
    return ConversionFigures(report, compare((theirs, mine), thresholds, small, positive), own, code)


def judged_cells(cells: Path, collection: str, count: int) -> CellSet:
    """The cells ``convert`` judged on with its usual seed, at the device's size."""
    return some(split(_read(cells, collection, 32))[1], count)


@cache
def _read(cells: Path, collection: str, size: int) -> CellSet:
    known = COLLECTIONS[collection]
    return read_cells(cells, known.labels, CropSpec(size=size), known.group_by, keep_black=True)


def compare(
    scores: tuple[FloatArray, FloatArray], thresholds: tuple[float, float], cells: CellSet, positive: tuple[str, ...]
) -> PairedFigures:
    """Compare the device file with the net as trained.

    Args:
        scores: of the net as trained and of the device file, float32 [n, labels].
        thresholds: of the same two.
        cells: the cells.
        positive: labels that make a sample suspicious; with none, the highest score counts.
    """
    suspect = np.array([label in positive for label in cells.labels])
    infected = suspect[cells.truth] if suspect.any() else cells.truth == 0
    groups = cells.resampled()

    def verdicts(at: tuple[float, float]) -> np.ndarray:
        both = zip(scores, at, strict=True)
        return np.stack([decide(one, cells.labels, positive, threshold) for one, threshold in both], axis=1)

    def difference(measure: Callable[[np.ndarray, np.ndarray], float], both: np.ndarray) -> PairedDifference:
        def gain(truth: np.ndarray, pair: np.ndarray) -> float:
            return measure(truth, pair[:, 1]) - measure(truth, pair[:, 0])

        values = [measure(infected, both[:, i]) for i in (0, 1)]
        return PairedDifference(values[0], values[1], figure_interval(gain, infected, both, groups, _RESAMPLES))

    def share(_: np.ndarray, right: np.ndarray) -> float:
        return float(right.mean())

    halves, operating = verdicts((HALF, HALF)), verdicts(thresholds)
    same = operating[:, 0] == operating[:, 1]
    areas = np.stack([one[:, suspect].sum(axis=1) for one in scores], axis=1)
    return PairedFigures(
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
    row: FoundingRow, net: TrainedNet, cells: Path, check: CellSet, report: dict[str, Any]
) -> tuple[FloatArray, tuple[float, float] | None]:
    """Scores of the trained net on these cells, which are kept, and its accuracy and agreement as the notebook reads the cells."""
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
    if abs(accuracy - report["figures"]["as_trained"]["accuracy"]) > _SAME_ACCURACY:
        raise RuntimeError(f"{row.name}: {accuracy} here, {report['figures']['as_trained']['accuracy']} in the report")
    if not len(own):
        return scores, None
    theirs = decide(own, check.labels, positive, threshold)
    return scores, (float((theirs == check.truth).mean()), float((theirs == verdict).mean()))


def _loaded(path: Path) -> Any:

    return load_model(open_source(path))


def from_json(raw: dict[str, Any]) -> ConversionFigures:
    """What ``asdict`` and JSON made of a ``ConversionFigures``."""
    pair: dict[str, Any] | None = raw["paired"]
    if pair is not None:
        pair = {key: _from_plain(value) for key, value in pair.items()}
    return ConversionFigures(
        raw["report"], PairedFigures(**pair) if pair else None, _from_plain(raw["own_reading"]), raw["code"]
    )


def _from_plain(value: Any) -> Any:
    """JSON's lists and objects as pairs and differences again."""
    if isinstance(value, dict):
        return PairedDifference(**{key: _from_plain(one) for key, one in value.items()})
    return tuple(value) if isinstance(value, list) else value
