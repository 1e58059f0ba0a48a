"""``docs/microscopes.md``: a row per microscope, the worst first, and what must be reached on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.macs import macs
from edge.modelfile import read_model
from models.data.folds import CLASSIFIER, FINDER
from models.judge.figures import Measurement
from models.judge.microscope_figures import KEPT_IN_TRIAGE
from models.judge.microscopes import UNSEEN_BLOCKS, UNSEEN_RED_ONLY, UNSEEN_SLIDES, MicroscopeRow
from models.judge.targets import CELL_MACS, FIELD_MACS, MUST_REACH, RowTarget
from models.report.figure import WORD, Figure
from models.report.markdown import paragraph, table

_OWN = (UNSEEN_BLOCKS, UNSEEN_RED_ONLY, UNSEEN_SLIDES)
"""Rows of microscopes that the nets did learn from."""

_FIELD = (240, 320)
"""Height and width in pixels of the view that a field net's cost is given for."""


def share(value: Measurement) -> str:
    """A share with its interval and n: ``0.917 (0.869 to 0.964; n = 84)``."""
    return _shown(value, 1, 3)


def per_1000(value: Measurement) -> str:
    """Cells in a thousand, likewise."""
    return _shown(value, 1000, 2)


def _shown(value: Measurement, scale: int, digits: int) -> str:
    if value.low is None or value.high is None:
        return f"{value.value * scale:.{digits}f} (n = {value.n:,})"
    bounds = f"{value.low * scale:.{digits}f} to {value.high * scale:.{digits}f}"
    return f"{value.value * scale:.{digits}f} ({bounds}; n = {value.n:,})"


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column of the table.

    Attributes:
        head: its name.
        keys: of its figure: the first that a row has.
        write: how it is written.
        about: what it is.
    """

    head: str
    keys: tuple[str, ...]
    write: Callable[[Measurement], str]
    about: str


COLUMNS = (
    FigureColumn(
        "red cells, F1",
        ("red_f1",),
        share,
        "finds against annotated red cells, infected or not (boxes at IoU 0.5, points by distance)",
    ),
    FigureColumn("infected kept", ("infected_kept",), share, "annotated infected cells that the finder finds"),
    FigureColumn(
        "found at 1 %",
        ("found_at_1", "at_1"),
        share,
        "infected cells above the score that 1 % of the other finds exceed; what the finder lost counts as missed",
    ),
    FigureColumn("found at 0.1 %", ("found_at_01", "at_01"), share, "the same at 0.1 %"),
    FigureColumn("AUC", ("auc",), share, "of the finds, or of the cells given"),
    FigureColumn(
        "infected called",
        ("found",),
        share,
        "infected cells that the device calls infected at the card's threshold; what the finder lost counts as missed",
    ),
    FigureColumn("others called, per 1,000", ("called",), per_1000, "other finds that it calls infected"),
    FigureColumn(
        "white cells counted", ("white_counted",), share, "annotated white cells in which a find counts as a red cell"
    ),
    FigureColumn("platelets counted", ("platelets_counted",), share, "the same of platelets"),
    FigureColumn(
        "triage, of found",
        ("triage_kept",),
        share,
        f"share of the others that can be discarded if {KEPT_IN_TRIAGE * 100:g} % of the infected cells found are kept",
    ),
    FigureColumn(
        "triage, of all", ("triage",), share, "the same of all infected cells: 0 where the finder lost more than that"
    ),
)
"""What is said of every microscope."""


def ordered(rows: Sequence[MicroscopeRow]) -> list[MicroscopeRow]:
    """Worst first: by infected cells found at 1 %; then, without parasites, by what is called infected; then those not judged."""

    def worth(row: MicroscopeRow) -> tuple[int, float]:
        found, called = first(row, "found_at_1", "at_1"), first(row, "called")
        if found is not None:
            return 0, found.value
        return (1, -called.value) if called is not None else (2, 0.0)

    return sorted(rows, key=worth)


def first(row: MicroscopeRow, *keys: str) -> Measurement | None:
    """The first of these figures that a row has."""
    return next((row.figures[key] for key in keys if key in row.figures), None)


def target_rows(rows: Sequence[MicroscopeRow]) -> list[Figure]:
    """What must be reached, beside what is; a row that is not there, or not judged, has nothing to say."""
    by_name = {row.name: row for row in rows}
    return [_held_against(target, by_name[target.row]) for target in MUST_REACH if target.row in by_name]


def _held_against(target: RowTarget, row: MicroscopeRow) -> Figure:
    value = first(row, *target.keys)
    write, scale, unit = (per_1000, 1000, " per 1,000") if target.per_1000 else (share, 1, "")
    wanted = f"{'<=' if target.most else '>='} {target.wanted * scale:g}{unit}"
    if value is None:
        return Figure(target.what, row.name, wanted, row.missing or "no such cells", None)
    met = value.value <= target.wanted if target.most else value.value >= target.wanted
    return Figure(target.what, row.name, wanted, write(value), met)


def page(rows: Sequence[MicroscopeRow], costs: Sequence[Figure] = ()) -> list[str]:
    """The whole page as Markdown lines; ``costs`` are what the nets must not exceed."""
    unseen, own = ordered([row for row in rows if row.name not in _OWN]), [row for row in rows if row.name in _OWN]
    targets = [*target_rows(rows), *costs]
    missed, aimed = sum(one.met is False for one in targets), sum(one.met is not None for one in targets)
    lines = ["# Microscopes never seen", "", *paragraph(_ABOUT), "", *paragraph(_worst(unseen)), "", *_table(unseen)]
    if own:
        lines += ["", "## Its own microscopes", "", *paragraph(_ABOUT_OWN), "", *_table(own)]
    lines += ["", f"## Must reach: {missed} of {aimed} missed", "", *_targets(targets), "", "## Columns", ""]
    lines += [line for one in COLUMNS for line in paragraph(f"**{one.head}**: {one.about}.", bullet=True)]
    nets = [[row.name, row.held_out, ", ".join(row.nets)] for row in (*unseen, *own)]
    lines += ["", "## Nets", "", *table(["row", "held out", "files"], nets)]
    if notes := [f"{row.name}: {note}" for row in rows for note in row.notes]:
        lines += ["", "## Noticed", "", *(line for note in notes for line in paragraph(note, bullet=True))]
    return lines


_ABOUT = (
    "Written by `python -m models microscopes -o docs/microscopes.md`. Each row is judged with int8 files in the device's runtime, "
    "by nets that learned nothing from that microscope, as their own cards say. Whole fields go through the device's own path; of "
    "single cells there is the classifier's part only. Intervals are 95 %: bootstrap over slides or groups, over fields where groups "
    "are few; exact where no find is called infected."
)
_ABOUT_OWN = (
    "IML fields and NIH cells teach the nets; here each block of fields and each slide is judged by the nets of a fold that did not "
    "see it. IML finds that are not annotated as infected are held against the second reading: what both readers called infected or "
    "a free parasite, or were unsure of, counts neither way. NIH cells are held against the published labels."
)


def _worst(rows: Sequence[MicroscopeRow]) -> str:
    """The worst of the rows, in a sentence."""
    sick = [row for row in rows if first(row, "found_at_1", "at_1")]
    healthy = [row for row in rows if row.figures and row not in sick]
    parts = []
    if sick and (found := first(sick[0], "found_at_1", "at_1")):
        parts.append(
            f"The worst is **{sick[0].name}**: {found.value * 100:.0f} % of its infected cells are found at 1 % false positives."
        )
    if healthy:
        called = healthy[0].figures["called"].value * 1000
        parts.append(f"Without parasites it is **{healthy[0].name}**: {called:.1f} of 1,000 finds are called infected.")
    return " ".join(parts) or "None of the nets is trained."


def _table(rows: Sequence[MicroscopeRow]) -> list[str]:
    columns = [one for one in COLUMNS if any(first(row, *one.keys) for row in rows)]
    return table(["", *(one.head for one in columns)], [[row.name, *_cells(row, columns)] for row in rows])


def _cells(row: MicroscopeRow, columns: Sequence[FigureColumn]) -> list[str]:
    if row.missing:
        return [row.missing, *[""] * (len(columns) - 1)]
    values = [(one, first(row, *one.keys)) for one in columns]
    return ["-" if value is None else one.write(value) for one, value in values]


def _targets(rows: Sequence[Figure]) -> list[str]:
    head = ["figure", "where", "target", "measured", ""]
    return table(head, [[one.what, one.where, one.target, one.value, WORD[one.met]] for one in rows])


def net_costs(shelf: Path) -> list[Figure]:
    """Multiply-accumulates of the shipped nets, per cell and per field, beside what they may take."""
    cell, finder = (read_model(shelf / name / f"{name}.tflite").flatbuffer for name in (CLASSIFIER, FINDER))
    height, width = _FIELD
    measured = (
        (f"{CLASSIFIER}, multiply-accumulates", "a cell", macs(cell), CELL_MACS),
        (
            f"{FINDER}, multiply-accumulates",
            f"a field at {width}x{height}",
            macs(finder, (height, width, 3)),
            FIELD_MACS,
        ),
    )
    return [Figure(what, where, f"<= {most:,}", f"{value:,}", value <= most) for what, where, value, most in measured]


def plain(rows: Sequence[MicroscopeRow], costs: Sequence[Figure] = ()) -> dict[str, Any]:
    """The same as plain values, for programs."""
    return {
        "report_version": 1,
        "rows": [
            {
                "name": row.name,
                "held_out": row.held_out,
                "nets": list(row.nets),
                "missing": row.missing,
                "notes": list(row.notes),
                "figures": {
                    key: {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
                    for key, one in row.figures.items()
                },
            }
            for row in ordered(rows)
        ],
        "targets": [
            {"what": one.what, "where": one.where, "target": one.target, "measured": one.value, "met": one.met}
            for one in (*target_rows(rows), *costs)
        ],
    }
