from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.types import Verdict
from edge.verdict.assess import Assessor
from edge.verdict.interval import clopper_pearson
from edge.verdict.review_records import NOT_REVIEWED, PartCounts, ReviewCounts, ReviewedVerdict, Votes
from edge.verdict.reviewed import REVIEWED_TABLE, ReviewedEvidence, decide_reviewed, reviewed_markdown
from edge.verdict.table import FLAGS
from edge.verdict.to_look import further
from tests.verdict.made import calibration

ROOT = Path(__file__).parents[2]
MACHINE = Verdict("uncalibrated", (), {}, rbc_per_ul=5e6)
Looked = tuple[int, int]  # confirmed, not confirmed
SURE: tuple[Votes, ...] = ((("a", True), ("a", True)),) * 20_000 + ((("a", False), ("a", False)),) * 20_000


def counts(
    cells: int = 20_000,
    *,
    top: Looked = (0, 0),
    suspects: Looked = (0, 0),
    near: Looked = (0, 0),
    rest: Looked = (0, 0),
    sizes: tuple[int, int, int] = (20, 0, 60),
    unsure: int = 0,
    votes: tuple[Votes, ...] = (),
    added: int = 0,
) -> ReviewCounts:
    """A sample with ``sizes`` cells in top, suspects and near; ``unsure`` of the top could not be told."""
    return ReviewCounts(
        (
            PartCounts("top", sizes[0], *top, unsure=unsure, ordered=True, suspect=True),
            PartCounts("suspects", sizes[1], *suspects, suspect=True),
            PartCounts("near", sizes[2], *near),
            PartCounts("rest", cells - sum(sizes), *rest),
        ),
        votes,
        added,
    )


def judged(of: ReviewCounts, target: float | None = 0.001, *, calibrated: bool = False) -> ReviewedVerdict:
    assessor = Assessor(calibration(), target) if calibrated else None
    return decide_reviewed(of, MACHINE, assessor, target=target)


def test_the_table_in_the_docs_is_the_one_in_the_code() -> None:
    assert reviewed_markdown() in (ROOT / "docs" / "verdict.md").read_text()


@pytest.mark.parametrize(
    ("evidence", "flag"),
    [
        (ReviewedEvidence(0, 0), "insufficient"),
        (ReviewedEvidence(0, 500, above=True), NOT_REVIEWED),
        (ReviewedEvidence(9, 500, above=True, alike=False, detectable=False), "positive"),
        (ReviewedEvidence(9, 500, alike=False, detectable=True, below=True), "insufficient"),
        (ReviewedEvidence(9, 500, enough_fields=False, detectable=True, below=True), "insufficient"),
        (ReviewedEvidence(9, 500, detectable=False, below=True), "insufficient"),
        (ReviewedEvidence(9, 500, detectable=True, below=True), "negative"),
        (ReviewedEvidence(9, 500, detectable=True, below=False), "indeterminate"),
        (ReviewedEvidence(9, 500), "indeterminate"),
    ],
)
def test_the_first_row_that_holds_decides(evidence: ReviewedEvidence, flag: str) -> None:
    assert next(row for row in REVIEWED_TABLE if row.holds(evidence)).flag == flag
    assert {row.flag for row in REVIEWED_TABLE} == {*FLAGS, NOT_REVIEWED}


NONE = ReviewCounts((PartCounts("top", 0, ordered=True, suspect=True), PartCounts("rest", 0)))


