"""``edge service``: the microscope counts from boot on. The work is in ``edge.cli.service_job``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from edge.cli.options import check_values, record_of, takes
from edge.cli.run_settings import RUN_RECORDS, RunSettings, check_together
from edge.cli.service_settings import ServiceSettings
from edge.cli.service_status import remove_service, show_status
from edge.door import door
from edge.program import make_app
from edge.service.systemctl import journal
from edge.usage import PlainCommand

_USER = Annotated[bool, typer.Option("--user", help="The service of your own session, not the system's.")]
_JSON = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


INSTALL_RECORDS = (ServiceSettings, *RUN_RECORDS)
"""The records whose options ``edge service install`` takes."""


@takes(*INSTALL_RECORDS)
def install(**values: Any) -> None:
    """Make the microscope count from boot on: a systemd service that starts anew when the camera or the program hangs.

    \b
    Examples:
      edge service install --camera --calibration scope-3.json --dry-run
      sudo edge service install --camera --calibration scope-3.json
      edge service install --user --camera

    All that edge-run takes, but inputs and output files: what it counts is in the book (docs/service.md).

    Exit codes as for edge-run; 11: systemd is absent or refused. For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *INSTALL_RECORDS)
    settings, wanted = RunSettings.of(values), record_of(ServiceSettings, values)
    check_together(settings)
    with door(debug=settings.process.debug, program="edge service install"):
        from edge.cli.service_job import install_service  # noqa: PLC0415 - NumPy, OpenCV and the runtime come with it

        install_service(settings, wanted)
    sys.exit(0)


def status(*, user: _USER = False, json: _JSON = False, debug: _DEBUG = False) -> None:
    """Say whether the service runs, since when, and what it counts.

    \b
    Examples:
      edge service status
      edge service status --user --json

    Exit codes: 0 it runs, starts or was stopped; 11 it has failed or is not installed.
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge service status"):
        code = show_status(user=user, json=json)
    sys.exit(code)


def logs(
    *,
    user: _USER = False,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new lines until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=1, max=100_000, metavar="N", help="The last N lines.")
    ] = 100,
    debug: _DEBUG = False,
) -> None:
    """Show what the service said, from systemd's journal.

    \b
    Examples:
      edge service logs
      edge service logs --follow
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge service logs"):
        wanted = ["--output=short-iso", "--no-pager", f"--lines={lines}", *(["--follow"] if follow else [])]
        code = journal(wanted, user=user)
    sys.exit(code)


def remove(*, user: _USER = False, debug: _DEBUG = False) -> None:
    """Stop the service and remove its unit. The book and your own drop-ins stay.

    \b
    Examples:
      sudo edge service remove
      edge service remove --user
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge service remove"):
        remove_service(user=user)
    sys.exit(0)


def service_app() -> typer.Typer:
    """Return the group of commands ``edge service``."""
    example = "Example: sudo edge service install --camera --calibration scope-3.json"
    app = make_app(
        "edge service", "The microscope counts from boot on, as a systemd service.", example, completion=False
    )
    app.command(cls=PlainCommand, short_help="Write the unit, enable and start it.")(install)
    app.command(cls=PlainCommand, short_help="Say whether it runs, and what it counts.")(status)
    app.command(cls=PlainCommand, short_help="Show what it said.")(logs)
    app.command(cls=PlainCommand, short_help="Stop it and remove its unit; the book stays.")(remove)
    return app
