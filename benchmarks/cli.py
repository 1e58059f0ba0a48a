"""``edge-bench``: the command line. Not built yet, and says so."""

from __future__ import annotations

import sys

import typer

NOT_BUILT = 2

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench() -> None:
    """Measure what a model costs on this machine.

    This command is not built yet: it does nothing and exits with code 2.
    """
    sys.stderr.write("edge-bench: not built yet. edge-run --json prints milliseconds per stage of every field.\n")
    raise typer.Exit(NOT_BUILT)


def main() -> None:
    """Entry point of ``edge-bench``."""
    app(prog_name="edge-bench")
