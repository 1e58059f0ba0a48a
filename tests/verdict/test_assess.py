"""How findings are judged: at which level, against which limit, by which look, and what is shown of the share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.types import Finding, Tally
from edge.verdict.assess import Assessor, enough_fields, overall
from edge.verdict.calibration import Blank, Calibration, KnownSlide
from edge.verdict.limits import limit_of_blank, limit_of_detection
from edge.verdict.looks import spent_on_blanks, spent_on_target
from edge.verdict.prevalence import at_least, at_most, estimate
from edge.verdict.sequential import AnyTime
from tests.verdict.made import BOUND, calibration, tally

LABEL = "parasitized"
GOOD = calibration()
NOISY = calibration([20, 35, 28, 40, 22, 31])
UNKNOWN = calibration(slides=0)
TARGET = 0.005


def of_classes(number: int) -> Calibration:
    """Several positive classes, each as rare on blanks and as often found as the others."""
    labels = tuple(f"class-{i}" for i in range(number))
    blanks = tuple(Blank(f"b{i}", 20_000, 100, dict.fromkeys(labels, i % 3)) for i in range(10))
    known = (KnownSlide("k", dict.fromkeys(labels, 90), dict.fromkeys(labels, 100)),)
    return Calibration(BOUND, labels, 0.5, "test", blanks, known)


def counted(labels: tuple[str, ...], positives: int, cells: int) -> Tally:
    counts = dict.fromkeys(labels, positives)
    return Tally("s", {"red": cells - positives * len(labels), **counts}, {}, 10, {})


@pytest.mark.parametrize(("classes", "level"), [(1, 0.95), (2, 0.975), (3, 1 - 0.05 / 3)])
def test_each_of_several_classes_is_judged_at_its_share_of_the_error(classes: int, level: float) -> None:
    made = of_classes(classes)
    assessor = Assessor(made, TARGET)
    assert assessor.level == pytest.approx(level)
    for finding in assessor.findings(counted(made.positive, 8, 20_000), advise=False):
        errors = made.errors(finding.label)
        assert finding.level == pytest.approx(level)
        assert finding.limit_of_blank == limit_of_blank(errors.false, 20_000, level)
        assert finding.most == pytest.approx(at_most(8, 20_000, errors, level))
        limit = limit_of_blank(errors.false, 20_000, level)
        assert finding.limit_of_detection == limit_of_detection(errors, 20_000, limit, 0.95)
    every = Assessor(made, TARGET, every_look=True)
    anytime = AnyTime(made.errors("class-0"), TARGET, 1 - level)
    (finding, *_) = every.findings(counted(made.positive, 1, 5000), complete=False, advise=False)
    assert finding.limit_of_blank == anytime.limit(1, 5000)


def test_three_classes_flag_a_count_less_readily_than_one_class_does() -> None:
    limits = [
        Assessor(of_classes(n)).findings(counted(of_classes(n).positive, 1, 200_000), advise=False)[0].limit_of_blank
        for n in (1, 3)
    ]
    assert limits[0] < limits[1]


def one(assessor: Assessor, positives: int, cells: int, **how: bool) -> Finding:
    (finding,) = assessor.findings(tally(cells - positives, positives), **how)
    return finding


@pytest.mark.parametrize("cells", [500, 20_000])
def test_a_count_is_positive_from_one_above_the_limit_of_blank_on(cells: int) -> None:
    assessor = Assessor(GOOD, TARGET)
    limit = limit_of_blank(GOOD.errors(LABEL).false, cells)
    assert one(assessor, limit, cells).flag != "positive"
    assert one(assessor, limit + 1, cells).flag == "positive"
    assert one(assessor, limit + 1, cells).limit_of_blank == limit


def test_a_sample_is_negative_where_its_upper_bound_is_below_the_target_and_no_longer_where_it_is_at_it() -> None:
    made = of_classes(2)  # at one class a count whose bound is not below what can be detected is positive
    errors = made.errors("class-0")
    limit = limit_of_blank(errors.false, 20_000, 0.975)
    bound, lowest = at_most(limit, 20_000, errors, 0.975), limit_of_detection(errors, 20_000, limit)
    assert lowest is not None
    assert lowest < bound
    for target, flag in ((bound * 1.0001, "negative"), (bound, "indeterminate")):
        findings = Assessor(made, target).findings(counted(made.positive, limit, 20_000), advise=False)
        assert [finding.flag for finding in findings] == [flag, flag]


def test_cells_are_enough_where_the_limit_of_detection_is_the_target_and_no_longer_where_it_is_above() -> None:
    errors = GOOD.errors(LABEL)
    lowest = limit_of_detection(errors, 20_000, limit_of_blank(errors.false, 20_000))
    assert lowest is not None
    assert at_most(0, 20_000, errors) < lowest
    assert one(Assessor(GOOD, lowest), 0, 20_000).flag == "negative"
    assert one(Assessor(GOOD, lowest * 0.9999), 0, 20_000).flag == "insufficient"


@pytest.mark.parametrize(
    ("name", "kept", "rejected", "enough"),
    [
        ("none seen", 0, 0, True),
        ("half", 5, 5, True),
        ("less", 4, 5, False),
        ("all", 9, 0, True),
        ("none", 0, 1, False),
    ],
)
def test_half_of_the_fields_are_enough(name: str, kept: int, rejected: int, enough: bool) -> None:
    assert enough_fields(tally(9, 1, kept=kept, rejected=rejected)) == enough, name


def test_fields_are_rejected_for_several_reasons() -> None:
    assert not enough_fields(Tally("s", {}, {}, 3, {"blurred": 2, "dark": 2}))


@pytest.mark.parametrize(
    ("flags", "flag"),
    [
        ((), "indeterminate"),
        (("negative",), "negative"),
        (("negative", "indeterminate"), "indeterminate"),
        (("indeterminate", "insufficient"), "insufficient"),
        (("negative", "positive", "insufficient"), "positive"),
    ],
)
def test_the_gravest_class_is_the_samples_flag(flags: tuple[str, ...], flag: str) -> None:
    finding = one(Assessor(GOOD), 0, 100)
    assert overall(tuple(replace(finding, flag=f) for f in flags)) == flag


def test_what_a_finding_says_of_a_share_that_cannot_be_estimated() -> None:
    got = one(Assessor(UNKNOWN, TARGET), 3, 20_000)
    assert (got.raw, got.infected.value, got.infected.low, got.infected.high, got.most) == (None, None, 0.0, 1.0, 1.0)
    assert (got.limit_of_detection, got.cells_short) == (None, None)
    assert got.flag == "insufficient"
    assert one(Assessor(UNKNOWN, TARGET), 300, 20_000).flag == "positive"  # blanks are known, so a positive can be told


@pytest.mark.parametrize(
    ("name", "made", "positives", "cells"),
    [
        ("hardly above the limit", NOISY, 54, 20_000),
        ("far above it", GOOD, 200, 20_000),
        ("all of them", GOOD, 500, 500),
    ],
)
def test_a_positives_interval_leaves_out_what_its_one_sided_test_excludes(
    name: str, made: Calibration, positives: int, cells: int
) -> None:
    errors = made.errors(LABEL)
    got, two = one(Assessor(made, TARGET), positives, cells), estimate(positives, cells, errors)
    assert got.flag == "positive", name
    assert got.infected.low == max(two.share.low, at_least(positives, cells, errors), 1e-9)
    assert got.infected.low > 0
    assert got.infected.high == two.share.high
    assert two.share.value is not None
    assert got.infected.value == min(max(two.share.value, got.infected.low), got.infected.high)
    assert (got.raw, got.most) == (two.raw, two.most)


def test_a_negatives_interval_ends_at_the_bound_that_its_flag_rests_on() -> None:
    errors = GOOD.errors(LABEL)
    got, two = one(Assessor(GOOD, TARGET), 3, 20_000), estimate(3, 20_000, errors)
    assert got.flag == "negative"
    assert got.infected.high == got.most == at_most(3, 20_000, errors) < two.share.high
    assert got.infected.low == two.share.low
    between = one(Assessor(GOOD, 1e-4), 3, 20_000)
    assert between.flag == "insufficient"
    assert between.infected == two.share


def test_a_sample_looked_at_every_field_has_the_bounds_of_every_look_until_its_last() -> None:
    errors = GOOD.errors(LABEL)
    anytime = AnyTime(errors, TARGET, 0.05)
    assessor = Assessor(GOOD, TARGET, every_look=True)
    got = one(assessor, 4, 3000, complete=False)
    low, high = anytime.bounds(4, 3000)
    assert got.look == "every"
    assert (got.infected.low, got.infected.high, got.most) == (low, high, high)
    assert got.infected.value == min(max(got.raw or 0, low), high)
    assert got.raw == estimate(4, 3000, errors).raw
    assert got.limit_of_blank == anytime.limit(4, 3000)
    assert got.level == 0.95
    clear = one(assessor, 150, 3000)
    assert (clear.flag, clear.look) == ("positive", "every")  # decided before its last look
    assert clear.infected.low == anytime.bounds(150, 3000)[0]


def test_the_last_look_spends_what_the_looks_before_it_left() -> None:
    errors = GOOD.errors(LABEL)
    anytime = AnyTime(errors, TARGET, 0.05)
    got = one(Assessor(GOOD, TARGET, every_look=True), 2, 2000)
    assert got.look == "last"
    assert got.level == pytest.approx(0.95 + spent_on_blanks(anytime, errors, 2000))
    assert 0.95 < got.level < 0.96
    assert got.limit_of_blank == limit_of_blank(errors.false, 2000, got.level)
    below_level = 0.95 + spent_on_target(anytime, errors, TARGET, 2000, 0.95)
    assert below_level > 0.95
    assert got.most == pytest.approx(at_most(2, 2000, errors, below_level))
    assert got.raw == estimate(2, 2000, errors, below_level).raw


@pytest.mark.parametrize(
    ("made", "target"), [(GOOD, None), (UNKNOWN, TARGET)], ids=["no target", "unknown sensitivity"]
)
def test_a_last_look_that_cannot_say_negative_spends_nothing_on_it(made: Calibration, target: float | None) -> None:
    got = one(Assessor(made, target, every_look=True), 2, 2000)
    assert got.look == "last"
    assert got.level > 0.95
    if target is None:
        assert got.most == at_most(2, 2000, made.errors(LABEL))


def test_a_sample_of_few_good_fields_is_not_decided_on_the_way_and_gets_its_last_look() -> None:
    assessor = Assessor(GOOD, TARGET, every_look=True)
    few = tally(2997, 3, rejected=90)
    assert assessor.decided(tally(2997, 3))  # with all fields good: negative at a look on the way
    assert not assessor.decided(few)
    assert Assessor(GOOD, TARGET).findings(few, advise=False)[0].flag == "positive"
    (got,) = assessor.findings(few, advise=False)
    assert (got.look, got.flag) == ("last", "positive")
    (stopped,) = assessor.findings(few, complete=False, advise=False)
    assert (stopped.look, stopped.flag) == ("every", "insufficient")  # Ctrl-C: there is no last look


def test_the_last_look_is_never_certain() -> None:
    assessor = Assessor(GOOD, TARGET, every_look=True)
    assert assessor._left(0.049) == pytest.approx(0.999)
    assert assessor._left(0.2) == pytest.approx(0.9999)


def test_looked_at_once_is_what_an_assessor_without_looks_says() -> None:
    counts = tally(1998, 2)
    assert Assessor(GOOD, TARGET, every_look=True).at_one_look(counts) == Assessor(GOOD, TARGET).findings(
        counts, advise=False
    )


@pytest.mark.parametrize(
    ("name", "made", "sample", "target", "decided"),
    [
        ("a clear positive", GOOD, (60, 900), TARGET, True),
        ("a clear negative", GOOD, (1, 20_000), TARGET, True),
        ("neither", GOOD, (2, 2000), TARGET, False),
        ("no cells", GOOD, (0, 0), TARGET, False),
        ("no target: a blank is never decided", GOOD, (0, 100_000), None, False),
        ("no target: a positive is", GOOD, (60, 900), None, True),
        ("unknown sensitivity: a blank is never decided", UNKNOWN, (0, 100_000), TARGET, False),
    ],
)
def test_when_a_sample_is_decided(
    name: str, made: Calibration, sample: tuple[int, int], target: float | None, decided: bool
) -> None:
    counts = tally(sample[1] - sample[0], sample[0])
    assert Assessor(made, target, every_look=True).decided(counts) == decided, name
    assert not Assessor(made, target).decided(counts)  # looked at only once: never before its end


def test_one_positive_class_decides_a_sample_but_all_must_be_negative() -> None:
    made = of_classes(2)
    assessor = Assessor(made, TARGET, every_look=True)

    def both(first: int, second: int, cells: int = 30_000) -> bool:
        return assessor.decided(
            Tally("s", {"red": cells - first - second, "class-0": first, "class-1": second}, {}, 9, {})
        )

    assert both(1, 1)
    assert both(900, 60)
    assert both(900, 1)
    assert not both(1, 40)  # neither negative nor positive


def test_a_sample_that_is_decided_quickly_is_decided_when_all_is_worked_out() -> None:
    assessor = Assessor(GOOD, TARGET, every_look=True)
    known = assessor._classes[0]
    for cells in range(1000, 12_000, 777):
        quick = assessor._decided(known, tally(cells, 0), quick=True)
        slow = assessor._decided(known, tally(cells, 0))
        assert quick in (slow, "indeterminate", "insufficient")
        fewer = (
            next(n for n in known.detectable if n == cells - cells % max(10 ** (len(str(cells)) - 2), 1))
            if known.detectable
            else 0
        )
        assert fewer <= cells
    assert set(known.detectable) <= {n for n in range(100, 12_001) if n % 10 ** (len(str(n)) - 2) == 0}  # two digits
    assert known.detectable[11_000]


def test_advice_is_for_open_samples_with_a_target_and_a_known_sensitivity_only() -> None:
    open_ = one(Assessor(GOOD, TARGET), 0, 100)
    assert open_.flag == "insufficient"
    assert open_.cells_short is not None
    assert one(Assessor(GOOD, TARGET), 0, 100, advise=False).cells_short is None
    assert one(Assessor(GOOD, None), 0, 100).cells_short is None
    assert one(Assessor(UNKNOWN, TARGET), 0, 100).cells_short is None
    assert one(Assessor(GOOD, TARGET), 90, 100).cells_short is None
    assert Assessor(GOOD, TARGET).findings(tally(99, 1, kept=1, rejected=9))[0].cells_short is None  # focus first


@pytest.mark.parametrize("look", ["one", "every", "last"])
def test_so_many_more_cells_decide_with_one_positive_or_none_and_half_as_many_do_not(look: str) -> None:
    assessor = Assessor(GOOD, TARGET, every_look=look != "one")
    how = {"complete": look != "every", "advise": False}
    short = one(assessor, 0, 500, complete=look != "every").cells_short
    assert short is not None
    assert one(assessor, 0, 500 + short, **how).flag == "negative"
    assert one(assessor, 1, 500 + short, **how).flag in ("negative", "positive")
    assert {one(assessor, k, 500 + short // 2, **how).flag for k in (0, 1)} & {"insufficient", "indeterminate"}


@pytest.mark.parametrize("look", ["one", "every", "last"])
def test_at_a_high_rate_so_many_more_cells_make_a_positive(look: str) -> None:
    assessor = Assessor(NOISY, 0.001, every_look=look != "one")
    how = {"complete": look != "every"}
    seen = 6 if look == "every" else 3
    finding = one(assessor, seen, 500, **how)
    assert finding.flag == "insufficient"
    assert finding.cells_short is not None
    cells = 500 + finding.cells_short
    assert one(assessor, seen * cells // 500, cells, advise=False, **how).flag == "positive"
