from __future__ import annotations

from dataclasses import replace

import pytest

from edge.verdict.review_records import PartCounts, ReviewCounts
from edge.verdict.to_look import cells_to_look, further, next_to_look

TOP = PartCounts("top", 60, 5, 55, ordered=True, suspect=True)


def sample(*parts: PartCounts) -> ReviewCounts:
    return ReviewCounts(parts)


@pytest.mark.parametrize(
    ("name", "parts", "calibrated", "advice"),
    [
        ("highest suspects first", (replace(TOP, negative=30),), False, {"top": 25}),
        ("nothing is left", (TOP, PartCounts("rest", 40, 0, 40)), False, {}),
        ("a calibration needs a check of the others", (TOP, PartCounts("rest", 900)), True, {"rest": 20}),
        ("and has had it", (TOP, PartCounts("rest", 900, 0, 20)), True, {}),
        ("no more than there are", (TOP, PartCounts("rest", 900, 0, 893)), False, {"rest": 7}),
        ("without one all goes to the only part", (TOP, PartCounts("rest", 900, 0, 20)), False, {"rest": 20}),
    ],
)  # fmt: skip
def test_what_to_look_at_next(
    name: str, parts: tuple[PartCounts, ...], calibrated: bool, advice: dict[str, int]
) -> None:
    assert next_to_look(sample(*parts), calibrated=calibrated) == advice, name


def test_more_looks_go_to_parts_that_are_large_and_mixed() -> None:
    near, rest = PartCounts("near", 500, 20, 20), PartCounts("rest", 2000, 1, 39)
    advice = next_to_look(sample(TOP, near, rest), calibrated=False, batch=200)
    # 500 * 0.5 to 2,000 * 0.16: as 0.43 to 0.57 of all 280
    assert advice["near"] + 40 == pytest.approx(0.43 * 280, rel=0.1)
    assert sum(advice.values()) == 200


def test_a_part_that_was_looked_at_too_much_gets_nothing_and_the_others_all() -> None:
    near, rest = PartCounts("near", 500, 0, 490), PartCounts("rest", 20_000, 1, 39)
    assert next_to_look(sample(TOP, near, rest), calibrated=False) == {"rest": 20}


def test_further_cells_show_what_their_part_showed_and_add_up() -> None:
    before = sample(
        replace(TOP, positive=10, negative=10), PartCounts("near", 100, 5, 15), PartCounts("rest", 900, 0, 20)
    )
    after = further(before, 100, calibrated=False)
    assert after.parts[0].looked == 60
    assert after.parts[0].positive == 30
    assert sum(part.looked for part in after.parts) == sum(part.looked for part in before.parts) + 100
    assert after.parts[2].positive == 0


@pytest.mark.parametrize("needed", [1, 7, 60, 333, 900])
def test_the_fewest_cells_that_decide_are_found_to_two_digits(needed: int) -> None:
    before = sample(PartCounts("rest", 900))
    more = cells_to_look(before, lambda of: of.parts[0].looked >= needed, calibrated=False)
    assert more is not None
    assert needed <= more <= max(needed * 1.1, needed + 1)


def test_where_not_even_all_decide_there_is_no_number() -> None:
    assert cells_to_look(sample(PartCounts("rest", 900)), lambda _: False, calibrated=False) is None
    assert cells_to_look(sample(TOP), lambda _: True, calibrated=False) is None
