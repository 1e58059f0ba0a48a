"""Answers as a table: CSV out and back, for people with a spreadsheet.

Out, one row per cell with an empty ``answer``; back, rows with an answer count, the others were not looked at. A cell is written
``cell 12-7``: a spreadsheet takes a bare 12-7 for a day in December.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from edge import checked_json
from edge.exchange.naming import category_of, id_of, index_of, last_part, name_of
from edge.exchange.outgoing import Outgoing, Written
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeBox,
    ExchangeCell,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import box, label, not_too_many, read_bytes, refused
from edge.safe_file import whole_file

COLUMNS = ("cell", "field", "name", "width", "height", "x", "y", "w", "h", "label", "score", "answer", "stage", "model")
"""Of a file that goes out. Back, ``answer`` and ``cell`` are needed, or ``field`` and a box where the machine has no cell."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """One row per cell; a field without any has a row without a cell. Raises OutputError."""
    going = Outgoing(fields)
    with whole_file(out) as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(COLUMNS)
        for field in going:
            head = (field.index, _safe(field.name), field.width, field.height)
            rows.writerows(_row(cell, head, sample.model) for cell in field.cells)
            if not field.cells:
                rows.writerow(("", *head, *[""] * 8, sample.model))
    return going.written()


def _row(cell: ExchangeCell, head: tuple[object, ...], model: str) -> tuple[object, ...]:
    score = "" if cell.score is None else round(cell.score, 4)
    machine = category_of(cell) if not cell.reviewed else cell.label
    answer = cell.reviewed or (cell.label if not cell.cell else "")
    return (
        name_of(cell),
        *head,
        *map(_number, cell.box),
        _safe(machine),
        score,
        _safe(answer),
        _safe(cell.stage),
        model,
    )


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _safe(text: str) -> str:
    """A cell that spreadsheets do not run."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def read_csv(path: Path) -> Corrections:
    """The rows with an answer, by field; separated by commas, semicolons or tabs. Raises ReviewError."""
    with refused(path, "a table of answers"):
        try:
            text = read_bytes(path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError("not text in UTF-8") from error
        head = text.partition("\n")[0]
        separator = max(",;\t", key=head.count)
        try:
            rows = list(csv.DictReader(StringIO(text, newline=""), delimiter=separator, strict=True))
        except csv.Error as error:
            raise ValueError(str(error)) from error
        not_too_many(len(rows))
        if rows and "answer" not in rows[0]:
            raise ValueError("it has no column answer")
        return _corrections(path, rows)


def is_table(head: bytes) -> bool:
    """Whether a file begins like a table of answers."""
    first = head.partition(b"\n")[0].decode("utf-8", "replace").lstrip("\ufeff").strip().lower()
    columns = {one.strip('" ') for one in first.replace(";", ",").replace("\t", ",").split(",")}
    return "answer" in columns and ("cell" in columns or "field" in columns)


def _corrections(path: Path, rows: list[dict[str, str]]) -> Corrections:
    fields: dict[tuple[int | None, str], list[CorrectedCell]] = {}
    sizes: dict[tuple[int | None, str], tuple[int, int]] = {}
    models = set[str]()
    for number, row in enumerate(rows, 2):
        where = f"line {number}"
        if None in row:
            raise ValueError(f"{where} has more columns than the first line")
        said = {key: (value or "").strip().removeprefix("'") for key, value in row.items()}
        if not said["answer"]:
            continue
        models.add(said.get("model", ""))
        field, cell = _read_row(said, where)
        fields.setdefault(field, []).append(cell)
        sizes[field] = (_count(said, "width", where) or 0, _count(said, "height", where) or 0)
    if len(models) > 1:
        raise ValueError("its rows are of several models")
    found = (CorrectedField(key[0], key[1], *sizes[key], tuple(cells), whole=False) for key, cells in fields.items())
    return Corrections("csv", path, "", next(iter(models), ""), tuple(found))


def _read_row(said: Mapping[str, str], where: str) -> tuple[tuple[int | None, str], CorrectedCell]:
    written = said.get("cell", "")
    cell = id_of(written)
    if written not in ("", "added") and not cell:
        raise ValueError(f"{where}: {written[:40]!r} is no cell: cell FIELD-N, as cell 12-7")
    name = last_part(checked_json.text(said.get("name", ""), f"{where}: name"))
    index = _count(said, "field", where)
    if index is None:
        index = int(cell.split("-")[0]) if cell else index_of(name)
    place = _box(said, where)
    if not cell and (place is None or (index is None and not name)):
        raise ValueError(f"{where} says neither which cell nor where: cell, or field and x, y, w, h")
    answer, stage = label(said["answer"], f"{where}: answer"), label(said.get("stage", ""), f"{where}: stage")
    return (index, name), CorrectedCell(cell, place, answer, stage)


def _box(said: Mapping[str, str], where: str) -> ExchangeBox | None:
    corners = [said.get(key, "") for key in ("x", "y", "w", "h")]
    if not all(corners):
        return None
    try:
        x, y, w, h = map(float, corners)
    except ValueError as error:
        raise ValueError(f"{where}: x, y, w, h are not numbers with a point") from error
    return box(x, y, w, h, f"{where}: the box")


def _count(said: Mapping[str, str], key: str, where: str) -> int | None:
    value = said.get(key, "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise ValueError(f"{where}: {key} is not a whole number")
    return int(value)
