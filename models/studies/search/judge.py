"""A candidate's device file on the held-out fold: NIH cells of unseen slides, and fields of unseen blocks end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.finders.learned import LearnedFinder
from edge.macs import macs
from edge.modelfile import ModelFile, read_model
from edge.safe_file import whole_path, write_text
from models.data.cells import FOUND, LabelledCells
from models.data.classes import ClassMapping
from models.data.crops import LABELS
from models.data.fields import ImlField, load_iml
from models.data.nih import crops_of, infected, nih_rows
from models.judge.figures import CellScores, Measurement, exact, two_sided
from models.judge.finder_thresholds import at_false_positives
from models.judge.scores import score_fields
from models.judge.unseen import finds_of
from models.studies.search.candidates import SPEC
from models.studies.search.make import SearchPlan

RATE = 0.01
"""Share of the uninfected finds that count as positive; the threshold is chosen on the very cells that are judged."""

VERSION = 2
"""Version of the kept figures; those of another one are measured again."""

AUC, ACCURACY, AT_1, AT_01 = "auc", "accuracy", "sensitivity_at_1_percent_fp", "sensitivity_at_0.1_percent_fp"
"""The figures of ``models.judge.figures`` that are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutSet:
    """What candidates are judged on; neither they nor the finder ever saw it.

    Attributes:
        cells: NIH cells, coloured as the nets see them.
        finder: of the fields.
        fields: of the held-out blocks.
    """

    cells: LabelledCells
    finder: LearnedFinder
    fields: list[ImlField]


@dataclass(frozen=True, slots=True)
class CandidateFigures:
    """What a device file is worth.

    Attributes:
        sha256: of the file's flatbuffer.
        macs: multiply-accumulates per cell, read off the file.
        nih: by key of ``models.judge.figures.FIGURES``, intervals over slides.
        slides: NIH slides.
        found: infected cells found end to end at ``RATE``; cells that the finder lost count as missed; exact interval.
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


def held_out_set(plan: SearchPlan, finders: list[Path]) -> HeldOutSet:
    """The held-out cells and fields.

    Args:
        plan: says what is held out.
        finders: fold files; the one that never saw the plan's blocks is taken.

    Raises:
        CellsError: all finders saw some of them.
    """
    rows = [row for row in nih_rows() if row["slide"] in plan.slides]
    with quiet_native_stderr():
        finder = LearnedFinder(unseeing(finders, plan.blocks))
    names, fields = np.unique([row["slide"] for row in rows], return_inverse=True)
    role = np.full(len(rows), FOUND, np.int8)
    truth = infected(rows).astype(np.int32)
    cells = LabelledCells(crops_of(rows, SPEC), truth, LABELS, names[fields], fields.astype(np.int32), role)
    return HeldOutSet(cells, finder, [field for field in load_iml() if field.block in plan.blocks])


def unseeing(finders: list[Path], blocks: tuple[int, ...]) -> ModelFile:
    """The finder whose card says that it never saw these blocks; raises CellsError where there is none."""
    for path in finders:
        model = read_model(path)
        held_out = model.card.training.get("held_out_blocks", ()) if model.card is not None else ()
        if set(blocks) <= set(held_out):
            return model
    raise CellsError(f"no finder among {len(finders)} fold files held out blocks {', '.join(map(str, blocks))}")


def judge(path: Path, get: Callable[[], HeldOutSet]) -> CandidateFigures:
    """The figures of a device file, read from the note beside it where that is of the same file.

    Args:
        path: of the file.
        get: gives the held-out set; called only where there is something to judge.

    Raises:
        OutputError: the figures cannot be kept.
    """
    model, note = read_model(path), path.with_name("judged.json")
    if (kept := read_figures(note)) is not None and kept.sha256 == model.sha256:
        return kept
    given = get()
    with quiet_native_stderr():
        classifier = Classifier(model)
        scores = classifier.scores(given.cells.crops)
        fields, (found,) = score_fields(finds_of(given.finder, given.fields), [classifier])
    fit = ClassMapping(np.arange(len(LABELS), dtype=np.int32), classifier.card.positive_mask)
    scored = CellScores(classifier.card, fit, given.cells, scores)
    limit = at_false_positives(found, fields.infected, RATE)
    hits = int((found[fields.infected] >= limit).sum())
    result = CandidateFigures(
        model.sha256,
        macs(model.flatbuffer),
        {key: Measurement(**value) for key, value in two_sided(scored).items()},
        len(np.unique(given.cells.groups)),
        exact(hits, fields.total),
        fields.lost,
        int((~fields.infected).sum()),
    )
    with whole_path(scores_of(path)) as part:
        np.savez(part, score=scored.suspicion, infected=scored.positive, slides=given.cells.groups)
    write_text(note, json.dumps({"version": VERSION, **asdict(result)}, indent=1) + "\n")
    return result


def scores_of(path: Path) -> Path:
    """Where a device file's scores of the held-out NIH cells are kept: score float32 [n], infected bool [n], slides str [n]."""
    return path.with_name("nih.npz")


def read_figures(note: Path) -> CandidateFigures | None:
    """What was kept; None where nothing was, or by another version of this program."""
    if not note.is_file():
        return None
    raw = json.loads(note.read_text())
    if raw.pop("version", None) != VERSION:
        return None
    nih = {name: Measurement(**value) for name, value in raw.pop("nih").items()}
    return CandidateFigures(**{**raw, "nih": nih, "found": Measurement(**raw["found"])})
