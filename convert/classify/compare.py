"""``convert compare``, the part that needs TensorFlow: a trained net against a device file, cell by cell and layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from convert.child import Progress
from convert.classify import preprocess
from convert.classify.preprocess import InputOptions, Preprocessing
from convert.classify.ways import ways_for
from convert.errors import OutputError, UnsupportedError
from convert.measure.cells import CellSet, some
from convert.measure.reading import read_cells
from convert.measure.scoring import as_scores, check_width, decide, figures, outputs, trained_on_black
from convert.net.batch import CONVERTED_AT, feed
from convert.net.int8 import HEALTHY, layer_errors
from convert.net.rewrite import count_macs, net_input
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.classifier import Classifier
from edge.crops import to_colour
from edge.modelfile import Card, read_model
from edge.safe_file import write_bytes
from edge.types import UInt8Array

_MACS = 2e12  # multiply-accumulates that the float net may cost: minutes on two cores
_TRIAL_CELLS = 300  # on which value range and colour are tried
MOST = 60
"""How many cells a contact sheet shows."""

_TILE, _TEXT, _COLUMNS, _GAP = 128, 34, 8, 6  # of a sheet: pixels, but for the columns
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LAYER_CELLS = 10  # on which the error of each layer is measured: every one runs the net twice


def compare(payload: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """For ``run_in_child``: agreement, figures of both, error of each layer; writes the contact sheet to ``sheet``.

    The payload: model, device, cells, group_by, value_range, colour, logits, trust_code, sheet (or None).
    """
    classifier = Classifier(read_model(Path(payload["device"])))
    card = classifier.card
    folder, group_by = Path(payload["cells"]), payload["group_by"]
    progress("loading the model", -1)
    trusted = payload["trust_code"]
    model = load_model(open_source(payload["model"]), Path(trusted) if trusted else None)
    taken = net_input(model)
    side = max(taken.height, taken.width)
    black = trained_on_black(card) or None
    cells = read_cells(folder, card.labels, card.crop, group_by, progress, keep_black=black)
    seen = list(cells.notes)
    check_width(int(model.outputs[0].shape[-1]), cells.labels, Path(payload["model"]).name)
    cost = max(1, count_macs(model, taken.height, taken.width))
    cells = some(cells, int(np.clip(_MACS / cost, 100, len(cells))))
    native = cells
    if side != card.crop.size:
        whole = read_cells(folder, card.labels, replace(card.crop, size=side), group_by, keep_black=black)
        native = whole.named(cells.names)
    options = InputOptions(payload["value_range"], payload["colour"], payload["logits"], card.labels)
    progress("float, as trained", -1)
    affordable = int(min(_TRIAL_CELLS, _MACS / cost / 11))
    prep = preprocess.find(model, native, options, affordable=affordable)
    theirs = as_scores(outputs(model, native.images, prep.values, prep.colour), logits=prep.logits)
    progress("int8, device", -1)
    mine = classifier.scores(cells.images)
    verdicts = [decide(scores, card.labels, card.positive, card.threshold) for scores in (theirs, mine)]
    differ = np.flatnonzero(verdicts[0] != verdicts[1])
    differ = differ[np.argsort(-np.abs(theirs - mine).max(axis=1)[differ], kind="stable")]
    if payload["sheet"]:
        said = [
            [f"{card.labels[v[i]][:8]} {s[i].max():.2f}" for v, s in zip(verdicts, (theirs, mine), strict=True)]
            for i in differ
        ]
        lines = [(" > ".join(both), f"is {card.labels[cells.truth[i]]}") for both, i in zip(said, differ, strict=True)]
        write_sheet(Path(payload["sheet"]), cells.images[differ], lines)
    notes = [*prep.notes, *seen]
    progress("error of each layer", -1)
    layers = _layers(model, prep, card, cells, notes)
    if card.source_sha256 and card.source_sha256 != open_source(payload["model"]).sha256:
        notes.append("the device file's card names another source file than this one")
    return {
        "cells": {"check": len(cells), "check_groups": len(np.unique(cells.groups))},
        "agreement": float((verdicts[0] == verdicts[1]).mean()),
        "largest_difference": float(np.abs(theirs - mine).max()),
        "figures": {
            "as_trained": figures(theirs, cells, card.positive, card.threshold),
            "int8": figures(mine, cells, card.positive, card.threshold),
        },
        "disagree": [cells.names[i] for i in differ],
        "layers": layers,
        "healthy_layer": HEALTHY,
        "value_range": prep.values.name,
        "colour": prep.colour,
        "warnings": notes,
    }


def _layers(model: Any, prep: Preprocessing, card: Card, cells: CellSet, notes: list[str]) -> list[dict[str, Any]]:
    """Error of each layer, worst first; none where the device file is of another net, which is noted."""
    way = str(card.training.get("way_to_32x32", "native"))
    if way == "distill":
        notes.append("no error per layer: the device file holds a distilled student, not the layers of this net")
        return []
    try:
        ways, _ = ways_for(model, prep.values, way, logits=prep.logits, keep_head=card.output == "probability")
        few = feed(to_colour(some(cells, _LAYER_CELLS, 1).images, prep.colour), prep.values)
        found = layer_errors(ways[0].make(CONVERTED_AT, False), few)
    except UnsupportedError as error:
        notes.append(f"no error per layer: {error}")
        return []
    return [asdict(layer) for layer in sorted(found, key=lambda one: -one.ratio)]


def draw_sheet(images: UInt8Array, lines: Sequence[tuple[str, str]]) -> UInt8Array:
    """A contact sheet, RGB uint8 [h, w, 3]: the first ``MOST`` of RGB uint8 [n, s, s, 3], each with two lines of text."""
    images, lines = images[:MOST], lines[:MOST]
    rows = max(1, -(-len(images) // _COLUMNS))
    height, width = rows * (_TILE + _TEXT + _GAP) + _GAP, _COLUMNS * (_TILE + _GAP) + _GAP
    page = np.full((height, width, 3), 255, np.uint8)
    for number, (image, texts) in enumerate(zip(images, lines, strict=True)):
        row, column = divmod(number, _COLUMNS)
        top, left = _GAP + row * (_TILE + _TEXT + _GAP), _GAP + column * (_TILE + _GAP)
        tile = cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_NEAREST)
        page[top : top + _TILE, left : left + _TILE] = tile
        for line, text in enumerate(texts):
            plain = text.encode("ascii", "replace").decode()[:22]
            cv2.putText(page, plain, (left, top + _TILE + 13 + 15 * line), _FONT, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return page


def write_sheet(path: Path, images: UInt8Array, lines: Sequence[tuple[str, str]]) -> None:
    """Write a contact sheet as PNG; raises OutputError."""
    done, data = cv2.imencode(".png", draw_sheet(images, lines)[..., ::-1])
    if not done:
        raise OutputError(f"{path}: cannot write the contact sheet")
    write_bytes(path, data.tobytes())
