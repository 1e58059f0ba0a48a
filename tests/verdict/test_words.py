"""What is said of a finding: the whole sentences, for each row of the table, each look, and what is known."""

# ruff: noqa: E501, ISC004 - whole sentences, as they are read

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.types import Finding, Interval, Tally
from edge.verdict.assess import Assessor
from edge.verdict.words import looks, why
from tests.verdict.made import calibration, tally

TARGET = 0.005
FINDING = Finding(
    "parasitized",
    12,
    2000,
    "indeterminate",
    15,
    0.004,
    0.0061,
    Interval(0.0061, 0.0042, 0.0089),
    0.0085,
    None,
    "undecided",
)
KNOWN = calibration()
TILES = replace(KNOWN, unit="tile")
UNKNOWN = calibration(slides=0)


def sentences(finding: Finding = FINDING, made: Any = KNOWN, target: float | None = TARGET) -> list[str]:
    return why(finding, Assessor(made, target))


def changed(**values: Any) -> Finding:
    return replace(FINDING, **values)


@pytest.mark.parametrize(
    ("name", "finding", "made", "text"),
    [
        ("one look", changed(), KNOWN, "12 of 2,000 cells counted as parasitized; a blank slide stays at 15 or fewer 95 times in 100."),
        (
            "another level", changed(level=0.975), KNOWN,
            "12 of 2,000 cells counted as parasitized; a blank slide stays at 15 or fewer 97.5 times in 100.",
        ),
        (
            "large counts", changed(count=1200, cells=1_000_000, limit_of_blank=1500), KNOWN,
            "1,200 of 1,000,000 cells counted as parasitized; a blank slide stays at 1,500 or fewer 95 times in 100.",
        ),
        ("tiles", changed(), TILES, "12 of 2,000 tiles counted as parasitized; a blank slide stays at 15 or fewer 95 times in 100."),
        (
            "every look", changed(look="every"), KNOWN,
            "12 of 2,000 cells counted as parasitized; a blank slide stays at 15 or fewer here, and within such limits at every look, "
            "95 times in 100.",
        ),
        (
            "every look, but no count would be positive", changed(look="every", cells=12, limit_of_blank=12), TILES,
            "12 of 12 tiles counted as parasitized; on so few tiles no count is called positive before the last look.",
        ),
        (
            "the last look", changed(look="last", level=0.9567), KNOWN,
            "12 of 2,000 cells counted as parasitized; a blank slide stays at 15 or fewer 95.7 times in 100 (95, were this the only look).",
        ),
    ],
)  # fmt: skip
def test_the_count_is_told_with_its_limit(name: str, finding: Finding, made: Any, text: str) -> None:
    assert sentences(finding, made)[0] == text, name


SHARE = "Infected: 0.61 %, 0.42 % to 0.89 % with 95 % confidence"


@pytest.mark.parametrize(
    ("name", "finding", "made", "text"),
    [
        ("one look", changed(), KNOWN, f"{SHARE}, false positives and lost cells allowed for; 31,000/µL at 5,000,000 red cells/µL."),
        ("tiles", changed(), TILES, f"{SHARE}, false positives and lost tiles allowed for."),
        (
            "every look", changed(look="every"), TILES, f"{SHARE} at every look, false positives and lost tiles allowed for.",
        ),
        (
            "a negative has an upper bound only", changed(flag="negative", most=0.0048, infected=Interval(0.003, 0.001, 0.0048)), TILES,
            "Infected: 0.3 %, at most 0.48 % with 95 % confidence, false positives and lost tiles allowed for.",
        ),
        (
            "close to the target: more digits", changed(flag="negative", most=0.00499, infected=Interval(0.003, 0.001, 0.00499)), TILES,
            "Infected: 0.3 %, at most 0.499 % with 95 % confidence, false positives and lost tiles allowed for.",
        ),
        (
            "at the target: two digits", changed(most=0.005, infected=Interval(0.00345, 0.00123, 0.00512)), TILES,
            "Infected: 0.34 %, 0.12 % to 0.51 % with 95 % confidence, false positives and lost tiles allowed for.",
        ),
        (
            "an estimate below zero", changed(raw=-0.0012, infected=Interval(0.0, 0.0, 0.002)), TILES,
            "Infected: 0 %, 0 % to 0.2 % with 95 % confidence, false positives and lost tiles allowed for (the estimate itself is below "
            "zero, -0.12 %: fewer positives than blanks show on average).",
        ),
        (
            "below zero, and yet positive", changed(raw=-0.0012, flag="positive", infected=Interval(0.0, 0.0, 0.002)), TILES,
            "Infected: 0 %, 0 % to 0.2 % with 95 % confidence, false positives and lost tiles allowed for.",
        ),
        (
            "exactly zero", changed(raw=0.0, infected=Interval(0.0, 0.0, 0.002)), TILES,
            "Infected: 0 %, 0 % to 0.2 % with 95 % confidence, false positives and lost tiles allowed for.",
        ),
        (
            "nothing known of infected cells", changed(), UNKNOWN,
            "No share can be estimated: how many infected cells are found is not known.",
        ),
        (
            "nothing to estimate from", changed(raw=None), KNOWN,
            "No share can be estimated: false positives are as frequent as what is found of the infected cells.",
        ),
        (
            "no value", changed(infected=Interval(None, 0.0, 1.0)), KNOWN,
            "No share can be estimated: false positives are as frequent as what is found of the infected cells.",
        ),
    ],
)  # fmt: skip
def test_the_share_is_told_with_its_interval(name: str, finding: Finding, made: Any, text: str) -> None:
    assert sentences(finding, made)[1] == text, name


