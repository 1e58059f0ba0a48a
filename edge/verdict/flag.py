"""The flag of a sample, behind one stable function: ``decide(tally, card, assessor) -> Verdict``.

Without a calibration (how many false positives this model, finder and microscope give on slides known to be
negative) counts are all that can honestly be said, so the flag is ``uncalibrated``. The table: ``edge.verdict.table``.
"""

from __future__ import annotations

from edge.modelfile import Card
from edge.types import Finding, Interval, Tally, Verdict
from edge.verdict.assess import Assessor, enough_fields, overall
from edge.verdict.interval import clopper_pearson
from edge.verdict.table import INDETERMINATE, INSUFFICIENT, NEGATIVE, POSITIVE, UNCALIBRATED
from edge.verdict.units import per_ul, percent, said


def decide(tally: Tally, card: Card, assessor: Assessor | None = None, unit: str = "cell") -> Verdict:
    """Shares with their 95 % intervals, the flag, and the reasons in words; ``unit`` is what was counted (a grid: ``tile``)."""
    share = {label: clopper_pearson(count, tally.cells) for label, count in tally.counts.items()}
    if assessor is None:
        return Verdict(UNCALIBRATED, tuple(_reasons(tally, card, unit)), share, unit=unit)
    findings = assessor.findings(tally)
    flag = overall(findings)
    reasons = [*_fields(tally)]
    if tally.cells == 0:
        reasons.insert(0, f"No {unit} was counted.")
    else:
        gravest_first = sorted(findings, key=lambda finding: finding.flag != flag)
        reasons = [text for finding in gravest_first for text in _why(finding, assessor)] + reasons
    reasons.append(_rests_on(assessor))
    rbc = assessor.calibration.rbc
    return Verdict(flag, tuple(reasons), share, findings, assessor.target, rbc, unit)


def _why(finding: Finding, assessor: Assessor) -> list[str]:
    rbc, unit = assessor.calibration.rbc, assessor.calibration.unit
    counted = f"{finding.count:,} of {_plural(finding.cells, unit)} counted as {finding.label}"
    limit = f"a blank slide stays at {finding.limit_of_blank:,} or fewer {assessor.level * 100:.3g} times in 100"
    lines = [f"{counted}; {limit}.", _estimated(finding, assessor)]
    target = "" if assessor.target is None else said(assessor.target, rbc)
    if finding.flag == POSITIVE:
        if assessor.target is not None and finding.most < assessor.target:
            lines.append(f"Positive, but less than the target of {target}.")
    elif finding.flag == NEGATIVE:
        lines.append(
            f"At most {said(finding.most, rbc)} with {assessor.level * 100:.3g} % confidence: below the target of {target}."
        )
    elif finding.flag == INSUFFICIENT:
        lines.append(_too_few(finding, assessor, target))
    elif finding.flag == INDETERMINATE and not target:
        lines.append("No target was given (--target-parasitaemia), so no count can be called negative.")
    elif finding.flag == INDETERMINATE:
        lines.append(f"Neither above what blanks show nor below the target of {target}: {_more(finding, assessor)}.")
    return lines


def _estimated(finding: Finding, assessor: Assessor) -> str:
    infected, rbc, unit = finding.infected, assessor.calibration.rbc, assessor.calibration.unit
    if not assessor.calibration.knows(finding.label):
        return "No share can be estimated: how many infected cells are found is not known."
    if infected.value is None or finding.raw is None:
        return "No share can be estimated: false positives are as frequent as what is found of the infected cells."
    always = " (bounds that hold at every look)" if assessor.every_look else ""
    text = (
        f"Infected: {percent(infected.value)}, {percent(infected.low)} to {percent(infected.high)} with "
        f"{assessor.level * 100:.3g} % confidence{always}, false positives and lost {unit}s allowed for"
    )
    if finding.raw < 0:
        text += (
            f" (the estimate itself is below zero, {percent(finding.raw)}: fewer positives than blanks show on average)"
        )
    if rbc is not None:
        text += f"; {per_ul(infected.value, rbc)} at {rbc:,.0f} red cells/µL"
    return text + "."


def _too_few(finding: Finding, assessor: Assessor, target: str) -> str:
    unit, rbc = assessor.calibration.unit, assessor.calibration.rbc
    if finding.limit_of_detection is None:
        now = f"At {_plural(finding.cells, unit)} no share would be found reliably"
    else:
        now = (
            f"At {_plural(finding.cells, unit)} {said(finding.limit_of_detection, rbc)} or more would be found reliably"
        )
    return f"{now}; for the target of {target}: {_more(finding, assessor)}."


def _more(finding: Finding, assessor: Assessor) -> str:
    if finding.cells_short is not None:
        return f"another {_rounded(finding.cells_short):,} {assessor.calibration.unit}s would decide"
    if not assessor.calibration.knows(finding.label):
        return "its sensitivity is not known: calibrate with --positive"
    return (
        f"more {assessor.calibration.unit}s alone would not decide: slides differ too much in their false positives and "
        "losses; calibrate on more slides, or use a better model"
    )


def _rests_on(assessor: Assessor) -> str:
    calibration = assessor.calibration
    scope = f"{calibration.bound.scope}: " if calibration.bound.scope else ""
    return (
        f"Calibrated on {scope}{_plural(len(calibration.blanks), 'blank slide')}, "
        f"{_plural(calibration.cells, calibration.unit)}; sensitivity: {calibration.known_origin}."
    )


def _reasons(tally: Tally, card: Card, unit: str) -> list[str]:
    if card.calibration is None:
        first = (
            "No calibration for this model, finder and microscope: its false positives are not known, "
            "so the counts are not turned into a judgement."
        )
    else:
        first = (
            "The model's card carries a calibration that this version does not read: give it as a file (--calibration)."
        )
    return [first, _count(tally, card, unit), *_fields(tally)]


def _count(tally: Tally, card: Card, unit: str) -> str:
    if tally.cells == 0:
        return f"No {unit} was counted."
    cells = _plural(tally.cells, unit)
    if not card.positive:
        return f"{cells} counted; no class of this model makes a sample suspicious."
    positive = sum(tally.counts[label] for label in card.positive)
    names = " or ".join(card.positive)
    share = clopper_pearson(positive, tally.cells)
    range_ = percent_range(share)
    return f"{positive:,} of {cells} counted as {names}: {range_} with 95 % confidence, false positives included."


def _fields(tally: Tally) -> list[str]:
    if tally.rejected and not enough_fields(tally):
        seen = tally.kept + sum(tally.rejected.values())
        return [f"Only {tally.kept:,} of {_plural(seen, 'field')} passed the gate: check focus, light and stage."]
    return []


def percent_range(share: Interval) -> str:
    """An interval in per cent with sensible digits: ``1.08 to 1.94 %``."""
    digits = 2 if share.high - share.low > 1e-3 else 4
    return f"{share.low * 100:.{digits}f} to {share.high * 100:.{digits}f} %"


def percent_value(share: Interval) -> str:
    """The share itself with as many digits as its interval: ``1.48 %``; ``-`` where nothing was counted."""
    if share.value is None:
        return "-"
    return f"{share.value * 100:.{2 if share.high - share.low > 1e-3 else 4}f} %"


def _plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _rounded(n: int) -> int:
    """Up to two digits that count: 1,840 more cells are 1,900."""
    step = int(10 ** max(len(str(n)) - 2, 0))
    return -(-n // step) * step
