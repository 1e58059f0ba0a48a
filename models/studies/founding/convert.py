"""Convert a trained founding net with ``edge-convert quantize``, and compare the device file with that net, cell by cell.

Both are judged on cells that neither training nor converter saw. Differences are paired: slides are resampled for both nets at
once. Such an interval is much narrower than those of the two accuracies, since a slide that is hard for one net is hard for the
other.
"""

from __future__ import annotations

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
from convert.measure.cells import CellSet
from convert.measure.metrics import auc, sensitivity_at
from convert.measure.operating import HALF
from convert.measure.reading import read_cells
from convert.measure.scoring import as_scores, decide, outputs
from convert.net.values import RANGES
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.classifier import Classifier
from edge.modelfile import CropSpec, read_model
from edge.safe_file import write_text
from edge.types import FloatArray
from models.places import REPOSITORY
from models.studies.founding.data import COLLECTIONS, Part, Protocol, folder, notebook_rgb, second_labels
from models.studies.founding.rows import FoundingRow, row_key
from models.studies.founding.train import Say, TrainedNet
from models.studies.kept import code_digest

_RESAMPLES = 300  # of each paired interval
_OWN_READING_MACS = 1e8  # of a net; larger nets are not judged once more on cells as the notebook reads them
_FALSE_POSITIVES = 0.01  # at which sensitivity is told
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
        sensitivity: at 1 % false positives of the judged cells, of both; None where no class is positive.
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
    sensitivity: tuple[float, float] | None
    agreement: float
    agreement_interval: Interval


@dataclass(frozen=True, slots=True)
class SecondLabelFigures:
    """Accuracy at one half on the cells of the notebook's own test set; each pair is of the net as trained and of its device file.

    Attributes:
        cells: of the test set that are here.
        differ: of them, whose label by the notebook's author is not the published one.
        author: accuracies by the author's labels.
        published: by the published labels.
    """

    cells: int
    differ: int
    author: tuple[float, float]
    published: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ConversionFigures:
    """One row's figures.

    Attributes:
        report: what ``convert`` says of its work.
        epochs: that the net was trained for.
        paired: None where the gate refused the device file.
        second: None where the gate refused the device file, or where none of the notebook's test set is judged on.
        own_reading: accuracy and agreement of the trained net on the same cells as the notebook's code reads them,
            compared with ``convert``'s reading; None for large nets.
        code: digest of all files of ``convert``: any change there counts as other code.
    """

    report: dict[str, Any]
    epochs: int
    paired: PairedFigures | None
    second: SecondLabelFigures | None
    own_reading: tuple[float, float] | None
    code: str


def kept_figures(row: FoundingRow, protocol: Protocol, net: TrainedNet, work: Path) -> ConversionFigures | None:
    """The row's figures where they are kept in ``work`` and of the net as it is now."""
    note = _note(row, protocol, work)
    kept = from_json(json.loads(note.read_text())) if note.exists() else None
    return kept if kept and kept.epochs == net.epochs else None


def convert_net(
    row: FoundingRow, protocol: Protocol, net: TrainedNet, work: Path, say: Say, *, again: bool
) -> ConversionFigures:
    """The row's figures; read from ``work`` where they are kept, unless ``again``."""
    kept = kept_figures(row, protocol, net, work)
    if kept and not again:
        return kept
    key, note = row_key(row, protocol), _note(row, protocol, work)
    note.parent.mkdir(parents=True, exist_ok=True)
    collection = COLLECTIONS[row.cells]
    cells = folder(row.cells, work, protocol, Part.CONVERSION, row.most)
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
            say(f"{key}: {doing}")
        last = doing

    report = quantize(task, None, force=True, progress=told, verbose=False)
    say(f"{key}: {report['way']}, {report['recipe']}, passed: {report['passed']}")
    result = _figures(row, protocol, net, work, _Conversion(report, code, out))
    write_text(note, json.dumps(asdict(result), indent=1) + "\n")
    return result


def _note(row: FoundingRow, protocol: Protocol, work: Path) -> Path:
    return work / "rows" / f"{row_key(row, protocol)}.json"


@dataclass(frozen=True, slots=True)
class _Conversion:
    """What ``convert`` reported, the state of its code, and its device file."""

    report: dict[str, Any]
    code: str
    device: Path


