from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from edge.modelfile import Card
from edge.report import gather
from edge.report.gather import (
    BELOW,
    BELOW_SHOWN,
    FIELDS,
    HIGHEST,
    LOWEST,
    LOWEST_SHOWN,
    OTHER,
    OTHERS,
    REJECTED_FIELDS,
    SUSPECTS,
    SampleCollector,
)
from edge.report.pictures import SIDE
from edge.report.records import GalleryCell, SampleParts
from edge.report.series import MOST
from edge.types import WHITE_CELL
from tests.fakes import CARD
from tests.report.made import THREE, field, gathered, unreadable


def suspects(*scores: float) -> list[list[float]]:
    return [[1 - score, score] for score in scores]


def shown(found: SampleParts, key: str, label: str | None = "parasitized") -> list[GalleryCell]:
    return [cell for g in found.galleries if g.key == key and g.label == label for cell in g.cells]


def test_few_suspects_are_all_shown_best_first_and_only_once() -> None:
    found = gathered([field(suspects(0.6, 0.1, 0.9), 0), field(suspects(0.7), 1)])
    assert [cell.cell for cell in shown(found, HIGHEST)] == ["0-2", "1-0", "0-0"]
    assert shown(found, LOWEST) == []
    assert [cell.cell for cell in shown(found, BELOW, None)] == ["0-1"]
    assert shown(found, OTHER, None) == []


