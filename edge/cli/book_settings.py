"""The settings of the book: where it is, whether a sample is gone on with, which pictures are kept beside it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from edge.cli.options import ValueRule
from edge.errors import OutputError

_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_NAME = Path("edge") / "book.sqlite"


class Keep(StrEnum):
    """Which fields' pictures are kept, of sources that keep none themselves."""

    NONE = "none"
    SUSPECTS = "suspects"
    KEPT = "kept"
    ALL = "all"


def bytes_of(text: str) -> int:
    """Read a number of bytes: ``2G``, ``500M``, ``1000000``; raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,15}) *([KMGT]?)B?", text.strip().upper())
    if match is None:
        raise ValueError(f"{text!r}: give bytes, as 500M or 2G")
    return int(match[1]) * _UNITS[match[2]]


def default_book() -> Path:
    """``$XDG_DATA_HOME/edge/book.sqlite``, which is ``~/.local/share/edge/book.sqlite`` where the variable is not set.

    Raises:
        OutputError: there is no home folder.
    """
    home = os.environ.get("XDG_DATA_HOME", "")
    if home.startswith("/"):
        return Path(home) / _NAME
    try:
        return Path("~/.local/share").expanduser() / _NAME
    except RuntimeError as error:
        raise OutputError("there is no home folder for the book: give --book FILE (or --no-book)") from error


BookOption = Annotated[
    Path | None,
    typer.Option("--book", metavar="FILE", help="Book to read.  [default: ~/.local/share/edge/book.sqlite]"),
]
"""The option of commands that read a book."""


@dataclass(frozen=True, slots=True)
class BookSettings:
    """Where the samples are kept."""

    PANEL: ClassVar[str] = "Book"

    book: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Book that the sample is counted into.  [default: ~/.local/share/edge/book.sqlite]"
        ),
    ] = None
    no_book: Annotated[bool, typer.Option(help="Keep no book: a run that is cut off cannot be gone on with.")] = False
    resume: Annotated[bool, typer.Option(help="Go on with the sample that was cut off; with the same settings.")] = (
        False
    )
    again: Annotated[bool, typer.Option(help="Count a sample of this --sample-id once more; both counts stay.")] = False
    keep: Annotated[Keep, typer.Option(help="Keep pictures of camera, video or virtual fields beside the book.")] = (
        Keep.SUSPECTS
    )
    keep_limit: Annotated[
        str,
        typer.Option(metavar="BYTES", help="Room for these pictures; the oldest without suspects leave first."),
        ValueRule(bytes_of),
    ] = "2G"

    @property
    def path(self) -> Path | None:
        """Of the book; None: there is none."""
        return None if self.no_book else self.book or default_book()

    @property
    def keep_bytes(self) -> int:
        """Room for pictures in bytes."""
        return bytes_of(self.keep_limit)
