"""How many cells a question needs, and how often the answer will be wrong.

With a calibration: the fewest cells at which a blank is flagged in at most 1 - specificity of samples and a sample with the share
asked about in at least ``sensitivity`` of them. Without one: what a classifier would have to reach if a single positive cell
meant "infected" (the arithmetic of the notebook this project began with).
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.verdict.limits import MOST_CELLS, ErrorRates, cells_needed, detected, limit_of_blank


@dataclass(frozen=True, slots=True)
class Plan:
    """A sample size and what it gives.

    Attributes:
        cells: per sample.
        limit: a sample is flagged above this many positives.
        flagged_blanks: share of blank samples flagged.
        missed: share of samples with the planned share of infected cells that are not flagged.
        enough: whether what was asked for is reached; if not, ``cells`` is the largest size tried.
    """

    cells: int
    limit: int
    flagged_blanks: float
    missed: float
    enough: bool


def plan(errors: ErrorRates, share: float, sensitivity: float, specificity: float) -> Plan:
    """Cells needed to flag ``sensitivity`` of the samples with this share and at most ``1 - specificity`` of the blanks."""
    needed = cells_needed(errors, share, sensitivity, specificity)
    return at(errors, MOST_CELLS if needed is None else needed, share, specificity, enough=needed is not None)


def at(errors: ErrorRates, cells: int, share: float, specificity: float, *, enough: bool = True) -> Plan:
    """What a given number of cells gives."""
    limit = limit_of_blank(errors.false, cells, specificity)
    missed = 1 - detected(errors, cells, limit, share)
    return Plan(cells, limit, detected(errors, cells, limit, 0.0), missed, enough)


def cell_specificity(cells: int, specificity: float) -> float:
    """What each cell must reach so that ``cells`` healthy ones are all negative in this share of samples: ``specificity^(1/n)``."""
    return float(specificity ** (1 / cells))


def cell_negative_at_most(cells: int, sensitivity: float) -> float:
    """How often a cell of an infected sample may come out negative, if one positive cell is to be seen in ``sensitivity`` of them.

    ``(1 - sensitivity)^(1/n)``. The notebook calls this number the cell sensitivity; it is the chance of a negative cell, infected or
    not, that all n are negative in 1 - sensitivity of the samples. ``cell_sensitivity`` turns it into what an infected cell needs.
    """
    return float((1 - sensitivity) ** (1 / cells))


def cell_sensitivity(cells: int, sensitivity: float, specificity: float, share: float) -> float:
    """What each infected cell must reach at this share of infected cells; more than 1: no classifier can."""
    false = 1 - cell_specificity(cells, specificity)
    positive = 1 - cell_negative_at_most(cells, sensitivity)
    return (positive - (1 - share) * false) / share
