"""``edge scope``: what is done with a microscope itself. So far ``settle``; the work is in ``edge.cli.settling_job``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from edge.cli.checks import check_name
from edge.cli.options import ValueRule, check_values, record_of, takes
from edge.cli.run_settings import RunSettings
from edge.cli.settings import FieldSettings, ModelSettings, NetSettings, ProcessSettings
from edge.door import door

_PROGRAM = "edge scope settle"


@dataclass(frozen=True, slots=True)
class SettlingSettings:
    """The fields that a microscope is settled on."""

    PANEL: ClassVar = "Settling"

    fields: Annotated[
        Path, typer.Option(metavar="DIR", help="Fields of this microscope, of any samples: a folder or one of folders.")
    ]
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File to write.")] = Path(
        "settled.json"
    )
    scope: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of this microscope."), ValueRule(check_name)
    ] = None
    json: Annotated[bool, typer.Option(help="Print what is written as JSON on stdout.")] = False


SETTLING_RECORDS = (SettlingSettings, ModelSettings, FieldSettings, ProcessSettings)
"""The records whose options ``edge scope settle`` takes."""


@takes(*SETTLING_RECORDS)
def settle(**values: Any) -> None:
    """Learn without labels what paper and a healthy cell look like on this microscope.

    \b
    Examples:
      edge scope settle --fields slides/ -o scope-3-settled.json
      edge run fields/ --settled scope-3-settled.json

    Nearly all cells of any sample are healthy: ten fields or more, of several samples if there are, each with tens of cells.

    Exit codes as for edge-run. For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *SETTLING_RECORDS)
    wanted, process = record_of(SettlingSettings, values), record_of(ProcessSettings, values)
    nets = record_of(ModelSettings, values)
    with door(debug=process.debug, program=_PROGRAM):
        from edge.cli.settling_job import SettlingRequest, settle_scope  # noqa: PLC0415 - NumPy and OpenCV come with it

        settings = RunSettings(
            nets=NetSettings(nets.model, nets.finder), fields=record_of(FieldSettings, values), process=process
        )
        settle_scope(settings, SettlingRequest(wanted.fields, wanted.output, wanted.scope, wanted.json))
    sys.exit(0)
