"""Accuracy against cost as SVG text: microseconds across, AUC up, a number per net."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from models.report.plots import need_matplotlib
from models.studies.search.candidates import LITE, REFERENCE
from models.studies.search.results import SearchRow, frontier

_SETTINGS: Final[dict[str, Any]] = {"svg.hashsalt": "models-search", "svg.fonttype": "none", "font.size": 9}
_DEEPEST = 0.06
"""Nets that lie deeper than this below the reference are drawn at the lower edge, with their AUC in words."""

_TICKS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # of the logarithmic axis


def draw(rows: Sequence[SearchRow]) -> str:
    """The plot; the same figures give the same bytes. Raises ToolError where matplotlib is missing."""
    mpl = need_matplotlib()
    mpl.use("svg")
    with mpl.rc_context(_SETTINGS):
        return _drawn(sorted(rows, key=lambda row: row.time.us))


def _drawn(rows: Sequence[SearchRow]) -> str:
    from matplotlib.figure import Figure  # noqa: PLC0415 - only here

    figure = Figure(figsize=(8.8, 4.2), layout="constrained")
    panel = figure.subplots()
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="#dddddd", linewidth=0.5)
    best = frontier(rows)
    panel.plot([row.time.us for row in best], [row.auc for row in best], color="#aaaaaa", linestyle=":", linewidth=1)
    floor = next(row.auc for row in rows if row.name == REFERENCE) - _DEEPEST
    for number, row in enumerate(rows, start=1):
        shelf, below = row.name in (REFERENCE, LITE), row.auc < floor
        place = (row.time.us, max(row.auc, floor))
        panel.plot(
            *([value] for value in place),
            marker="v" if below else "s" if shelf else "o",
            markersize=6,
            linestyle="none",
            color="#000000" if shelf else "#777777",
            label=f"{number}  {row.name}",
        )
        words = f"{number} ({row.auc:.2f})" if below else str(number)
        spot, side = ((-8, -3), "right") if below else ((5, 5), "left")
        panel.annotate(words, place, xytext=spot, textcoords="offset points", ha=side)
    panel.set_xscale("log")
    shown = [tick for tick in _TICKS if rows[0].time.us / 2 <= tick <= rows[-1].time.us * 2]
    panel.set_xticks(shown, [str(tick) for tick in shown])
    panel.set_xticks([], minor=True)
    panel.set_xlabel("µs per cell at the best batch, one thread (logarithmic)")
    panel.set_ylabel("AUC on NIH cells of unseen slides (0.5 to 1)")
    panel.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
