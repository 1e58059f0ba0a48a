"""The report's plots, as SVG text: the same results give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.errors import MissingPackageError
from benchmarks.record.run import Run
from benchmarks.record.summary import summarise
from benchmarks.report.page import label, usable
from edge.extras import how_to_install

_SETTINGS: Final[dict[str, Any]] = {
    "svg.hashsalt": "edge-bench",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
"""matplotlib's settings; the fixed salt makes the same plot the same bytes."""


def draw(runs: Sequence[tuple[str, Run]], stem: str) -> dict[str, str]:
    """File names and their SVG: cells (p50 with a whisker to p99) and fields (stages on top of each other).

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - only here
    except ImportError as error:
        raise MissingPackageError(
            f"matplotlib is not installed: --no-plots does without, or {how_to_install('bench')}"
        ) from error
    mpl.use("svg")
    good = [run for _, run in runs if usable(run)]
    with mpl.rc_context(_SETTINGS):
        drawn = {f"{stem}-cells.svg": _cells(good), f"{stem}-fields.svg": _fields(good)}
    return {name: svg for name, svg in drawn.items() if svg is not None}


def _cells(runs: Sequence[Run]) -> str | None:
    bars = [
        (f"{label(run)}: {case.name}", summarise(case))
        for run in runs
        for case in run.measured.values()
        if case.workload.unit == "cell" and case.workload.group != "ceiling"
    ]
    if not bars:
        return None
    figure, axes = _figure(len(bars))
    middle = [s.p50_us for _, s in bars]
    axes.plot(middle, range(len(bars)), "o", color="#4878a8")
    axes.errorbar(
        middle,
        range(len(bars)),
        xerr=[[0.0] * len(bars), [s.p99_us - s.p50_us for _, s in bars]],
        fmt="none",
        ecolor="#333333",
        elinewidth=1,
    )
    axes.set_xscale("log")
    axes.set_xlabel("µs per cell: median, whisker to the 99th percentile (logarithmic)")
    return _svg(figure, axes, [name for name, _ in bars])


def _fields(runs: Sequence[Run]) -> str | None:
    bars = [
        (f"{label(run)}: {case.name}", stages)
        for run in runs
        for case in run.measured.values()
        if "decode" in (stages := summarise(case).stages_us) and case.workload.parameters.get("workers", 1) == 1
    ]
    if not bars:
        return None
    figure, axes = _figure(len(bars))
    left = [0.0] * len(bars)
    for name in dict.fromkeys(stage for _, stages in bars for stage in stages):
        widths = [stages.get(name, 0.0) / 1e3 for _, stages in bars]
        axes.barh(range(len(bars)), widths, left=left, label=name)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_xlabel("ms per field, medians of the stages, one worker")
    axes.legend(frameon=False, ncols=6, loc="lower left", bbox_to_anchor=(0, 1))
    return _svg(figure, axes, [name for name, _ in bars])


def _figure(bars: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - only here

    figure = Figure(figsize=(9, 1.2 + 0.24 * bars))
    return figure, figure.subplots()


def _svg(figure: Any, axes: Any, names: Sequence[str]) -> str:
    axes.set_yticks(range(len(names)), [name.replace("$", "") for name in names])
    axes.invert_yaxis()
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
