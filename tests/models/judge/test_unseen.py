"""The loop over folds: each slide and block once, by nets whose own cards say that they held it out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from models.data.folds import CLASSIFIERS, FINDER, fold_paths
from models.judge.scores import limits_of_others, reached, score_all
from models.judge.unseen import unseen_folds
from tests.models.judge.world import HEALTHY, SICK, World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(tmp_path, monkeypatch)


def silent(_doing: str, _share: float) -> None:
    """Progress that nobody sees."""


def test_each_slide_and_each_block_is_held_out_once(world: World) -> None:
    folds = unseen_folds(world.build().folds)
    slides = Counter(slide for fold in folds for slide in {row["slide"] for row in fold.rows})
    assert slides == Counter(list(world.slides))
    assert [sorted({field.block for field in fold.fields}) for fold in folds] == [[0], [1], [2], [3], []]
    assert [fold.path(CLASSIFIERS[0]) for fold in folds] == fold_paths(world.folds, CLASSIFIERS[0])


def test_every_cell_is_scored_once_by_its_folds_net(world: World) -> None:
    nih, iml, (net,) = score_all(CLASSIFIERS, unseen_folds(world.build().folds), silent)
    assert sorted(nih.files) == sorted(f"{slide}_{i}.png" for slide in world.slides for i in range(6))
    assert all(int(slide[2]) % 5 == fold for slide, fold in zip(nih.slides, nih.folds, strict=True))
    assert net.nih == pytest.approx(np.where(nih.infected, SICK, HEALTHY), abs=0.01)
    assert (net.called == nih.infected).all()
    assert len(iml.names) == 8
    assert (iml.folds == iml.fields // 2).all()
    assert net.iml == pytest.approx(np.where(iml.infected, SICK, HEALTHY), abs=0.01)
    assert (net.name,) == CLASSIFIERS


def test_what_the_finder_loses_and_what_nobody_annotated_is_kept_apart(world: World) -> None:
    world.fields[0] += [(SICK, 0.1, "gametocyte"), (SICK, 0.9, None), (HEALTHY, 0.9, "difficult")]
    _, iml, _ = score_all(CLASSIFIERS[:1], unseen_folds(world.build().folds), silent)
    assert iml.lost_stages.tolist() == ["gametocyte"] * 2
    assert iml.lost_fields.tolist() == [0, 1]
    assert (iml.lost, iml.total) == (2, 10)
    assert int((~iml.annotated).sum()) == 2
    assert not iml.infected[~iml.annotated].any()
    assert "difficult" not in iml.stages


@pytest.mark.parametrize("slides", [["s00"], ["s01", "s06"], []])
def test_a_net_that_may_have_seen_a_slide_is_not_judged_on_it(world: World, slides: list[str]) -> None:
    world.held_out_slides[0] = slides
    folds = unseen_folds(world.build().folds)
    with pytest.raises(ModelError, match=r"does not say that it held out .*s05"):
        score_all(CLASSIFIERS[:1], folds, silent)


@pytest.mark.parametrize("name", [FINDER, CLASSIFIERS[0]])
def test_a_net_of_another_fold_is_not_taken_for_this_ones(world: World, name: str) -> None:
    paths = fold_paths(world.build().folds, name)
    paths[1].write_bytes(paths[2].read_bytes())
    with pytest.raises(ModelError, match="held_out_blocks"):
        score_all(CLASSIFIERS[:1], unseen_folds(world.folds), silent)


def test_a_folds_limit_does_not_depend_on_its_own_cells() -> None:
    folds, infected = np.repeat([0, 1, 2], 100), np.zeros(300, bool)
    scores = np.random.default_rng(0).random(300).astype(np.float32)
    before = limits_of_others(folds, scores, infected, 0.01, 3)
    after = limits_of_others(folds, np.where(folds == 1, np.float32(0.999), scores), infected, 0.01, 3)
    assert after[1] == before[1]
    assert (after[[0, 2]] > before[[0, 2]]).all()


def test_cells_are_held_against_the_limit_of_their_own_fold(world: World) -> None:
    world.fields[1] = [(0.6, 0.8, "red blood cell")] * 8
    _, iml, (net,) = score_all(CLASSIFIERS[:1], unseen_folds(world.build().folds), silent)
    above = reached(iml, net.iml, 0.01)
    assert above[iml.folds == 1].all()  # the others' cells are at 0.2
    assert (above == iml.infected)[iml.folds != 1].all()


def test_known_negatives_to_choose_on_are_negative_by_both_opinions(world: World) -> None:
    world.second[("s01", 0)] = "parasitized"
    world.second[("s06", 0)] = "uninfected"
    nih, _, _ = score_all(CLASSIFIERS[:1], unseen_folds(world.build().folds), silent)
    assert set(nih.slides[nih.known_negative()]) == {"s00", "s01", "s02", "s03", "s04"}
    assert set(nih.slides[nih.known_negative(by_both=True)]) == {"s00", "s02", "s03", "s04"}
    assert int((nih.cleaned != nih.infected).sum()) == 2
