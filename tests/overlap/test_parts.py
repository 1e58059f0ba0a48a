from __future__ import annotations

from math import exp

import numpy as np
import pytest

from edge.overlap.candidates import votes_needed
from edge.overlap.constellations import MOST_KEYS, keys_of, neighbours_wanted, to_the_right
from edge.overlap.fit import Landmarks, Pose, Raster, fitted, log_chance, one_to_one
from edge.overlap.index import DEPTH, KeyIndex
from edge.overlap.statics import Statics

RNG = np.random.default_rng(0)
PLACES = RNG.uniform(0, 12, (90, 2)).astype(np.float32)


def test_keys_are_the_same_wherever_the_cells_stand_and_in_whatever_order() -> None:
    order = RNG.permutation(len(PLACES))
    here, there = keys_of(PLACES), keys_of((PLACES + np.float32(64))[order])
    shared, mine, other = np.intersect1d(here.keys, there.keys, return_indices=True)
    assert len(shared) > 0.9 * len(here.keys) > 500  # but for vectors on a grid line, by float32's last bit
    assert np.array_equal(here.anchors[mine], order[there.anchors[other]])


def test_a_key_is_found_again_though_a_coordinate_crossed_a_grid_line() -> None:
    moved = (PLACES + RNG.normal(0, 0.03, PLACES.shape)).astype(np.float32)
    here, there = keys_of(PLACES), keys_of(moved)
    plain, wider = (len(np.intersect1d(here.keys, keys)) for keys in (there.keys, there.asked))
    assert wider > 1.3 * plain > 0


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 10, 300, 2000])
def test_fields_of_any_number_of_cells_have_keys_within_bounds(n: int) -> None:
    keys = keys_of(RNG.uniform(0, 40, (n, 2)).astype(np.float32))
    assert len(keys.keys) == len(keys.anchors) <= MOST_KEYS
    assert len(keys.asked) == len(keys.asked_anchors) <= 3 * MOST_KEYS
    assert (len(keys.keys) > 0) == (n > 3)
    assert keys.asked_anchors.max(initial=-1) < n


def test_neighbours_to_the_right_are_the_nearest_ones() -> None:
    places = PLACES[np.argsort(PLACES[:, 0])]
    got = np.sort(np.hypot(*to_the_right(places, 4)), axis=0)[:, :-4]
    for i in range(len(places) - 4):
        far = np.sort(np.hypot(*(places[i + 1 : i + 33] - places[i]).T))
        assert got[:, i] == pytest.approx(far[:4])


@pytest.mark.parametrize(("cells", "wanted"), [(10, 9), (40, 7), (60, 6), (140, 5), (1000, 5)])
def test_sparse_fields_combine_more_neighbours(cells: int, wanted: int) -> None:
    assert neighbours_wanted(cells) == wanted


def test_an_index_tells_field_and_place() -> None:
    index = KeyIndex((12.0, 12.0))
    keys = RNG.integers(0, 1 << 64, len(PLACES), np.uint64)
    for field in (0, 7, 1_000_000):
        index.add(keys, PLACES, field)
    hits = index.find(keys[:5])
    assert sorted(zip(hits.asked.tolist(), hits.field.tolist(), strict=True)) == [
        (asked, field) for asked in range(5) for field in (0, 7, 1_000_000)
    ]
    assert np.abs(hits.place - PLACES[hits.asked]).max() < 0.002
    assert len(index.find(RNG.integers(0, 1 << 64, 50, np.uint64)).asked) == 0


def test_a_full_row_of_the_index_forgets_its_oldest() -> None:
    index = KeyIndex((12.0, 12.0))
    key = np.array([12345678901234567], np.uint64)
    for field in range(DEPTH + 3):
        index.add(key, PLACES[:1], field)
    assert sorted(index.find(key).field.tolist()) == list(range(3, DEPTH + 3))


@pytest.mark.parametrize("pose", [Pose(1, 0, 3.5, -2), Pose(0.995, 0.017, -4, 1), Pose(1.01, -0.02, 0, 0)])
def test_a_pose_is_fitted_and_taken_back(pose: Pose) -> None:
    got = fitted(PLACES, pose(PLACES))
    assert (got.a, got.b, got.x, got.y) == pytest.approx((pose.a, pose.b, pose.x, pose.y), abs=1e-4)
    assert pose.back()(pose(PLACES)) == pytest.approx(PLACES, abs=1e-4)


def test_a_raster_finds_the_nearest_within_reach() -> None:
    asked = RNG.uniform(0, 12, (200, 2)).astype(np.float32)
    who, far = Raster(PLACES, (12.0, 12.0)).nearest(asked)
    apart = np.hypot(*(asked[:, None] - PLACES).transpose(2, 0, 1))
    near = apart.min(axis=1) < 0.5
    assert near.sum() > 30
    assert far[near] == pytest.approx(apart.min(axis=1)[near], abs=1e-4)
    assert (who[near] == apart.argmin(axis=1)[near]).all()
    assert (far[~near] >= 0.5).all()


def test_each_thing_is_the_same_as_one_other_at_most() -> None:
    things = np.array([[1.0, 1.0], [1.3, 1.0], [5.0, 5.0]], np.float32)
    now, then = one_to_one(things, np.ones((3, 2), np.float32), Raster(things[:1] + np.float32(0.05), (9.0, 9.0)))
    assert (now.tolist(), then.tolist()) == ([0], [0])


def test_the_bound_holds_for_places_at_random() -> None:
    extent, n, found = (10.0, 10.0), 60, []
    for _ in range(300):
        one, other = (RNG.uniform(0, 10, (n, 2)).astype(np.float32) for _ in range(2))
        shift = RNG.uniform(-1, 1, 2).astype(np.float32)
        found.append(log_chance(Raster(one, extent).nearest(other + shift)[1], n / 100, extent))
    assert (np.array(found) == 0).all()  # one pose is far from as good as the best of all poses
    assert exp(log_chance(np.full(12, 0.02, np.float32), n / 100, extent)) < 1e-6
    assert log_chance(np.full(4, 0.02, np.float32), n / 100, extent) > -14
    assert log_chance(np.empty(0, np.float32), n / 100, extent) == 0


def test_more_votes_are_asked_for_where_chance_gives_two() -> None:
    assert [votes_needed(hits, 170.0 * fields) for hits, fields in ((0, 1), (8, 10), (1000, 1000))] == [2, 2, 3]


def test_what_stands_still_is_known_after_three_views_and_forgotten_when_it_has_gone() -> None:
    dust = np.array([[3.0, 3.0], [8.0, 2.0]], np.float32)
    statics = Statics((12.0, 12.0))
    for views in range(200):
        other = RNG.uniform(0, 12, (40, 2)).astype(np.float32)
        seen = np.concatenate([dust + RNG.normal(0, 0.01, dust.shape).astype(np.float32), other])
        moving = statics.moving(Landmarks(seen, np.ones_like(seen)))
        if 3 <= views < 100:
            assert len(moving) < len(seen)
            assert statics.among(dust).all()
        if views < 3:
            assert len(moving) == len(seen)
        statics.add(other if views >= 100 else seen)
    assert not statics.among(dust).any()
