"""``edge engine``: the process that counts for ``edge serve``, one sample after the other. Hidden: it is started, not typed."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from edge.cli.options import check_values, takes
from edge.cli.run_settings import RUN_RECORDS, RunSettings, check_together
from edge.door import door

PROGRAM = "edge engine"
"""Name that its lines begin with."""


@takes(*RUN_RECORDS)
def engine(
    *,
    link: Annotated[int, typer.Option(min=3, metavar="N", help="File descriptor of the link to the page.")],
    **values: Any,
) -> None:
    """Count what a camera sees, sample after sample, as a page says.

    \b
    Example, as edge serve starts it:
      edge engine --link 7 --device simulated --max-cells 2000

    Exit codes as for edge-run. For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *RUN_RECORDS)
    settings = for_engine(RunSettings.of(values))
    check_together(settings)
    with door(debug=settings.process.debug, program=PROGRAM):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.camera_control import engine_camera  # noqa: PLC0415 - numpy, OpenCV and the runtime come with it
        from edge.cli.engine_job import run_engine  # noqa: PLC0415

        code = run_engine(settings, link, engine_camera(settings))
    sys.exit(code)


def for_engine(settings: RunSettings) -> RunSettings:
    """The settings with a camera as their source; raises BadParameter for what makes no sense for many samples."""
    source, outputs, book = settings.input, settings.outputs, settings.book
    for option, given in (
        ("inputs", bool(source.inputs)),
        ("--sample-id", source.sample_id is not None),
        ("--sample-per-folder", source.sample_per_folder),
        ("--csv", outputs.csv is not None),
        ("--detections", outputs.detections is not None),
        ("--annotate", outputs.annotate is not None),
        ("--json", outputs.json),
        ("--resume", book.resume),
        ("--again", book.again),
    ):
        if given:
            raise typer.BadParameter(
                f"{option}: the page says that for each sample, or exports it from the book; leave it out"
            )
    device = "simulated" if source.simulate else source.device
    return replace(settings, input=replace(source, camera=True, simulate=False, device=device))
