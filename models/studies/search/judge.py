"""A candidate's device file on cells of the fold that is held out: NIH cells of unseen slides, fields of unseen blocks end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.bootstrap import figure_interval
from convert.measure.metrics import accuracy, auc, sensitivity_at
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.errors import OutputError
from edge.finders.learned import LearnedFinder
from edge.macs import macs
from edge.modelfile import ModelFile, read_model
from edge.safe_file import write_text
from edge.types import UInt8Array
from models.data.fields import AnnotatedField, load_iml
from models.data.nih import crops_of, infected
from models.judge.figures import Measurement, exact
from models.judge.finder_thresholds import at_false_positives
from models.judge.scores import score_fields
from models.judge.unseen import finds_of
from models.studies.search.make import Plan
from models.train.finder import nih_rows
from models.train.shelf_classifier import SPEC

RATE = 0.01
"""Share of the uninfected finds that the threshold lets through; it is chosen on the very cells that are judged."""

VERSION = 1
"""Of the kept figures."""

NIH_FIGURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "AUC": auc,
    "sensitivity at 1 % false positives": partial(sensitivity_at, rate=0.01),
    "sensitivity at 0.1 % false positives": partial(sensitivity_at, rate=0.001),
}


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """What candidates are judged on; none of them, nor the finder, ever saw it.

    Attributes:
        crops: of NIH cells, RGB uint8 [n, 32, 32, 3].
        infected: published label, bool [n].
        slides: str [n].
        finder: of the fields.
        fields: of the held-out blocks.
    """

    crops: UInt8Array
    infected: np.ndarray
    slides: np.ndarray
    finder: LearnedFinder
    fields: list[AnnotatedField]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a device file is worth.

    Attributes:
        sha256: of the file's flatbuffer.
        macs: multiply-accumulates per cell, read off the file.
        nih: by figure of ``NIH_FIGURES``, intervals over slides.
        slides: NIH slides.
        found: infected cells found end to end at ``RATE``, what the finder lost counted as missed; exact interval.
        lost: infected cells that the finder lost.
        healthy: uninfected finds that the threshold was chosen on.
    """

    sha256: str
    macs: int
    nih: dict[str, Measurement]
    slides: int
    found: Measurement
    lost: int
    healthy: int


def exam(plan: Plan, finders: list[Path]) -> Exam:
    """The held-out cells.

    Args:
        plan: says what is held out.
        finders: fold files, of which the one is taken that never saw the plan's blocks.

    Raises:
        CellsError: all finders saw some of them.
    """
    rows = [row for row in nih_rows() if row["slide"] in plan.slides]
    with quiet_native_stderr():
        finder = LearnedFinder(unseeing(finders, plan.blocks))
    return Exam(
        crops_of(rows, SPEC),
        infected(rows),
        np.array([row["slide"] for row in rows]),
        finder,
        [field for field in load_iml() if field.block in plan.blocks],
    )


def unseeing(finders: list[Path], blocks: tuple[int, ...]) -> ModelFile:
    """The finder whose card says that it never saw these blocks; raises CellsError."""
    for path in finders:
        model = read_model(path)
        held_out = model.card.training.get("held_out_blocks", ()) if model.card is not None else ()
        if set(blocks) <= set(held_out):
            return model
    raise CellsError(f"no finder among {len(finders)} fold files held out blocks {', '.join(map(str, blocks))}")


def judged(path: Path, get: Callable[[], Exam]) -> Judged:
    """The figures of a device file, from the note beside it where there is one of the same file.

    Args:
        path: of the file.
        get: gives the exam; called only where there is something to judge.

    Raises:
        OutputError: the figures cannot be kept.
    """
    model, note = read_model(path), path.with_name("judged.json")
    if (kept := read_judged(note)) is not None and kept.sha256 == model.sha256:
        return kept
    test = get()
    with quiet_native_stderr():
        classifier = Classifier(model)
        score = classifier.scores(test.crops)[:, 1].astype(float)
        cells, (found,) = score_fields(finds_of(test.finder, test.fields), [classifier])
    limit = at_false_positives(found, cells.infected, RATE)
    hits = int((found[cells.infected] >= limit).sum())
    result = Judged(
        model.sha256,
        macs(model.flatbuffer),
        {name: _measured(figure, test, score, name) for name, figure in NIH_FIGURES.items()},
        len(np.unique(test.slides)),
        exact(hits, cells.total),
        cells.lost,
        int((~cells.infected).sum()),
    )
    try:
        np.save(scores_of(path), score.astype(np.float32))
    except OSError as error:
        raise OutputError(f"{scores_of(path)}: cannot be written: {error.strerror or error}") from error
    write_text(note, json.dumps({"version": VERSION, **asdict(result)}, indent=1) + "\n")
    return result


def scores_of(path: Path) -> Path:
    """Where a device file's scores of the exam's NIH cells are kept, float32 [n]."""
    return path.with_name("nih.npy")


def _measured(
    figure: Callable[[np.ndarray, np.ndarray], float], test: Exam, score: np.ndarray, name: str
) -> Measurement:
    low, high = figure_interval(figure, test.infected, score, test.slides)
    n = int(test.infected.sum()) if name.startswith("sensitivity") else len(score)
    return Measurement(figure(test.infected, score), low, high, n)


def read_judged(note: Path) -> Judged | None:
    """What was kept; None where nothing was, or of another version of this program."""
    if not note.is_file():
        return None
    raw = json.loads(note.read_text())
    if raw.pop("version", None) != VERSION:
        return None
    nih = {name: Measurement(**value) for name, value in raw.pop("nih").items()}
    return Judged(**{**raw, "nih": nih, "found": Measurement(**raw["found"])})
