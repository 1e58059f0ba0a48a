"""``edge calibrate``: its settings and the command; the work is in ``edge.cli.calibration_job``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from edge.cli.checks import check_name, check_share
from edge.cli.options import ValueRule, check_values, options_of, record_of, takes
from edge.cli.run_settings import RunSettings
from edge.cli.settings import FieldSettings, NetSettings, ProcessSettings
from edge.door import door

_PROGRAM = "edge calibrate"


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """Known slides, and what is asked of their calibration."""

    PANEL: ClassVar = "Calibration"

    blank: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="DIR",
            help="Slide known to be negative: folder (or folder of such folders), video, or COCO from --detections. Repeat.",
        ),
    ]
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Calibration to write.")]
    positive: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="DIR[=SHARE]",
            help="Slide with infected cells: as read by a person (DIR=27/2000, DIR=1.4%), or with them marked in DIR/truth.json.",
        ),
    ] = ()
    target: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Share to be detected: 200/uL or 0.1%."), ValueRule(check_share)
    ] = None
    cells: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Cells of a later sample.  [default: as the blanks have]")
    ] = None
    false_positives: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="Share of false positives to allow: 5/uL or 0.0001%.  [default: as few as possible]"
        ),
        ValueRule(check_share),
    ] = None
    scope: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of this microscope."), ValueRule(check_name)
    ] = None
    rbc_per_ul: Annotated[
        float, typer.Option(min=1e5, max=1e8, metavar="N", show_default=False, help="Red cells per µL.  [default: 5e6]")
    ] = 5e6
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder that keeps finished slides; a second call goes on from there."),
    ] = None


CALIBRATE_RECORDS = (CalibrationSettings, NetSettings, FieldSettings, ProcessSettings)
"""The records whose options ``edge calibrate`` takes."""


@takes(*CALIBRATE_RECORDS)
def calibrate(**values: Any) -> None:
    """Learn from known slides what a count on this microscope means.

    \b
    Examples:
      edge calibrate --blank n1/ --blank n2/ --scope scope-3 -o scope-3.json
      edge calibrate --blank n/ --positive p1/=27/2000 --target 200/uL -o c.json
      edge calibrate --blank n/ --cells 50000 --cache work/ -o scope-3.json
      edge calibrate --blank n1.json --blank n2.json -o scope-3.json
                                       (n1.json: from edge-run --detections)

    Every slide counts as one: give as many blank slides as there are, from different people and days.

    Exit codes as for edge-run. For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *CALIBRATE_RECORDS)
    wanted, nets = record_of(CalibrationSettings, values), record_of(NetSettings, values)
    fields, process = record_of(FieldSettings, values), record_of(ProcessSettings, values)
    _check_unit(wanted, nets)
    with door(debug=process.debug, program=_PROGRAM):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.calibration_job import CalibrationRequest, make_calibration  # noqa: PLC0415
        from edge.verdict.units import parse_share  # noqa: PLC0415

        rbc = wanted.rbc_per_ul
        request = CalibrationRequest(
            wanted.blank,
            wanted.positive,
            wanted.output,
            None if wanted.target is None else parse_share(wanted.target, rbc),
            wanted.cells,
            None if wanted.false_positives is None else parse_share(wanted.false_positives, rbc),
            rbc,
            wanted.scope,
            wanted.cache,
        )
        make_calibration(RunSettings(nets=nets, fields=fields, process=process), request)
    sys.exit(0)


def _check_unit(wanted: CalibrationSettings, nets: NetSettings) -> None:
    for name, share in (("target", wanted.target), ("false_positives", wanted.false_positives)):
        if share is not None and nets.grid and share.rstrip().lower().endswith("l"):
            option = options_of(CalibrationSettings)[name]
            raise typer.BadParameter(
                f"--{option.key} {share}: tiles have no parasites per µL: give a share of the tiles"
            )
