"""``edge doctor``: whether this device is fit to count. The checks are in ``edge.health``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.door import door


def doctor(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings of the run.  [default: the service's, if installed]"),
    ] = None,
    book: Annotated[
        Path | None,
        typer.Option("--book", metavar="FILE", help="Book to look at.  [default: the service's, else yours]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")] = False,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Write a support file too: no names, no paths, no samples."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Look whether this device is fit to count: disk, book, clock, camera, models, power, heat.

    \b
    Examples:
      edge doctor
      sudo edge doctor                    the service's own book too
      edge doctor --config slide.toml     with the settings of your run
      edge doctor --bundle support.json

    Each line says what to do. What cannot be looked at is unknown, never healthy. It changes nothing and may be run while a
    sample is counted.

    Exit codes: 0 no check failed (there may be warnings); 12 a check failed; 2, 7 as for edge-run.
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge doctor"):
        from edge.cli.doctor_job import examine_device  # noqa: PLC0415 - NumPy, OpenCV and the runtime come with it

        code = examine_device(config, book, bundle, json=json, debug=debug)
    sys.exit(code)
