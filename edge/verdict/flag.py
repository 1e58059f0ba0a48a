"""The flag of a sample, behind one stable function: ``decide(tally, card, assessor) -> Verdict``.

Without a calibration (how many false positives this model, finder and microscope give on slides known to be
negative) counts are all that can honestly be said, so the flag is ``uncalibrated``. The table: ``edge.verdict.table``.
"""

from __future__ import annotations

from edge.modelfile import Card
from edge.types import Interval, Tally, Verdict
from edge.verdict.assess import Assessor, enough_fields, overall
from edge.verdict.interval import clopper_pearson
from edge.verdict.table import UNCALIBRATED, Evidence, decide_flag
from edge.verdict.units import plural
from edge.verdict.words import looks, why

NO_EVIDENCE = "So these counts are no evidence of anything."
"""The reason that stands after the doubts of a sample that is not what model or calibration were made for."""


def decide(
    tally: Tally,
    card: Card,
    assessor: Assessor | None = None,
    unit: str = "cell",
    *,
    complete: bool = True,
    doubts: tuple[str, ...] = (),
) -> Verdict:
    """Shares with their 95 % intervals, the flag, and the reasons in words.

    Args:
        tally: the sample.
        card: the model's; gives the classes.
        assessor: judges by a calibration; None: there is none.
        unit: what was counted (a grid: ``tile``).
        complete: whether the sample ended because its fields or its budget did; not by Ctrl-C, a failure, or being decided.
        doubts: why these fields are not what the model or the calibration was made for (``edge.verdict.fitness``).
    """
    share = {label: clopper_pearson(count, tally.cells) for label, count in tally.counts.items()}
    if doubts:
        evidence = Evidence(calibrated=assessor is not None, cells=tally.cells, alike=False)
        reasons = [*doubts, NO_EVIDENCE, _count(tally, card, unit), *_fields(tally)]
        return Verdict(decide_flag(evidence), tuple(reasons), share, unit=unit)
    if assessor is None:
        return Verdict(UNCALIBRATED, tuple(_reasons(tally, card, unit)), share, unit=unit)
    findings = assessor.findings(tally, complete=complete)
    flag = overall(findings)
    reasons = [*_fields(tally)]
    if tally.cells == 0:
        reasons.insert(0, f"No {unit} was counted.")
    else:
        gravest_first = sorted(findings, key=lambda finding: finding.flag != flag)
        reasons = [text for finding in gravest_first for text in why(finding, assessor)] + reasons
        reasons += looks(tally, findings, assessor, complete=complete)
    reasons.append(_rests_on(assessor))
    rbc = assessor.calibration.rbc
    return Verdict(flag, tuple(reasons), share, findings, assessor.target, rbc, unit)


def _rests_on(assessor: Assessor) -> str:
    calibration = assessor.calibration
    scope = f"{calibration.bound.scope}: " if calibration.bound.scope else ""
    return (
        f"Calibrated on {scope}{plural(len(calibration.blanks), 'blank slide')}, "
        f"{plural(calibration.cells, calibration.unit)}; sensitivity: {calibration.known_origin}."
        + ("" if calibration.ranges() else _UNSEEN)
    )


_UNSEEN = (
    " It does not say what its blanks looked like, so whether it fits these fields was not checked: calibrate anew."
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
    cells = plural(tally.cells, unit)
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
        return [f"Only {tally.kept:,} of {plural(seen, 'field')} passed the gate: check focus, light and stage."]
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
