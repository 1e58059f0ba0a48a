"""``edge plan``: how many cells, how long, and how many samples flagged wrongly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.door import door, plain
from edge.cli.run import check_share

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
        float, typer.Option(min=0.5, max=0.9999, metavar="P", help="Of samples with that share, how many are flagged.")
    ] = 0.95,
    specificity: Annotated[
        float, typer.Option(min=0.5, max=0.9999, metavar="P", help="Of blank samples, how many are not.")
    ] = 0.95,
    cells: Annotated[int | None, typer.Option(min=1, metavar="N", help="What this many cells give, instead.")] = None,
    cells_per_field: Annotated[
        float | None, typer.Option(min=0.1, metavar="N", help="[default: as measured when calibrating]")
    ] = None,
    seconds_per_field: Annotated[
        float | None, typer.Option(min=0.001, metavar="S", help="Stage and camera included.  [default: as measured]")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Say how many cells a question needs, how long that takes, and how many samples are flagged wrongly.

    \b
    Examples:
      edge plan --calibration scope-3.json --parasitaemia 0.1%
      edge plan --calibration scope-3.json --parasitaemia 200/uL --sensitivity 0.9 --seconds-per-field 2
      edge plan --calibration scope-3.json --parasitaemia 1% --cells 2000
      edge plan --cells 350 --sensitivity 0.95 --specificity 0.85        (no calibration: what a classifier must reach)
    """  # noqa: D301 - \b keeps the lines as they are
    if parasitaemia is not None:
        check_share(parasitaemia)
    if calibration is None and cells is None:
        raise typer.BadParameter("give --calibration, or --cells for what a classifier must reach")
    with door(debug=debug, program=_PROGRAM):
        from edge.outputs.files import stdout_errors  # noqa: PLC0415

        if calibration is None:
            lines = _arithmetic(cells or 1, sensitivity, specificity, parasitaemia)
        else:
            from edge.verdict.calibration import read_calibration  # noqa: PLC0415

            known = read_calibration(calibration)
            pace = (cells_per_field or known.cells_per_field, seconds_per_field or known.seconds_per_field)
            wanted = (sensitivity, specificity)
            lines = _planned(known, parasitaemia, wanted, cells, pace, measured=seconds_per_field is None)
        with stdout_errors():
            sys.stdout.writelines(plain(line) + "\n" for line in lines)
            sys.stdout.flush()


def _arithmetic(cells: int, sensitivity: float, specificity: float, share: str | None) -> list[str]:
    from edge.verdict.plan import cell_negative_at_most, cell_sensitivity, cell_specificity  # noqa: PLC0415
    from edge.verdict.units import parse_share, percent  # noqa: PLC0415

    negative = cell_negative_at_most(cells, sensitivity)
    lines = [
        f"One positive cell of {cells:,} means infected; per sample {sensitivity:.4g} sensitivity, {specificity:.4g} specificity:",
        f"  cell specificity   {cell_specificity(cells, specificity):.6f} or more",
        f"  negative cells     {negative:.6f} of an infected sample's at most: {1 - negative:.2%} must come out positive",
    ]
    if share is not None:
        at = parse_share(share)
        needed = cell_sensitivity(cells, sensitivity, specificity, at)
        verdict = f"{needed:.4f} or more" if needed <= 1 else "no classifier can: too few infected cells among so many"
        lines.append(f"  cell sensitivity   at {percent(at)} infected: {verdict}")
    return lines


def _planned(
    known: Calibration,
    share: str | None,
    wanted: tuple[float, float],
    cells: int | None,
    pace: tuple[float | None, float | None],
    *,
    measured: bool,
) -> list[str]:
    """``wanted``: sensitivity and specificity per sample; ``pace``: cells and seconds per field."""
    from edge.cli.judging import share_of  # noqa: PLC0415
    from edge.errors import CalibrationError  # noqa: PLC0415
    from edge.verdict import plan as arithmetic  # noqa: PLC0415
    from edge.verdict.units import said  # noqa: PLC0415

    target = known.target if share is None else share_of(share, known)
    if target is None:
        raise CalibrationError("no share to be detected: give --parasitaemia (the calibration holds no target)")
    sensitivity, specificity = wanted
    each = 1 - (1 - specificity) / len(known.positive)  # several classes share what may go wrong
    rests = f"{len(known.blanks)} slides, {known.cells:,} {known.unit}s"
    lines = [f"{said(target, known.rbc)} of the {known.unit}s infected; blanks: {rests}"]
    for label in known.positive:
        if not known.knows(label):
            raise CalibrationError(f"{label}: its sensitivity is not known: calibrate with --positive")
        errors = known.errors(label)
        asked = arithmetic.plan(errors, target, sensitivity, each) if cells is None else None
        made = asked or arithmetic.at(errors, cells or 1, target, each)
        head = f"{label}: " if len(known.positive) > 1 else ""
        if not made.enough:
            lines.append(
                f"{head}no number of {known.unit}s is enough: at {made.cells:,} still {made.missed:.0%} would be missed"
            )
            lines.append("  slides differ too much in false positives and losses: more known slides, or a better model")
            continue
        lines.append(f"{head}{made.cells:,} {known.unit}s; a sample is flagged above {made.limit:,} positives")
        lines += [f"  {text}" for text in _pace(made.cells, pace, measured=measured)]
        wrong, missed = made.flagged_blanks * 1000, made.missed * 1000
        lines.append(f"  of 1,000 blank samples {wrong:,.0f} are flagged; of 1,000 like this {missed:,.0f} are missed")
    return lines


def _pace(cells: int, pace: tuple[float | None, float | None], *, measured: bool) -> list[str]:
    per_field, seconds = pace
    if not per_field:
        return ["fields: not known (--cells-per-field)"]
    fields = -(-cells // per_field)
    if not seconds:
        return [f"{fields:,.0f} fields of {per_field:,.0f}; time: not known (--seconds-per-field)"]
    how = "as fast as files were counted when calibrating; a stage is slower" if measured else f"{seconds:g} s each"
    minutes = fields * seconds / 60
    return [f"{fields:,.0f} fields of {per_field:,.0f}, {minutes:,.1f} minutes ({how})"]
