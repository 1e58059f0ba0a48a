"""What a trained classifier's card says of its int8 file: the operating threshold and the figures on held-out groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from convert.measure.operating import how
from edge.modelfile import Card
from models.data.cells import LabelledCells, join
from models.data.classes import ClassScheme, fit
from models.judge import confusion
from models.judge import figures as score
from models.judge.words import few_groups, scored_lines
from models.train.device import float_scores, int8_scores
from models.train.loop import Log
from models.train.material import CellMaterial


def with_threshold(
    card: Card, flatbuffer: bytes, parts: Sequence[CellMaterial], false_positives: float, log: Log
) -> Card:
    """The operating threshold, by the int8 file's scores on groups that are neither learned from nor held out."""
    if not card.positive or len(card.positive) == len(card.labels):
        return card
    if not parts:
        return replace(card, threshold_origin="one half, not chosen on anything")
    cells = join([one.cells for one in parts])
    judged = cells.judged()
    rule = how(false_positives, judged, card, known=True)
    if rule.note:
        log(f"! {rule.note}")
    threshold = rule.threshold(int8_scores(flatbuffer, card, cells), judged, card)
    return replace(card, threshold=float(threshold), threshold_origin=rule.origin)


def with_figures(
    card: Card,
    flatbuffer: bytes,
    model: Any,
    parts: Sequence[CellMaterial],
    *,
    scheme: ClassScheme,
    together: bool,
    log: Log,
) -> Card:
    """The card with the int8 file's figures on what was held out, set by set or of all sets ``together``."""
    whole = {one.origin: one.cells for one in parts}
    if parts and together:
        whole = {", ".join(whole): join([one.cells for one in parts])}
    accuracy = {}
    for name, cells in whole.items():
        found = held_out_figures(card, flatbuffer, model, cells, scheme=scheme, name=f"held-out groups of {name}")
        for line in (*scored_lines(card.name, found), *few_groups(found["groups"])):
            log(line)
        accuracy["held_out" if len(whole) == 1 else f"held_out {name}"] = found
    return replace(card, accuracy=accuracy)


def held_out_figures(
    card: Card, flatbuffer: bytes, model: Any, cells: LabelledCells, *, scheme: ClassScheme, name: str
) -> dict[str, Any]:
    """What an int8 file is worth on cells it never learned from, and how often the float net decides alike; plain values.

    Args:
        card: of the net.
        flatbuffer: its int8 file.
        model: its Keras model.
        cells: uncoloured, with slack.
        scheme: their classes.
        name: of the cells, in words.
    """
    scores = int8_scores(flatbuffer, card, cells)
    scored = score.CellScores(card, fit(scheme, card), cells, scores)
    found: dict[str, Any] = {"set": name, "cells": len(cells), "groups": len(np.unique(cells.groups))}
    found |= score.two_sided(scored)
    if len(card.labels) > 2 or not card.positive:
        found["classes"] = confusion.figures(scored)
    same = score.agreeing(scores, float_scores(model, cells, card.crop), card)
    found["agreement_with_float"] = asdict(score.share(same, cells.units()[0]))
    return found
