"""What the book keeps to look at: the page's pictures, and those that a review draws first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from edge.events import FieldEvent
from edge.modelfile import Card
from edge.report.gather import BELOW_SHOWN, FIELDS, LOWEST_SHOWN, OTHERS, REVIEWED_TOO, SUSPECTS, SampleCollector
from edge.report.keeper import GalleryKeeper
from edge.report.pictures import KeptPictures
from edge.review.order import draw_key
from edge.review.records import CellPlace
from tests.fakes import CARD
from tests.report.made import THREE, field
from tests.report.test_gather import shown, suspects

FEW = 25
"""Cells of a field."""


def events() -> list[FieldEvent]:
    rng = np.random.default_rng(5)
    parts = [rng.uniform(0.51, 0.99, 300), rng.uniform(0.26, 0.49, 300), rng.uniform(0.0, 0.24, 900)]
    scores = rng.permutation(np.concatenate(parts)).tolist()
    return [field(suspects(*scores[i : i + FEW]), i // FEW) for i in range(0, len(scores), FEW)]


def kept(card: Card = CARD, told: list[FieldEvent] | None = None) -> Mapping[str, bytes]:
    """Crops by cell, as the book would hold them at the end."""
    keeper, crops = GalleryKeeper(card), dict[str, bytes]()
    for event in told or events():
        choice = keeper.field(event)
        for place in choice.dropped:
            crops.pop("{}-{}".format(*place), None)
        crops |= {f"{event.index}-{n}": jpeg for n, jpeg in choice.crops.items()}
    return crops


def cells() -> list[tuple[float, str]]:
    results = [event.result for event in events() if event.result is not None]
    return [(float(row[1]), f"{one.index}-{n}") for one in results for n, row in enumerate(one.scores)]


def drawn(least: float, most: float) -> list[str]:
    found = [cell for score, cell in cells() if least <= score < most]
    return sorted(found, key=lambda cell: draw_key(CellPlace.parse(cell)))


def test_the_book_keeps_what_a_review_looks_at_first() -> None:
    there = kept()
    best = [cell for _, cell in sorted(cells(), reverse=True)[:SUSPECTS]]
    assert set(best) <= set(there)
    assert set(drawn(0.5, 1)[:REVIEWED_TOO]) <= set(there)
    assert set(drawn(0.25, 0.5)[:REVIEWED_TOO]) <= set(there)
    assert set(drawn(0, 0.25)[:OTHERS]) <= set(there)


def test_the_book_holds_no_more_pictures_than_it_did() -> None:
    most = SUSPECTS + LOWEST_SHOWN + BELOW_SHOWN + OTHERS + 2 * REVIEWED_TOO
    assert most == 60 + 60 + 60 + 36
    assert most - 20 < len(kept()) <= most  # some are two things at once
    assert FIELDS == 4


def test_of_several_positive_classes_the_highest_of_all_are_kept() -> None:
    rng = np.random.default_rng(1)
    rows = [[1 - s, s, 0.0] for s in rng.uniform(0.9, 0.99, 80)] + [[1 - s, 0.0, s] for s in rng.uniform(0.6, 0.8, 80)]
    told = [field(rows[i : i + 20], i // 20) for i in range(0, 160, 20)]
    there = kept(THREE, told)
    scored = [(1 - row[0], f"{i // 20}-{i % 20}") for i, row in enumerate(rows)]
    assert {cell for _, cell in sorted(scored, reverse=True)[:SUSPECTS]} <= set(there)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_page_from_kept_pictures_shows_no_random_cell_without_one(share: float) -> None:
    there = {cell: jpeg for n, (cell, jpeg) in enumerate(kept().items()) if n % 10 < share * 10}
    crops = {(CellPlace.parse(cell).field, CellPlace.parse(cell).n): jpeg for cell, jpeg in there.items()}
    gathering = SampleCollector(CARD, lambda event: KeptPictures(event.index, crops, {}))
    for event in events():
        gathering.field(event)
    others = shown(gathering.done(), "others", None)
    assert others
    assert all(cell.jpeg == there[cell.cell] for cell in others)
    assert share < 1 or len(others) == OTHERS


def test_a_page_from_the_book_shows_cells_of_equal_score_in_the_order_of_the_page_of_the_run() -> None:
    told = [field(suspects(*[0.01] * FEW), i) for i in range(40)]
    crops = {(CellPlace.parse(cell).field, CellPlace.parse(cell).n): jpeg for cell, jpeg in kept(told=told).items()}
    run, book = SampleCollector(CARD), SampleCollector(CARD, lambda event: KeptPictures(event.index, crops, {}))
    for event in told:
        run.field(event)
        book.field(event)
    first, again = (shown(one.done(), "others", None) for one in (run, book))
    assert len(first) > OTHERS / 2
    assert [cell.cell for cell in again] == [cell.cell for cell in first]