def test_the_confidence_is_that_of_one_class_among_several() -> None:
    several = replace(
        KNOWN,
        positive=("parasitized", "other"),
        blanks=tuple(replace(b, positives={**b.positives, "other": 0}) for b in KNOWN.blanks),
    )
    lines = sentences(changed(flag="negative", why="below", most=0.0045, look="last", level=0.98), several)
    assert "(97.5, were this the only look)" in lines[0]
    assert "with 97.5 % confidence, false" in lines[1]
    assert lines[2].startswith("At most 0.45 % (22,000/µL) with 97.5 % confidence")


@pytest.mark.parametrize(
    ("name", "finding", "made", "target", "text"),
    [
        ("positive, the target not excluded", changed(flag="positive", why="above"), KNOWN, TARGET, None),
        ("positive without a target", changed(flag="positive", why="above", most=0.0001), KNOWN, None, None),
        (
            "positive, but below the target", changed(flag="positive", why="above", most=0.0049), KNOWN, TARGET,
            "Positive, but less than the target of 0.5 % (25,000/µL).",
        ),
        ("positive at the target", changed(flag="positive", why="above", most=TARGET), KNOWN, TARGET, None),
        (
            "negative", changed(flag="negative", why="below", most=0.0048), KNOWN, TARGET,
            "At most 0.48 % (24,000/µL) with 95 % confidence: below the target of 0.5 % (25,000/µL).",
        ),
        (
            "negative, of tiles", changed(flag="negative", why="below", most=0.00499), TILES, TARGET,
            "At most 0.499 % with 95 % confidence: below the target of 0.5 %.",
        ),
        (
            "few fields", changed(flag="insufficient", why="fields"), KNOWN, TARGET,
            "So few fields passed the gate that a sample which is not positive cannot be judged.",
        ),
        (
            "too few cells", changed(flag="insufficient", why="detection", limit_of_detection=0.0061, cells_short=1500), KNOWN, TARGET,
            "At 2,000 cells 0.61 % (31,000/µL) or more would be found reliably; for the target of 0.5 % (25,000/µL): another 1,500 cells "
            "would decide.",
        ),
        (
            "too few cells though the bound is below the target",
            changed(flag="insufficient", why="detection", limit_of_detection=0.0061, most=0.004, cells_short=1500), TILES, TARGET,
            "At 2,000 tiles 0.61 % or more would be found reliably, so an interval that ends below the target is not enough; for the target "
            "of 0.5 %: another 1,500 tiles would decide.",
        ),
        (
            "the bound is the target", changed(flag="insufficient", why="detection", most=TARGET, cells_short=10), TILES, TARGET,
            "At 2,000 tiles 0.4 % or more would be found reliably; for the target of 0.5 %: another 10 tiles would decide.",
        ),
        (
            "nothing would be found", changed(flag="insufficient", why="detection", limit_of_detection=None), TILES, TARGET,
            "At 2,000 tiles no share would be found reliably; for the target of 0.5 %: more tiles alone would not decide: slides differ too "
            "much in their false positives and losses; calibrate on more slides, or use a better model.",
        ),
        (
            "nobody knows what is found", changed(flag="insufficient", why="detection", limit_of_detection=None), UNKNOWN, TARGET,
            "Nothing can be called negative at the target of 0.5 % (25,000/µL): its sensitivity is not known: calibrate with --positive.",
        ),
        (
            "undecided", changed(cells_short=20_000), KNOWN, TARGET,
            "Neither above what blanks show nor surely below the target of 0.5 % (25,000/µL): another 20,000 cells would decide.",
        ),
        (
            "undecided on the way", changed(look="every"), KNOWN, TARGET,
            "Neither above what blanks show nor surely below the target of 0.5 % (25,000/µL): more cells might not decide at a look on the "
            "way; a run that ends with its fields or its budget has a last look.",
        ),
        (
            "undecided without a target", changed(), KNOWN, None,
            "No target was given (--target-parasitaemia), so no count can be called negative.",
        ),
        ("a row without a sentence of its own", changed(why="cells"), KNOWN, TARGET, "No cell was counted."),
        ("a row that there is not", changed(why="other"), KNOWN, TARGET, None),
    ],
)  # fmt: skip
def test_what_the_flag_follows_from_is_told(
    name: str, finding: Finding, made: Any, target: float | None, text: str | None
) -> None:
    assert sentences(finding, made, target)[2:] == ([] if text is None else [text]), name


