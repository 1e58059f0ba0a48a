"""The page's plots, as SVG text that stays the same with the same figures; line and marker tell the nets apart, not colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from convert.errors import ToolError
from edge.extras import how_to_install
from models.judge.figures import Measurement
from models.report.curves import Bin, RocCurve

_SETTINGS: Final[dict[str, Any]] = {
    "svg.hashsalt": "models-report",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_STYLES: Final = (
    {"color": "#000000", "linestyle": "-", "marker": "o"},
    {"color": "#777777", "linestyle": "--", "marker": "s"},
    {"color": "#aaaaaa", "linestyle": ":", "marker": "^"},
)
SETS = ("NIH cells, unseen slides", "IML fields end to end, unseen blocks")


@dataclass(frozen=True, slots=True, eq=False)
class NetPlots:
    """What is drawn of one net; of NIH and of IML in this order.

    Attributes:
        name: of the net.
        curves: of each set.
        marked: sensitivity at each share of false positives with its interval, of each set.
        bins: of each set.
        macs: per cell.
        size: of the shipped file, bytes.
        auc: on NIH.
    """

    name: str
    curves: tuple[RocCurve, RocCurve]
    marked: tuple[dict[float, Measurement], dict[float, Measurement]]
    bins: tuple[list[Bin], list[Bin]]
    macs: int
    size: int
    auc: Measurement


def need_matplotlib() -> Any:
    """The module; raises ToolError."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - only here
    except ImportError as error:
        raise ToolError(f"matplotlib is not installed: {how_to_install('bench')}") from error
    return mpl


def draw(nets: Sequence[NetPlots]) -> dict[str, str]:
    """File names and their SVG; raises ToolError where matplotlib is missing."""
    mpl = need_matplotlib()
    mpl.use("svg")
    with mpl.rc_context(_SETTINGS):
        return {
            "roc.svg": _roc(nets),
            "sensitivity.svg": _sensitivity(nets),
            "calibration.svg": _calibration(nets),
            "cost.svg": _cost(nets),
        }


def _panels(count: int = 2, height: float = 3.6) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - only here

    figure = Figure(figsize=(4.4 * count, height), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    for panel, title in zip(axes, SETS, strict=False):
        panel.set_title(title, fontsize=9)
        panel.grid(color="#dddddd", linewidth=0.5)
    return figure, axes


def _line(index: int) -> dict[str, str]:
    style = _STYLES[index % len(_STYLES)]
    return {"color": style["color"], "linestyle": style["linestyle"]}


def _points(index: int) -> dict[str, str]:
    style = _STYLES[index % len(_STYLES)]
    return {"color": style["color"], "marker": style["marker"], "linestyle": "none"}


def _label(panel: Any, across: str, up: str, corner: str) -> None:
    panel.set_xlabel(across)
    panel.set_ylabel(up)
    panel.legend(frameon=False, loc=corner)


def _roc(nets: Sequence[NetPlots]) -> str:
    figure, axes = _panels()
    for k, panel in enumerate(axes):
        for i, net in enumerate(nets):
            one = net.curves[k]
            panel.plot(100 * one.false, 100 * one.found, label=net.name, **_line(i))
        panel.plot([0, 100], [0, 100], color="#bbbbbb", linewidth=0.8, linestyle=(0, (1, 3)))
        panel.set(xlim=(-1, 101), ylim=(-1, 101))
        _label(panel, "uninfected cells called positive, %", "infected cells found, %", "lower right")
    return _svg(figure)


def _sensitivity(nets: Sequence[NetPlots]) -> str:
    figure, axes = _panels()
    for k, panel in enumerate(axes):
        for i, net in enumerate(nets):
            one = net.curves[k]
            shown = one.false > 0
            panel.plot(
                1e6 * one.false[shown], 100 * one.found[shown], label=net.name, drawstyle="steps-post", **_line(i)
            )
            for rate, value in net.marked[k].items():
                whisker = [[100 * (value.value - (value.low or 0))], [100 * ((value.high or 1) - value.value)]]
                at = 1e6 * rate * (1 + 0.12 * i)  # beside each other, so that both whiskers can be seen
                panel.errorbar([at], [100 * value.value], yerr=whisker, capsize=2, markersize=4, **_points(i))
        panel.axhline(100 * nets[0].curves[k].top, color="#555555", linewidth=0.7, linestyle=(0, (1, 2)))
        panel.set_xscale("log")
        panel.set(xlim=(1e6 * nets[0].curves[k].least, 1e6), ylim=(-1, 102))
        _label(
            panel,
            "false positives per million uninfected cells (logarithmic)",
            "infected cells found, %",
            "lower right",
        )
    return _svg(figure)


def _calibration(nets: Sequence[NetPlots]) -> str:
    figure, axes = _panels()
    for k, panel in enumerate(axes):
        panel.plot([0, 1], [0, 100], color="#bbbbbb", linewidth=0.8, linestyle=(0, (1, 3)))
        for i, net in enumerate(nets):
            parts = net.bins[k]
            share = [100 * one.share for one in parts]
            whiskers = [[100 * (b.share - b.low) for b in parts], [100 * (b.high - b.share) for b in parts]]
            look = {**_line(i), "marker": _STYLES[i % len(_STYLES)]["marker"]}
            scores = [one.score for one in parts]
            panel.errorbar(scores, share, yerr=whiskers, label=net.name, capsize=2, markersize=4, linewidth=1, **look)
        panel.set(xlim=(-0.01, 1.01), ylim=(-1, 101))
        _label(panel, "score of the net (0 to 1), mean of a tenth", "of these infected, %", "upper left")
    return _svg(figure)


def _cost(nets: Sequence[NetPlots]) -> str:
    figure, axes = _panels(1, 3.2)
    panel = axes[0]
    for i, net in enumerate(nets):
        value = net.auc
        whisker = [[value.value - (value.low or 0)], [(value.high or 1) - value.value]]
        panel.errorbar([net.macs / 1e3], [value.value], yerr=whisker, capsize=3, **_points(i))
        words = f"{net.name}, {net.size / 1e3:.1f} kB"
        # Left of the rightmost point, right of the others: words stay inside.
        last = net.macs == max(one.macs for one in nets)
        spot, side = ((-8, 6), "right") if last else ((8, 6), "left")
        panel.annotate(words, (net.macs / 1e3, value.value), xytext=spot, textcoords="offset points", ha=side)
    panel.set_xlim(0, 1.1 * max(net.macs for net in nets) / 1e3)
    panel.set_xlabel("thousand multiply-accumulates per cell")
    panel.set_ylabel("AUC (0.5 to 1)")
    return _svg(figure)


def _svg(figure: Any) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
