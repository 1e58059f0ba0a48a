"""``edge-run``: the command. What it does is in ``edge.cli.counting``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edge import installed_version
from edge.cli.config import merged, read_config, to_toml
from edge.cli.options import check_values, takes, typed_values
from edge.cli.run_settings import RUN_RECORDS, RunSettings, check_source, check_together
from edge.cli.settings import RUN
from edge.door import door


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-run {installed_version()}")
        raise typer.Exit


def _list(wanted: bool) -> None:
    if wanted:
        from edge.cli.models import print_shelf  # noqa: PLC0415 - brings NumPy

        with door(debug=False):
            print_shelf()
        raise typer.Exit


@takes(*RUN_RECORDS)
def run(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Take options from this TOML file; the command line wins.",
            rich_help_panel=RUN,
        ),
    ] = None,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Print these options as such a file and exit.", rich_help_panel=RUN)
    ] = False,
    list_models: Annotated[
        bool,
        typer.Option("--list-models", callback=_list, is_eager=True, help="List models and exit.", rich_help_panel=RUN),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit.", rich_help_panel=RUN
        ),
    ] = False,
    **values: Any,
) -> None:
    """Count cells on whole microscope fields: per-sample counts and a flag out.

    \b
    Examples:
      edge-run --simulate --max-cells 5000
      edge-run fields/                            one folder is one sample
      edge-run slides/ --sample-per-folder --json
      edge-run fields/ --detections out.json --csv out.csv --sample-id S-0042
      edge-run "fields/*.png" --tiling grid --tile-px 64 --annotate seen/
      edge-run --camera --max-cells 2000 --settled scope-3-settled.json
      edge-run fields/ --calibration scope-3.json --report out/
      edge-run fields/ --calibration scope-3.json --target-parasitaemia 0.1%
      edge-run --camera --calibration scope-3.json --until decided
      edge-run fields/ --sample-id S-0042 --resume    goes on after a cut
      edge-run --config slide.toml --max-cells 2000

    Exit codes: 0 done; 1 a defect of this program; 2 wrong command line; 3 done, but some inputs unreadable; 4 nothing to
    read; 5 model refused; 6 no camera; 7 output not writable; 8 calibration or settling refused; 9 of a sample no field
    counts (which, and why, is said); 10 the book refused; 130 stopped by Ctrl-C (what was counted is printed).

    For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    del list_models, version
    check_values(values, *RUN_RECORDS)
    settings = RunSettings.of(
        merged(typed_values(context, values), {} if config is None else read_config(config), values)
    )
    check_together(settings)
    with door(debug=settings.process.debug):
        if show_config:
            from edge.lines import print_text  # noqa: PLC0415

            print_text(to_toml(settings))
            return
        check_source(settings)
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.counting import count  # noqa: PLC0415 - numpy, OpenCV and the runtime come with it

        code = count(settings)
    sys.exit(code)
