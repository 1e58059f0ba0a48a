"""The decision table: from what is known of one class in one sample to its flag. The first row that holds decides.

The same table stands in docs/verdict.md; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

UNCALIBRATED = "uncalibrated"
INSUFFICIENT = "insufficient"
POSITIVE = "positive"
NEGATIVE = "negative"
INDETERMINATE = "indeterminate"

FLAGS = (POSITIVE, INSUFFICIENT, INDETERMINATE, NEGATIVE)
"""Ranked: a sample with several classes gets the flag that comes first here."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one class in one sample.

    Attributes:
        alike: the fields look like what the model and the calibration were made for (``edge.verdict.fitness``).
        calibrated: there is a calibration for this model, finder and microscope.
        cells: cells counted.
        enough_fields: at least half of the fields passed the gate.
        above: the count is above the limit of blank: that of the look that judges (``edge.verdict.looks``).
        detectable: the limit of detection at this many cells, of one look, is not above the target; None without a target.
        below: the upper bound is below the target; None without a target.
    """

    calibrated: bool
    cells: int = 0
    enough_fields: bool = True
    above: bool = False
    detectable: bool | None = None
    below: bool | None = None
    alike: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: by which ``edge.verdict.flag`` finds the sentence that tells what this row means for a sample.
        open: whether more cells could change the flag.
    """

    name: str
    flag: str
    condition: str
    holds: Callable[[Evidence], bool]
    open: bool = False


TABLE = (
    Row(
        "alike",
        INSUFFICIENT,
        "the fields do not look like what the model or the calibration was made for",
        lambda e: not e.alike,
    ),
    Row(
        "calibration", UNCALIBRATED, "no calibration for this model, finder and microscope", lambda e: not e.calibrated
    ),
    Row("cells", INSUFFICIENT, "no cell was counted", lambda e: e.cells == 0),
    Row("above", POSITIVE, "the count is above the limit of blank at this many cells", lambda e: e.above),
    Row("fields", INSUFFICIENT, "fewer than half of the fields passed the gate", lambda e: not e.enough_fields),
    Row(
        "detection",
        INSUFFICIENT,
        "the limit of detection at this many cells is above the target",
        lambda e: e.detectable is False,
        open=True,
    ),
    Row("below", NEGATIVE, "the upper bound of the infected share is below the target", lambda e: e.below is True),
    Row("undecided", INDETERMINATE, "none of these, or no target was given", lambda _: True, open=True),
)


def decide_row(evidence: Evidence) -> Row:
    """The first row that holds."""
    return next(row for row in TABLE if row.holds(evidence))


def decide_flag(evidence: Evidence) -> str:
    """The flag of the first row that holds."""
    return decide_row(evidence).flag


def markdown() -> str:
    """The table as it stands in docs/verdict.md."""
    lines = [f"| {i} | {row.condition} | `{row.flag}` |" for i, row in enumerate(TABLE, 1)]
    return "\n".join(["| | the first of these that holds | flag |", "|---|---|---|", *lines])
