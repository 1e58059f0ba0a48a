"""The command lines ``edge-run`` and ``edge``. Heavy imports wait until a command runs, so that help is quick."""

from __future__ import annotations

import typer

from edge.cli.calibrate import calibrate
from edge.cli.models import models
from edge.cli.plan import plan
from edge.cli.run import run
from edge.cli.usage import PlainCommand
from edge.program import SETTINGS, make_app

_EPILOG = """\b
Programs beside this one, each with --help:
  edge-run          the same as edge run
  edge-convert      your own Keras model onto the device (also: convert)
  edge-bench        what a cell and a field cost on this machine
  python -m models  train, judge and adapt models

\b
To begin with: edge-run --simulate --max-cells 5000
"""

run_app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=SETTINGS)
run_app.command(cls=PlainCommand)(run)

app = make_app("edge", "Edge inference for low-cost microscopes. Research and triage, not diagnosis.", _EPILOG)
app.command(short_help="Count cells on fields: counts per sample, and a flag.")(run)
app.command(short_help="List the models on the shelf.")(models)
app.command(short_help="Learn from known slides what a count means here.")(calibrate)
app.command(short_help="Say how many cells a question needs, and how long.")(plan)
