"""``edge collect``: the samples of many microscopes in one book. The work is in ``edge.cli.collect_job``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.book_options import DebugOption
from edge.cli.network_settings import BrokerSettings
from edge.cli.options import record_of, takes
from edge.door import door
from edge.network.address import parse_broker


@takes(BrokerSettings)
def collect(
    url: Annotated[str, typer.Argument(metavar="URL", help="Broker: mqtt://HOST, mqtts://USER@HOST.")],
    *,
    book: Annotated[
        Path, typer.Option("--book", metavar="FILE", help="Book to collect into; it is made if it is not there.")
    ],
    once: Annotated[
        bool, typer.Option("--once", help="End when all that connected microscopes have counted is here.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout, a line for each thing that happens.")] = False,
    debug: DebugOption = False,
    **values: Any,
) -> None:
    """Collect the samples of all microscopes that speak to an MQTT broker into one book.

    \b
    Examples:
      edge collect mqtt://broker.local --book district.sqlite
      edge collect mqtts://clara@broker.local --book d.sqlite --mqtt-ca ca.pem
      edge collect mqtt://broker.local --book district.sqlite --once

    Each field arrives once and in order, whatever broker and network lose. edge samples, show, export and serve take the book.
    """  # noqa: D301 - \b keeps the lines as they are
    try:
        parse_broker(url)
    except ValueError as error:
        raise typer.BadParameter(f"the address of the broker {error}") from None
    with door(debug=debug, program="edge collect"):
        from edge.cli.collect_job import collected  # noqa: PLC0415 - brings NumPy

        collected(record_of(BrokerSettings, values).address(url), book, once=once, json=json)
