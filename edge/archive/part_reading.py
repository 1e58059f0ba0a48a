"""Columns of a part of the tables, read with suspicion: files may be damaged, cut short or somebody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edge.archive.packages import package
from edge.archive.storage_words import shown_address
from edge.errors import ArchiveError

if TYPE_CHECKING:
    from edge.archive.place import ResultsPlace

MOST_ROWS = 20_000_000
"""Of a part's table: a sample of a million fields with a part of its own has no more fields than this."""

MOST_BYTES = 2**30
"""Of the columns that are read at a time, unpacked: a small file can claim to hold any amount."""


def read_part(place: ResultsPlace, table: str, part: str, columns: Mapping[str, Any], gaps: Sequence[str] = ()) -> Any:
    """Columns of a part as an Arrow table.

    Args:
        place: of the results.
        table: ``samples`` or ``fields``.
        part: the file's name.
        columns: their names, and the Arrow type that each must have.
        gaps: columns that need not have a value in each row.

    Raises:
        ArchiveError: the file is damaged, gone, not of edge recount, or claims to be larger than any part is.
    """
    arrow, parquet = package("pyarrow"), package("pyarrow.parquet")
    shown = f"{shown_address(place.url)}/{table}/{part}"
    try:
        with place.open(f"{table}/{part}") as source, parquet.ParquetFile(source) as file:
            told = file.metadata
            wrong = _wrong(file.schema_arrow, columns) or _too_large(told, columns)
            if not wrong:
                found = file.read(columns=list(columns), use_threads=False)
                found.validate(full=True)
                if len(found) != told.num_rows:
                    wrong = f"{len(found):,} rows where it promises {told.num_rows:,}"
                elif empty := [name for name in columns if name not in gaps and found[name].null_count]:
                    wrong = f"column {empty[0]} has rows without a value"
    except (OSError, ValueError, KeyError, OverflowError, MemoryError, arrow.ArrowException) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise ArchiveError(f"{shown}: damaged ({why}): {_ADVICE}") from None
    if wrong:
        raise ArchiveError(f"{shown}: not of edge recount ({wrong}): {_ADVICE}")
    return found


_ADVICE = "remove it, and recount again with the same -o, which counts its samples anew"


def _wrong(schema: Any, columns: Mapping[str, Any]) -> str:
    """What the file's columns lack."""
    for name in columns:
        places = schema.get_all_field_indices(name)
        if len(places) != 1:
            return f"no column {name}" if not places else f"two columns {name}"
        if schema.field(places[0]).type != columns[name]:
            return f"column {name} holds {schema.field(places[0]).type}"
    return ""


def _too_large(told: Any, columns: Mapping[str, Any]) -> str:
    if not 0 <= told.num_rows <= MOST_ROWS:
        return f"{told.num_rows:,} rows"
    size = 0
    for group in map(told.row_group, range(told.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema.split(".")[0] in columns:
                size += max(column.total_uncompressed_size, 0)
    return f"{size:,} bytes unpacked" if size > MOST_BYTES else ""
