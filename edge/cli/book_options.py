"""Options that the commands on a book share, and the sample they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli.book_settings import BookOption

SampleArgument = Annotated[str, typer.Argument(metavar="SAMPLE", help="Name of the sample.", show_default=False)]
CountOption = Annotated[
    int | None, typer.Option("--count", min=1, metavar="N", help="Number of the count.  [default: the newest]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
FolderOption = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to.")]

__all__ = [
    "BookOption",
    "CountOption",
    "DebugOption",
    "FolderOption",
    "JsonOption",
    "SampleArgument",
]
