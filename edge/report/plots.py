"""The drawings of a page as inline SVG: shares against their limits, the fields in order, measures over time, stage timings.

Shape says what colour says, so that nothing is lost in print or to the colour-blind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from edge.report.axis import ShareAxis, axis_for
from edge.report.html import Markup, el
from edge.report.records import Stage, Stretch
from edge.types import Finding, Interval, Verdict
from edge.verdict.units import per_ul, percent

_LANE = 70  # pixels per row
_LONGEST_LABEL = 28  # letters
MOST_LANES = 12
"""Classes that fit a drawing."""

_HEADROOM = 1.25  # a rejected field may be far off what is usual, and must not flatten it

_SQUARE = 20  # pixels of a legend's square


def _fluid(height: float, label: str, *children: Markup, kind: str) -> Markup:
    """A drawing as wide as its place: what lies across is in per cent, what is tall and what is written in pixels of the screen."""
    drawing = el("svg", *children, width="100%", height=f"{height:.0f}", role="img", aria_label=label, class_="plot")
    return el("div", drawing, class_=f"chart {kind}")


def _text(x: float | str, y: float, words: str, anchor: str = "start", kind: str | None = None) -> Markup:
    return el("text", words, x=x, y=float(y), text_anchor=anchor, class_=kind)


def _pc(x: float) -> str:
    return f"{x:.2f}%"


def shares(verdict: Verdict, watched: Sequence[str]) -> Markup:
    """Per class: what was counted against the limit of blank, and what that means against target and limit of detection."""
    found = {finding.label: finding for finding in verdict.findings}
    axis = axis_for(_all_shares(verdict, watched), 0, 100)
    lanes: list[Markup] = []
    y = 26.0
    for label in watched:
        share = verdict.share[label]
        finding = found.get(label)
        limit = _limit_of_blank(finding)
        name = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
        lanes.append(_lane(axis, y, f"{name}: counted", share))
        if limit is not None and finding is not None:
            words = f"limit of blank: {finding.limit_of_blank:,}"
            lanes.append(_mark(axis, y, limit, words, "blank"))
        y += _LANE
        if finding is not None and finding.raw is not None:
            lanes.append(_lane(axis, y, f"{name}: estimated", finding.infected))
            if finding.limit_of_detection is not None:
                lanes.append(_mark(axis, y, finding.limit_of_detection, "limit of detection", "detection"))
            y += _LANE
    below = _axis(axis, y - 14, verdict.rbc_per_ul)
    height = y + (10 if verdict.rbc_per_ul is None else 28)
    target = [] if verdict.target is None else [_target(axis, y - 14, verdict.target)]
    words = "; ".join(f"{label} {_said(verdict.share[label])}" for label in watched)
    return _fluid(height, f"Shares with their 95 % intervals: {words}", *below, *target, *lanes, kind="shares")


def _all_shares(verdict: Verdict, watched: Sequence[str]) -> list[float]:
    values: list[float | None] = [verdict.target]
    for label in watched:
        share = verdict.share[label]
        values += [share.value, share.high, share.low]
    for finding in verdict.findings:
        values += [_limit_of_blank(finding), finding.limit_of_detection]
        if finding.raw is not None:
            values += [finding.infected.value, finding.infected.high, finding.infected.low]
    return [value for value in values if value]


def _said(share: Interval) -> str:
    value = "not known" if share.value is None else percent(share.value)
    return f"{value} ({percent(share.low)} to {percent(share.high)})"


def _limit_of_blank(finding: Finding | None) -> float | None:
    """As a share of the cells counted, so that it can stand on the same axis."""
    return None if finding is None or finding.cells == 0 else finding.limit_of_blank / finding.cells


def _lane(axis: ShareAxis, y: float, words: str, share: Interval) -> Markup:
    name, line = _text("0", y, words, kind="name"), y + 30
    if (value := share.value) is None:
        return el("g", name, _text("0", y + 16, "nothing to estimate from", kind="soft"))
    start = axis.x(share.low)
    width = max(axis.x(share.high) - start, 0.3)
    return el(
        "g",
        name,
        _text("0", y + 16, _said(share)),
        el("rect", x=_pc(start), y=line - 4, width=_pc(width), height=8.0, rx="4", class_="interval"),
        el("circle", cx=_pc(axis.x(value)), cy=line, r="5", class_="value"),
    )


def _mark(axis: ShareAxis, y: float, share: float, words: str, kind: str) -> Markup:
    x, line = axis.x(share), y + 30
    left = x > 50
    return el(
        "svg",  # its corner is a share of the width, and what is in it is drawn in pixels
        el("path", d=f"M0 {line - 9:.1f}V{line + 9:.1f}", class_=f"limit {kind}"),
        el("path", d=f"M-5 {line + 15:.1f}L0 {line + 8:.1f}L5 {line + 15:.1f}Z", class_=kind),
        _text(-9.0 if left else 9.0, line + 18, words, "end" if left else "start", "soft"),
        x=_pc(x),
    )


def _target(axis: ShareAxis, bottom: float, target: float) -> Markup:
    x = axis.x(target)
    left = x > 50
    return el(
        "svg",
        el("path", d=f"M0 4V{bottom:.1f}", class_="target"),
        _text(-6.0 if left else 6.0, 10, f"target {percent(target)}", "end" if left else "start", "aim"),
        x=_pc(x),
    )


def _axis(axis: ShareAxis, y: float, rbc_per_ul: float | None) -> list[Markup]:
    parts = [el("line", x1="0", y1=y, x2="100%", y2=y, class_="axis")]
    for i, (share, words) in enumerate([(0.0, "0"), *((tick, percent(tick)) for tick in axis.ticks)]):
        x = _pc(axis.x(share))
        parts.append(el("line", x1=x, y1="18", x2=x, y2=y + 5, class_="grid"))
        parts.append(_text(x, y + 19, words, "middle"))
        if rbc_per_ul is not None and share:
            # Every second one has to do on a narrow screen.
            parts.append(_text(x, y + 36, per_ul(share, rbc_per_ul), "middle", "soft" if i % 2 else "soft roomy"))
    return parts


def field_map(stretches: Sequence[Stretch], positives: bool) -> Markup:
    """A square per field, or per stretch of fields, in the order they came, row by row; in it the positives counted there."""
    most = max((stretch.positives for stretch in stretches), default=0)
    squares = [_square(stretch, positives, most) for stretch in stretches]
    label = f"{sum(s.kept for s in stretches)} fields kept, {sum(sum(s.rejected.values()) for s in stretches)} not"
    return el("div", *squares, role="img", aria_label=label, class_="map")


def _square(stretch: Stretch, positives: bool, most: int) -> Markup:
    kind = "kept" if stretch.kept else "unread" if set(stretch.rejected) == {"unreadable"} else "rejected"
    if stretch.kept and stretch.rejected:
        kind = "partly"
    side = str(_SQUARE)
    inside = [
        el("title", _title(stretch, positives)),
        el("rect", x="1", y="1", width=str(_SQUARE - 2), height=str(_SQUARE - 2), rx="2"),
    ]
    if not stretch.kept:
        a, b = 5, _SQUARE - 5
        inside.append(el("path", d=f"M{a} {a}L{b} {b}" + (f"M{b} {a}L{a} {b}" if kind == "rejected" else "")))
    elif stretch.positives and positives:
        count = str(stretch.positives) if stretch.positives < 100 else "99+"
        inside.append(_text(_SQUARE / 2, _SQUARE / 2 + 3.5, count, "middle"))
        kind += f" hit h{math.ceil(3 * stretch.positives / most)}"
    return el("svg", *inside, width=side, height=side, class_=kind)


def _title(stretch: Stretch, positives: bool) -> str:
    if stretch.first == stretch.last:
        where = f"field {stretch.first}: {stretch.name}"
    else:
        where = f"fields {stretch.first} to {stretch.last}: {stretch.kept} kept"
    reasons = [f"{reason} {n}" if n > 1 else reason for reason, n in stretch.rejected.items()]
    counted = [f"{stretch.cells:,} counted"] if stretch.kept else []
    if stretch.kept and positives:
        counted.append(f"{stretch.positives:,} positive")
    return "; ".join([where, *counted, *reasons])


def over_time(
    stretches: Sequence[Stretch],
    words: str,
    kept: Callable[[Stretch], float | None],
    rejected: Callable[[Stretch], float | None],
    limit: float = math.inf,
) -> Markup:
    """A measure of every field in order: dots for those that count, crosses for the others. The scale: 0 to ``limit`` at most."""
    width, height, left, top, bottom = 370, 130, 44, 22, 108
    values = [value for s in stretches if (value := rejected(s)) is not None]
    usual = [value for s in stretches if (value := kept(s)) is not None]
    most = max(usual) * _HEADROOM if usual else max(values, default=0.0)
    most = min(most, limit) or 1.0
    step = (width - left - 10) / max(len(stretches), 1)

    def y(value: float) -> float:
        return bottom - (bottom - top) * min(value / most, 1)

    parts = [_text(left, 12, words, kind="name")]
    for share in (0.0, 0.5, 1.0):
        at = y(share * most)
        parts.append(el("path", d=f"M{left} {at:.1f}H{width - 10}", class_="grid"))
        parts.append(_text(left - 6, at + 4, f"{share * most:.3g}", "end", "soft"))
    dots, crosses = [], []
    for i, stretch in enumerate(stretches):
        x = left + (i + 0.5) * step
        if (value := kept(stretch)) is not None:
            dots.append(f"M{x:.1f} {y(value):.1f}h0")  # a line of no length with round ends is a dot
        if (value := rejected(stretch)) is not None:
            crosses.append(f"M{x - 2.5:.1f} {y(value) - 2.5:.1f}l5 5m0 -5l-5 5")
    parts += [el("path", d="".join(dots), class_="dots"), el("path", d="".join(crosses), class_="crosses")]
    first, last = (stretches[0].first, stretches[-1].last) if stretches else (0, 0)
    parts += [
        _text(left, height - 6, f"field {first}", kind="soft"),
        _text(width - 10, height - 6, str(last), "end", "soft"),
    ]
    box = f"0 0 {width} {height}"
    label = f"{words}, field by field"
    return el(
        "svg", *parts, viewBox=box, width=str(width), height=str(height), role="img", aria_label=label, class_="plot"
    )


def stages(timings: Sequence[Stage]) -> Markup:
    """Mean time per field of each stage, end to end in one bar; ``stage_name`` says which colour is which."""
    total = sum(stage.mean for stage in timings) or 1.0
    x = 0.0
    parts = []
    for i, stage in enumerate(timings):
        w = 100 * stage.mean / total
        parts.append(el("rect", x=_pc(x), y="0", width=_pc(max(w - 0.2, 0.1)), height="22", class_=f"stage s{i % 5}"))
        x += w
    return _fluid(22, "Share of the time per field that each stage takes", *parts, kind="stages")


def stage_name(i: int, name: str) -> Markup:
    """A stage's name with its colour in the bar."""
    square = el("rect", width="12", height="12", class_=f"stage s{i % 5}")
    return el("span", el("svg", square, width="12", height="12", aria_hidden="true"), name, class_="swatch")
