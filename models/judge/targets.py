"""What the shelf's nets must reach."""

from __future__ import annotations

from dataclasses import dataclass

_SENSITIVE = "sensitivity at {} % false positives"

NIH_TARGETS = {
    "accuracy": ("accuracy", 0.965),
    "AUC": ("auc", 0.991),
    _SENSITIVE.format("1"): ("sensitivity_at_1_percent_fp", 0.90),
    _SENSITIVE.format("0.1"): ("sensitivity_at_0.1_percent_fp", 0.65),
}
"""On NIH cells of slides never seen: name on the pages, key in ``models.judge.figures.BY_KEY``, and the least it should be."""

FOUND_TARGETS = {0.01: 0.97, 0.001: 0.92}
"""Infected cells to be found end to end, by the share of uninfected ones called positive."""

NEGATIVE_TARGET = 0.001
"""Largest share of the cells of slides known to be negative that may be called positive."""

WORST_SLIDE_TARGET = 0.01
"""The same on each one of these slides."""

CELL_MACS, FIELD_MACS = 600_000, 95_000_000
"""Multiply-accumulates that the classifier may take per cell, and the finder per field of 320x240."""


@dataclass(frozen=True, slots=True)
class RowTarget:
    """What must be reached on one row of ``models.judge.microscopes``.

    Attributes:
        row: its name.
        what: in words.
        keys: of the figure (``models.judge.microscope_figures``): the first that the row has.
        wanted: the value.
        most: the figure may be at most that; else at least.
        per_1000: it is shown as cells in a thousand.
    """

    row: str
    what: str
    keys: tuple[str, ...]
    wanted: float
    most: bool = False
    per_1000: bool = False


_AT_1, _AT_01 = ("found_at_1", "at_1"), ("found_at_01", "at_01")


def _called(row: str, rate: float) -> RowTarget:
    return RowTarget(row, "others called infected at the card's threshold", ("called",), rate, most=True, per_1000=True)


def _pieces(row: str) -> tuple[RowTarget, ...]:
    """Of films without parasites, photographed around white cells."""
    white = RowTarget(row, "white cells counted as red cells", ("white_counted",), 0.03, most=True)
    return white, RowTarget(row, "red cells, F1", ("red_f1",), 0.92), _called(row, 0.001)


def _triage(row: str) -> RowTarget:
    return RowTarget(row, "others discarded where 99.5 % of the found infected cells are kept", ("triage_kept",), 0.85)


MUST_REACH = (
    RowTarget("bbbc_fields", "infected found at 1 % false positives", _AT_1, 0.90),
    RowTarget("bbbc_fields", "infected found at 0.1 % false positives", _AT_01, 0.60),
    RowTarget("bbbc_fields", "AUC", ("auc",), 0.99),
    RowTarget("bbbc_fields", "infected kept by the finder", ("infected_kept",), 0.98),
    RowTarget("bbbc_fields", "red cells, F1", ("red_f1",), 0.96),
    _called("bbbc_fields", 0.001),
    RowTarget("bbbc_fields", "infected called at the card's threshold", ("found",), 0.60),
    *_pieces("raabin_fields"),
    *_pieces("pbc_fields"),
    RowTarget("plymouth_cells", "AUC", ("auc",), 0.993),
    RowTarget("plymouth_cells", "infected called at the card's threshold", ("found",), 0.75),
    _called("plymouth_cells", 0.001),
    RowTarget("chula_fields", "red cells, centre F1", ("red_f1",), 0.95),
    _called("chula_fields", 0.0002),
    _called("healthy_tiles", 0.0002),
    RowTarget("iml_fields, unseen blocks", "infected found at 1 % false positives", _AT_1, FOUND_TARGETS[0.01]),
    RowTarget("iml_fields, unseen blocks", "infected found at 0.1 % false positives", _AT_01, FOUND_TARGETS[0.001]),
    RowTarget("iml_fields, unseen blocks", "infected kept by the finder", ("infected_kept",), 0.985),
    RowTarget("nih_cells, unseen slides", "accuracy", ("accuracy",), NIH_TARGETS["accuracy"][1]),
    RowTarget("nih_cells, unseen slides", "AUC", ("auc",), NIH_TARGETS["AUC"][1]),
    RowTarget(
        "nih_cells, unseen slides",
        "infected found at 1 % false positives",
        _AT_1,
        NIH_TARGETS[_SENSITIVE.format("1")][1],
    ),
    RowTarget(
        "nih_cells, unseen slides",
        "infected found at 0.1 % false positives",
        _AT_01,
        NIH_TARGETS[_SENSITIVE.format("0.1")][1],
    ),
    *(_triage(row) for row in ("bbbc_fields", "plymouth_cells", "iml_fields", "nih_cells")),
)
"""What the nets must reach on microscopes that they never saw, and on blocks and slides of their own that they did not see."""