@pytest.mark.parametrize(
    ("name", "sample", "calibrated", "flag"),
    [
        ("nobody has looked", counts(), True, NOT_REVIEWED),
        ("no cell was counted", NONE, True, "insufficient"),
        ("most suspects are confirmed", counts(top=(15, 5)), False, "positive"),
        ("the same with a calibration", counts(top=(15, 5)), True, "positive"),
        ("confirmed among the others alone", counts(top=(0, 20), rest=(9, 40)), False, "positive"),
        ("one of twenty, by one reader who may err", counts(top=(1, 19)), False, "indeterminate"),
        ("the one suspect that there is", counts(top=(1, 0), sizes=(1, 0, 60)), False, "positive"),
        ("none, and the machine's sensitivity is known", counts(top=(0, 20)), True, "negative"),
        ("none, but it is not known what hides among the rest", counts(top=(0, 20)), False, "indeterminate"),
        ("none, and so many of the rest looked at", counts(top=(0, 20), near=(0, 60), rest=(0, 5000)), False, "negative"),
        ("a calibration, and highest suspects not looked at", counts(top=(0, 5), sizes=(60, 0, 60)), True, "indeterminate"),
        ("too few cells for the target", counts(1000, top=(0, 20), near=(0, 60), rest=(0, 920)), False, "insufficient"),
        ("a sample without a suspect", counts(sizes=(0, 0, 60), near=(0, 20), rest=(0, 20)), True, "negative"),
        ("50,000 suspects, most of the first ones true", counts(200_000, top=(55, 5), sizes=(60, 49_940, 500)), True, "positive"),
    ],
)  # fmt: skip
def test_flag_of_a_reviewed_sample(name: str, sample: ReviewCounts, calibrated: bool, flag: str) -> None:
    verdict = judged(sample, calibrated=calibrated)
    assert verdict.flag == flag, (name, verdict.reasons)
    assert 0 <= verdict.share.low <= verdict.share.high <= 1
    assert verdict.share.high > 0
    if verdict.share.value is not None:
        assert verdict.share.low <= verdict.share.value <= verdict.share.high
    if flag == "negative":
        assert verdict.share.high <= verdict.most < 0.001
    if flag == "positive":
        assert verdict.share.low > 0
    assert all(reason[0].isupper() or reason[0].isdigit() for reason in verdict.reasons)


def test_fields_unlike_the_models_are_no_evidence_of_absence_but_what_people_see_counts() -> None:
    clean, seen = counts(top=(0, 20)), counts(top=(15, 5))
    assert judged(replace(clean, alike=False), calibrated=True).flag == "insufficient"
    assert judged(replace(clean, alike=False), calibrated=True).rests_on == "sample"
    assert judged(replace(seen, alike=False), calibrated=True).flag == "positive"
    assert judged(replace(clean, enough_fields=False), calibrated=True).flag == "insufficient"


def test_all_cells_looked_at_by_readers_who_hardly_err_are_the_exact_interval_of_a_share() -> None:
    verdict = judged(counts(2000, top=(15, 5), near=(0, 60), rest=(0, 1920), votes=SURE), None)
    exact = clopper_pearson(15, 2000)
    assert verdict.share.value == pytest.approx(15 / 2000, rel=0.01)
    assert exact.low * 0.98 < verdict.share.low < exact.low * 1.2  # mid-P: a little narrower than the exact one
    assert exact.high * 0.85 < verdict.share.high < exact.high * 1.03


def test_none_among_all_cells_still_leaves_three_among_so_many() -> None:
    verdict = judged(counts(2000, top=(0, 20), near=(0, 60), rest=(0, 1920), votes=SURE), None)
    assert verdict.most == pytest.approx(3 / 2000, rel=0.05)
    assert verdict.share.low == verdict.share.value == 0


def test_highest_suspects_that_nobody_looked_at_are_none_or_all_of_them() -> None:
    whole = judged(counts(top=(10, 10)), calibrated=True)
    half = judged(counts(top=(10, 0)), calibrated=True)
    assert half.share.low == pytest.approx(whole.share.low, rel=0.1)
    assert half.share.high > whole.share.high + 9 / 20_000
    assert any("10 of the highest suspects have not been looked at" in reason for reason in half.reasons)


def test_cells_that_cannot_be_told_count_both_ways() -> None:
    told = judged(counts(top=(10, 10)), calibrated=True)
    not_told = judged(counts(top=(10, 5), unsure=5), calibrated=True)
    all_true = judged(counts(top=(15, 5)), calibrated=True)
    assert not_told.share.low == pytest.approx(told.share.low)
    assert not_told.share.high == pytest.approx(all_true.share.high)
    assert not_told.confirmed == 10


def test_marks_where_the_machine_has_no_cell_raise_the_upper_end_alone() -> None:
    without, marked = (
        judged(counts(top=(0, 20)), calibrated=True),
        judged(counts(top=(0, 20), added=40), calibrated=True),
    )
    assert without.flag == "negative"
    assert marked.flag == "indeterminate"
    assert marked.share.low == 0
    assert marked.most > 40 / 20_000


