"""THE trainer: from a recipe to a net, its device file with its card. The shelf, its folds and a user's own nets are made here.

Groups (slides, blocks of fields) are never split: some are held out for the figures, on some the operating threshold is
chosen, the others are learned from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.reading import Progress
from convert.net.int8 import tool_versions
from edge.errors import OutputError
from edge.macs import macs
from edge.modelfile import Card, FinderSpec, write_model
from edge.safe_file import write_text
from models.cards import card_text
from models.data import sets
from models.data.classes import ClassScheme
from models.data.scenes import CELL_PX, KINDS
from models.data.streams import RandomStream
from models.data.views import STRIDE, VIEW, draw
from models.judge.finder_thresholds import OTHERS
from models.places import MODELS
from models.train import finder_net, material
from models.train.accuracy import with_figures, with_threshold
from models.train.classifier import BatchClasses, CellTraining, train
from models.train.device import (
    calibration,
    classifier_file,
    finder_file,
    save_keras,
)
from models.train.finder import FinderTraining
from models.train.finder import fit as fit_finder
from models.train.loop import Keeping, Log
from models.train.material import CellMaterial, Parts, SceneMaterial
from models.train.recipe import RecipeError, checked
from models.train.records import FINDER, VALIDATION, Recipe
from models.train.start import open_start

WORK = "work"
"""Folder beside a net that keeps its checkpoint until it is made."""

FIRST_THRESHOLDS = (0.36, 0.3, *OTHERS)
"""Thresholds of a finder, before ``choose-thresholds`` chooses them on blocks that the folds held out."""

_VIEWS = 200
"""Views that a finder is calibrated on."""


@dataclass(frozen=True, slots=True, eq=False)
class Making:
    """A recipe with all that its nets learn from, read once for all folds.

    Attributes:
        recipe: as checked.
        scheme: its classes.
        cells: what a classifier learns from.
        scenes: what a finder learns from.
        seconds: between checkpoints.
        log: gets lines.
    """

    recipe: Recipe
    scheme: ClassScheme
    cells: list[CellMaterial]
    scenes: list[SceneMaterial]
    seconds: float
    log: Log

    def without(self, names: tuple[str, ...]) -> Making:
        """The same, for the net that learns from none of these sets."""
        return replace(self, recipe=self.recipe.without(names))

    def net(self, fold: int | None, out: Path, *, force: bool = True) -> Card:
        """Make one net: train, convert, choose the threshold, measure, write; see ``make``."""
        check_fold(self.recipe, fold)
        check_out(self.recipe, out, force=force)
        card = (_finder if self.recipe.net.kind == FINDER else _classifier)(self, fold, out)
        with suppress(OSError):
            _checkpoint(out).unlink(missing_ok=True)
            _checkpoint(out).parent.rmdir()
        return card


def prepare(recipe: Recipe, log: Log, progress: Progress = lambda *_: None, seconds: float = 30.0) -> Making:
    """Read what a recipe's nets learn from; raises CellsError, ModelError, RecipeError."""
    checked(recipe)
    sources = material.opened(recipe)
    if recipe.net.kind == FINDER:
        scheme = material.finder_scheme(recipe)
        scenes = material.read_scenes(recipe, sources)
        return Making(recipe, scheme, [], scenes, seconds, log)
    scheme = material.scheme_of(recipe, sources)
    return Making(recipe, scheme, material.read_cells(recipe, sources, scheme, progress, log), [], seconds, log)


