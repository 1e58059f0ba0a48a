"""What the shelf's classifiers were to reach."""

from __future__ import annotations

NIH_TARGETS = {
    "accuracy": ("accuracy", 0.968),
    "AUC": ("auc", 0.993),
    "sensitivity at 1 % false positives": ("sensitivity_at_1_percent_fp", 0.90),
    "sensitivity at 0.1 % false positives": ("sensitivity_at_0.1_percent_fp", 0.70),
}
"""On NIH cells of slides never seen: name on the pages, key in ``models.judge.figures.BY_KEY``, and the least it should be."""

FOUND_TARGETS = {0.01: 0.97, 0.001: 0.92}
"""Infected cells to be found end to end, by the share of uninfected ones called positive."""

UNSEEN_TARGETS = {
    "AUC": ("auc", 0.97),
    "sensitivity at 1 % false positives": ("sensitivity_at_1_percent_fp", 0.70),
}
"""On IML cells, of a net of NIH cells alone; as above."""

NEGATIVE_TARGET = 0.001
"""Largest share of the cells of slides known to be negative that may be called positive."""

WORST_SLIDE_TARGET = 0.01
"""The same on each one of these slides."""
