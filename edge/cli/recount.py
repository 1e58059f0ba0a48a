"""``edge recount``: a second count: of a sample in the book, or of an archive of many fields, by other nets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import typer

from edge.cli.archive_settings import ArchiveSettings
from edge.cli.book_options import BookOption, CountOption, SampleArgument
from edge.cli.options import check_values, options_of, record_of, takes, typed_values
from edge.cli.run_settings import RunSettings, check_together
from edge.cli.settings import CardSettings, FieldSettings, JudgingSettings, NetSettings, OutputSettings, ProcessSettings
from edge.door import door

RECOUNT_RECORDS: tuple[type, ...] = (
    ArchiveSettings,
    NetSettings,
    CardSettings,
    FieldSettings,
    JudgingSettings,
    OutputSettings,
    ProcessSettings,
)
"""The records whose options ``edge recount`` takes."""

_AS_THEN = frozenset({"z", "depth", "gate", "overlap", "tiling", "tile_px", "tile_overlap"})
"""Options that a sample of the book has from its first count."""

_OF_SAMPLES = frozenset({"detections", "csv", "annotate", "report", "bell", "count", "book"})
"""Options that an archive has no use for."""


@takes(*RECOUNT_RECORDS)
def recount(
    context: typer.Context, sample: SampleArgument, *, count: CountOption = None, book: BookOption = None, **values: Any
) -> None:
    """Count once more, with another model or finder: a sample of the book, or (with -o) an archive of many fields.

    \b
    Examples:
      edge recount S-0042 --model notebook.tflite
      edge recount S-0042 --finder classical --report out/
      edge recount archive/ -o counts.parquet     each folder is a sample
      edge recount s3://b/2026/ --on tcp://host:8786 -o s3://b/counts/
      edge recount archive/ --like counts.parquet --model new.tflite

    Of a sample of the book, fields come from the files they were read from, while these have the same content, and from the
    pictures that --keep kept. What is gone is named as unreadable. Gate, overlaps, tiles and reading are as in the first count,
    which stays.

    An archive is counted by Dask: by processes of this machine, or by a cluster (--on). The results are Parquet tables of samples,
    fields and cells, equal to what edge-run counts (docs/recount.md). A call that was cut off goes on when it is repeated.
    With --like it is compared with earlier results, sample by sample.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *RECOUNT_RECORDS)
    typed = typed_values(context, {**values, "count": count, "book": book})
    where = record_of(ArchiveSettings, values)
    _check_kind(where, typed)
    settings = RunSettings.of({**RunSettings().values(), **values})
    with door(debug=values["debug"], program="edge recount"):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        if where.archive:
            if where.like is None:
                check_together(settings)
            from edge.cli.archive_job import counted_archive  # noqa: PLC0415 - numpy, OpenCV and the runtime come with it

            code = counted_archive(sample, where, settings, typed)
        else:
            from edge.cli.recount_job import recounted  # noqa: PLC0415 - numpy, OpenCV and the runtime come with it

            code = recounted(sample, count, book, settings)
    sys.exit(code)


def _check_kind(where: ArchiveSettings, typed: Mapping[str, Any]) -> None:
    """Raise BadParameter for options of a sample with an archive, and the other way round."""
    keys = {name: option.key for name, option in options_of(*RECOUNT_RECORDS).items()}
    if where.changed and where.like is None:
        raise typer.BadParameter("--changed compares two counts: name the earlier one with --like")
    if not where.archive:
        if where.on is not None:
            raise typer.BadParameter("--on counts an archive: name a folder for the results with -o")
        if wrong := sorted(_AS_THEN & typed.keys()):
            raise typer.BadParameter(
                f"--{keys[wrong[0]]}: a sample of the book is read and cut up as in its first count"
            )
    elif wrong := sorted(_OF_SAMPLES & typed.keys()):
        raise typer.BadParameter(f"--{keys.get(wrong[0], wrong[0])} is of a sample in the book: leave it out with -o")
    elif where.on is not None and typed.get("workers") is not None:
        raise typer.BadParameter(
            "--workers are of this machine, and --on names a cluster that has its own: give one of them"
        )