def make(
    recipe: Recipe,
    fold: int | None,
    out: Path,
    log: Log,
    progress: Progress = lambda *_: None,
    *,
    force: bool = True,
    seconds: float = 30.0,
) -> Card:
    """Make the net of a recipe; a run that was stopped goes on from its checkpoint.

    Args:
        recipe: says all that the net depends on.
        fold: which groups are held out; None: the shipped net, or the only one of a recipe without folds.
        out: path of the ``.tflite``; the Keras file goes beside it.
        log: gets lines.
        progress: gets progress while images are read.
        force: overwrite a net that is there.
        seconds: between checkpoints.

    Raises:
        CellsError: the images cannot be used.
        ModelError: a finder or a net to start from is not there.
        OutputError: something cannot be written.
        RecipeError: the recipe may not be made, or has no such fold.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the checkpoint is kept.
    """
    check_fold(recipe, fold)
    check_out(recipe, out, force=force)
    return prepare(recipe, log, progress, seconds).net(fold, out, force=force)


def check_fold(recipe: Recipe, fold: int | None) -> None:
    """Raise RecipeError where the recipe has no such fold."""
    if fold is not None and not 0 <= fold < recipe.split.folds:
        raise RecipeError(f"{recipe.name} has {recipe.split.folds} folds, counted from 0: there is no fold {fold}")


