"""``python -m models train``: from folders of cells and annotated fields to a folder with a net, its device file and its card.

The groups (slides, blocks of fields) are dealt into three: those that are held out for the figures, those on which the operating
threshold is chosen, and those that are learned from.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.operating import how
from convert.measure.reading import Progress
from convert.net.int8 import tool_versions
from edge.errors import OutputError
from edge.modelfile import Card, CropSpec, write_model
from edge.safe_file import write_text
from models.data.cells import Cells, join
from models.data.classes import fit
from models.data.crops import CellSet
from models.data.gather import Data
from models.data.split import draw
from models.judge import confusion
from models.judge import figures as score
from models.judge.words import card_text, few_groups, scored_lines
from models.train.classifier import CellTraining, Classes, train
from models.train.device import flatbuffer_of, float_scores, int8_scores, save_keras
from models.train.loop import Keeping
from models.train.net import macs
from models.train.shelf_classifier import SPEC

WORK = "work"
CHECKPOINT = "checkpoint.npz"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a net is to be made.

    Attributes:
        out: folder for it; its name is the net's.
        training: steps, batch, rate, seed.
        held_out: share of the groups for the figures; 0: none.
        validation: share of the others that the threshold is chosen on; 0: none, the threshold is one half.
        false_positives: share of negative cells that may count as positive; None: the usual.
        margin: side of the crop over the box's; None: the recipe's.
        every: seconds between checkpoints.
        force: overwrite.
    """

    out: Path
    training: CellTraining
    held_out: float = 0.2
    validation: float = 0.15
    false_positives: float | None = None
    margin: float | None = None
    every: float = 30.0
    force: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Cells by what they are for; ``learn`` as one set per source."""

    learn: list[Cells]
    validation: Cells
    held_out: Cells


def deal(sources: list[Cells], wish: Wish) -> Parts:
    """Deal whole groups; raises CellsError where a class is left with nothing to learn from."""
    whole = join(sources)
    seen = whole.as_found()
    seed = wish.training.seed
    held = draw(seen.groups, seen.truth, wish.held_out, seed)
    rest = seen.of_groups(frozenset(str(g) for g in np.unique(seen.groups)) - held)
    few = len(np.unique(rest.groups)) < 2
    chosen = frozenset() if few else draw(rest.groups, rest.truth, wish.validation, seed + 1)
    learn = []
    for source in sources:
        names = frozenset(str(g) for g in np.unique(source.groups))
        part = source.of_groups(names - held - chosen)
        if len(part):
            learn.append(part)
    counts = join(learn).counts() if learn else np.zeros(len(whole.labels), int)
    if not (counts > 0).all():
        lacking = ", ".join(label for label, count in zip(whole.labels, counts, strict=True) if not count)
        raise CellsError(
            f"no cell of {lacking} is left to learn from: more slides or fields are needed, or a smaller --held-out"
        )
    return Parts(learn, seen.of_groups(chosen), seen.of_groups(held))


def make(data: Data, wish: Wish, tell: Progress, say: Say) -> Card:
    """Train and write; returns the card.

    Raises:
        CellsError: the cells cannot be used.
        OutputError: something cannot be written.
    """
    check_out(wish.out, force=wish.force)
    spec = replace(SPEC, margin=wish.margin) if wish.margin else SPEC
    plain = replace(spec, normalise="none")
    parts = deal(data.read(plain, tell, say, learn=True), wish)
    for line in _dealt(data, parts):
        say(line)
    model = fitted(data, parts, spec, wish, say)
    name = wish.out.resolve().name
    keras_file = wish.out / f"{name}.keras"
    digest = save_keras(model, keras_file)
    say("making the int8 file")
    learned = join(parts.learn)
    flatbuffer = flatbuffer_of(model, learned, spec, wish.training.seed)
    card = Card(
        name,
        "classify",
        data.plan.labels,
        positive=data.plan.positive,
        output="logit",
        crop=spec,
        source_sha256=digest,
        training={
            "settings": asdict(wish.training),
            "data": list(data.names),
            "cells": dict(zip(data.plan.labels, learned.counts().tolist(), strict=True)),
            "groups": {
                "learned from": len(np.unique(learned.groups)),
                "threshold": len(np.unique(parts.validation.groups)),
                "held out": len(np.unique(parts.held_out.groups)),
            },
            "held_out_groups": sorted({str(g) for g in parts.held_out.groups}),
            "macs_per_cell": macs(model),
        },
        tools=tool_versions(),
        licence="that of the images it was trained on",
    )
    card = _with_threshold(card, flatbuffer, parts.validation, wish, say)
    if len(parts.held_out):
        card, lines = _with_figures(card, flatbuffer, model, parts.held_out, data)
        for line in lines:
            say(line)
    path = wish.out / f"{name}.tflite"
    card = write_model(path, flatbuffer, card)
    write_text(wish.out / "CARD.md", card_text(card, path.stat().st_size))
    shutil.rmtree(wish.out / WORK, ignore_errors=True)
    return card


def check_out(out: Path, *, force: bool) -> None:
    """Make the folder, before minutes of work; raises OutputError, also where a net is there already."""
    name = out.resolve().name
    if (out / f"{name}.tflite").exists() and not force:
        raise OutputError(f"{out}: holds a net already: --force overwrites it")
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.write_bytes(b"0" * 4096)
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}") from error


def fitted(data: Data, parts: Parts, spec: CropSpec, wish: Wish, say: Say) -> Any:
    """The trained Keras model; goes on from a checkpoint of the same data and settings."""
    classes = Classes(len(data.plan.labels), data.plan.background_index)
    sources = [CellSet(part.crops, part.truth, part.reference) for part in parts.learn]
    keep = Keeping(wish.out / WORK / CHECKPOINT, _key(parts.learn, spec, wish), wish.every)
    return train(sources, [1.0] * len(sources), spec, wish.training, say, classes=classes, keep=keep)


def _key(learn: list[Cells], spec: CropSpec, wish: Wish) -> str:
    """Of data and settings: a checkpoint with another one is of another run."""
    digest = hashlib.sha256(repr((spec, wish.training, [part.labels for part in learn])).encode())
    for part in learn:
        digest.update(part.crops.tobytes())
        digest.update(part.truth.tobytes())
    return digest.hexdigest()


def _dealt(data: Data, parts: Parts) -> list[str]:
    plan = data.plan
    ordinary = plan.background or "none (no class is suspicious: --background names the ordinary one)"
    lines = [f"classes: {', '.join(plan.labels)}; background: {ordinary}"]
    named = (("learned from", join(parts.learn)), ("threshold", parts.validation), ("held out", parts.held_out))
    for what, cells in named:
        counts = ", ".join(f"{count} {label}" for label, count in zip(plan.labels, cells.counts(), strict=True))
        groups = len(np.unique(cells.groups))
        lines.append(f"{what + ':':14} {counts} in {groups} groups" if len(cells) else f"{what + ':':14} nothing")
    return lines


def _with_threshold(card: Card, flatbuffer: bytes, cells: Cells, wish: Wish, say: Say) -> Card:
    """The operating threshold, by the int8 file's scores on groups that are neither learned from nor held out."""
    if not card.positive or len(card.positive) == len(card.labels):
        return card
    if not len(cells):
        return replace(card, threshold_origin="one half, not chosen on anything")
    judged = cells.judged()
    rule = how(wish.false_positives, judged, card, known=True)
    if rule.note:
        say(f"! {rule.note}")
    threshold = rule.threshold(int8_scores(flatbuffer, card, cells), judged, card)
    return replace(card, threshold=float(threshold), threshold_origin=rule.origin)


def _with_figures(card: Card, flatbuffer: bytes, model: Any, cells: Cells, data: Data) -> tuple[Card, list[str]]:
    """The card with the held-out figures of the int8 file, and these as lines."""
    scores = int8_scores(flatbuffer, card, cells)
    scored = score.CellScores(card, fit(data.plan, card), cells, scores)
    found: dict[str, Any] = {
        "set": f"held-out groups of {', '.join(data.names)}",
        "cells": len(cells),
        "groups": len(np.unique(cells.groups)),
    }
    found |= score.two_sided(scored)
    if len(card.labels) > 2 or not card.positive:
        found["classes"] = confusion.figures(scored)
    same = score.agreeing(scores, float_scores(model, cells, card.crop), card)
    found["agreement_with_float"] = asdict(score.share(same, cells.units()[0]))
    return replace(card, accuracy={"held_out": found}), [*scored_lines(card.name, found), *few_groups(found["groups"])]
