"""The report of ``edge calibrate``: what a calibration is worth, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from edge.cli.slides import Slide
from edge.verdict.calibration import Calibration
from edge.verdict.choose import ClassLimits, flagged_by_others, limits_of, outliers, with_more_blanks
from edge.verdict.interval import LEVEL
from edge.verdict.units import per_ul as per_ul_of
from edge.verdict.units import percent, said, two_digits

_FEW_BLANKS = 5
"""Below this many blanks the report warns: they cannot show how slides differ."""

_NEXT = 100_000
"""Cells of a much larger sample, for which the report says what it would gain."""


def report_lines(calibration: Calibration, lenient: Calibration, cells: int, unknown: Sequence[Slide]) -> list[str]:
    """Return the report: set-up, then each class at ``cells`` cells, then warnings.

    ``lenient`` is a calibration of the same blanks at the card's threshold, which is lower: it shows parasites on a blank that
    the chosen threshold hides.
    """
    c = calibration
    units = f"{c.unit}s"
    lines = [
        f"model      {c.bound.model} {c.bound.model_sha256[:12]}, finder {c.bound.finder}"
        + (f", microscope {c.bound.scope}" if c.bound.scope else ", microscope not named (--scope)"),
        f"blanks     {len(c.blanks)} slide{'s' * (len(c.blanks) != 1)}, {c.cells:,} {units}",
        f"threshold  {c.threshold:.4g} ({c.threshold_origin})",
    ]
    for label in c.positive:
        lines += _class_lines(c, label, cells)
    lines += [f"           {text}" for text in _gains(c, cells)]
    lines += [f"note       {text}" for text in _notes(c, lenient, unknown)]
    return lines


def _class_lines(c: Calibration, label: str, cells: int) -> list[str]:
    limits = limits_of(c, label, cells)
    false = limits.false
    counted = sum(blank.positives[label] for blank in c.blanks)
    per_ul = "" if c.rbc is None else f" = {per_ul_of(false.pooled, c.rbc)} at {c.rbc:,.0f} red cells/µL"
    differ = (
        f"slides differ by {false.spread:.0%} of that ({false.spread_low:.0%} to {false.spread_high:.0%}); "
        f"the next slide may have up to {million(false.next.quantile(LEVEL))} (95 of 100)"
    )
    return [
        f"class      {label}",
        f"  false positives  {counted:,} on the blanks: {million(false.pooled)} per million {c.unit}s{per_ul}",
        f"                   {differ}",
        f"  sensitivity      {_sensitivity(c, label)}",
        f"  at {cells:,} {c.unit}s: a blank shows {limits.blank:,} at most; found reliably (95 of 100): {_reliably(c, limits)}",
    ]


def million(rate: float) -> str:
    """Write a rate as a number per million, with two digits."""
    return two_digits(rate * 1e6)


def _sensitivity(c: Calibration, label: str) -> str:
    slides = [k for k in c.known if k.infected.get(label)]
    if not slides:
        return "not known: give --positive; until then no sample can be called negative"
    rate = c.found(label)
    found, infected = sum(k.found[label] for k in slides), sum(k.infected[label] for k in slides)
    return (
        f"{found:,} of {infected:,} infected cells found; the next slide {percent(rate.mean)} "
        f"({percent(rate.quantile(0.025))} to {percent(rate.quantile(0.975))}); from {c.known_origin}"
    )


def _reliably(c: Calibration, limits: ClassLimits) -> str:
    return "no share at all" if limits.detection is None else f"{said(limits.detection, c.rbc)} or more"


def _gains(c: Calibration, cells: int) -> list[str]:
    """Say what more blanks, and more cells per sample, would gain."""
    return [
        f"with {times * len(c.blanks)} blanks like these: {_worst(with_more_blanks(c, times), cells)}"
        for times in (2, 4)
    ] + ([f"with {_NEXT:,} {c.unit}s per sample: {_worst(c, _NEXT)}"] if cells < _NEXT else [])


def _worst(c: Calibration, cells: int) -> str:
    return "; ".join(_reliably(c, limits_of(c, label, cells)) for label in c.positive)


def _notes(c: Calibration, lenient: Calibration, unknown: Sequence[Slide]) -> list[str]:
    accused = {o.name: o for o in (*outliers(c), *outliers(lenient))}
    notes = [
        f"{o.name} has {o.count:,} {o.label} of {o.cells:,} {c.unit}s where the other blanks make up to {o.usual:,} likely (chance "
        f"{o.chance:.1g}): is it really negative? Look at it, or calibrate without it"
        for o in accused.values()
    ]
    if len(c.blanks) < _FEW_BLANKS:
        notes.append(
            f"{len(c.blanks)} blank slide{'s' * (len(c.blanks) != 1)} cannot show how slides differ: the limits allow for much, "
            "and a sample must be far above them to be flagged"
        )
    else:
        wrong = flagged_by_others(c)
        notes.append(f"each blank judged by the others: {wrong} of {len(c.blanks)} would be flagged (1 in 20 expected)")
    if c.unit == "tile":
        notes.append("tiles are counted, not cells: shares are shares of tiles, and there are no parasites per µL")
    elif c.count_error is None:
        notes.append("the finder's count error is not known here: shares are per cell as it counts them")
    else:
        e = c.count_error
        notes.append(f"the finder counts {e.bias:+.1%} (slides differ by {e.spread:.1%}; {e.source}): allowed for")
    notes += [
        f"{slide.name}: its infected cells are not known (DIR=27/2000, or DIR/truth.json): not used"
        for slide in unknown
    ]
    return notes
