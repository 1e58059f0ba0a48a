"""A stranger's net is converted with default options, timed, and judged on cells that neither training nor converter saw."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.operating import HALF
from convert.measure.paired import paired_loss
from convert.measure.reading import read_cells
from convert.measure.scoring import as_scores, decide, outputs
from convert.net.values import RANGES
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.classifier import Classifier
from edge.modelfile import CropSpec, read_model
from edge.types import UInt8Array
from models.places import REPOSITORY
from models.studies.founding.data import COLLECTIONS, Part, Protocol, folder
from models.studies.kept import code_digest
from models.studies.strangers.facts import ConversionFacts, JudgedFacts, StrangerFacts
from models.studies.strangers.nets import StrangerNet
from models.studies.strangers.train import TrainedStranger, labels, read

CELLS, JUDGED = 600, 500
"""Cells that a stranger has for the converter, and others that judge."""

_PROGRAM = "import sys; from convert.cli import main; sys.argv[0] = 'edge-convert'; main()"
_PATH = re.compile(r"(?:/[^\s:/]+)+/")  # the folders before a file's name
_LONGEST = 300  # characters of a refusal that are kept


@dataclass(frozen=True, slots=True)
class _Done:
    """A conversion that ended: its code, its last line, its report (None: there is none), and what it took in seconds."""

    code: int
    line: str
    report: dict[str, Any] | None
    wall: float
    processor: float
    load: float


def convert(net: StrangerNet, made: TrainedStranger, work: Path) -> StrangerFacts:
    """Convert as a child process with default options, and judge what comes out."""
    done, device = _converted(net, made, work)
    report = done.report or {}
    model = report.get("model", {})
    facts = ConversionFacts(
        code=code_digest(REPOSITORY / "convert"),
        exit_code=done.code,
        message="" if done.code == 0 else done.line,
        way=report.get("way"),
        recipe=report.get("recipe"),
        verdict=report.get("verdict"),
        warnings=tuple(report.get("warnings", ())),
        value_range=report.get("value_range"),
        colour=report.get("colour"),
        wall_s=round(done.wall, 1),
        processor_s=round(done.processor, 1),
        cores=len(os.sched_getaffinity(0)),
        load=round(done.load, 2),
        device_bytes=report.get("device_bytes"),
        device_macs=report.get("device_macs"),
    )
    judged = _judged(net, made, device, work) if done.code == 0 else None
    return StrangerFacts(
        net.name, made.cells, made.epochs, made.accuracy, model.get("macs"), model.get("parameters"), facts, judged
    )


def _converted(net: StrangerNet, made: TrainedStranger, work: Path) -> tuple[_Done, Path]:
    cells = folder("nih", work, Protocol.SLIDES, Part.CONVERSION, CELLS)
    place = work / "converted" / net.name
    shutil.rmtree(place, ignore_errors=True)  # the converter's cache too: every run is a stranger's first one
    place.mkdir(parents=True)
    device, report = place / "device.tflite", place / "report.json"
    command = [sys.executable, "-c", _PROGRAM, "quantize", str(made.path), "--cells", str(cells)]
    command += ["-o", str(device), "--report", str(report)]
    paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), "PYTHONPATH": paths}
    load, began = os.getloadavg()[0], time.monotonic()
    with (place / "log.txt").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=environment)  # noqa: S603 - this interpreter
        _, status, used = os.wait4(child.pid, 0)  # what it and its own child used
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    lines = (place / "log.txt").read_text(errors="replace").strip().splitlines() or [""]
    line = _PATH.sub("", lines[-1])[:_LONGEST]
    found = json.loads(report.read_text()) if report.exists() else None
    return _Done(child.returncode, line, found, wall, used.ru_utime + used.ru_stime, load), device


def _judged(net: StrangerNet, made: TrainedStranger, device: Path, work: Path) -> JudgedFacts:
    """The device file on the device's cuts against the net as trained on its author's cuts, cell by cell, from one half."""
    place = folder("nih", work, Protocol.SLIDES, Part.JUDGING, JUDGED)
    classifier = Classifier(read_model(device))
    card = classifier.card
    cells = read_cells(place, card.labels, card.crop, COLLECTIONS["nih"].group_by, keep_black=True)
    mine = decide(classifier.scores(cells.images), card.labels, card.positive, HALF) == cells.truth
    names = labels(net)
    model = load_model(open_source(made.path))
    truth = np.array([card.labels[one] for one in cells.truth])

    def as_trained(images: UInt8Array) -> np.ndarray:
        guess = as_scores(outputs(model, images, RANGES[net.values], net.colour), logits=False).argmax(axis=1)
        return np.asarray(np.array([names[number] for number in guess]) == truth)

    theirs = as_trained(read(net, [place / name for name in cells.names]))
    spec = CropSpec(size=net.side)
    square = read_cells(place, card.labels, spec, COLLECTIONS["nih"].group_by, keep_black=True).named(cells.names)
    same_cuts = as_trained(square.images)
    loss = paired_loss(theirs, mine, cells)
    return JudgedFacts(
        cells=len(cells),
        slides=len(np.unique(cells.groups)),
        before=float(theirs.mean()),
        after=float(mine.mean()),
        lost=loss.lost,
        won=loss.won,
        low=loss.low,
        high=loss.high,
        on_cuts=float(same_cuts.mean()),
        cuts_lost=int((same_cuts & ~mine).sum()),
        cuts_won=int((~same_cuts & mine).sum()),
    )
