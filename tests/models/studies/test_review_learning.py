"""The study of what a review teaches: draws never judge what taught, sums hold what they say, the page says what was missed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.measure.typicals import CellTypicals
from edge.typical import TypicalCells
from models.data.cells import LabelledCells
from models.studies.review_learning import run as running
from models.studies.review_learning.draws import ANSWERS, BLANKS, READER, drawn, lessons_of
from models.studies.review_learning.figures import (
    LEVELS,
    false_ratio,
    gained,
    judged,
    of_old,
    old_change,
    over_draws,
)
from models.studies.review_learning.kept_cells import cells_from, cells_to
from models.studies.review_learning.page import render
from models.studies.review_learning.run import ReviewLearningSettings, kept, place_of, wanted
from models.studies.review_learning.scopes import SCOPES, ScopeCells, scheme_of

LABELS = ("uninfected", "parasitized")
SLIDES, EACH = 40, 50


def scope(*, parts: int | None = None, blank: int = 20) -> ScopeCells:
    """Slides of cells, the first so many of them blank in each part that is left out as a whole; None: slides are."""
    slides = np.repeat(np.arange(SLIDES), EACH)
    n = len(slides)
    sick = (np.arange(n) % 5 == 0) & (slides % SLIDES >= blank)
    rng = np.random.default_rng(0)
    suspicion = np.where(sick, rng.beta(6, 2, n), rng.beta(1, 6, n)).astype(np.float32)
    cells = LabelledCells(
        np.zeros((n, 4, 4, 3), np.uint8),
        sick.astype(np.int32),
        LABELS,
        np.array([f"mine/{one}" for one in slides]),
        slides.astype(np.int32),
        np.zeros(n, np.int8),
        typical=CellTypicals(
            TypicalCells(np.zeros((1, 3), np.uint8), np.zeros((1, 4, 4, 3), np.uint8)), np.zeros(n, np.int32)
        ),
    )
    return ScopeCells(cells, slides, slides if parts is None else slides % parts, sick, suspicion)


@pytest.mark.parametrize(
    "seen", [scope(), scope(parts=4), scope(blank=SLIDES)], ids=["slides", "blocks", "no parasite"]
)
def test_no_slide_that_teaches_judges_nor_a_part_it_is_in(seen: ScopeCells) -> None:
    draw = drawn(seen, 0.5, 1)
    taught = np.concatenate([draw.blanks, draw.answered])
    assert len(np.unique(seen.slides[draw.blanks])) == BLANKS
    assert len(draw.answered) == len(set(draw.answered.tolist())) == ANSWERS
    assert not np.isin(np.unique(seen.apart[draw.judged]), seen.apart[taught]).any()
    assert seen.blank[draw.blanks].all()


def test_draws_differ_and_the_same_draw_is_the_same() -> None:
    one, again, other = (drawn(scope(), 0.5, number) for number in (0, 0, 1))
    assert np.array_equal(one.answered, again.answered)
    assert not np.array_equal(np.sort(one.answered), np.sort(other.answered))


def test_suspects_are_shown_first() -> None:
    seen = scope()
    draw = drawn(seen, 0.5, 0)
    each = ANSWERS // 4
    first = seen.suspicion[draw.answered[:each]]
    assert first[0] == seen.suspicion[seen.slides == seen.slides[draw.answered[0]]].max()


def test_blanks_are_negative_and_a_reader_who_errs_gets_some_answers_wrong() -> None:
    seen = scope()
    draw = drawn(seen, 0.5, 0)
    right, wrong = (lessons_of(seen, draw, ("blanks", "answers"), errs=errs) for errs in (False, True))
    assert right.blanks is not None
    assert not right.blanks.truth.any()
    assert right.answers is not None
    assert wrong.answers is not None
    assert np.array_equal(right.answers.truth, seen.positive[draw.answered].astype(np.int32))
    errors = (right.answers.truth != wrong.answers.truth).mean()
    assert 0 < errors < 4 * (1 - min(READER))
    assert lessons_of(seen, draw, ("answers",), errs=False).blanks is None


def scored(seen: ScopeCells, after: np.ndarray, old: np.ndarray | None = None) -> dict[str, Any]:
    """A point of this net: scores of all cells, and of cells learned before."""
    draw = drawn(seen, 0.5, 0)
    given = np.linspace(0.3, 1, 100) if old is None else old
    sick = [i % 2 for i in range(len(given))]
    new = {
        "positive": seen.positive,
        "blank": seen.blank,
        "slide": seen.slides,
        "before": seen.suspicion,
        "guarded": after,
    }
    return {
        "threshold": 0.5,
        "judged": {key: np.asarray(column)[draw.judged].tolist() for key, column in new.items()},
        "old": {
            "positive": sick,
            "slide": sick,
            "before": np.linspace(0.3, 1, 100).tolist(),
            "guarded": given.tolist(),
        },
    }


def ratio(point: dict[str, Any], level: str) -> float:
    found = over_draws([judged(point, "guarded").at(level, 0.5)], false_ratio)
    assert found is not None
    return found.value


@pytest.mark.parametrize("level", LEVELS)
def test_a_net_that_learned_nothing_has_the_false_positives_of_before(level: str) -> None:
    assert ratio(scored(scope(), scope().suspicion), level) == 1


@pytest.mark.parametrize("level", ["card", "1 %", "5 %"])
def test_a_net_that_ranks_infected_cells_higher_has_fewer_where_as_much_is_found(level: str) -> None:
    seen = scope()
    better = scored(seen, np.where(seen.positive, seen.suspicion + 0.1, seen.suspicion))
    more = over_draws([judged(better, "guarded").at(level, 0.5)], gained)
    assert ratio(better, level) < 1
    assert more is not None
    assert more.value > 0


def test_a_net_that_only_scales_its_scores_is_the_same_net() -> None:
    seen = scope()
    assert ratio(scored(seen, seen.suspicion / 2), "5 %") == 1


def test_where_nothing_is_infected_what_was_learned_before_says_what_is_found() -> None:
    seen = scope(blank=SLIDES)
    assert ratio(scored(seen, seen.suspicion / 2), "5 %") < 0.5
    assert ratio(scored(seen, seen.suspicion), "5 %") == 1


def test_what_was_learned_before_is_compared_at_its_own_false_positives() -> None:
    seen = scope()
    assert over_draws([of_old(scored(seen, seen.suspicion), "guarded")], old_change).value == 0  # type: ignore[union-attr]
    worse = scored(seen, seen.suspicion, np.linspace(1, 0.3, 100))
    assert over_draws([of_old(worse, "guarded")], old_change).value < 0  # type: ignore[union-attr]


def test_what_is_no_red_cell_is_negative_where_it_is_found_and_difficult_cells_are_left_out() -> None:
    plan = scheme_of(LABELS, LABELS[1:])
    names = ("red blood cell", "white blood cell", "platelet", "no red cell", "ring", "infected", "difficult")
    assert plan.indices(names).tolist() == [0, 0, 0, 0, 1, 1, -1]


def test_cells_come_back_as_they_were_kept(tmp_path: Path) -> None:
    seen = scope()
    cells_to(tmp_path / "cells.npz", seen.cells, seen.suspicion)
    back, suspicion = cells_from(tmp_path / "cells.npz", LABELS)
    assert np.array_equal(back.truth, seen.cells.truth)
    assert np.array_equal(back.groups, seen.cells.groups)
    assert np.array_equal(suspicion, seen.suspicion)
    assert back.typical is not None
    assert len(back.typical) == len(seen.cells)


def a_point(name: str, arm: str, draw: int, *, good: bool = True) -> dict[str, Any]:
    """A point whose net is better on the microscope and the same on what it learned before; or the same and worse."""
    seen = scope()
    after = np.where(seen.positive, seen.suspicion + 0.3, seen.suspicion) if good else seen.suspicion
    made = scored(seen, after, None if good else np.linspace(1, 0.3, 100))
    for side in ("judged", "old"):
        made[side]["whole"] = made[side]["guarded"]
    thresholds = {"rate": 0.005, "before": 0.5, "guarded": 0.6}
    return {
        **made,
        "scope": name,
        "draw": draw,
        "arm": arm,
        "mix": 0.5,
        "thresholds": thresholds,
        "positive answers": 12 if good else 4,
    }


def test_the_page_says_what_was_reached_and_what_was_missed() -> None:
    page = render([a_point("nih_cells", "both", 0), a_point("iml_fields", "both", 0, good=False)])
    assert "## Must reach: 2 of 4 missed" in page
    assert "| nih_cells: what it learned before | >= -0.3 points | +0.00" in page
    assert "| iml_fields: false positives, at the same share found | <= 0.5 of before | 1.00" in page
    assert page.count("**missed**") == 2
    assert "12 confirmed | met" in page
    assert "4 confirmed, fewer than 10: `adapt` learns with --force alone" in page
    assert "threshold from the blanks alone" in page


def test_finished_points_are_kept_and_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ReviewLearningSettings(tmp_path / "work", tmp_path / "page.md", ("nih_cells",))
    made: list[tuple[int, str]] = []

    def instead(bench: Any, arm: Any, number: int) -> dict[str, Any]:
        made.append((number, arm.key))
        return a_point(bench.scope.name, arm.key, number)

    monkeypatch.setattr(running, "read_scope", lambda *_: None)
    monkeypatch.setattr(running, "start_of", lambda *_: None)
    monkeypatch.setattr(running, "old_of", lambda *_: (None, None))
    monkeypatch.setattr(running, "point", instead)
    wanted_here = wanted(SCOPES[0])
    (tmp_path / "work").mkdir()
    place_of(SCOPES[0], *wanted_here[0], settings).write_text(json.dumps(a_point("nih_cells", "both", 0)))
    assert running.run(settings, lambda *_: None, lambda _: None) == len(wanted_here)
    assert len(made) == len(wanted_here) - 1
    assert running.run(settings, lambda *_: None, lambda _: None) == len(kept(settings)) == len(wanted_here)
    assert len(made) == len(wanted_here) - 1
    slower = replace(settings.training, cell=replace(settings.training.cell, steps=7))
    assert not kept(replace(settings, training=slower))  # points of other settings are not taken for these


def test_work_inside_the_repository_and_unknown_microscopes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in the repository"):
        running.run(ReviewLearningSettings(Path(running.__file__).parent / "work", tmp_path / "p.md"), print, print)
    with pytest.raises(ValueError, match="no such row"):
        running.run(ReviewLearningSettings(tmp_path, tmp_path / "p.md", ("moon",)), print, print)