def test_of_many_the_highest_and_the_lowest_are_shown() -> None:
    scores = np.random.default_rng(0).permutation(np.linspace(0.51, 0.99, 400)).tolist()
    found = gathered([field(suspects(*scores[i : i + 8]), i // 8) for i in range(0, 400, 8)])
    highest = [round(cell.score, 4) for cell in shown(found, HIGHEST)]
    lowest = [round(cell.score, 4) for cell in shown(found, LOWEST)]
    assert highest == [round(s, 4) for s in sorted(scores, reverse=True)[:SUSPECTS]]
    assert lowest == [round(s, 4) for s in sorted(scores)[:LOWEST_SHOWN]]
    assert {g.of for g in found.galleries} == {400}


def test_the_highest_that_were_not_counted_are_shown_and_the_near_misses_counted() -> None:
    scores = np.random.default_rng(2).permutation(np.linspace(0.01, 0.49, 400)).tolist()
    found = gathered([field(suspects(*scores[i : i + 8], 0.8), i // 8) for i in range(0, 400, 8)])
    below = [cell.score for cell in shown(found, BELOW, None)]
    assert below == pytest.approx(sorted(scores, reverse=True)[:BELOW_SHOWN])
    assert found.near == sum(score >= CARD.threshold / 2 for score in scores)
    others = 400 - found.near
    assert [g.of for g in found.galleries if g.key in (BELOW, OTHER)] == [400, others]
    assert all(cell.score < CARD.threshold / 2 for cell in shown(found, OTHER, None))


def test_where_all_score_low_the_highest_are_shown_and_none_is_called_a_near_miss() -> None:
    found = gathered([field(suspects(0.01, 0.03, 0.02), 0)])
    assert [cell.cell for cell in shown(found, BELOW, None)] == ["0-1", "0-2", "0-0"]
    assert found.near == 0


def test_a_narrow_white_cell_just_below_the_threshold_is_shown_as_what_it_is_set_aside_as() -> None:
    event = field(suspects(0.1, 0.4, 0.0, 0.3), 0)
    assert event.result is not None
    cells = replace(event.result.cells, kinds=("cell", WHITE_CELL), kind=np.array([0, 1, 1, 0], np.int32))
    scores = event.result.scores.copy()
    scores[2] = 0  # a wide one: the classifier has not seen it
    result = replace(event.result, cells=cells, classes=np.array([0, -1, -1, 0], np.int32), scores=scores)
    found = gathered([replace(event, result=result)])
    below = [(cell.cell, cell.label) for cell in shown(found, BELOW, None)]
    assert below == [("0-1", "white cell, set aside"), ("0-3", "uninfected"), ("0-0", "uninfected")]
    assert found.near == 2


def test_of_rejected_fields_no_near_miss_is_shown() -> None:
    found = gathered([field(suspects(0.4), 0, "incomplete")])
    assert (found.near, shown(found, BELOW, None)) == (0, [])


def test_a_cell_is_shown_with_its_surroundings_and_what_is_known_of_it() -> None:
    (cell,) = shown(gathered([field(suspects(0.1, 0.2, 0.8), 7, name="f7.png")]), HIGHEST)
    assert (cell.field, cell.name, cell.box, cell.label) == (7, "f7.png", (70, 12, 20, 20), "parasitized")
    assert cell.scores == pytest.approx((0.2, 0.8))
    picture = cv2.imdecode(np.frombuffer(cell.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (SIDE, SIDE, 3)
    middle, corner = picture[SIDE // 2, SIDE // 2], picture[4, 4]
    assert middle.tolist() == pytest.approx([0, 0, 60], abs=12)  # OpenCV's order: blue first
    assert corner.tolist() == pytest.approx([200, 200, 200], abs=12)  # a third of the side is not the cell


def test_whatever_comes_the_page_holds_no_more_than_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "SUSPECTS", 6)
    monkeypatch.setattr(gather, "LOWEST_SHOWN", 6)
    monkeypatch.setattr(gather, "OTHERS", 5)
    monkeypatch.setattr(gather, "BELOW_SHOWN", 7)
    gathering = SampleCollector(CARD)
    rng = np.random.default_rng(1)
    for i in range(MOST + 200):
        reason = f"reason {'x' * i}" if i % 9 == 0 else None  # more reasons than any gate has
        # ever more and ever surer suspects: every field displaces what was kept
        scores = (0.5 + i / 2000 + rng.random(3) / 100).tolist() + rng.random(5).tolist()
        gathering.field(field(suspects(*scores), i, reason))
    held = [len(best) for bests in (gathering._highest, gathering._lowest) for best in bests.values()]
    assert held == [6, 6]
    assert len(gathering._others.items) == 5
    assert len(gathering._below) == 7
    found = gathering.done()
    assert len(found.views) == FIELDS + REJECTED_FIELDS
    assert len(found.stretches) <= MOST
    pictures = [cell.jpeg for g in found.galleries for cell in g.cells] + [view.jpeg for view in found.views]
    assert sum(map(len, pictures)) < 500_000


def test_the_random_sample_is_the_same_each_time_and_shows_no_suspects() -> None:
    events = [field(suspects(*np.linspace(0.01, 0.6, 20).tolist()), i) for i in range(40)]
    first, second = (shown(gathered(events), OTHER, None) for _ in range(2))
    assert [cell.cell for cell in first] == [cell.cell for cell in second]
    below = {cell.cell for cell in shown(gathered(events), BELOW, None)}
    assert not below & {cell.cell for cell in first}  # nothing is shown twice
    assert len(first) == OTHERS
    assert {cell.label for cell in first} == {"uninfected"}
    assert all(a.score >= b.score for a, b in pairwise(first))


def test_each_positive_class_has_its_own_pictures_so_that_a_rare_one_is_seen() -> None:
    events = [field([[0, 0.9, 0.1]] * 20, i) for i in range(10)]
    events.append(field([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1]], 10))
    found = gathered(events, THREE)
    assert len(shown(found, HIGHEST, "toxoplasma")) == SUSPECTS // 2
    (rare,) = shown(found, HIGHEST, "trichomonad")
    assert rare.score == pytest.approx(0.9)  # both positive classes: what the threshold is held against
    assert [cell.label for cell in shown(found, BELOW, None)] == ["red"]


def test_a_model_of_a_thousand_positive_classes_is_bounded_too() -> None:
    labels = tuple(f"c{i}" for i in range(1000))
    card = Card("many", "classify", labels, labels)
    rows = np.eye(1000, dtype=np.float32).tolist()
    found = gathered([field(rows[:60], i) for i in range(6)], card)
    assert all(len(g.cells) <= gather.FEWEST for g in found.galleries)


def test_without_positive_classes_any_cells_are_shown() -> None:
    card = replace(CARD, positive=())
    found = gathered([field(suspects(0.1, 0.9), 0), field(suspects(0.3, 0.2, 0.9), 1)], card)
    (gallery,) = found.galleries
    assert found.near == 0
    assert (gallery.key, gallery.label, gallery.of) == (OTHER, None, 5)
    assert [cell.score for cell in gallery.cells] == pytest.approx([0.9, 0.9, 0.9, 0.8, 0.7])
    assert [view.field for view in found.views] == [1, 0]  # the fuller first


def test_fields_with_most_suspects_are_kept_and_one_per_reason_of_the_rejected() -> None:
    events = [field(suspects(*[0.9] * (i % 7)), i) for i in range(14)]
    events += [field(suspects(0.9), 14 + i, reason) for i, reason in enumerate(["empty", "empty", "out of focus"])]
    views = gathered([*events, unreadable(20)]).views
    assert [(v.field, v.positives) for v in views[:FIELDS]] == [(6, 6), (13, 6), (5, 5), (12, 5)]
    assert [(v.field, v.reason) for v in views[FIELDS:]] == [(14, "empty"), (16, "out of focus")]


def test_a_large_field_is_scaled_down_and_its_boxes_with_it() -> None:
    event = field(suspects(*[0.9] * 80), 0)  # 2440 pixels wide
    (view,) = gathered([event]).views
    assert (view.width, view.height) == (960, round(48 * 960 / 2440))
    picture = cv2.imdecode(np.frombuffer(view.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    left = round(10 * 960 / 2440)
    assert picture[8, left].tolist()[2] > 150  # red: the first box's edge


def test_cells_of_rejected_fields_are_not_shown() -> None:
    found = gathered([field(suspects(0.9, 0.1), 0, "out of focus")])
    assert found.galleries == ()
    assert found.colours == {}


def test_reasons_that_differ_in_numbers_are_one_reason() -> None:
    events = [field(suspects(0.9), i, f"same view as field {100 + i}") for i in range(MOST + 1)]
    found = gathered(events)
    assert [view.reason for view in found.views] == ["same view as field 100"]
    assert [dict(s.rejected) for s in found.stretches[:2]] == [{"same view as field …": 2}] * 2
