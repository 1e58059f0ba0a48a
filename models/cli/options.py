"""Options that the commands on cells share, and the door they leave by."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from convert.errors import ToolError
from convert.measure.names import same
from edge import shelf
from edge.door import door, quiet_native_stderr
from edge.extras import how_to_install
from edge.lines import plain
from edge.streams import stdout_errors
from models.data.classes import Naming, parse_merge
from models.data.gather import CLASSICAL, DataOptions

PROGRAM = "models"
EXIT_CODES = (
    "Exit codes: 0 done; 1 a defect of this program; 2 the command line is wrong; 5 a model was refused; 7 an output could not be "
    "written (disk full, no such folder); 9 the cells or fields cannot be used; 11 TensorFlow is missing; 130 stopped by Ctrl-C."
)

# Optional[...] and not "| None": typer reads it at run time
CellFolders = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--cells", metavar="DIR", help="Cells of known class, DIR/<class>/*.png; may be given several times."),
]
FieldFolders = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--fields", metavar="DIR", help="Annotated fields, COCO or IML form; may be given several times."),
]
Table = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(metavar="FILE", help="CSV: file, label, slide; default: cells.csv in --cells, where there is one."),
]
Annotations = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(metavar="FILE", help="Annotation file of --fields; default: the only *.json there."),
]
GroupBy = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--group-by",
        metavar="REGEX",
        help="Finds the slide in a file's name, as 'C[0-9]+P', or a column of the table; of fields without --cells: "
        "the group (default: an image's group in COCO, else blocks of consecutive images). Groups are never split.",
    ),
]
RandomSplit = Annotated[bool, typer.Option("--random-split", help="Go on though slides are unknown.")]
FinderName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--finder", metavar="NAME", help="Finder of the fields' cells: shelf, path, classical; default: the shelf's."
    ),
]
ClassNames = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--classes", metavar="A,B", help="Classes in the order of the net's outputs; default: all there are."),
]
Merge = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(metavar="A,B=C", help="Annotated names that become one class; * is all others. Several times."),
]
Ignore = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="A,B", help="Annotated names that are left out."),
]
Background = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        metavar="NAME", help="The ordinary class; default: by its name (uninfected), or the most frequent of fields."
    ),
]
Positive = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="A,B", help="The classes that make a sample suspicious; default: all but the background."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Seed = Annotated[int, typer.Option(min=0, help="Everything random follows from it.")]


def names(text: str | None) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def given(
    *,
    cells: list[Path] | None,
    fields: list[Path] | None,
    table: Path | None = None,
    annotations: Path | None = None,
    group_by: str | None = None,
    random_split: bool = False,
    finder: str | None = None,
    classes: str | None = None,
    merge: list[str] | None = None,
    ignore: str | None = None,
    background: str | None = None,
    positive: str | None = None,
) -> Any:
    """What the options say, as ``models.data.gather.OpenDataOptions``; raises typer.BadParameter where they make no sense."""
    if not cells and not fields:
        raise typer.BadParameter("give --cells DIR or --fields DIR")
    for option, value, folders in (("--table", table, cells), ("--annotations", annotations, fields)):
        if value and len(folders or ()) != 1:
            raise typer.BadParameter(f"{option} goes with one folder")
    try:
        naming = Naming(names(classes), parse_merge(merge or ()), frozenset(same(name) for name in names(ignore)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    usual = shelf.FINDER if shelf.has(shelf.FINDER) else CLASSICAL
    return DataOptions(
        tuple(cells or ()),
        tuple(fields or ()),
        table,
        annotations,
        group_by,
        random_split,
        finder or usual,
        naming,
        background,
        names(positive),
    )


def say(line: str) -> None:
    """A line for the user; stdout stays free for what the command is asked for."""
    sys.stderr.write(f"{plain(line)}\n")
    sys.stderr.flush()


def teller() -> Callable[[str, float], None]:
    """A progress line on a terminal, elsewhere one plain line per stage."""
    live = sys.stderr.isatty()
    last = [""]

    def tell(doing: str, share: float) -> None:
        if live:
            shown = f"{doing} {share:4.0%}" if share >= 0 else doing
            sys.stderr.write(f"\r\x1b[K{plain(shown)}\r")
        elif doing != last[0]:
            sys.stderr.write(f"{plain(doing)}\n")
        last[0] = doing
        sys.stderr.flush()

    return tell


@contextmanager
def entered(*, debug: bool, training: bool = False) -> Iterator[None]:
    """The door; ``training``: TensorFlow is needed, and keeps its log to itself."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with door(debug=debug, program=PROGRAM):
        if training:
            need_tensorflow()
        yield


def need_tensorflow() -> None:
    """Import it, its greeting kept off the terminal; raises ToolError where it is missing."""
    import importlib  # noqa: PLC0415

    try:
        with quiet_native_stderr():
            importlib.import_module("tensorflow").constant(0)
            importlib.import_module("keras")
    except ImportError as error:
        raise ToolError(f"TensorFlow is not installed: {how_to_install('convert')}") from error


def write_json(value: Any) -> None:
    """To stdout; a broken pipe or a full disk is one plain line."""
    with stdout_errors():
        sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def write_lines(lines: list[str]) -> None:
    """Likewise, text."""
    with stdout_errors():
        sys.stdout.write("".join(f"{plain(line)}\n" for line in lines))
        sys.stdout.flush()
