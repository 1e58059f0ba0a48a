"""Convert a trained founding net with ``edge-convert quantize``, and compare the device file with that net.

Both are judged on cells that neither training nor converter saw.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from convert.classify.job import Task
from convert.classify.make import quantize
from convert.measure.cells import CellSet
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
from models.studies.founding.compare import (
    PairedDifference,
    PairedFigures,
    SecondLabelFigures,
    by_second_labels,
    compare,
)
from models.studies.founding.course import Say
from models.studies.founding.data import COLLECTIONS, Part, Protocol, folder, notebook_rgb, second_labels
from models.studies.founding.rows import FoundingRow, row_key
from models.studies.founding.train import TrainedNet
from models.studies.kept import code_digest

_OWN_READING_MACS = 1e8  # of a net; larger nets are not judged once more on cells as the notebook reads them


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
    cut = _read(place, row.cells, int(made.report["crop_size"]), str(made.report.get("crop_shape", "square")))
    before = _threshold(made.report, "as_trained")
    theirs, own = _as_trained(row, net, place, cut.names, made.report)
    if not made.report["passed"]:
        return ConversionFigures(made.report, net.epochs, None, None, own, made.code)
    mine = Classifier(read_model(made.device)).scores(cut.images)
    thresholds = (before, float(made.report["threshold"]))
    pair = compare((theirs, mine), thresholds, cut, collection.positive)
    known = second_labels(row.cells, work) if protocol is Protocol.NOTEBOOK else {}
    second = by_second_labels((theirs, mine), cut, known, collection.positive)
    return ConversionFigures(made.report, net.epochs, pair, second, own, made.code)


@cache
def _read(cells: Path, collection: str, size: int, shape: str = "square") -> CellSet:
    known = COLLECTIONS[collection]
    return read_cells(cells, known.labels, CropSpec(size=size, shape=shape), known.group_by, keep_black=True)


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