def _figures(row: FoundingRow, protocol: Protocol, net: TrainedNet, work: Path, made: _Conversion) -> ConversionFigures:
    """The device file compared with the net as trained, on the cells to judge on."""
    collection = COLLECTIONS[row.cells]
    place = folder(row.cells, work, protocol, Part.JUDGING, row.most)
    small = _read(place, row.cells, 32)
    before = _threshold(made.report, "as_trained")
    theirs, own = _as_trained(row, net, place, small.names, made.report)
    if not made.report["passed"]:
        return ConversionFigures(made.report, net.epochs, None, None, own, made.code)
    mine = Classifier(read_model(made.device)).scores(small.images)
    thresholds = (before, float(made.report["threshold"]))
    pair = compare((theirs, mine), thresholds, small, collection.positive)
    known = second_labels(row.cells, work) if protocol is Protocol.NOTEBOOK else {}
    second = by_second_labels((theirs, mine), small, known, collection.positive)
    return ConversionFigures(made.report, net.epochs, pair, second, own, made.code)


def by_second_labels(
    scores: tuple[FloatArray, FloatArray], cells: CellSet, known: dict[str, str], positive: tuple[str, ...]
) -> SecondLabelFigures | None:
    """Accuracies by the labels of the notebook's author, by file name; None where none of these cells has one."""
    rows = np.array([i for i, name in enumerate(cells.names) if Path(name).name in known], int)
    if not len(rows):
        return None
    author = np.array([cells.labels.index(known[Path(cells.names[i]).name]) for i in rows])
    published = cells.truth[rows]
    verdicts = [decide(one[rows], cells.labels, positive, HALF) for one in scores]

    def right(labels: np.ndarray) -> tuple[float, float]:
        return (float((verdicts[0] == labels).mean()), float((verdicts[1] == labels).mean()))

    return SecondLabelFigures(len(rows), int((author != published).sum()), right(author), right(published))


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
        sensitivity=_sensitivities(infected, areas) if suspect.any() else None,
        agreement=float(same.mean()),
        agreement_interval=share_interval(same, groups),
    )


def _sensitivities(infected: np.ndarray, both: FloatArray) -> tuple[float, float]:
    before, after = (sensitivity_at(infected, both[:, i], _FALSE_POSITIVES) for i in (0, 1))
    return before, after


def _threshold(report: dict[str, Any], which: str) -> float:
    return float(report["figures"][which].get("threshold", HALF))


def _as_trained(
    row: FoundingRow, net: TrainedNet, place: Path, names: tuple[str, ...], report: dict[str, Any]
) -> tuple[FloatArray, tuple[float, float] | None]:
    """Scores of the trained net on the cells to judge on, and its accuracy and agreement as the notebook reads them."""
    model = load_model(open_source(net.path))
    cells = _read(place, row.cells, row.side).named(names)
    scores = as_scores(outputs(model, cells.images, RANGES["0..1"], row.colour), logits=False)
    if not 0 < report["model"]["macs"] < _OWN_READING_MACS:
        return scores, None
    rgb = notebook_rgb([place / name for name in cells.names], row.side)
    own = as_scores(outputs(model, rgb, RANGES["0..1"], row.colour), logits=False)
    positive, threshold = COLLECTIONS[row.cells].positive, _threshold(report, "as_trained")
    verdict, theirs = (decide(one, cells.labels, positive, threshold) for one in (scores, own))
    return scores, (float((theirs == cells.truth).mean()), float((theirs == verdict).mean()))


def from_json(raw: dict[str, Any]) -> ConversionFigures:
    """What ``asdict`` and JSON made of a ``ConversionFigures``."""
    pair, second = raw["paired"], raw["second"]
    return ConversionFigures(
        raw["report"],
        raw["epochs"],
        pair and PairedFigures(**{key: _from_plain(value) for key, value in pair.items()}),
        second and SecondLabelFigures(**{key: _from_plain(value) for key, value in second.items()}),
        _from_plain(raw["own_reading"]),
        raw["code"],
    )


def _from_plain(value: Any) -> Any:
    """JSON's lists and objects as pairs and differences again."""
    if isinstance(value, dict):
        return PairedDifference(**{key: _from_plain(one) for key, one in value.items()})
    return tuple(value) if isinstance(value, list) else value
