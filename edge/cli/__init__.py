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

_EPILOG = """\b
Programs beside this one, each with --help:
  edge-run          the same as edge run
  edge-convert      your own Keras model onto the device (also: convert)
  edge-bench        what a cell and a field cost on this machine
  python -m models  train, judge and adapt models

\b
To begin with: edge-run --simulate --max-cells 5000
"""


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
    from edge.cli.calibrate import calibrate  # noqa: PLC0415 - see above
    from edge.cli.models import models  # noqa: PLC0415
    from edge.cli.plan import plan  # noqa: PLC0415
    from edge.cli.run import run  # noqa: PLC0415
    from edge.cli.scope import settle  # noqa: PLC0415
    from edge.program import make_app  # noqa: PLC0415
    from edge.usage import PlainCommand  # noqa: PLC0415

    app = make_app("edge", "Edge inference for low-cost microscopes. Research and triage, not diagnosis.", _EPILOG)
    app.command(cls=PlainCommand, short_help="Count cells on fields: counts per sample, and a flag.")(run)
    app.command(short_help="List the models on the shelf.")(models)
    app.command(cls=PlainCommand, short_help="Learn from known slides what a count means here.")(calibrate)
    app.command(short_help="Say how many cells a question needs, and how long.")(plan)
    example = "Example: edge scope settle --fields slides/ -o scope-3-settled.json"
    scope = make_app("edge scope", "What is done with a microscope itself.", example, completion=False)
    scope.command(cls=PlainCommand, short_help="Learn without labels what a healthy cell looks like here.")(settle)
    app.add_typer(scope, name="scope", short_help="Settle this microscope: learn what it shows of a healthy cell.")
    return app
