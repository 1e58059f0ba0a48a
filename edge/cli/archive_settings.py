"""The settings of ``edge recount`` of an archive, beside those that ``edge-run`` has too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from edge.cli.options import ValueRule


def check_address(text: str) -> None:
    """Raise ValueError for what is no address of a scheduler."""
    scheme, _, rest = text.partition("://")
    if scheme not in ("tcp", "tls", "ws", "wss", "ucx") or not rest:
        raise ValueError(f"{text!r}: give the scheduler's address, as tcp://scheduler:8786")


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where an archive's counts go, and who counts."""

    PANEL: ClassVar[str] = "Archives"

    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR|URL",
            help="Count an archive: folder of the results (Parquet). A call with the same one goes on.",
        ),
    ] = None
    on: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT", help="Scheduler of a Dask cluster.  [default: processes of this machine]"
        ),
        ValueRule(check_address),
    ] = None