def test_two_people_who_confirm_the_same_cell_convince_where_one_does_not() -> None:
    agreed = (("anna", True), ("ben", True))
    one = counts(top=(1, 19))
    assert judged(one).flag == "indeterminate"
    assert any("let a second reader look" in reason for reason in judged(one).reasons)
    assert judged(replace(one, votes=(agreed,))).flag == "positive"
    assert judged(replace(one, votes=((("anna", True), ("anna", True)),))).flag == "indeterminate"


def test_confirmed_cells_among_the_rest_contradict_a_calibration_and_are_said_to() -> None:
    verdict = judged(counts(top=(0, 20), rest=(8, 40)), calibrated=True)
    assert verdict.rests_on == "sample"
    assert any("does not hold here" in reason for reason in verdict.reasons)
    assert verdict.share.low > 0.01


def test_a_few_confirmed_among_the_near_ones_lower_the_sensitivity() -> None:
    clean = judged(counts(top=(15, 5), near=(0, 30)), calibrated=True)
    some = judged(counts(top=(15, 5), near=(3, 27)), calibrated=True)
    assert some.rests_on == "calibration"
    assert some.share.high > clean.share.high


def test_readers_who_are_known_to_err_need_more_confirmed_cells() -> None:
    at_odds = ((("anna", True), ("ben", False)),) * 8 + ((("anna", False), ("ben", False)),) * 32
    sample = counts(top=(3, 17))
    assert judged(sample).flag == "positive"
    careless = judged(replace(sample, votes=at_odds))
    assert careless.flag == "indeterminate"
    assert [one.reader for one in careless.readers] == ["anna", "ben"]
    assert careless.readers[1].specificity.low > careless.readers[0].specificity.low