class Once:
    """Stands in for an assessor: what one look would have said is given."""

    every_look = True

    def __init__(self, once: Finding) -> None:
        self.once = once

    def at_one_look(self, counts: Tally) -> tuple[Finding, ...]:
        assert counts == tally(1988, 12)
        return (self.once,)


WAY = "looks after every field take their part of the errors allowed"
EVERY = "looked at after every field, it might have ended at any, so the limits used hold at all of them"
LAST = "; the last look is for samples whose fields or budget end by themselves"


@pytest.mark.parametrize(
    ("name", "mine", "once", "complete", "text"),
    [
        ("the same", {}, {}, True, None),
        (
            "one look would be positive", {"look": "last", "limit_of_blank": 1500}, {"flag": "positive", "limit_of_blank": 1100}, True,
            f"would be positive: its limit would be 1,100, not 1,500; {WAY}.",
        ),
        (
            "one look would not be positive", {"look": "last", "flag": "positive"}, {"limit_of_blank": 16}, True,
            f"would be indeterminate: its limit would be 16, not 15; {WAY}.",
        ),
        (
            "one look would be negative", {"look": "last", "most": 0.00512}, {"flag": "negative", "most": 0.00476}, True,
            f"would be negative: at most 0.476 % would be infected, not 0.512 %; {WAY}.",
        ),
        (
            "ended by itself before its last look", {"look": "every"}, {"flag": "negative", "most": 0.004}, True,
            f"would be negative: at most 0.4 % would be infected, not 0.85 %; {EVERY}.",
        ),
        (
            "stopped by hand", {"look": "every"}, {"flag": "negative", "most": 0.004}, False,
            f"would be negative: at most 0.4 % would be infected, not 0.85 %; {EVERY}{LAST}.",
        ),
        (
            "stopped because it was positive", {"look": "every", "flag": "positive"}, {"flag": "negative"}, False,
            f"would be negative: its limit would be 15, not 15; {EVERY}.",
        ),
        (
            "stopped because it was negative", {"look": "every", "flag": "negative"}, {"flag": "indeterminate"}, False,
            f"would be indeterminate: at most 0.85 % would be infected, not 0.85 %; {EVERY}.",
        ),
    ],
)  # fmt: skip
def test_where_one_look_would_have_said_otherwise_it_is_told(
    name: str, mine: dict[str, Any], once: dict[str, Any], complete: bool, text: str | None
) -> None:
    stand_in: Any = Once(changed(**once))
    got = looks(tally(1988, 12), (changed(**mine),), stand_in, complete=complete)
    assert got == ([] if text is None else [f"Looked at only once, parasitized {text}"]), name


def test_every_class_that_differs_is_told() -> None:
    class Both(Once):
        def at_one_look(self, counts: Tally) -> tuple[Finding, ...]:
            return (FINDING, changed(label="other", flag="negative"))

    stand_in: Any = Both(FINDING)
    got = looks(tally(1988, 12), (FINDING, changed(label="other")), stand_in, complete=True)
    assert [line.split(" would")[0] for line in got] == ["Looked at only once, other"]


def test_a_sample_that_is_looked_at_once_and_stopped_by_hand_is_told_what_its_limits_are_of() -> None:
    one = Assessor(KNOWN, TARGET)
    stopped = (
        "Stopped early: the limits are those of a sample that ends with its fields or its budget, "
        "not of one that is stopped for what it shows."
    )
    assert looks(tally(1988, 12), (FINDING,), one, complete=False) == [stopped]
    assert looks(tally(1988, 12), (FINDING,), one, complete=True) == []
