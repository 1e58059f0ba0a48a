"""``python -m models learning-curve``: what 5, 10, 20 ... annotated fields of a microscope are worth that the nets have never seen.

The nets to start from never saw those fields: the classifier is trained on single cells of another source, the finder on
fields composed of them and on virtual slides. For each draw one block of consecutive fields is left for judging, and of the
others a random sequence is fixed, whose first n fields are adapted on. Every point is kept: a run that was stopped goes on.
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
from models.adapt.tune import Bench, figures, judge, tuned_classifier, tuned_finder
from models.data.classes import ClassScheme
from models.data.fieldset import Fields
from models.data.folds import FINDER
from models.data.gather import DataOptions
from models.train import recipe
from models.train.classifier import CellTraining
from models.train.finder import FinderTraining
from models.train.loop import Log
from models.train.make import make
from models.train.own import recipe_of
from models.train.records import ANNOTATED, SplitRecipe
from models.train.start import StartingNet, open_start

COUNTS = (0, 5, 10, 20, 50, 100, 200)
_FIGURES = (
    ("auc", "AUC"),
    ("found_at_1_percent_fp", "found at 1 % false positives"),
    ("found_at_0.1_percent_fp", "found at 0.1 % false positives"),
    ("finder_f1", "finder F1"),
    ("finder_keeps_positive", "positive cells the finder keeps"),
)
_START, _FINDER = "start", "start-finder"


@dataclass(frozen=True, slots=True)
class CurveSettings:
    """What is asked.

    Attributes:
        counts: numbers of annotated fields.
        draws: choices of fields, each judged on another block.
        folder: keeps starting nets and finished points.
    """

    counts: tuple[int, ...]
    draws: int
    folder: Path


def starting_classifier(
    given: DataOptions, folder: Path, training: CellTraining, progress: Progress, log: Log
) -> StartingNet:
    """A classifier trained on single cells only, once; kept in the folder."""
    out = folder / _START / f"{_START}.tflite"
    if not out.is_file():
        log("training the classifier to start from, on single cells only")
        make(recipe_of(replace(given, fields=()), _START, training), None, out, log, progress)
    return open_start(str(out), "classify")


def starting_finder(folder: Path, training: FinderTraining, log: Log) -> StartingNet:
    """A finder trained without any real field, once; kept in the folder."""
    path = folder / f"{_FINDER}.tflite"
    if not path.is_file():
        log("training the finder to start from, on composed and virtual fields only")
        usual = recipe.load(FINDER)
        drawn = tuple(one for one in usual.sources if one.form != ANNOTATED)
        own = replace(usual, name=_FINDER, ships=False, split=SplitRecipe(), training=training, sources=drawn)
        make(own, None, path, log)
    return open_start(str(path), "find")


def run(bench: Bench, fields: Fields, curve: CurveSettings) -> list[dict[str, Any]]:
    """All points, those that are kept already among them.

    Returns:
        a dictionary per point: ``fields``, ``draw``, ``block`` and the figures.

    Raises:
        CellsError: there are too few blocks, or too few fields.
    """
    finding.check_form(bench.finder)
    blocks = blocks_of(fields, bench.plan)
    if len(blocks) < 2:
        raise CellsError(f"{fields.name}: one block of fields only: nothing is left to judge on")
    points = []
    for draw in range(curve.draws):
        block = blocks[draw % len(blocks)]
        rest = np.array([group == block for group in fields.fields.groups])
        order = np.random.default_rng([bench.tuning.cell.seed, draw, 43]).permutation(np.flatnonzero(~rest))
        for count in curve.counts:
            if count > len(order):
                bench.say(f"! draw {draw + 1}: {len(order)} fields are left beside {block}, not {count}: left out")
                continue
            path = curve.folder / f"point-{key(bench, fields)}-{count}-{draw}.json"
            if path.is_file():
                points.append(json.loads(path.read_text()))
                continue
            bench.say(f"{count} fields, draw {draw + 1} of {curve.draws}, judged on {block} ({int(rest.sum())} fields)")
            learn, judged = (
                replace(fields, fields=fields.fields.take(rows)) for rows in (np.sort(order[:count]), rest)
            )
            found = point(bench.mute(), learn, judged)
            points.append({**found, "fields": count, "draw": draw, "block": block})
            write_text(path, json.dumps(points[-1], indent=1))
    return points


def point(bench: Bench, learn: Fields, rest: Fields) -> dict[str, Any]:
    """Adapt on some fields (none: the nets as they are), judge on others."""
    file, flatbuffer, card = bench.finder.file, bench.classifier.file.flatbuffer, bench.classifier.card
    if len(learn.fields):
        _, file = tuned_finder(bench, learn)
        flatbuffer = tuned_classifier(bench, file, learn).flatbuffer or flatbuffer
    return figures(judge(file, flatbuffer, card, rest, bench.plan), card, bench.plan)


def blocks_of(fields: Fields, plan: ClassScheme) -> list[str]:
    """Groups with a positive cell, so that there is something to find; those with most first."""
    counts: dict[str, int] = {}
    for one, group in zip(fields.fields.fields, fields.fields.groups, strict=True):
        index = plan.indices(one.types)
        counts[group] = counts.get(group, 0) + int(plan.suspect[index[index >= 0]].sum())
    return sorted((group for group, count in counts.items() if count), key=lambda group: (-counts[group], group))


def key(bench: Bench, fields: Fields) -> str:
    """Of all that a point depends on; another key, another point."""
    names = [one.path.name for one in fields.fields.fields]
    text = repr((bench.finder.card.sha256, bench.classifier.card.sha256, names, asdict(bench.tuning)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def page(points: Sequence[dict[str, Any]], bench: Bench, name: str) -> list[str]:
    """Markdown: how it was measured, and the table.

    Args:
        points: as ``run`` gives them.
        bench: the nets to start from.
        name: of the fields.
    """
    draws = len({point["draw"] for point in points})
    judged = {point["block"]: point["judged_fields"] for point in points}
    blocks = ", ".join(f"{block} ({count} fields)" for block, count in judged.items())
    start = f"`{bench.classifier.card.name}` and `{bench.finder.card.name}`"
    return [
        "# What annotated fields of a new microscope are worth",
        "",
        f"Written by `python -m models learning-curve` on {name}. {start} never saw this",
        "microscope; they were adapted on so many of its fields and judged end to end on a block of others, in",
        f"{draws} draws: {blocks}.",
        "Thresholds for a share of false positives are those of the judged cells. Means over the draws, least to most in",
        "brackets: few draws, each judged on another film.",
        "",
        *table(points),
    ]


def table(points: Sequence[dict[str, Any]]) -> list[str]:
    """A Markdown table: mean over the draws and (least to most)."""
    lines = [
        "| fields | draws | " + " | ".join(name for _, name in _FIGURES) + " |",
        "|" + "---|" * (len(_FIGURES) + 2),
    ]
    for count in sorted({point["fields"] for point in points}):
        mine = [point for point in points if point["fields"] == count]
        cells = []
        for name, _ in _FIGURES:
            values = [_value(point.get(name)) for point in mine]
            known = [value for value in values if value is not None]
            cells.append(f"{np.mean(known):.3f} ({min(known):.3f} to {max(known):.3f})" if known else "-")
        lines.append(f"| {count} | {len(mine)} | " + " | ".join(cells) + " |")
    return lines


def _value(raw: Any) -> float | None:
    value = raw["value"] if isinstance(raw, dict) else raw
    return None if value is None else float(value)
