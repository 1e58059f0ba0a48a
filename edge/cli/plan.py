"""``edge plan``: how many cells, how long, and how many samples flagged wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli.checks import check_share
from edge.door import door
from edge.errors import CalibrationError
from edge.lines import print_json, print_lines

if TYPE_CHECKING:
    from edge.verdict.calibration import Calibration

_PROGRAM = "edge plan"


def plan(
    *,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Calibration (edge calibrate).  [default: none, cell arithmetic]"),
    ] = None,
    parasitaemia: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Share to be detected: 0.1% or 200/uL.  [default: its target]")
    ] = None,
    sensitivity: Annotated[
        float,
        typer.Option(min=0.5, max=0.9999, metavar="P", help="Part of the samples with that share that are flagged."),
    ] = 0.95,
    specificity: Annotated[
        float, typer.Option(min=0.5, max=0.9999, metavar="P", help="Part of the blank samples that are not flagged.")
    ] = 0.95,
    cells: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Number of cells; says what they give instead.")
    ] = None,
    cells_per_field: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="N", help="Cells per field.  [default: as measured when calibrating]"),
    ] = None,
    seconds_per_field: Annotated[
        float | None,
        typer.Option(
            min=0.001, metavar="S", help="Seconds per field, stage and camera included.  [default: as measured]"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Say how many cells a question needs, how long that takes, and how many samples are flagged wrongly.

    \b
    Examples:
      edge plan --calibration scope-3.json --parasitaemia 0.1%
      edge plan --calibration scope-3.json --parasitaemia 200/uL --sensitivity 0.9
      edge plan --calibration scope-3.json --parasitaemia 1% --cells 2000
      edge plan --cells 350 --sensitivity 0.95 --specificity 0.85
                            (no calibration: what a classifier must reach)

    Exit codes as for edge-run.
    """  # noqa: D301 - \b keeps the lines as they are
    if parasitaemia is not None:
        try:
            check_share(parasitaemia)
        except ValueError as error:
            raise typer.BadParameter(f"--parasitaemia {error}") from None
    if calibration is None and cells is None:
        raise typer.BadParameter("give --calibration, or --cells for what a classifier must reach")
    with door(debug=debug, program=_PROGRAM):
        if calibration is None:
            reached = _arithmetic(cells or 1, sensitivity, specificity, parasitaemia)
            print_json(reached) if json else print_lines(_arithmetic_lines(reached))
            return
        from edge.verdict.schema import read_calibration  # noqa: PLC0415

        known = read_calibration(calibration)
        pace = _Pace(cells_per_field or known.cells_per_field, seconds_per_field or known.seconds_per_field)
        planned = _planned(known, parasitaemia, (sensitivity, specificity), cells, pace)
        print_json(planned) if json else print_lines(_planned_lines(planned, known, seconds_per_field))


@dataclass(frozen=True, slots=True)
class _Pace:
    """Cells and seconds per field, None where they are not known."""

    cells: float | None
    seconds: float | None


def _arithmetic(cells: int, sensitivity: float, specificity: float, share: str | None) -> dict[str, Any]:
    from edge.verdict.plan import cell_negative_at_most, cell_sensitivity, cell_specificity  # noqa: PLC0415
    from edge.verdict.units import parse_share  # noqa: PLC0415

    at = None if share is None else parse_share(share)
    needed = None if at is None else cell_sensitivity(cells, sensitivity, specificity, at)
    return {
        "cells": cells,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "share": at,
        "cell_specificity": cell_specificity(cells, specificity),
        "cell_negative_at_most": cell_negative_at_most(cells, sensitivity),
        "cell_sensitivity": needed if needed is None or needed <= 1 else None,
    }


