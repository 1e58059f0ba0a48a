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

_WIDTH = 860
_LEFT, _RIGHT = 20, 44
_BAR = 760.0
_LANE = 54
MOST_LANES = 12
"""Classes that fit a drawing."""

_HEADROOM = 1.25  # a rejected field may be far off what is usual, and must not flatten it

_SQUARE = 17
_COLUMNS = 40


def _svg(width: float, height: float, label: str, *children: Markup, kind: str = "plot") -> Markup:
    box = f"0 0 {width:.0f} {height:.0f}"
    return el(
        "svg", *children, viewBox=box, width=f"{width:.0f}", height=f"{height:.0f}", role="img",
        aria_label=label, class_=kind,
    )  # fmt: skip


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str | None = None) -> Markup:
    return el("text", words, x=float(x), y=float(y), text_anchor=anchor, class_=kind)


def shares(verdict: Verdict, watched: Sequence[str]) -> Markup:
    """Per class: what was counted against the limit of blank, and what that means against target and limit of detection."""
    found = {finding.label: finding for finding in verdict.findings}
    axis = axis_for(_all_shares(verdict, watched), _LEFT, _WIDTH - _LEFT - _RIGHT)
    lanes: list[Markup] = []
    y = 24.0
    for label in watched:
        share = verdict.share[label]
        finding = found.get(label)
        limit = _limit_of_blank(finding)
        lanes.append(_lane(axis, y, f"{label}: counted", share))
        if limit is not None and finding is not None:
            words = f"limit of blank: {finding.limit_of_blank:,}"
            lanes.append(_mark(axis, y, limit, words, "blank"))
        y += _LANE
        if finding is not None and finding.raw is not None:
            words = f"{label}: estimated, false positives and losses allowed for"
            lanes.append(_lane(axis, y, words, finding.infected))
            if finding.limit_of_detection is not None:
                lanes.append(_mark(axis, y, finding.limit_of_detection, "found 95 times in 100 from here", "detection"))
            y += _LANE
    below = _axis(axis, y - 14, verdict.rbc_per_ul)
    height = y + (10 if verdict.rbc_per_ul is None else 28)
    target = [] if verdict.target is None else [_target(axis, y - 14, verdict.target)]
    words = "; ".join(f"{label} {_said(verdict.share[label])}" for label in watched)
    return _svg(_WIDTH, height, f"Shares with their 95 % intervals: {words}", *below, *target, *lanes)


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
    parts = [_text(axis.left, y, words, kind="name")]
    line = y + 16
    if (value := share.value) is None:
        return el("g", *parts, _text(axis.left, line + 4, "nothing to estimate from", kind="soft"))
    start = axis.x(share.low)
    end = max(axis.x(share.high), start + 2)
    parts.append(el("rect", x=start, y=line - 4, width=end - start, height=8.0, rx="4", class_="interval"))
    parts.append(el("circle", cx=axis.x(value), cy=line, r="5", class_="value"))
    parts.append(_text(_WIDTH - _RIGHT, y, _said(share), "end"))
    return el("g", *parts)


def _mark(axis: ShareAxis, y: float, share: float, words: str, kind: str) -> Markup:
    x, line = axis.x(share), y + 16
    left = x + 7 * len(words) > _WIDTH
    return el(
        "g",
        el("path", d=f"M{x:.1f} {line - 9:.1f}V{line + 9:.1f}", class_=f"limit {kind}"),
        el("path", d=f"M{x - 5:.1f} {line + 15:.1f}L{x:.1f} {line + 8:.1f}L{x + 5:.1f} {line + 15:.1f}Z", class_=kind),
        _text(x - 9 if left else x + 9, line + 18, words, "end" if left else "start", "soft"),
    )


def _target(axis: ShareAxis, bottom: float, target: float) -> Markup:
    x = axis.x(target)
    left = x > _WIDTH * 0.75
    return el(
        "g",
        el("path", d=f"M{x:.1f} 4V{bottom:.1f}", class_="target"),
        _text(x - 6 if left else x + 6, 10, f"target {percent(target)}", "end" if left else "start", "aim"),
    )


def _axis(axis: ShareAxis, y: float, rbc_per_ul: float | None) -> list[Markup]:
    parts = [el("path", d=f"M{axis.left:.1f} {y:.1f}H{axis.left + axis.width:.1f}", class_="axis")]
    for share, words in [(0.0, "0"), *((tick, percent(tick)) for tick in axis.ticks)]:
        x = axis.x(share)
        parts.append(el("path", d=f"M{x:.1f} 18V{y + 5:.1f}", class_="grid"))
        parts.append(_text(x, y + 19, words, "middle"))
        if rbc_per_ul is not None and share:
            parts.append(_text(x, y + 36, per_ul(share, rbc_per_ul), "middle", "soft"))
    return parts


def field_map(stretches: Sequence[Stretch], positives: bool) -> Markup:
    """A square per field, or per stretch of fields, in the order they came, row by row; in it the positives counted there."""
    columns = min(_COLUMNS, max(len(stretches), 1))
    rows = -(-len(stretches) // columns)
    most = max((stretch.positives for stretch in stretches), default=0)
    parts = []
    for i, stretch in enumerate(stretches):
        x, y = i % columns * _SQUARE, i // columns * _SQUARE
        side = _SQUARE - 3
        kind = "kept" if stretch.kept else "unread" if set(stretch.rejected) == {"unreadable"} else "rejected"
        if stretch.kept and stretch.rejected:
            kind = "partly"
        inside = [
            el("title", _title(stretch, positives)),
            el("rect", x=str(x), y=str(y), width=str(side), height=str(side), rx="2"),
        ]
        if not stretch.kept:
            a, b = x + 4, x + side - 4
            cross = f"M{a} {y + 4}L{b} {y + side - 4}" + (
                f"M{b} {y + 4}L{a} {y + side - 4}" if kind == "rejected" else ""
            )
            inside.append(el("path", d=cross))
        elif stretch.positives and positives:
            count = str(stretch.positives) if stretch.positives < 100 else "99+"
            inside.append(_text(x + side / 2, y + side / 2 + 3.5, count, "middle"))
            kind += f" hit h{math.ceil(3 * stretch.positives / most)}"
        parts.append(el("g", *inside, class_=kind))
    label = f"{sum(s.kept for s in stretches)} fields kept, {sum(sum(s.rejected.values()) for s in stretches)} not"
    return _svg(columns * _SQUARE, max(rows, 1) * _SQUARE, label, *parts, kind="map")


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
    return _svg(width, height, f"{words}, field by field", *parts)


def stages(timings: Sequence[Stage]) -> Markup:
    """Mean time per field of each stage, end to end in one bar."""
    total = sum(stage.mean for stage in timings) or 1.0
    x = 0.0
    parts = []
    for i, stage in enumerate(timings):
        w = _BAR * stage.mean / total
        parts.append(el("rect", x=x, y="0", width=max(w - 1, 0.5), height="22", class_=f"stage s{i % 5}"))
        if w > 9 * len(stage.name):
            parts.append(_text(x + 6, 15, stage.name, kind=f"on s{i % 5}"))
        x += w
    return _svg(_BAR, 22, "Share of the time per field that each stage takes", *parts)
