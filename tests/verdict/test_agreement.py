"""Words and flag say the same: random calibrations, counts, targets and looks, one class and several, some all positive."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from edge.modelfile import Card
from edge.types import Finding, Tally, Verdict
from edge.verdict.assess import Assessor, overall
from edge.verdict.calibration import Blank, Calibration, KnownSlide
from edge.verdict.flag import decide
from edge.verdict.table import NEGATIVE, POSITIVE, TABLE
from edge.verdict.words import looks, why
from tests.fakes import CARD
from tests.verdict.made import BOUND

DECIDED = (POSITIVE, NEGATIVE)
LOOKS = {"one": (False, True), "last": (True, True), "stopped": (True, False)}
"""--until decided or not, and whether fields or budget ended the sample."""


@dataclass(frozen=True)
class Case:
    calibration: Calibration
    target: float | None
    tally: Tally
    card: Card

    @property
    def assessor(self) -> Assessor:
        return Assessor(self.calibration, self.target)


def case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    labels = tuple("pqr"[: rng.choice([1, 1, 2, 3])])
    false, cells = 10 ** rng.uniform(-4.5, -2), int(10 ** rng.uniform(2.5, 4.5))
    shape = rng.choice([1, 4, 25])
    blanks = tuple(
        Blank(f"b{i}", cells, 9, {label: int(rng.binomial(cells, min(rng.gamma(shape, false / shape), 0.3))) for label in labels})
        for i in range(rng.integers(1, 15))
    )  # fmt: skip
    infected, found = int(rng.integers(10, 300)), rng.uniform(0.3, 1)
    known = tuple(
        KnownSlide(
            f"k{i}", {label: int(rng.binomial(infected, found)) for label in labels}, dict.fromkeys(labels, infected)
        )
        for i in range(rng.integers(0, 5))
    )
    target = None if rng.random() < 0.1 else float(10 ** rng.uniform(-3.5, -1))
    made = Calibration(BOUND, labels, 0.5, "t", blanks, known, "t", unit=str(rng.choice(["cell", "tile"])))
    n = left = int(10 ** rng.uniform(0.5, 3.9))
    counts = {}
    for label in labels:
        rate = false * 10 ** rng.uniform(-1.5, 1.5) + (rng.random() < 0.5) * (target or 0.01) * rng.uniform(0, 2)
        counts[label] = int(min(rng.binomial(n, min(rate, 1)), left))
        left -= counts[label]
    if rng.random() < 0.15:
        counts[labels[0]] += left  # a model all of whose classes are positive
    else:
        counts["healthy"] = left
    rejected = {"out of focus": int(rng.integers(1, 25))} if rng.random() < 0.2 else {}
    sample = Tally("s", counts, {}, int(rng.integers(1, 20)), rejected)
    return Case(made, target, sample, replace(CARD, labels=tuple(counts), positive=labels))


def number(text: str) -> float:
    return float(text.replace(",", ""))


def the_limit_that_is_printed(verdict: Verdict, finding: Finding) -> float:
    line = next(reason for reason in verdict.reasons if f" counted as {finding.label};" in reason)
    printed = re.search(r"stays at ([\d,]+) or fewer", line)
    assert printed or "no count is called positive" in line
    return number(printed[1]) if printed else finding.cells


def judged(made: Case, assessor: Assessor, *, complete: bool = True) -> Verdict:
    """As ``decide`` does, but for the advice how many more cells would do, which takes longer than all the rest."""
    findings = assessor.findings(made.tally, complete=complete, advise=False)
    reasons = [text for finding in findings for text in why(finding, assessor)]
    reasons += looks(made.tally, findings, assessor, complete=complete)
    return Verdict(overall(findings), tuple(reasons), {}, findings)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("seed", [1, 2, 9, 10, 19, 23, 36, 38, 76, 99, 129, 135, 145])
def test_words_and_flag_agree(seed: int, look: str) -> None:
    made = case(seed)
    every, complete = LOOKS[look]
    assert made.target is not None
    assessor = Assessor(made.calibration, made.target, every_look=every)
    verdict = judged(made, assessor, complete=complete)
    text = " ".join(verdict.reasons)
    for finding in verdict.findings:
        low, value, high = finding.infected.low, finding.infected.value, finding.infected.high
        assert (finding.flag == POSITIVE) == (finding.count > the_limit_that_is_printed(verdict, finding))
        if value is not None:
            assert 0 <= low <= value <= high <= 1
        if finding.flag == POSITIVE and value is not None:
            assert low > 0
        if finding.flag == NEGATIVE:
            assert made.target is not None
            assert max(high, finding.most) < made.target
    for bound, target in re.findall(r"At most ([\d.,]+) %.*? below the target of ([\d.,]+) %", text):
        assert number(bound) < number(target)
    assert ("below the target of" in text and "At most" in text) == any(f.flag == NEGATIVE for f in verdict.findings)
    assert (verdict.flag == POSITIVE) == any(f.flag == POSITIVE for f in verdict.findings)


@pytest.mark.parametrize("seed", [6, 9, 77, 117, 119, 145])
def test_as_many_more_cells_as_are_asked_for_decide_at_the_same_rate(seed: int) -> None:
    made = case(seed)
    rng, asked = np.random.default_rng(seed), 0
    for every, complete in LOOKS.values():
        assert made.target is not None
        assessor = Assessor(made.calibration, made.target, every_look=every)
        for finding in decide(made.tally, made.card, assessor, complete=complete).findings:
            assert finding.cells_short is None or finding.flag not in DECIDED
            if finding.cells_short is None:
                continue
            more, asked = finding.cells_short, asked + 1
            shown = rng.binomial(more, finding.count / finding.cells, 3).tolist()
            flags = [after(made, assessor, finding, k, complete=complete) for k in shown]
            assert sum(flag in DECIDED for flag in flags) >= 2, (finding, shown, flags)
    assert asked  # the seeds are chosen for it


def after(made: Case, assessor: Assessor, finding: Finding, positives: int, *, complete: bool) -> str:
    """The class's flag when as many more cells were counted as it asked for."""
    assert finding.cells_short is not None
    counts = dict.fromkeys(made.tally.counts, 0)
    counts[finding.label] = finding.count + positives
    rest = finding.cells + finding.cells_short - counts[finding.label]
    other = next((label for label in counts if label != finding.label), "rest")
    later = assessor.findings(Tally("s", {**counts, other: rest}, {}, 9, {}), complete=complete, advise=False)
    return next(f.flag for f in later if f.label == finding.label)


