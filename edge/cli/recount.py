"""``edge recount``: a second count of a sample in the book, by other nets; both counts stay."""

from __future__ import annotations

import sys
from typing import Any

from edge.cli.book_options import BookOption, CountOption, SampleArgument
from edge.cli.options import check_values, takes
from edge.cli.run_settings import RunSettings
from edge.cli.settings import CardSettings, JudgingSettings, ModelSettings, OutputSettings, ProcessSettings
from edge.door import door

RECOUNT_RECORDS: tuple[type, ...] = (
    ModelSettings,
    CardSettings,
    JudgingSettings,
    OutputSettings,
    ProcessSettings,
)
"""The records whose options ``edge recount`` takes; how fields are read and gated is as in the first count."""


@takes(*RECOUNT_RECORDS)
def recount(sample: SampleArgument, *, count: CountOption = None, book: BookOption = None, **values: Any) -> None:
    """Count the fields of a sample in the book once more, with another model or finder.

    \b
    Examples:
      edge recount S-0042 --model notebook.tflite
      edge recount S-0042 --finder classical --report out/

    Fields come from the files they were read from, while these have the same content, and from the pictures that --keep kept.
    What is gone is named as unreadable. Gate, overlaps, tiles and reading are as in the first count, which stays.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *RECOUNT_RECORDS)
    with door(debug=values["debug"], program="edge recount"):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.recount_job import recounted  # noqa: PLC0415 - numpy, OpenCV and the runtime come with it

        code = recounted(sample, count, book, RunSettings.of({**RunSettings().values(), **values}))
    sys.exit(code)
