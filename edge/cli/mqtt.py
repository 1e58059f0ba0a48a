"""``edge mqtt``: what is done with a broker beside a run. The work is in ``edge.cli.mqtt_job``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from edge.cli.book_options import BookOption, DebugOption
from edge.cli.checks import check_name
from edge.cli.network_settings import BrokerSettings, told_apart
from edge.cli.options import check_values, record_of, takes
from edge.door import door
from edge.network.address import parse_broker
from edge.program import make_app
from edge.usage import PlainCommand

_URL = Annotated[str, typer.Argument(metavar="URL", help="Broker: mqtt://HOST, mqtts://USER@HOST.", show_default=False)]
_SCOPE = Annotated[
    str | None,
    typer.Option(
        "--scope", metavar="NAME", help="Name of this microscope.  [default: as of the newest sample, else the host's]"
    ),
]


@takes(BrokerSettings)
def send(
    url: _URL,
    *,
    book: BookOption = None,
    scope: _SCOPE = None,
    mqtt_names: Annotated[
        bool, typer.Option("--mqtt-names", help="Send names of samples and files too, as the run did.")
    ] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="Send everything once more, for somebody who collects anew.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=1, max=86400, metavar="SECONDS", help="Give up after so long without progress.")
    ] = 30.0,
    debug: DebugOption = False,
    **values: Any,
) -> None:
    """Send a broker what waits for it in the book, and end.

    \b
    Examples:
      edge mqtt send mqtt://broker.local
      edge mqtt send mqtts://anna@broker.local --mqtt-password-file hush.txt
      edge mqtt send mqtt://broker.local --book /media/usb/book.sqlite
      edge mqtt send mqtt://broker.local --all    who collects has a new book

    Exit codes: 0 all is delivered; 10 the book refused; 15 the broker is not there or refuses, and what waits is kept; 130 stopped by
    Ctrl-C.
    """  # noqa: D301 - \b keeps the lines as they are
    address, settings = _checked(url, scope, values)
    with door(debug=debug, program="edge mqtt send"):
        from edge.cli.mqtt_job import send_what_waits  # noqa: PLC0415 - brings NumPy

        code = send_what_waits(settings.address(address), book, scope, names=mqtt_names, patience=patience, again=all_)
    sys.exit(code)


@takes(BrokerSettings)
def forget(
    url: _URL,
    *,
    book: BookOption = None,
    scope: _SCOPE = None,
    debug: DebugOption = False,
    **values: Any,
) -> None:
    """Make a broker forget this microscope: what it keeps of it, and Home Assistant's device. The book stays.

    \b
    Examples:
      edge mqtt forget mqtt://broker.local
      edge mqtt forget mqtt://broker.local --book old.sqlite

    Exit codes: 0 it is forgotten; 10 the book refused; 15 the broker is not there or refuses.
    """  # noqa: D301 - \b keeps the lines as they are
    address, settings = _checked(url, scope, values)
    with door(debug=debug, program="edge mqtt forget"):
        from edge.cli.mqtt_job import forget_microscope  # noqa: PLC0415 - brings NumPy

        forget_microscope(settings.address(address), book, scope)
    sys.exit(0)


def _checked(url: str, scope: str | None, values: dict[str, Any]) -> tuple[str, BrokerSettings]:
    """The address without a password, which is in the environment then, and how the broker is spoken to. Raises BadParameter."""
    check_values(values, BrokerSettings)
    for name, check, value in (("URL", parse_broker, url), ("--scope", check_name, scope)):
        try:
            if value is not None:
                check(value)
        except ValueError as error:
            raise typer.BadParameter(f"{name} {error}") from None
    return told_apart(url), record_of(BrokerSettings, values)


def mqtt_app() -> typer.Typer:
    """Return the group of commands ``edge mqtt``."""
    example = "Example: edge mqtt send mqtt://broker.local\n\nA run sends by itself: edge-run --camera --mqtt URL"
    app = make_app(
        "edge mqtt", "What waits for an MQTT broker, and what it keeps of this microscope.", example, completion=False
    )
    app.command(cls=PlainCommand, short_help="Send what waits in the book, and end.")(send)
    app.command(cls=PlainCommand, short_help="Make a broker and Home Assistant forget this microscope.")(forget)
    return app
