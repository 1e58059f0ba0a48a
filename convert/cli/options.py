"""Options that the commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

Range = StrEnum(
    "Range",
    [
        ("UNIT", "0..1"),
        ("SIGNED", "-1..1"),
        ("BYTES", "0..255"),
        ("SHELF", "-2..2"),
        ("CAFFE", "caffe"),
        ("IMAGENET", "imagenet"),
        ("PER_IMAGE", "per-image"),
    ],
)
"""Value ranges, as ``convert.net.values`` explains them."""

Colour = StrEnum("Colour", ["RGB", "BGR", "HSV", "GREY"])
"""The colours that a net was trained on."""

Author = StrEnum("Author", ["STRETCH", "PAD", "CROP"])
"""How training code brought images to a square, as ``convert.measure.single`` explains it."""

InputWay = StrEnum("InputWay", ["AUTO", "NATIVE", "REBUILD", "UPSCALE", "DISTILL"])
"""Ways to 32 x 32, as ``convert.classify.ways`` explains them."""

Kind = StrEnum("Kind", ["CLASSIFIER", "FINDER"])
"""What a net does: it classifies cells, or it finds them."""


def option(flag: str, words: str, metavar: str | None = None, **more: Any) -> Any:
    """An option with its help, and what stands for its value there."""
    return typer.Option(flag, metavar=metavar, help=words, **more)


CELLS = "Cells of known class: DIR/<class>/*.png, or a cells.csv in DIR"
GROUPS = "Where the slide stands in a file's name, as 'C[0-9]+P', or a column of cells.csv. Slides are never split."
CODE = "Python file with this model's own layer classes. It is run: read it first."
RANGE = "The values training made of bytes; default: found by trying."

KerasModel = Annotated[Path, typer.Argument(metavar="MODEL", help="A .keras or .h5 file, or a SavedModel folder.")]
Cells = Annotated[Path, option("--cells", f"{CELLS}.", "DIR")]
GroupBy = Annotated[str | None, option("--group-by", GROUPS, "REGEX")]
ValueRangeOption = Annotated[Range | None, option("--value-range", RANGE)]
ColourOption = Annotated[Colour | None, option("--colour", "What training saw; default: found by trying.")]
Logits = Annotated[bool, option("--logits", "The outputs are logits, not probabilities.")]
ReportPath = Annotated[Path | None, option("--report", "Write the report as JSON.", "FILE")]
TrustCode = Annotated[Path | None, option("--trust-code", CODE, "FILE")]
Force = Annotated[bool, option("--force", "Overwrite existing files.")]
ForceChance = Annotated[bool, option("--force", "Overwrite existing files; convert a net that is at chance, too.")]
AuthorOption = Annotated[
    Author | None,
    option(
        "--author", "How training made cells square: stretched, padded with black, cropped; default: found by trying."
    ),
]
Verbose = Annotated[bool, option("--verbose", "Show TensorFlow's own log.")]
Debug = Annotated[bool, option("--debug", "Show tracebacks.")]


def check_task(kind: Kind, classifiers: Mapping[str, object], finders: Mapping[str, object]) -> None:
    """Raise BadParameter for an option of the other task, which would have no effect."""
    foreign = classifiers if kind == Kind.FINDER else finders
    given = [name for name, value in foreign.items() if value is not None]
    if given:
        verb = "is" if len(given) == 1 else "are"
        other = Kind.CLASSIFIER if kind == Kind.FINDER else Kind.FINDER
        raise typer.BadParameter(f"{', '.join(given)} {verb} for --task {other.value}")


def names(text: str | None) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
