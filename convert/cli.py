"""``edge-convert``: the command line. Not built yet, and says so."""

from __future__ import annotations

import sys

import typer

NOT_BUILT = 2

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def convert() -> None:
    """Turn a trained Keras classifier into a small int8 TFLite file with a card.

    This command is not built yet: it does nothing and exits with code 2.
    """
    sys.stderr.write("edge-convert: not built yet. The shipped models are made by the commands in models/.\n")
    raise typer.Exit(NOT_BUILT)


def main() -> None:
    """Entry point of ``edge-convert`` and ``convert``."""
    app(prog_name="edge-convert")
