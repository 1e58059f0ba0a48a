"""The command lines ``edge-run`` and ``edge``.

Their apps are made when they are asked for: importing this package is quick, so that Ctrl-C works from the first moment. The
commands in turn import what is heavy (NumPy, OpenCV, the TFLite runtime) when they run, so that ``--help`` is quick.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from edge.door import run_program

if TYPE_CHECKING:
    import typer


def run_main() -> None:
    """Entry point of ``edge-run``."""
    run_program(edge_run_app, "edge-run")


def main() -> None:
    """Entry point of ``edge``."""
    run_program(edge_app, "edge")


@cache
def edge_run_app() -> typer.Typer:
    """Return the program ``edge-run``: a single command."""
    import typer  # noqa: PLC0415 - see above

    from edge.cli.run import run  # noqa: PLC0415
    from edge.program import SETTINGS  # noqa: PLC0415
    from edge.usage import PlainCommand  # noqa: PLC0415

    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=SETTINGS)
    app.command(cls=PlainCommand)(run)
    return app


@cache
def edge_app() -> typer.Typer:
    """Return the program ``edge``: several commands."""
    from edge.cli.commands import make_edge  # noqa: PLC0415 - see above

    return make_edge()
