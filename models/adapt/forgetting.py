"""What nets are worth on what they learned before and do not rehearse, so that a loss is seen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edge.modelfile import Card, ModelFile
from models.adapt import finder as finding
from models.adapt.rehearsal import Rehearsal
from models.adapt.tune import cell_scores, finder_figures
from models.data.cells import join
from models.data.fieldset import Fields
from models.judge.figures import BY_KEY, applies, measure
from models.train.device import int8_scores

SHOWN = {
    "auc": "classifier, AUC",
    "sensitivity_at_1_percent_fp": "classifier at 1 % false positives",
    "finder_f1": "finder, F1",
    "finder_keeps_positive": "finder, positive cells kept",
}
"""Figures of what was learned before: key to name."""


def old_figures(old: Rehearsal, file: ModelFile, flatbuffer: bytes, card: Card) -> dict[str, Any]:
    """A finder and a classifier on what they learned before, plain values; empty where nothing of it is here.

    Args:
        old: what was learned before; what is rehearsed of it is not looked at.
        file: of the finder.
        flatbuffer: of the classifier.
        card: of the classifier.
    """
    out: dict[str, Any] = {}
    if old.fields.scheme is not None and old.fields.others:
        finder, matches = finding.opened(file), []
        for name, fields in old.fields.others:
            matches += finding.matches(finder, Fields(name, fields, finder), old.fields.scheme)
        out |= finder_figures(matches)
    if old.cells.scheme is not None and old.cells.others:
        cells = join([one.cells for one in old.cells.others])
        scored = cell_scores(cells, int8_scores(flatbuffer, card, cells), card, old.cells.scheme)
        out["judged_cells"] = len(cells)
        known = (BY_KEY[key] for key in SHOWN if key in BY_KEY)
        out |= {one.key: asdict(measure(one, scored)) for one in known if applies(one, scored)}
    return out


def value(figure: Any) -> float | None:
    """The figure itself, of one with or without an interval."""
    found = figure["value"] if isinstance(figure, dict) else figure
    return None if found is None else float(found)


def forgetting_line(old: Rehearsal, before: dict[str, Any], after: dict[str, Any]) -> str:
    """What the nets lost of what they learned before, in one line."""
    if not before:
        return (
            "what the nets forgot of what they learned before is not known: no data set that they learned from is here"
        )
    names = sorted({*(one.origin for one in old.cells.others), *(name for name, _ in old.fields.others)})
    counted = ((before.get("judged_cells"), "cells"), (before.get("judged_fields"), "fields"))
    counts = " and ".join(f"{count} {what}" for count, what in counted if count)
    pairs = ((name, value(before.get(key)), value(after.get(key))) for key, name in SHOWN.items())
    figures = (f"{name} {old:.4f} before, {new:.4f} after" for name, old, new in pairs if None not in (old, new))
    return f"on what they learned before ({counts} of {', '.join(names)}, none of them rehearsed): {'; '.join(figures)}"
