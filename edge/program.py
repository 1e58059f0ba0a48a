"""What all programs with several commands share: the look of their help, ``--version``, and how they are entered."""

from __future__ import annotations

import typer

from edge import installed_version
from edge.door import run_program
from edge.usage import PlainGroup

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""Click context settings that every help shares; ``max_content_width`` is in columns."""


def make_app(program: str, text: str, epilog: str, *, completion: bool = True) -> typer.Typer:
    """Make a program of several commands; the commands are added by the caller.

    Args:
        program: name of the program.
        text: first lines of its help.
        epilog: last lines of its help, below the commands.
        completion: whether it has ``--install-completion``; shells cannot complete ``python -m ...``.
    """
    app = typer.Typer(
        cls=PlainGroup,
        help=text,
        epilog=epilog,
        add_completion=completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings=SETTINGS,
    )

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{program} {installed_version()}")
            raise typer.Exit

    option = typer.Option(False, "--version", callback=show, is_eager=True, help="Show the version and exit.")

    @app.callback()
    def _options(*, version: bool = option) -> None:
        # A callback makes typer keep sub-commands even while there are few.
        del version

    return app


def enter(app: typer.Typer, program: str) -> None:
    """Run an app as the process's only business; every known failure ends as one line and an exit code."""
    run_program(lambda: app, program)
