"""What a finding says in words: the sentences of each row of ``edge.verdict.table``, each with the numbers that its flag rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.types import Finding, Tally
from edge.verdict.assess import Assessor
from edge.verdict.looks import Look
from edge.verdict.table import NEGATIVE, POSITIVE, TABLE
from edge.verdict.units import AS_GIVEN, digits_below, per_ul, percent, plural, said


def why(finding: Finding, assessor: Assessor) -> list[str]:
    """The count with its limit, the share, and what the flag follows from."""
    sentence = _SENTENCES.get(finding.why, _as_the_table_has_it)(finding, assessor)
    return [_counted(finding, assessor), _estimated(finding, assessor), *([sentence] if sentence else [])]


def looks(tally: Tally, findings: Sequence[Finding], assessor: Assessor, *, complete: bool) -> list[str]:
    """Which limits were used, where that made a difference or may have made one."""
    if not assessor.every_look:
        return [] if complete else [_STOPPED]
    out = []
    for mine, once in zip(findings, assessor.at_one_look(tally), strict=True):
        if (mine.flag == POSITIVE) != (once.flag == POSITIVE):
            limit = f"its limit would be {once.limit_of_blank:,}, not {mine.limit_of_blank:,}"
        elif mine.flag != once.flag:
            limit = f"at most {percent(once.most, 3)} would be infected, not {percent(mine.most, 3)}"
        else:
            continue
        why_not = "looks after every field take their part of the errors allowed"
        if mine.look == Look.EVERY:
            why_not = "looked at after every field, it might have ended at any, so the limits used hold at all of them"
            if not complete and mine.flag not in (POSITIVE, NEGATIVE):
                why_not += "; the last look is for samples whose fields or budget end by themselves"
        out.append(f"Looked at only once, {mine.label} would be {once.flag}: {limit}; {why_not}.")
    return out


_STOPPED = (
    "Stopped early: the limits are those of a sample that ends with its fields or its budget, "
    "not of one that is stopped for what it shows."
)


def _counted(finding: Finding, assessor: Assessor) -> str:
    level, unit = f"{finding.level * 100:.3g}", assessor.calibration.unit
    counted = f"{finding.count:,} of {plural(finding.cells, unit)} counted as {finding.label}"
    if finding.look == Look.EVERY and finding.limit_of_blank >= finding.cells:
        return f"{counted}; on so few {unit}s no count is called positive before the last look."
    limit = f"a blank slide stays at {finding.limit_of_blank:,} or fewer"
    if finding.look == Look.EVERY:
        return f"{counted}; {limit} here, and within such limits at every look, {level} times in 100."
    if finding.look == Look.LAST:
        return f"{counted}; {limit} {level} times in 100 ({assessor.level * 100:.3g}, were this the only look)."
    return f"{counted}; {limit} {level} times in 100."


def _estimated(finding: Finding, assessor: Assessor) -> str:
    infected, rbc, unit = finding.infected, assessor.calibration.rbc, assessor.calibration.unit
    if not assessor.calibration.knows(finding.label):
        return "No share can be estimated: how many infected cells are found is not known."
    if infected.value is None or finding.raw is None:
        return "No share can be estimated: false positives are as frequent as what is found of the infected cells."
    count = _digits(finding, assessor)
    range_ = f"{percent(infected.low, count)} to {percent(infected.high, count)}"
    if finding.flag == NEGATIVE:
        range_ = f"at most {percent(infected.high, count)}"
    always = " at every look" if finding.look == Look.EVERY else ""
    text = (
        f"Infected: {percent(infected.value, count)}, {range_} with {assessor.level * 100:.3g} % confidence{always}, "
        f"false positives and lost {unit}s allowed for"
    )
    if finding.raw < 0 and finding.flag != POSITIVE:
        text += (
            f" (the estimate itself is below zero, {percent(finding.raw)}: fewer positives than blanks show on average)"
        )
    if rbc is not None:
        text += f"; {per_ul(infected.value, rbc)} at {rbc:,.0f} red cells/µL"
    return text + "."


def _digits(finding: Finding, assessor: Assessor) -> int:
    """As many digits as it takes to show that a bound is below the target."""
    target = assessor.target
    return 2 if target is None or finding.most >= target else digits_below(finding.most, target)


def _target(assessor: Assessor) -> str:
    return "" if assessor.target is None else said(assessor.target, assessor.calibration.rbc, AS_GIVEN)


def _above(finding: Finding, assessor: Assessor) -> str:
    if assessor.target is None or finding.most >= assessor.target:
        return ""
    return f"Positive, but less than the target of {_target(assessor)}."


def _below(finding: Finding, assessor: Assessor) -> str:
    most = said(finding.most, assessor.calibration.rbc, _digits(finding, assessor))
    return f"At most {most} with {assessor.level * 100:.3g} % confidence: below the target of {_target(assessor)}."


def _fields(_: Finding, __: Assessor) -> str:
    return "So few fields passed the gate that a sample which is not positive cannot be judged."


def _detection(finding: Finding, assessor: Assessor) -> str:
    unit, rbc = assessor.calibration.unit, assessor.calibration.rbc
    if not assessor.calibration.knows(finding.label):
        return f"Nothing can be called negative at the target of {_target(assessor)}: {_more(finding, assessor)}."
    now = f"At {plural(finding.cells, unit)} "
    if finding.limit_of_detection is None:
        now += "no share would be found reliably"
    else:
        now += f"{said(finding.limit_of_detection, rbc)} or more would be found reliably"
    if assessor.target is not None and finding.most < assessor.target:
        now += ", so an interval that ends below the target is not enough"
    return f"{now}; for the target of {_target(assessor)}: {_more(finding, assessor)}."


def _undecided(finding: Finding, assessor: Assessor) -> str:
    if assessor.target is None:
        return "No target was given (--target-parasitaemia), so no count can be called negative."
    return f"Neither above what blanks show nor surely below the target of {_target(assessor)}: {_more(finding, assessor)}."


def _as_the_table_has_it(finding: Finding, _: Assessor) -> str:
    condition = next((row.condition for row in TABLE if row.name == finding.why), "")
    return condition[:1].upper() + condition[1:] + "." if condition else ""


_SENTENCES: dict[str, Callable[[Finding, Assessor], str]] = {
    "above": _above,
    "below": _below,
    "fields": _fields,
    "detection": _detection,
    "undecided": _undecided,
}


def _more(finding: Finding, assessor: Assessor) -> str:
    unit = assessor.calibration.unit
    if finding.cells_short is not None:
        return f"another {finding.cells_short:,} {unit}s would decide"
    if not assessor.calibration.knows(finding.label):
        return "its sensitivity is not known: calibrate with --positive"
    if finding.look == Look.EVERY:
        return f"more {unit}s might not decide at a look on the way; a run that ends with its fields or its budget has a last look"
    return (
        f"more {unit}s alone would not decide: slides differ too much in their false positives and "
        "losses; calibrate on more slides, or use a better model"
    )
