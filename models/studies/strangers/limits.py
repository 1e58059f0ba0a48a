"""What two limits of the converter rest on, measured: what luck gives a net with random weights, and how long a student learns.

| limit | where | measured here |
|---|---|---|
| an unusual value range or colour must tell so many cells right | ``convert.classify.preprocess.UNUSUAL`` | untrained nets |
| steps that a student is trained for | ``convert.classify.distill.STEPS`` | agreement with its teacher by steps |
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convert.classify import preprocess, student
from convert.classify.distill import STEPS, Lesson
from convert.classify.preprocess import InputOptions, Preprocessing
from convert.classify.teacher import Teacher
from convert.measure.cells import CellSet, some
from convert.measure.reading import read_cells
from convert.measure.scoring import as_scores, outputs
from convert.net.rewrite import SIZE, count_macs
from convert.net.values import RANGES
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.crops import to_colour
from edge.modelfile import CropSpec
from edge.safe_file import write_text
from models.report.markdown import paragraph, table
from models.studies.founding.course import Say
from models.studies.founding.data import COLLECTIONS, Part, Protocol, folder
from models.studies.founding.nets import keras_module
from models.studies.strangers.conversion import CELLS, JUDGED
from models.studies.strangers.facts import FACTS
from models.studies.strangers.nets import NETS, build
from models.studies.strangers.train import labels, train

LIMITS_FILE = "limits.json"
"""Kept beside the facts of the nets."""

_UNTRAINED_SIDE = 64  # pixels of the largest net that is tried untrained
_SEEDS = 5  # of each untrained net's weights
_TRIAL_CELLS = 300  # as many as the converter tries at most
_TEACHERS = ("tutorial_64", "residual_48")
_MANY = 2600  # cells for a converter that has many
_STEPS = (200, 400, 800, 1600)  # of training


@dataclass(frozen=True, slots=True)
class StudentFacts:
    """Students of one teacher: the share of the judging cells that each counts as its teacher does, 0..1, by steps of training."""

    teacher: str
    cells: int
    agreement: dict[str, float]


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What was measured.

    Attributes:
        untrained: balanced accuracy 0..1 of each net with random weights under the best combination but the usual one.
        cells: that they were tried on.
        students: of each teacher and number of cells.
    """

    untrained: tuple[float, ...]
    cells: int
    students: tuple[StudentFacts, ...]


def kept_limits(place: Path = FACTS) -> LimitFacts | None:
    """What is kept of them; None: not measured yet."""
    path = place / LIMITS_FILE
    if not path.exists():
        return None
    raw = json.loads(path.read_text())
    students = tuple(StudentFacts(**one) for one in raw["students"])
    return LimitFacts(tuple(raw["untrained"]), raw["cells"], students)


def measure(work: Path, say: Say, place: Path = FACTS) -> LimitFacts:
    """Measure both and keep them; raises OutputError."""
    untrained = tuple(_untrained(work, say))
    found = LimitFacts(untrained, _TRIAL_CELLS, tuple(_students(work, say)))
    place.mkdir(parents=True, exist_ok=True)
    write_text(place / LIMITS_FILE, json.dumps(asdict(found), indent=1) + "\n")
    return found


def _cells(work: Path, part: Part, most: int, names: tuple[str, ...], size: int) -> CellSet:
    place = folder("nih", work, Protocol.SLIDES, part, most)
    return read_cells(place, names, CropSpec(size=size), COLLECTIONS["nih"].group_by, keep_black=True)


def _untrained(work: Path, say: Say) -> Sequence[float]:
    found = []
    for net in NETS:
        if net.side > _UNTRAINED_SIDE:
            continue
        cells = some(_cells(work, Part.CONVERSION, CELLS, labels(net), net.side), _TRIAL_CELLS)
        for seed in range(_SEEDS):
            keras_module().utils.set_random_seed(seed)
            tried = preprocess.find(build(net), cells, InputOptions(), affordable=_TRIAL_CELLS).tried
            found.append(max(accuracy for _, accuracy in tried[1:]))
            say(f"{net.name} with random weights {seed + 1} of {_SEEDS}: {found[-1]:.1%} at best")
    return found


def _students(work: Path, say: Say) -> Sequence[StudentFacts]:
    found = []
    for net in (one for one in NETS if one.name in _TEACHERS):
        model = load_model(open_source(train(net, work, say).path))
        prep = Preprocessing(RANGES[net.values], net.colour, logits=False)
        teacher = Teacher(model, prep, count_macs(model, net.side, net.side))
        judged, names = _cells(work, Part.JUDGING, JUDGED, labels(net), net.side), labels(net)
        theirs = as_scores(outputs(model, judged.images, prep.values, prep.colour), logits=False).argmax(axis=1)
        seen = _cells(work, Part.JUDGING, JUDGED, names, SIZE).named(judged.names)
        for most in (CELLS, _MANY):
            native = _cells(work, Part.CONVERSION, most, names, net.side)
            small = _cells(work, Part.CONVERSION, most, names, SIZE).named(native.names)
            _, crops, targets = Lesson(teacher, native, small, 0, _quiet).learnt()
            trainer = student.StudentTrainer(student.WIDTHS[0], targets.shape[1], crops.shape[3])
            agreement = {}
            for steps in _STEPS:
                trainer.train(crops, targets, steps, seed=0, progress=_untold)
                mine = student.scores(trainer.net, to_colour(seen.images, "grey" if net.channels == 1 else "rgb"))
                agreement[str(steps)] = float((_classes(mine) == theirs).mean())
                say(f"{net.name}, {most} cells: {steps} steps, {agreement[str(steps)]:.1%} as the teacher")
            found.append(StudentFacts(net.name, most, agreement))
    return found


def _classes(scores: Any) -> Any:
    return scores.argmax(axis=1)


def _quiet(_doing: str, _at: float) -> None:
    """No progress."""


def _untold(_share: float) -> None:
    """Likewise."""


def lines(found: LimitFacts | None) -> list[str]:
    """The page's part on them."""
    if found is None:
        return []
    asked = 0.5 + preprocess.UNUSUAL
    rows = [
        (f"`{one.teacher}`", f"{one.cells:,}", *(f"{share * 100:.1f}" for share in one.agreement.values()))
        for one in found.students
    ]
    steps = [f"{count} steps" for count in (found.students[0].agreement if found.students else ())]
    return [
        "\n## What two limits of the converter rest on\n",
        *paragraph(
            f"Nets with random weights ({len(found.untrained)}), each on {found.cells} cells under all value ranges, colours and "
            f"class orders but the usual one: the best tells {max(found.untrained):.1%} right. So what is not the usual must tell "
            f"{asked:.0%} right before it is taken."
        ),
        "",
        *paragraph(
            f"Students of `distill` (the smaller size): share of {JUDGED} other cells that they count as their teacher does, in %, "
            f"by the steps that they were trained for. The converter trains for up to {STEPS}."
        ),
        "",
        *table(("teacher", "cells", *steps), rows),
    ]