def test_with_and_without_until_decided_flags_differ_only_between_the_two_limits_and_it_is_said() -> None:
    seen = set()
    for seed in (2, 9, 10, 19, 28, 36, 38, 135, 546):
        made = case(seed)
        assert made.target is not None
        until = Assessor(made.calibration, made.target, every_look=True)
        verdict = judged(made, until)
        if until.decided(made.tally):
            assert verdict.flag in DECIDED
            assert judged(made, until, complete=False).flag == verdict.flag
            seen.add(f"decided: {verdict.flag}")
        for mine, once in zip(verdict.findings, judged(made, made.assessor).findings, strict=True):
            said = f"Looked at only once, {mine.label} would be {once.flag}" in " ".join(verdict.reasons)
            assert said == (mine.flag != once.flag)
            if mine.flag != once.flag:
                between = once.limit_of_blank < mine.count <= mine.limit_of_blank
                assert between or once.most < made.target <= mine.most
                seen.add("they differ")
    assert seen == {"decided: positive", "decided: negative", "they differ"}  # the seeds are chosen for these


def test_every_row_of_the_table_has_its_sentence() -> None:
    from edge.verdict.words import _SENTENCES

    assert {row.name for row in TABLE} - set(_SENTENCES) == {"alike", "calibration", "cells"}  # said without a count


@pytest.mark.parametrize(
    ("target", "share", "text"),
    [
        (0.001, 0.000998, "At most 0.0998 % (4,990/µL) with 95 % confidence: below the target of 0.1 % (5,000/µL)"),
        (0.00125, 0.001, "At most 0.1 % (5,000/µL) with 95 % confidence: below the target of 0.125 % (6,250/µL)"),
    ],
)
def test_a_bound_close_to_the_target_is_shown_with_as_many_digits_as_it_takes(
    target: float, share: float, text: str
) -> None:
    from tests.verdict.made import calibration, tally

    assessor = Assessor(calibration(), target)
    (finding,) = assessor.findings(tally(50_000, 1))
    assert any(text in line for line in why(replace(finding, flag=NEGATIVE, why="below", most=share), assessor))
