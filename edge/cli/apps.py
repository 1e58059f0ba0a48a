"""The command lines ``edge-run`` and ``edge``. Heavy imports wait until a command runs, so that help is quick."""

from __future__ import annotations

import typer

from edge.cli.calibrate import calibrate
from edge.cli.models import models
from edge.cli.plan import plan
from edge.cli.run import run

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _typer(text: str | None = None, *, bare_is_help: bool = False) -> typer.Typer:
    return typer.Typer(
        help=text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=bare_is_help,
        context_settings=_SETTINGS,
    )


run_app = _typer()
run_app.command()(run)

app = _typer("Edge inference for low-cost microscopes. Research and triage, not diagnosis.", bare_is_help=True)
app.command()(run)
app.command()(models)
app.command()(calibrate)
app.command()(plan)


@app.callback()
def _umbrella() -> None:
    # A callback makes typer keep sub-commands even while there are few.
    pass
