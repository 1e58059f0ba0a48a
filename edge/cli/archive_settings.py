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
    like: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|URL",
            help="Count an archive as these results of it were, but for the options given, and compare the two, sample by sample.",
        ),
    ] = None
    changed: Annotated[
        bool,
        typer.Option("--changed", help="Only samples with another flag, or surely another share (--like)."),
    ] = False

    @property
    def archive(self) -> bool:
        """Whether an archive is counted, not a sample of the book."""
        return self.output is not None or self.like is not None
