"""What the programs beside ``edge-run`` share: how they look, their ``--version``, and the door they are entered by."""

from __future__ import annotations

import typer

from edge.cli.usage import PlainGroup
from edge.door import door, stop_before_the_run, usable_streams
from edge.errors import OutputError

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""How every help looks."""


def make_app(program: str, text: str, epilog: str, *, completion: bool = True) -> typer.Typer:
    """A program of several commands, none of them yet.

    Args:
        program: its name.
        text: what its help says.
        epilog: and below the commands.
        completion: whether it offers to complete what is typed; a shell cannot for ``python -m ...``.
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
            from edge import installed_version  # noqa: PLC0415 - takes longer than all else here

            typer.echo(f"{program} {installed_version()}")
            raise typer.Exit

    option = typer.Option(False, "--version", callback=show, is_eager=True, help="Show the version and exit.")

    @app.callback()
    def _options(*, version: bool = option) -> None:
        # A callback makes typer keep sub-commands even while there are few.
        del version

    return app


def enter(app: typer.Typer, program: str) -> None:
    """Run it as the process's only business; every known failure leaves as one line and an exit code."""
    with door(debug=False, program=program):
        stop_before_the_run()
        usable_streams()
        try:
            app(prog_name=program)
        except OSError as error:  # commands have doors of their own: this is typer, writing help
            raise OutputError(f"stdout: cannot be written: {error.strerror}") from error