def test_as_many_more_looks_as_are_asked_for_do_decide() -> None:
    sample = counts(top=(0, 20), near=(0, 20), rest=(0, 500))
    verdict = judged(sample)
    assert verdict.flag == "indeterminate"
    assert verdict.short is not None
    assert any(f"look at {verdict.short:,} more and it is decided" in reason for reason in verdict.reasons)
    assert set(verdict.next) <= {"near", "rest"}
    assert judged(further(sample, verdict.short, calibrated=False)).flag == "negative"
    assert judged(further(sample, verdict.short // 2, calibrated=False)).flag == "indeterminate"


def test_several_positive_classes_are_one_question_to_a_reader() -> None:
    known = calibration()
    two = replace(
        known,
        positive=("ring", "schizont"),
        blanks=tuple(replace(b, positives={"ring": 1, "schizont": 0}) for b in known.blanks),
        known=tuple(
            replace(k, found={"ring": 45, "schizont": 45}, infected={"ring": 50, "schizont": 50}) for k in known.known
        ),
    )
    assert decide_reviewed(counts(top=(0, 20)), MACHINE, Assessor(two, 0.001)).flag == "negative"
    half_known = replace(two, known=tuple(replace(k, infected={"ring": 50}, found={"ring": 45}) for k in known.known))
    assert decide_reviewed(counts(top=(0, 20)), MACHINE, Assessor(half_known, 0.001)).rests_on == "sample"


@pytest.mark.parametrize(
    "part",
    [PartCounts("rest", 5, 3, 3), PartCounts("rest", 5, -1, 3), PartCounts("rest", -1)],
    ids=["more looked at than there are", "fewer than none", "a part of fewer than none"],
)
def test_counts_that_cannot_be_are_refused(part: PartCounts) -> None:
    with pytest.raises(ValueError, match="rest"):
        decide_reviewed(ReviewCounts((part,)), MACHINE, None)


def test_a_sample_without_a_suspect_still_leaves_open_what_so_few_cells_leave() -> None:
    verdict = judged(counts(2000, sizes=(0, 0, 10), near=(0, 10), rest=(0, 40)), calibrated=True)
    assert verdict.most == pytest.approx(3 / (2000 * 0.9), rel=0.25)


def test_highest_suspects_not_looked_at_leave_more_open_than_if_all_were_true() -> None:
    true = judged(counts(top=(20, 0)), calibrated=True)
    unseen = judged(counts(top=(0, 0), rest=(0, 20)), calibrated=True)
    assert unseen.most == pytest.approx(true.most, rel=1e-6)


AGREED: Votes = (("anna", True), ("ben", True))


@pytest.mark.parametrize(
    ("name", "sample", "calibrated", "said"),
    [
        ("all looked at", counts(top=(15, 5), near=(1, 19), rest=(0, 40)), True,
         "15 of 20 suspects looked at confirmed; 1 of 20 near misses and 0 of 40 others drawn at random."),
        ("some looked at", counts(top=(5, 5)), True, "5 of 10 suspects looked at confirmed, 20 suspects in all."),
        ("no suspect", counts(sizes=(0, 0, 60), near=(0, 20)), True, "The machine has no suspect; 0 of 20 near misses."),
        ("positive", counts(top=(15, 5)), True, "That is more suspects than readers imagine on a blank slide: up to 2"),
        ("positive by two", replace(counts(top=(1, 19)), votes=(AGREED,)), True, "Two people confirm 1 of them, more than both"),
        ("positive by others", counts(top=(0, 20), rest=(9, 40)), False, "Together 9 are confirmed, more than readers imagine"),
        ("one of a few", counts(top=(1, 19)), False, "Readers may imagine as many on a blank slide (up to 2 suspects"),
        ("bound above 0", replace(counts(top=(1, 0)), votes=(AGREED,)), False, "Infected: above 0 % to 100 %; no closer"),
        ("negative", counts(top=(0, 20)), True, "below the target of 0.1 % (5,000/µL)."),
        ("with a calibration", counts(top=(0, 20)), True, "How many infected cells become suspects is known from the calibration."),
        ("not told", counts(top=(0, 19), unsure=1), True, "1 cell could not be told or divide the readers: counted both ways."),
        ("no cells", ReviewCounts((PartCounts("top", 9, 1, 5, 3, ordered=True, suspect=True), PartCounts("rest", 900, 0, 20))), True,
         "3 of 29 looked at should not have been counted; shares are of what was counted."),
        ("marks", counts(top=(0, 20), added=2), True, "2 cells marked where the machine has none"),
        ("not alike", replace(counts(top=(0, 20)), alike=False), True, "so what was not confirmed is not ruled out."),
        ("few fields", replace(counts(top=(0, 20)), enough_fields=False), True, "So few fields passed the gate"),
        ("too few cells", counts(1000, top=(0, 20), near=(0, 60), rest=(0, 920)), False, "1,000 cells are too few for the target"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_reviewed_sample(name: str, sample: ReviewCounts, calibrated: bool, said: str) -> None:
    reasons = judged(sample, calibrated=calibrated).reasons
    assert said in " ".join(reasons), (name, reasons)


def test_without_a_target_nothing_is_negative_and_what_would_decide_is_said() -> None:
    verdict = judged(counts(top=(1, 4)), None)
    assert verdict.flag == "indeterminate"
    assert f"no sample can be called negative; look at {verdict.short} more and it is decided" in " ".join(
        verdict.reasons
    )


def test_tiles_are_called_tiles_and_have_no_parasites_per_ul() -> None:
    tiles = replace(MACHINE, unit="tile", rbc_per_ul=None)
    text = " ".join(decide_reviewed(counts(1000, top=(0, 20), rest=(0, 500)), tiles, None, target=0.001).reasons)
    assert "1,000 tiles are too few" in text
    assert "µL" not in text


def test_readers_who_disagree_on_everything_leave_all_open_and_it_is_said_what_to_do() -> None:
    parts = (
        PartCounts("top", 60, unsure=60, ordered=True, suspect=True),
        PartCounts("near", 60, unsure=20),
        PartCounts("rest", 20_000, unsure=40),
    )
    verdict = judged(ReviewCounts(parts, ((("anna", True), ("ben", False)),) * 120))
    assert verdict.flag == "insufficient"
    assert (verdict.share.value, verdict.share.low, verdict.share.high) == (None, 0, 1)
    assert "let more be read twice" in " ".join(verdict.reasons)
    assert verdict.confirmed == 0


def test_25_000_suspects_that_are_all_confirmed_are_more_than_a_reader_imagines() -> None:
    after = judged(counts(50_000, top=(60, 0), suspects=(24_940, 0), rest=(0, 60), sizes=(60, 24_940, 60)))
    assert after.flag == "positive"
    assert after.share.low > 0.45


def test_50_000_suspects_are_judged_at_once() -> None:
    verdict = judged(
        counts(200_000, top=(30, 30), suspects=(4, 16), near=(0, 20), rest=(0, 40), sizes=(60, 49_940, 500))
    )
    assert verdict.flag == "positive"
    assert verdict.share.low < (30 + 49_940 * 0.2) / 200_000 < verdict.share.high
