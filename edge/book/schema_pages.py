"""The pages of a book that say which tables there are and where, found again when the first page, which points to them, is lost.

Where the schema is longer than a page, the first page holds no more than pointers: the rows themselves are on leaf pages elsewhere,
where a migration and a compaction put them (SQLite's file format, section 1.6 and 2.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge.safe_file import plain_errors

PAGE = 4096
"""Bytes; SQLite's own choice, and so a book's."""

HEADER = 100
"""Bytes of the file's header, at the beginning of its first page."""

_LEAF, _INTERIOR = 0x0D, 0x05  # first byte of a page of a table
_COLUMNS = 5  # of the schema: type, name, table, root page, SQL
_TYPES = (b"table", b"index", b"trigger")
_TEXT_FROM = 13  # serial types: 13 + 2 times the length


class _SchemaLeaf(NamedTuple):
    """A page with rows of the schema: its number, the last row's id, and the names of tables."""

    page: int
    last: int
    tables: frozenset[str]


def schema_leaves(path: Path) -> tuple[tuple[_SchemaLeaf, ...], frozenset[str]]:
    """The leaf pages of the schema in a damaged book, in order, and the names of the tables that they tell of."""
    with plain_errors(path):
        leaves = sorted(_leaves(path), key=lambda leaf: leaf.last)
    return tuple(leaves), frozenset(name for leaf in leaves for name in leaf.tables)


def pointing_to(leaves: tuple[_SchemaLeaf, ...], header: bytes) -> bytes:
    """A first page.

    Args:
        leaves: that it points to; one or more.
        header: of the file, 100 bytes.
    """
    page = bytearray(PAGE)
    page[:HEADER] = header
    at, pointers = PAGE, bytearray()
    for leaf in leaves[:-1]:
        cell = leaf.page.to_bytes(4, "big") + _as_varint(leaf.last)
        at -= len(cell)
        page[at : at + len(cell)] = cell
        pointers += at.to_bytes(2, "big")
    told = bytes([_INTERIOR, 0, 0]) + (len(leaves) - 1).to_bytes(2, "big") + at.to_bytes(2, "big") + b"\0"
    told += leaves[-1].page.to_bytes(4, "big") + bytes(pointers)
    page[HEADER : HEADER + len(told)] = told
    return bytes(page)


def _leaves(path: Path) -> Iterator[_SchemaLeaf]:
    with path.open("rb") as stream:
        number = 0
        while len(page := stream.read(PAGE)) == PAGE:
            number += 1
            if number == 1 or page[0] != _LEAF:
                continue
            try:
                rows = [_row(page, int.from_bytes(page[i : i + 2], "big")) for i in _pointers(page)]
            except (IndexError, UnicodeDecodeError, ValueError):
                continue
            if rows:
                yield _SchemaLeaf(number, rows[-1][0], frozenset(name for _, kind, name in rows if kind == "table"))


def _pointers(page: bytes) -> range:
    cells = int.from_bytes(page[3:5], "big")
    return range(8, 8 + 2 * cells, 2)


def _row(page: bytes, at: int) -> tuple[int, str, str]:
    """Id, type and name of a row of the schema; raises ValueError for any other row."""
    _, at = _varint(page, at)
    rowid, at = _varint(page, at)
    size, start = _varint(page, at)
    kinds, end = [], at + size
    while start < end:
        kind, start = _varint(page, start)
        kinds.append(kind)
    if len(kinds) != _COLUMNS or any(kind < _TEXT_FROM or kind % 2 == 0 for kind in kinds[:3]):
        raise ValueError("no row of the schema")
    first, second = ((kind - _TEXT_FROM) // 2 for kind in kinds[:2])
    what, name = page[end : end + first], page[end + first : end + first + second]
    if what not in _TYPES:
        raise ValueError("no row of the schema")
    return rowid, what.decode(), name.decode()


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(8):
        byte = page[at + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    return value << 8 | page[at + 8], at + 9


def _as_varint(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))