def check_out(recipe: Recipe, out: Path, *, force: bool) -> None:
    """Make the folder, before minutes of work; raises OutputError, also where a net is there already and RecipeError."""
    if not recipe.ships and out.resolve().is_relative_to(MODELS):
        raise RecipeError(f"{recipe.name} does not ship (ships = false): its weights may not be written into {MODELS}")
    if out.exists() and not force:
        raise OutputError(f"{out.parent}: holds a net already: --force overwrites it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        probe = out.parent / ".probe"
        probe.write_bytes(b"0" * 4096)
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{out.parent}: cannot be written: {error.strerror}") from error


def _checkpoint(out: Path) -> Path:
    return out.parent / WORK / f"{out.stem}.npz"


def _keep(making: Making, out: Path, parts: Sequence[Any], *about: object) -> Keeping:
    """The checkpoint of these data and settings: one with another key is of another run."""
    digest = hashlib.sha256(repr((making.recipe.training, making.recipe.net, *about)).encode())
    for part in parts:
        digest.update(part)
    return Keeping(_checkpoint(out), digest.hexdigest(), making.seconds)


def _training(
    making: Making, fold: int | None, learned: Sequence[CellMaterial] | Sequence[SceneMaterial]
) -> dict[str, Any]:
    """What the card says of the training."""
    recipe = making.recipe
    held = sorted(material.kept_out(recipe.split, fold))
    about: dict[str, Any] = {
        "recipe": recipe.name,
        "settings": asdict(recipe.training),
        "data": sorted({one.origin for one in learned}),
        "mix": {one.name: one.share for one in learned},
        "held_out_groups": held,
        "held_out_sets": [one for one in held if one in sets.every()],
    }
    if recipe.split.folds:
        about["held_out_slides"] = [one.split("/")[1] for one in held if one.startswith("nih_cells/")]
        about["held_out_blocks"] = sorted(int(one.split("block ")[1]) for one in held if "/block " in one)
    return about


def _finder(making: Making, fold: int | None, out: Path) -> Card:
    import keras  # noqa: PLC0415

    recipe, settings = making.recipe, making.recipe.training
    if not isinstance(settings, FinderTraining):
        raise TypeError("a finder is trained by the settings of one")
    learned = material.learning_scenes(making.scenes, recipe, fold)
    for one in learned:
        making.log(f"{len(one.scenes)} scenes: {one.name}")
    keras.utils.set_random_seed(settings.seed)
    model = (
        open_start(recipe.start, "find").model()
        if recipe.start
        else finder_net.build(len(KINDS), recipe.net.widths[0], *VIEW)
    )
    pools = [[scene.scene for scene in one.scenes] for one in learned]
    keep = _keep(making, out, [scene.rgb for pool in pools for scene in pool])
    model = fit_finder(model, pools, [one.share for one in learned], settings, making.log, keep=keep)
    digest = save_keras(model, out.with_suffix(".keras"))
    making.log("making the int8 file")
    rng = np.random.default_rng([settings.seed, RandomStream.CALIBRATION_VIEWS])
    every = [scene for pool in pools for scene in pool]
    views = [draw(every[int(rng.integers(len(every)))], rng).image for _ in range(_VIEWS)]
    card = Card(
        recipe.name,
        "find",
        KINDS,
        finder=FinderSpec(KINDS, FIRST_THRESHOLDS, CELL_PX, STRIDE),
        source_sha256=digest,
        training=_training(making, fold, learned),
        tools=tool_versions(),
        licence=recipe.licence,
    )
    return write_model(out, finder_file(model, views), card)


def _classifier(making: Making, fold: int | None, out: Path) -> Card:
    recipe, settings, scheme = making.recipe, making.recipe.training, making.scheme
    if not isinstance(settings, CellTraining):
        raise TypeError("a classifier is trained by the settings of one")
    spec = material.crop_of(recipe)
    parts = material.split_groups(making.cells, recipe, fold)
    for line in _divided(scheme, parts):
        making.log(line)
    learned = [one.cells for one in parts.learn]
    arrays = [array for cells in learned for array in (cells.crops, cells.taught)]
    model = train(
        learned,
        [one.share for one in parts.learn],
        spec,
        settings,
        making.log,
        classes=BatchClasses(len(scheme.labels), scheme.background_index),
        start=open_start(recipe.start, "classify").model() if recipe.start else None,
        keep=_keep(making, out, arrays, spec, scheme.labels),
        widths=recipe.net.widths,
    )
    digest = save_keras(model, out.with_suffix(".keras"))
    making.log("making the int8 file")
    flatbuffer = classifier_file(model, calibration(learned, spec, settings.seed), recipe.name)
    training = _training(making, fold, parts.learn)
    training |= {
        "cells": dict(zip(scheme.labels, _counts(parts.learn, scheme).tolist(), strict=True)),
        "groups": {
            "learned from": _groups(parts.learn),
            "threshold": _groups(parts.validation),
            "held out": _groups(parts.held_out),
        },
        "macs_per_cell": macs(flatbuffer),
    }
    if parts.held_out and not recipe.split.folds:
        training["held_out_groups"] = sorted({str(g) for one in parts.held_out for g in one.cells.groups})
    card = Card(
        recipe.name,
        "classify",
        scheme.labels,
        positive=scheme.positive,
        output="logit",
        crop=spec,
        source_sha256=digest,
        training=training,
        tools=tool_versions(),
        licence=recipe.licence,
    )
    if recipe.threshold.rule == VALIDATION:
        card = with_threshold(card, flatbuffer, parts.validation, recipe.threshold.false_positives, making.log)
    card = with_figures(
        card, flatbuffer, model, parts.held_out, scheme=scheme, together=not recipe.split.folds, log=making.log
    )
    card = write_model(out, flatbuffer, card)
    if not recipe.split.folds:
        write_text(out.with_name("CARD.md"), card_text(card, out.stat().st_size))
    return card


def _groups(parts: Sequence[CellMaterial]) -> int:
    return len({str(group) for one in parts for group in one.cells.groups})


def _counts(parts: Sequence[CellMaterial], scheme: ClassScheme) -> np.ndarray:
    return np.asarray(sum((one.cells.counts() for one in parts), np.zeros(len(scheme.labels), int)))


def _divided(scheme: ClassScheme, parts: Parts) -> list[str]:
    """What is learned from, what chooses the threshold, what is held out, in words."""
    ordinary = scheme.background or "none (no class is suspicious: --background names the ordinary one)"
    lines = [f"classes: {', '.join(scheme.labels)}; background: {ordinary}"]
    for what, cells in (("learned from", parts.learn), ("threshold", parts.validation), ("held out", parts.held_out)):
        counted = zip(scheme.labels, _counts(cells, scheme), strict=True)
        counts = ", ".join(f"{count} {label}" for label, count in counted)
        lines.append(f"{what + ':':14} {counts} in {_groups(cells)} groups" if cells else f"{what + ':':14} nothing")
    return lines
