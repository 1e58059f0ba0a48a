"""The settings of ``edge review``: what goes out, what comes back, which words readers may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from edge.cli.options import ValueRule

_LONGEST = 60  # characters of a reader's name and of a stage


class ReviewKind(StrEnum):
    """What goes out to be looked at."""

    HTML = "html"
    CSV = "csv"
    COCO = "coco"
    CVAT = "cvat"
    ECOTAXA = "ecotaxa"
    FIJI = "fiji"
    LABEL_STUDIO = "label-studio"
    OME = "ome"
    QUPATH = "qupath"


def check_reader(text: str) -> None:
    """Raise ValueError for what is no name of a reader."""
    if not (text.isprintable() and 0 < len(text.strip()) <= _LONGEST):
        raise ValueError(f"must be printable, 1 to {_LONGEST} letters")


def stages_of(text: str) -> tuple[str, ...]:
    """Read ``ring,trophozoite``; raises ValueError."""
    stages = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not all(stage.isprintable() and 0 < len(stage) <= _LONGEST for stage in stages):
        raise ValueError(f"{text!r}: give words with commas between, as ring,trophozoite")
    return stages


@dataclass(frozen=True, slots=True)
class ReviewOutSettings:
    """What goes out."""

    PANEL: ClassVar = "Out, to be looked at"

    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what is to be looked at. FILE.html is a page that works anywhere."),
    ] = None
    as_: Annotated[
        ReviewKind | None, typer.Option("--as", help="Kind of the file.  [default: by the ending of its name]")
    ] = None
    cells: Annotated[
        int, typer.Option(min=1, max=2000, metavar="N", help="Cells that go out, the likeliest suspects first.")
    ] = 120
    open_: Annotated[bool, typer.Option("--open", help="Only cells that nobody has answered yet.")] = False
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Send names of sample, files and microscope, and times, too.")
    ] = False


@dataclass(frozen=True, slots=True)
class ReviewInSettings:
    """What comes back."""

    PANEL: ClassVar = "Back, with answers"

    import_: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Take answers from a file, all or none.")
    ] = None
    reader: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who answered.  [default: as the file says]"),
        ValueRule(check_reader),
    ] = None
    agree: Annotated[
        bool,
        typer.Option("--agree", help="Boxes that came back as they went out were looked at: they count as agreed."),
    ] = False
    removed: Annotated[
        bool, typer.Option("--removed", help="Cells that are missing in FILE were removed as no cells, however many.")
    ] = False
    check: Annotated[bool, typer.Option("--check", help="Say what would be taken, and take nothing.")] = False


@dataclass(frozen=True, slots=True)
class ReviewWordSettings:
    """What readers may say beside the model's classes."""

    PANEL: ClassVar = "Words"

    stages: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Stages of the positive class that a reader may name: ring,trophozoite"),
        ValueRule(stages_of),
    ] = None


REVIEW_RECORDS = (ReviewOutSettings, ReviewInSettings, ReviewWordSettings)
"""The records whose options ``edge review`` takes."""
