"""``edge serve``: the page of this microscope. What it does is in ``edge.cli.serve_job``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.config import merged, read_config
from edge.cli.engine import for_engine
from edge.cli.options import check_values, takes, typed_values
from edge.cli.run_settings import RUN_RECORDS, RunSettings, check_together
from edge.cli.settings import RUN
from edge.door import door

PORT = 8400
"""Port of the page where no other is asked for."""

PAGE = "Page"
"""Panel of the options that say who may see it."""


MOST_STAGES = 8
"""Words of ``--stages``: with the class itself they take the keys 1 to 9."""

LONGEST_STAGE = 40
"""Letters of such a word."""


def stage_words(text: str) -> tuple[str, ...]:
    """The words of ``--stages``. Raises BadParameter."""
    words = tuple(dict.fromkeys(filter(None, (word.strip() for word in text.split(",")))))
    if len(words) > MOST_STAGES:
        raise typer.BadParameter(f"{len(words)} words, but there are keys for {MOST_STAGES}", param_hint="--stages")
    for word in words:
        if len(word) > LONGEST_STAGE or not word.isprintable():
            raise typer.BadParameter(
                f"{word[:LONGEST_STAGE]!r} is not printable or has more than {LONGEST_STAGE} letters",
                param_hint="--stages",
            )
    return words


@takes(*RUN_RECORDS)
def serve(
    context: typer.Context,
    *,
    port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="N", help="Port of the page.", rich_help_panel=PAGE)
    ] = PORT,
    lan: Annotated[
        bool, typer.Option("--lan", help="Let tablets in this network in, with a one-time PIN.", rich_help_panel=PAGE)
    ] = False,
    stages: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Words that readers of cells may add to the positive class, as ring,trophozoite; each has a key.",
            rich_help_panel=PAGE,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Take options from this TOML file; the command line wins.",
            rich_help_panel=RUN,
        ),
    ] = None,
    **values: Any,
) -> None:
    """Show the page of this microscope: live picture, counts, samples, review, health.

    \b
    Examples:
      edge serve              http://127.0.0.1:8400, for this machine only
      edge serve --simulate   the virtual microscope: to try it, to show it
      edge serve --lan        shows address, code and one-time PIN for a tablet
      edge serve --calibration scope-3.json --until decided
      edge serve --stages ring,trophozoite,schizont,gametocyte
      edge serve --config slide.toml --port 8401

    It takes the options of edge-run that say how is counted. Sample, notes, pause and end are said on the page. Ctrl-C ends it:
    what was counted is in the book, and a sample under way can be gone on with.

    Exit codes: 0 ended; 1 a defect of this program; 2 wrong command line; 13 the port is taken or packages are missing; 130 ended
    while a sample was counted. What keeps the camera or a model from working is said on the page.

    For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *RUN_RECORDS)
    settings = RunSettings.of(
        merged(typed_values(context, values), {} if config is None else read_config(config), values)
    )
    check_together(settings)
    for_engine(settings)
    words = stage_words(stages or "")
    with door(debug=settings.process.debug, program="edge serve"):
        from edge.cli.serve_job import serve_page  # noqa: PLC0415 - NumPy, OpenCV and the web framework come with it

        code = serve_page(settings, port, lan=lan, stages=words)
    sys.exit(code)
