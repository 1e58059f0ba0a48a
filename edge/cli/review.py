"""``edge review``: what there is to look at in a sample and how that stands; by file, out to other people and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from edge.cli.book_options import BookOption, CountOption, DebugOption, JsonOption, SampleArgument
from edge.cli.options import ValueRule, check_values, record_of, takes
from edge.door import door

_LONGEST = 60  # characters of a reader's name and of a stage
_PROGRAM = "edge review"


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
        bool, typer.Option("--with-names", help="With names of sample, files and microscope, and times.")
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


@takes(*REVIEW_RECORDS)
def review(
    sample: SampleArgument,
    *,
    count: CountOption = None,
    book: BookOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
    **values: Any,
) -> None:
    """Say what people answered about a sample's cells, send cells out to be looked at, take answers back.

    \b
    Examples:
      edge review S-0042                                  how the review stands
      edge review S-0042 --export S-0042.html             a page for an expert elsewhere
      edge review S-0042 --import answers-3f2a.json       what the expert answered
      edge review S-0042 --export to-look-at.csv          a table with a column for the answer
      edge review S-0042 --import cvat.zip --reader Ann --check

    What goes out carries no names of samples or files and no times, unless --with-names.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *REVIEW_RECORDS)
    out, back = record_of(ReviewOutSettings, values), record_of(ReviewInSettings, values)
    if out.export is not None and back.import_ is not None:
        raise typer.BadParameter("--export and --import: give one of them")
    words = record_of(ReviewWordSettings, values).stages
    stages = () if words is None else stages_of(words)
    with door(debug=debug, program=_PROGRAM):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.review_job import review_job  # noqa: PLC0415 - brings NumPy and OpenCV

        review_job(book, (sample, count), out, back, stages, json=json)
