"""A program that is one command: ``python -m benchmarks.profile`` and its like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from edge.program import SETTINGS
from edge.usage import PlainCommand

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


def single_command(function: Callable[..., None], epilog: str) -> typer.Typer:
    """The program whose only command is ``function``; its docstring is the help, ``epilog`` stands below the options."""
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=SETTINGS
    )
    app.command(cls=PlainCommand, epilog=epilog)(function)
    return app
