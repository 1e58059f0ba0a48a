"""Whether the peers do the same job: classes like ours on the same cells, and F1 on annotated fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from benchmarks.peers import classify_cases, find_cases
from benchmarks.peers.cells import Rule, cells, make
from benchmarks.peers.fields import FINDERS
from benchmarks.workload import Workload
from edge import shelf
from edge.classifier import Classifier

AGREEMENT: Final = 0.99
"""Least share of cells that a peer must put into our class."""

CELLS: Final = 1024
EVERY: Final = 8
"""Of the annotated fields, every so many is scored: scikit-image takes a while."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One peer: ``figure`` in words, and whether it does the same job (None: not to be judged, or left out)."""

    name: str
    figure: str
    same: bool | None


def check(model: str, fields: str) -> Iterator[Verdict]:
    """Every peer in turn; those whose packages are missing say so."""
    file = shelf.load(model)
    classifier, rule = Classifier(file), Rule(file)
    crops = cells(model, fields, CELLS)
    ours = classifier.classes(classifier.scores(crops))
    for work in classify_cases(model, CELLS, fields)[1:]:
        yield _missing(work) or _agreement(work, rule, crops, ours)
    yield from scores(find_cases(fields))


def _missing(work: Workload) -> Verdict | None:
    missing = [package for package in work.needs if find_spec(package) is None]
    return Verdict(work.name, f"left out: {', '.join(missing)} not installed", None) if missing else None


def _agreement(work: Workload, rule: Rule, crops: np.ndarray, ours: np.ndarray) -> Verdict:
    options: dict[str, Any] = {k: v for k, v in work.parameters.items() if k not in ("net", "model", "count", "fields")}
    if work.parameters["net"] == "onnx":
        options["fields"] = work.parameters["fields"]
    net = make(str(work.parameters["net"]), str(work.parameters["model"]), **options)
    share = float((rule(net(crops)) == ours).mean())
    return Verdict(work.name, f"{share:.4f} of {len(ours)} cells in our class", share >= AGREEMENT)


def scores(cases: Sequence[Workload]) -> Iterator[Verdict]:
    """F1 of every finder on the annotated IML fields; nothing where they are not there."""
    from convert.measure.matching import match_boxes, summarise  # noqa: PLC0415
    from models.data.fields import data_dir, load_iml  # noqa: PLC0415 - the fields of this repository's figures live there

    if not (data_dir() / "iml_fields" / "annotations.json").is_file():
        yield Verdict("peers/find", "left out: no annotated fields (EDGE_DATA)", None)
        return
    annotated = load_iml()[::EVERY]
    for work in cases:
        if not work.setup.endswith(":find"):
            continue
        if lacking := _missing(work):
            yield lacking
            continue
        options = {k: v for k, v in work.parameters.items() if k not in ("how", "fields")}
        find = FINDERS[str(work.parameters["how"])](**options)
        matches = []
        for entry in annotated:
            rgb = entry.read()
            matches.append(match_boxes(find(rgb).boxes, entry.boxes, entry.infected, (rgb.shape[0], rgb.shape[1])))
        total = summarise(matches)
        words = f"F1 {total.f1:.3f}, precision {total.precision:.3f}, recall {total.recall:.3f} at IoU 0.5"
        yield Verdict(work.name, f"{words}, {total.fields} IML fields, {total.cells} cells", None)
