"""The commands of the program ``edge``, put together."""

from __future__ import annotations

import typer

from edge.cli.book import book_app
from edge.cli.calibrate import calibrate
from edge.cli.collect import collect
from edge.cli.doctor import doctor
from edge.cli.engine import engine
from edge.cli.export import export, report
from edge.cli.models import models
from edge.cli.mqtt import mqtt_app
from edge.cli.plan import plan
from edge.cli.recount import recount
from edge.cli.review import review
from edge.cli.run import run
from edge.cli.samples import samples, show
from edge.cli.scope import settle
from edge.cli.scope_profiles import check, list_profiles, set_up
from edge.cli.scope_profiles import show as show_profile
from edge.cli.serve import serve
from edge.cli.service import service_app
from edge.program import make_app
from edge.usage import PlainCommand

_EPILOG = """\b
Programs beside this one, each with --help:
  edge-run          the same as edge run
  edge-convert      your own Keras model onto the device (also: convert)
  edge-bench        what a cell and a field cost on this machine
  python -m models  train, judge and adapt models

\b
To begin with: edge-run --simulate --max-cells 5000
"""


def make_edge() -> typer.Typer:
    """Return the program ``edge``: several commands."""
    app = make_app("edge", "Edge inference for low-cost microscopes. Research and triage, not diagnosis.", _EPILOG)
    app.command(cls=PlainCommand, short_help="Count cells on fields: counts per sample, and a flag.")(run)
    app.command(short_help="List the models on the shelf.")(models)
    app.command(cls=PlainCommand, short_help="Learn from known slides what a count means here.")(calibrate)
    app.command(short_help="Say how many cells a question needs, and how long.")(plan)
    app.command(cls=PlainCommand, short_help="Show the page of this microscope in a browser.")(serve)
    app.command(cls=PlainCommand, short_help="Look whether this device is fit to count.")(doctor)
    app.command(cls=PlainCommand, short_help="List the samples in the book.")(samples)
    app.command(cls=PlainCommand, short_help="Show a sample in the book.")(show)
    app.command(cls=PlainCommand, short_help="Write the page of a sample in the book.")(report)
    app.command(cls=PlainCommand, short_help="Write a sample in the book for other programs.")(export)
    app.command(cls=PlainCommand, short_help="Say how a sample's review stands; send cells out, take answers back.")(
        review
    )
    app.command(cls=PlainCommand, short_help="Count a sample in the book once more, with another model.")(recount)
    app.command(cls=PlainCommand, short_help="Collect the samples of many microscopes into one book.")(collect)
    app.add_typer(book_app(), name="book", short_help="Look after the book: check, compact, backup, merge.")
    example = "Example: edge scope set-up bench-3 --objective 100x"
    scope = make_app("edge scope", "What is done with a microscope itself.", example, completion=False)
    scope.command(name="set-up", cls=PlainCommand, short_help="Make the profile of a microscope, step by step.")(set_up)
    scope.command(name="show", cls=PlainCommand, short_help="Show a profile.")(show_profile)
    scope.command(name="list", cls=PlainCommand, short_help="List the microscopes that have one.")(list_profiles)
    scope.command(cls=PlainCommand, short_help="Look through the camera and say what differs from it.")(check)
    scope.command(cls=PlainCommand, short_help="Learn without labels what a healthy cell looks like here.")(settle)
    app.add_typer(scope, name="scope", short_help="Set this microscope up: light, flat field, dust, scale; settle it.")
    app.command(cls=PlainCommand, hidden=True)(engine)
    app.add_typer(mqtt_app(), name="mqtt", short_help="Send a broker what waits; make it forget this microscope.")
    app.add_typer(service_app(), name="service", short_help="Count from boot on, as a systemd service.")
    return app
