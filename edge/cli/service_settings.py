"""How ``edge service install`` installs; what the service counts with are the settings of ``edge-run``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from edge.cli.checks import check_name
from edge.cli.options import ValueRule


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How the service is installed."""

    PANEL: ClassVar = "Service"

    user: Annotated[bool, typer.Option(help="A service of your own session, not the system's: needs no root.")] = False
    dry_run: Annotated[bool, typer.Option(help="Print what would be written; write and start nothing.")] = False
    replace: Annotated[
        bool, typer.Option(help="Replace files that were changed by hand; they are kept as *.before.")
    ] = False
    start: Annotated[bool, typer.Option(help="Start it now too.")] = True
    run_as: Annotated[
        str | None,
        typer.Option(metavar="USER", help="Who it runs as.  [default: a user that owns nothing else]"),
        ValueRule(check_name),
    ] = None
