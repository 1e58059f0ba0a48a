"""The programs ``edge-run`` and ``edge``. All else is imported behind the door, so that Ctrl-C is heard from the first moment."""

from __future__ import annotations

from edge.door import door, stop_before_the_run, usable_streams
from edge.errors import OutputError


def run_main() -> None:
    """Entry point of ``edge-run``."""
    _enter("edge-run")


def main() -> None:
    """Entry point of ``edge``."""
    _enter("edge")


def _enter(program: str) -> None:
    with door(debug=False):
        stop_before_the_run()
        usable_streams()
        from edge.cli.apps import app, run_app  # noqa: PLC0415

        try:
            (run_app if program == "edge-run" else app)(prog_name=program)
        except OSError as error:  # commands have doors of their own: this is typer, writing help
            raise OutputError(f"stdout: cannot be written: {error.strerror}") from error
