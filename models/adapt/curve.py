"""``python -m models learning-curve``: how good nets become on a new microscope with 5, 10, 20 ... annotated fields of it.

The nets to start from never saw that microscope: the classifier is trained on single cells of another source, the finder on
fields composed of such cells and on virtual slides. Each draw leaves one group of fields (a block of consecutive images, or a
slide) for judging and puts the others into a random order, of which the first n are adapted on. Every point is kept in a file,
so that a stopped run continues.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.reading import Progress
from edge.safe_file import write_text
from models.adapt import finder as finding
from models.adapt.check import positive_cells
from models.adapt.forgetting import old_figures, value
from models.adapt.streams import AdaptStream
from models.adapt.tune import AdaptationSetup, Say, figures, judge, tuned_classifier, tuned_finder
from models.data.classes import ClassScheme
from models.data.fieldset import Fields
from models.data.folds import FINDER
from models.data.gather import DataOptions
from models.report.markdown import table
from models.train import recipe
from models.train.classifier import CellTraining
from models.train.finder import FinderTraining
from models.train.make import make
from models.train.own import recipe_of
from models.train.records import ANNOTATED, SplitRecipe
from models.train.start import StartingNet, open_start

_FIGURES = {
    "auc": "AUC",
    "found_at_1_percent_fp": "found at 1 % false positives",
    "found_at_0.1_percent_fp": "found at 0.1 % false positives",
    "finder_f1": "finder F1",
    "finder_keeps_positive": "positive cells the finder keeps",
    "old_sensitivity_at_1_percent_fp": "learned before: found at 1 %",
    "old_finder_f1": "learned before: finder F1",
}
"""Columns of the table: key of a point to name."""

_OLD = "old_"  # before the keys of figures on what the nets learned before

_START, _FINDER = "start", "start-finder"  # names of the nets to start from


@dataclass(frozen=True, slots=True)
class CurveSettings:
    """Settings of a learning curve.

    Attributes:
        counts: numbers of annotated fields.
        draws: choices of fields, each judged on another group.
        folder: keeps starting nets and finished points.
    """

    counts: tuple[int, ...]
    draws: int
    folder: Path


def starting_classifier(
    given: DataOptions, folder: Path, training: CellTraining, tell: Progress, say: Say
) -> StartingNet:
    """A classifier trained on single cells only; it is trained once and kept in the folder."""
    out = folder / _START / f"{_START}.tflite"
    if not out.is_file():
        say("training the classifier to start from, on single cells only")
        make(recipe_of(replace(given, fields=()), _START, training), None, out, say, tell)
    return open_start(str(out), "classify")


def starting_finder(folder: Path, training: FinderTraining, say: Say) -> StartingNet:
    """A finder trained without any real field; it is trained once and kept in the folder."""
    path = folder / f"{_FINDER}.tflite"
    if not path.is_file():
        say("training the finder to start from, on composed and virtual fields only")
        usual = recipe.load(FINDER)
        drawn = tuple(one for one in usual.sources if one.form != ANNOTATED)
        own = replace(usual, name=_FINDER, ships=False, split=SplitRecipe(), training=training, sources=drawn)
        make(own, None, path, say)
    return open_start(str(path), "find")


def run(setup: AdaptationSetup, fields: Fields, settings: CurveSettings) -> list[dict[str, Any]]:
    """All points; those that are kept are read.

    Returns:
        a dictionary per point: ``fields``, ``draw``, ``block`` and the figures.

    Raises:
        CellsError: fewer than two groups have a positive cell.
    """
    finding.check_form(setup.finder)
    groups = judged_groups(fields, setup.plan)
    if len(groups) < 2:
        raise CellsError(f"{fields.name}: one block of fields only: nothing is left to judge on")
    points = []
    for draw in range(settings.draws):
        group = groups[draw % len(groups)]
        rest = np.array([one == group for one in fields.fields.groups])
        rng = np.random.default_rng([setup.tuning.cell.seed, draw, AdaptStream.SEQUENCE])
        order = rng.permutation(np.flatnonzero(~rest))
        for count in settings.counts:
            if count > len(order):
                setup.say(f"! draw {draw + 1}: {len(order)} fields are left beside {group}, not {count}: left out")
                continue
            path = settings.folder / f"point-{key(setup, fields)}-{count}-{draw}.json"
            if path.is_file():
                points.append(json.loads(path.read_text()))
                continue
            setup.say(
                f"{count} fields, draw {draw + 1} of {settings.draws}, judged on {group} ({int(rest.sum())} fields)"
            )
            learn, judged = (
                replace(fields, fields=fields.fields.take(rows)) for rows in (np.sort(order[:count]), rest)
            )
            points.append({**point(setup.silent(), learn, judged), "fields": count, "draw": draw, "block": group})
            write_text(path, json.dumps(points[-1], indent=1))
    return points


def point(setup: AdaptationSetup, learn: Fields, rest: Fields) -> dict[str, Any]:
    """Adapt on ``learn`` (of no fields: the nets as they are) and judge on ``rest``."""
    file, flatbuffer, card = setup.finder.file, setup.classifier.file.flatbuffer, setup.classifier.card
    if len(learn.fields):
        _, file = tuned_finder(setup, learn)
        flatbuffer = tuned_classifier(setup, file, learn).flatbuffer or flatbuffer
    old = old_figures(setup.old, file, flatbuffer, card)
    found = figures(judge(file, flatbuffer, card, rest, setup.plan), card, setup.plan)
    return found | {f"{_OLD}{name}": one for name, one in old.items()}


def judged_groups(fields: Fields, plan: ClassScheme) -> list[str]:
    """Groups with a positive cell, which can be judged on; those with most first."""
    counts = positive_cells(fields, plan)
    return sorted((group for group, count in counts.items() if count), key=lambda group: (-counts[group], group))


def key(setup: AdaptationSetup, fields: Fields) -> str:
    """A digest of all that a point depends on."""
    names = [one.path.name for one in fields.fields.fields]
    nets = setup.finder.card.sha256, setup.classifier.card.sha256
    text = repr((*nets, names, fields.fields.groups, asdict(setup.tuning), setup.old.line()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


TITLE = "# What annotated fields of a new microscope are worth"
_SECTION = "## On "  # before the name of the fields


def into_page(text: str, section: Sequence[str]) -> str:
    """A page, perhaps an empty one, with this section in the place of that on the same fields; other sections stay."""
    first, *others = text.split(f"\n{_SECTION}") if text.startswith(TITLE) else [f"{TITLE}\n"]
    kept = {one.partition("\n")[0]: one.strip() for one in others}
    mine = "\n".join(section).removeprefix(_SECTION)
    kept[mine.partition("\n")[0]] = mine
    return "\n".join([first.rstrip("\n") + "\n", *(f"{_SECTION}{one}\n" for one in kept.values())])


def page(points: Sequence[dict[str, Any]], setup: AdaptationSetup, name: str) -> list[str]:
    """Markdown, one section: how it was measured, and the table.

    Args:
        points: as ``run`` gives them.
        setup: the nets to start from.
        name: of the fields.
    """
    draws = len({point["draw"] for point in points})
    judged = {point["block"]: point["judged_fields"] for point in points}
    blocks = ", ".join(f"{block} ({count} fields)" for block, count in judged.items())
    start = f"`{setup.classifier.file.path.stem}` and `{setup.finder.file.path.stem}`"
    return [
        f"{_SECTION}{name}",
        "",
        f"Written by `python -m models learning-curve`. {start} never saw this",
        "microscope; they were adapted on so many of its fields and judged end to end on a group of others, in",
        f"{draws} draws: {blocks}. Pull back to the old weights: {setup.tuning.cell.anchor:g}.",
        f"{setup.old.line().capitalize()}.",
        "Thresholds for a share of false positives are those of the judged cells. Means over the draws, least to most in",
        "brackets: few draws, each judged on another film.",
        "",
        *curve_table(points),
    ]


def curve_table(points: Sequence[dict[str, Any]]) -> list[str]:
    """A Markdown table: mean over the draws and (least to most)."""
    rows = []
    shown = {key: name for key, name in _FIGURES.items() if any(point.get(key) is not None for point in points)}
    for count in sorted({point["fields"] for point in points}):
        mine = [point for point in points if point["fields"] == count]
        cells = [str(count), str(len(mine))]
        for name in shown:
            known = [found for point in mine if (found := value(point.get(name))) is not None]
            cells.append(f"{np.mean(known):.3f} ({min(known):.3f} to {max(known):.3f})" if known else "-")
        rows.append(cells)
    return table(["fields", "draws", *shown.values()], rows)
