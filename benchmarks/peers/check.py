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
from benchmarks.places import real_images
from benchmarks.workload import Workload
from convert.measure.annotations import AnnotatedField, read_annotations
from convert.measure.fields import read_image
from convert.measure.matching import match_boxes, summarise
from edge import shelf
from edge.classifier import Classifier

AGREEMENT: Final = 0.99
"""Least share of cells that a peer must put into our class."""

CELLS: Final = 1024
"""Cells on which classes are compared."""

EVERY: Final = 8
"""Every eighth annotated field is scored: scikit-image is slow."""


@dataclass(frozen=True, slots=True)
class PeerCheck:
    """One peer: ``figure`` in words, and whether it does the same job (None: not to be judged, or left out)."""

    name: str
    figure: str
    same: bool | None


def check(model: str, fields: str) -> Iterator[PeerCheck]:
    """Every peer in turn; those whose packages are missing say so."""
    file = shelf.load(model)
    classifier, rule = Classifier(file), Rule(file)
    crops = cells(model, fields, CELLS)
    ours = classifier.classes(classifier.scores(crops))
    for work in classify_cases(model, CELLS, fields)[1:]:
        yield _missing(work) or _agreement(work, rule, crops, ours)
    yield from scores(find_cases(fields))


def _missing(work: Workload) -> PeerCheck | None:
    missing = [package for package in work.needs if find_spec(package) is None]
    return PeerCheck(work.name, f"left out: {', '.join(missing)} not installed", None) if missing else None


def _agreement(work: Workload, rule: Rule, crops: np.ndarray, ours: np.ndarray) -> PeerCheck:
    options: dict[str, Any] = {k: v for k, v in work.parameters.items() if k not in ("net", "model", "count", "fields")}
    if work.parameters["net"] == "onnx":
        options["fields"] = work.parameters["fields"]
    net = make(str(work.parameters["net"]), str(work.parameters["model"]), **options)
    share = float((rule(net(crops)) == ours).mean())
    return PeerCheck(work.name, f"{share:.4f} of {len(ours)} cells in our class", share >= AGREEMENT)


def scores(cases: Sequence[Workload]) -> Iterator[PeerCheck]:
    """F1 of every finder on the annotated IML fields; where they are not there, one line says so."""
    folder = real_images() / "iml_fields"
    file = folder / "annotations.json"
    if not file.is_file():
        yield PeerCheck("peers/find", "left out: no annotated fields (EDGE_DATA)", None)
        return
    annotated = read_annotations(folder, file)[::EVERY]
    for work in cases:
        if not work.setup.endswith(":find"):
            continue
        yield _missing(work) or _f1(work, annotated)


def _f1(work: Workload, annotated: Sequence[AnnotatedField]) -> PeerCheck:
    options = {k: v for k, v in work.parameters.items() if k not in ("how", "fields")}
    find = FINDERS[str(work.parameters["how"])](**options)
    matches = []
    for field in annotated:
        rgb = read_image(field)
        infected = np.zeros(len(field.boxes), bool)  # who is infected does not enter into F1
        matches.append(match_boxes(find(rgb).boxes, field.boxes, infected, (rgb.shape[0], rgb.shape[1])))
    total = summarise(matches)
    words = f"F1 {total.f1:.3f}, precision {total.precision:.3f}, recall {total.recall:.3f} at IoU 0.5"
    return PeerCheck(work.name, f"{words}, {total.fields} IML fields, {total.cells} cells", None)
