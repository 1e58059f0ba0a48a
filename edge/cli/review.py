"""``edge review``: what there is to look at in a sample and how that stands; by file, out to other people and back."""

from __future__ import annotations

from typing import Any

import typer

from edge.cli.book_options import BookOption, CountOption, DebugOption, JsonOption, SampleArgument
from edge.cli.options import check_values, record_of, takes
from edge.cli.review_settings import (
    REVIEW_RECORDS,
    ReviewInSettings,
    ReviewOutSettings,
    ReviewWordSettings,
    stages_of,
)
from edge.door import door


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
      edge review S-0042                            (how the review stands)
      edge review S-0042 --export look.html         (a page for an expert)
      edge review S-0042 --import answers-3f2a.json (what the expert said)
      edge review S-0042 --export look.csv          (a table to fill in)
      edge review S-0042 --import cvat.zip --reader Ann --check

    What goes out carries no names of samples or files and no times, unless --with-names.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *REVIEW_RECORDS)
    out, back = record_of(ReviewOutSettings, values), record_of(ReviewInSettings, values)
    if out.export is not None and back.import_ is not None:
        raise typer.BadParameter("--export and --import: give one of them")
    words = record_of(ReviewWordSettings, values).stages
    stages = () if words is None else stages_of(words)
    with door(debug=debug, program="edge review"):
        from edge.cli.review_job import review_job  # noqa: PLC0415 - brings NumPy and OpenCV

        review_job(book, (sample, count), out, back, stages, json=json)