def _arithmetic_lines(reached: dict[str, Any]) -> list[str]:
    from edge.verdict.units import percent  # noqa: PLC0415

    negative = reached["cell_negative_at_most"]
    lines = [
        (
            f"One positive cell of {reached['cells']:,} means infected; per sample {reached['sensitivity']:.4g} sensitivity, "
            f"{reached['specificity']:.4g} specificity:"
        ),
        f"  cell specificity   {reached['cell_specificity']:.6f} or more",
        f"  negative cells     {negative:.6f} of an infected sample's at most: {1 - negative:.2%} must come out positive",
    ]
    if reached["share"] is not None:
        needed = reached["cell_sensitivity"]
        verdict = (
            "no classifier can: too few infected cells among so many" if needed is None else f"{needed:.4f} or more"
        )
        lines.append(f"  cell sensitivity   at {percent(reached['share'])} infected: {verdict}")
    return lines


def _planned(
    known: Calibration, share: str | None, wanted: tuple[float, float], cells: int | None, pace: _Pace
) -> dict[str, Any]:
    """Plan with a calibration; ``wanted`` is sensitivity and specificity per sample. Raises CalibrationError if it cannot tell."""
    from edge.cli.judging import share_of  # noqa: PLC0415
    from edge.verdict import plan as arithmetic  # noqa: PLC0415

    target = known.target if share is None else share_of(share, known)
    if target is None:
        raise CalibrationError("no share to be detected: give --parasitaemia (the calibration holds no target)")
    sensitivity, specificity = wanted
    each = 1 - (1 - specificity) / len(known.positive)  # several classes share what may go wrong
    classes = []
    for label in known.positive:
        if not known.knows(label):
            raise CalibrationError(f"{label}: its sensitivity is not known: calibrate with --positive")
        errors = known.errors(label)
        asked = arithmetic.plan(errors, target, sensitivity, each) if cells is None else None
        made = asked or arithmetic.at(errors, cells or 1, target, each)
        fields = -(-made.cells // pace.cells) if pace.cells and made.enough else None
        classes.append(
            {
                "class": label,
                "enough": made.enough,
                "cells": made.cells,
                "flagged_above": made.limit,
                "flagged_blanks": made.flagged_blanks,
                "missed": made.missed,
                "fields": fields,
                "minutes": fields * pace.seconds / 60 if fields and pace.seconds else None,
            }
        )
    return {
        "share": target,
        "unit": known.unit,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "cells_per_field": pace.cells,
        "seconds_per_field": pace.seconds,
        "classes": classes,
    }


def _planned_lines(planned: dict[str, Any], known: Calibration, seconds: float | None) -> list[str]:
    """``seconds``: per field as the user gave them, None where they were measured."""
    from edge.verdict.units import said  # noqa: PLC0415

    unit = f"{known.unit}s"
    rests = f"{len(known.blanks)} slides, {known.cells:,} {unit}"
    lines = [f"{said(planned['share'], known.rbc)} of the {unit} infected; blanks: {rests}"]
    for made in planned["classes"]:
        head = f"{made['class']}: " if len(known.positive) > 1 else ""
        if not made["enough"]:
            lines.append(
                f"{head}no number of {unit} is enough: at {made['cells']:,} still {made['missed']:.0%} would be missed"
            )
            lines.append("  slides differ too much in false positives and losses: more known slides, or a better model")
            continue
        lines.append(f"{head}{made['cells']:,} {unit}; a sample is flagged above {made['flagged_above']:,} positives")
        lines.append(f"  {_pace_line(made, planned['cells_per_field'], seconds)}")
        wrong, missed = made["flagged_blanks"] * 1000, made["missed"] * 1000
        lines.append(f"  of 1,000 blank samples {wrong:,.0f} are flagged; of 1,000 like this {missed:,.0f} are missed")
    return lines


def _pace_line(made: dict[str, Any], per_field: float | None, seconds: float | None) -> str:
    if made["fields"] is None:
        return "fields: not known (--cells-per-field)"
    fields = f"{made['fields']:,.0f} fields of {per_field:,.0f}"
    if made["minutes"] is None:
        return f"{fields}; time: not known (--seconds-per-field)"
    measured = "as fast as files were counted when calibrating; a stage is slower"
    return f"{fields}, {made['minutes']:,.1f} minutes ({measured if seconds is None else f'{seconds:g} s each'})"
