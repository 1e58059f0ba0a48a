"""The page docs/triage.md: what a triage keeps and discards on every microscope, by nets that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.judge.figures import Measurement
from models.judge.microscope_figures import CalledCells
from models.judge.microscopes import UNSEEN_RED_ONLY, MicroscopeRow
from models.report.markdown import paragraph, table
from models.studies.triage.table import DISCARDED, KEPT, THRESHOLDS, TriagePoint, best_threshold, point, verdict

NAME = "triage.md"
"""Of the page."""

_SHOWING = 3000
"""Infected cells from which on all of them kept shows the target: 3 / n is the upper bound of what is lost."""

_INTRODUCTION = (
    "Printed by `python -m models triage`. A triage hands a person the cells whose score reaches a threshold; the others are "
    f"discarded. The founding notes ask for at least {KEPT * 100:.3g} % of the infected cells kept and {DISCARDED * 100:.3g} % of "
    "the others discarded. Every microscope is judged by nets that never learned from it, whole fields end to end where there are "
    "fields ([microscopes.md](microscopes.md) says which)."
)
_BEST = (
    f"The highest one that keeps {KEPT * 100:.3g} % of the infected cells that the finder found. It is chosen on the very cells that "
    "it is shown on, so these lines flatter; *kept* counts those that the finder lost, too."
)
_FIXED = (
    "The score is that of the positive classes added up. An interval is the wider of two: the exact one of so many cells, and that "
    "of drawing slides or fields anew."
)
_HEAD = ("threshold", "kept", "kept, of found", "others discarded", "targets")
_LABELS = (
    "Where labels are wrong no threshold can do better: a cell that is wrongly labelled infected has a low score, rightly, and pulls "
    "the threshold down with it ([REPORT.md](../models/REPORT.md) says how far second opinions differ from the NIH labels)."
)


@dataclass(frozen=True, slots=True, eq=False)
class TriageScope:
    """A microscope with its scored cells."""

    row: MicroscopeRow
    cells: CalledCells


def page(rows: Sequence[MicroscopeRow]) -> list[str]:
    """Lines of the page; rows without scored cells are named with the reason."""
    judged = [TriageScope(row, row.cells) for row in rows if row.cells is not None and row.name != UNSEEN_RED_ONLY]
    infected = [scope for scope in judged if scope.cells.infected.any()]
    blank = [scope for scope in judged if not scope.cells.infected.any()]
    return [
        "# Triage: what is kept, what is spared",
        "",
        *paragraph(_INTRODUCTION),
        "",
        *_short_of(infected),
        "",
        "## At the best threshold",
        "",
        *paragraph(_BEST),
        "",
        *table(
            ("", *_HEAD),
            [_best(scope) for scope in infected],
        ),
        "",
        "## At thresholds fixed beforehand",
        "",
        *paragraph(_FIXED),
        *(line for scope in infected for line in _fixed(scope)),
        "",
        "## Others discarded where nothing is infected",
        "",
        *table(("", "others", *(f"at {t:g}" for t in THRESHOLDS)), [_blank(scope) for scope in blank]),
        *_missing(rows),
    ]


def _short_of(scopes: Sequence[TriageScope]) -> list[str]:
    """How far from the targets, in a sentence or two that the figures write."""
    best = {scope.row.name: point(scope.cells, best_threshold(scope.cells)) for scope in scopes}
    met = [name for name, at in best.items() if verdict(at) == "met"]
    enough = [name for name, at in best.items() if at.discarded is not None and at.discarded.value >= DISCARDED]
    lost = [name for name, at in best.items() if at.kept is not None and at.kept.value < KEPT]
    few = [name for name, at in best.items() if at.kept is not None and at.kept.n < _SHOWING]
    text = (
        f"**Both targets are met on {len(met)} of {len(best)} rows.** Enough of the others can be spared on {_listed(enough)}, if "
        f"the cells that were found are all that counts. The finder alone loses too many infected ones on {_listed(lost)}."
    )
    if few:
        text += f" Fewer than {_SHOWING:,} infected cells cannot show {_percent(KEPT)} even if all are kept: {_listed(few)}."
    return paragraph(f"{text} {_LABELS}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"*{name}*" for name in names) or "none"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _best(scope: TriageScope) -> tuple[str, ...]:
    threshold = best_threshold(scope.cells)
    at = point(scope.cells, threshold)
    return (scope.row.name, f"{threshold:.2g}", *_shown(at), verdict(at))


def _fixed(scope: TriageScope) -> list[str]:
    points = [point(scope.cells, threshold) for threshold in THRESHOLDS]
    return [
        "",
        f"**{scope.row.name}**, judged without {scope.row.held_out} ({', '.join(scope.row.nets)})",
        "",
        *table(
            _HEAD,
            [(f"{at.threshold:g}", *_shown(at), verdict(at)) for at in points],
        ),
    ]


def _shown(at: TriagePoint) -> tuple[str, ...]:
    return tuple(_text(one) for one in (at.kept, at.kept_of_found, at.discarded))


def _blank(scope: TriageScope) -> tuple[str, ...]:
    spared = (_short(point(scope.cells, t).discarded) for t in THRESHOLDS)
    return (scope.row.name, f"{len(scope.cells.suspicion):,}", *spared)


def _text(one: Measurement | None) -> str:
    return "-" if one is None else f"{one.text()} of {one.n:,}"


def _short(one: Measurement | None) -> str:
    return "-" if one is None else f"{one.value * 100:.2f} %"


def _missing(rows: Sequence[MicroscopeRow]) -> list[str]:
    return [line for row in rows if row.missing for line in ("", f"{row.name}: {row.missing}.")]
