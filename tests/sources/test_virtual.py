"""The virtual slide: a film whose truth is known, the same for everyone who asks with the same numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from edge.sources.virtual import VirtualSlide
from edge.virtual_slide import DEFECTS, TYPES, FieldTruth, SlideSpec, lay_out, render_field
from edge.virtual_slide.layout import content_index, defect_of, stage_position

SMALL = SlideSpec(seed=7, width=320, height=240, cell_px=30, cells_per_field=40, bad_fields=0)
INFECTED = TYPES[1:5]
RED_CELLS = TYPES[:5]


def red_cells(truth: FieldTruth) -> list[str]:
    return [name for name in truth.types if name in RED_CELLS]


def first_field(spec: SlideSpec, defect: str) -> int:
    return next(index for index in range(1, 4000) if defect_of(spec, index) == defect)


def all_near(boxes: np.ndarray, limit: float) -> np.ndarray:
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    away = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    reach = (boxes[:, 2:].mean(1)[:, None] + boxes[:, 2:].mean(1)[None]) / 2
    np.fill_diagonal(away, np.inf)
    return np.asarray((away < limit * reach).any(1))


class TestSameNumbersSameField:
    def test_same_seed_and_index_give_the_same_bytes_and_truth(self) -> None:
        image, truth = render_field(SMALL, 3)
        lay_out.cache_clear()
        again, truth_again = render_field(SMALL, 3)
        assert np.array_equal(image, again)
        assert np.array_equal(truth.boxes, truth_again.boxes)
        assert truth.types == truth_again.types

    def test_fields_may_be_rendered_in_any_order(self) -> None:
        forwards = [render_field(SMALL, index)[0] for index in range(4)]
        backwards = [render_field(SMALL, index)[0] for index in reversed(range(4))]
        assert all(np.array_equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))

    def test_a_far_field_is_reached_without_the_earlier_ones(self) -> None:
        lay_out.cache_clear()
        image, truth = render_field(SMALL, 10_000_000)
        assert image.shape == (240, 320, 3)
        assert len(truth) > 10
        assert lay_out.cache_info().misses == 1

    def test_another_index_shows_other_cells(self) -> None:
        assert not np.array_equal(render_field(SMALL, 0)[1].boxes, render_field(SMALL, 1)[1].boxes)

    def test_neither_the_number_of_fields_nor_their_defects_change_a_good_field(self) -> None:
        image, _ = render_field(replace(SMALL, fields=5), 2)
        assert np.array_equal(image, render_field(SMALL, 2)[0])


class TestOneSlideIsNotAnother:
    def test_another_seed_gives_another_stain_and_lamp(self) -> None:
        means = np.asarray([render_field(replace(SMALL, seed=seed), 0)[0].mean((0, 1)) for seed in range(12)])
        apart = np.abs(means[:, None] - means[None]).max(2) + 99 * np.eye(12)
        assert apart.min() > 0.5
        assert np.ptp(means, axis=0).max() > 25

    def test_fields_of_one_slide_look_alike(self) -> None:
        lamp = [np.percentile(render_field(SMALL, index)[0], 90, axis=(0, 1)) for index in range(4)]
        assert np.ptp(lamp, axis=0).max() < 20


class TestTruth:
    def test_boxes_and_names_go_together(self) -> None:
        _, truth = render_field(SMALL, 0)
        assert truth.boxes.dtype == np.int32
        assert truth.boxes.shape == (len(truth.types), 4)
        assert (truth.boxes[:, 2:] > 0).all()
        assert set(truth.types) <= set(TYPES)
        assert truth.defect is None

    def test_the_layout_knows_the_truth_without_rendering(self) -> None:
        assert np.array_equal(lay_out(SMALL, 5).truth().boxes, render_field(SMALL, 5)[1].boxes)

    @pytest.mark.parametrize("asked", [30, 110])
    def test_about_as_many_cells_as_asked_for(self, asked: int) -> None:
        counts = [
            len(red_cells(lay_out(SlideSpec(seed=seed, cells_per_field=asked, bad_fields=0), index).truth()))
            for seed in range(12)
            for index in range(4)
        ]
        assert np.mean(counts) == pytest.approx(asked, rel=0.12)

    def test_about_as_many_infected_as_asked_for(self) -> None:
        spec = replace(SMALL, parasitaemia=0.1)
        names = [name for index in range(60) for name in red_cells(lay_out(spec, index).truth())]
        infected = [name for name in names if name in INFECTED]
        assert len(infected) / len(names) == pytest.approx(0.1, abs=0.025)

    def test_every_stage_occurs_in_heavy_infections(self) -> None:
        spec = replace(SMALL, parasitaemia=0.5)
        fields = [lay_out(replace(spec, seed=seed), index).truth() for seed in range(6) for index in range(4)]
        seen = {name for truth in fields for name in truth.types}
        assert set(INFECTED) <= seen

    def test_a_healthy_slide_holds_no_parasite(self) -> None:
        spec = replace(SMALL, parasitaemia=0.0)
        assert not any(name in INFECTED for index in range(10) for name in lay_out(spec, index).truth().types)

    def test_white_cells_platelets_and_specks_come_as_often_as_asked_for(self) -> None:
        spec = replace(SMALL, white_per_field=0.5, platelets_per_field=3, specks_per_field=1)
        names = [name for index in range(120) for name in lay_out(spec, index).truth().types]
        assert names.count("white cell") / 120 == pytest.approx(0.5, abs=0.25)
        assert names.count("platelet") / 120 == pytest.approx(3, abs=0.6)
        assert names.count("speck") / 120 == pytest.approx(1, abs=0.4)

    def test_cells_have_the_size_asked_for(self) -> None:
        spec = SlideSpec(parasitaemia=0, bad_fields=0)
        sizes = [
            truth.boxes[truth.types.index("red blood cell") :][:20, 2:].mean()
            for truth in (lay_out(replace(spec, seed=seed), 0).truth() for seed in range(8))
        ]
        assert np.mean(sizes) == pytest.approx(66, rel=0.06)

    def test_boxes_hold_what_is_darker_than_the_background(self) -> None:
        spec = SlideSpec(seed=3, bad_fields=0, platelets_per_field=0, specks_per_field=0)
        image, truth = render_field(spec, 0)
        lamp = np.median(image[..., 1])
        boxed = np.zeros(image.shape[:2], np.bool_)
        for x, y, w, h in truth.boxes:
            boxed[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = True
            if x < 0 or y < 0 or x + w > spec.width or y + h > spec.height:
                continue
            core = image[y + h // 4 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4, 1]
            assert core.mean() < 0.95 * lamp
        dark = image[..., 1] < 0.75 * lamp
        assert dark[~boxed].mean() < 0.01

    def test_boxes_are_tight(self) -> None:
        spec = SlideSpec(seed=3, cells_per_field=25, overlap=0, bad_fields=0, platelets_per_field=0, specks_per_field=0)
        image, truth = render_field(spec, 1)
        alone = ~all_near(truth.boxes, 1.6)
        assert alone.sum() > 5
        for x, y, w, h in truth.boxes[alone]:
            if x > 8 and y > 8 and x + w < 1272 and y + h < 952:
                around = image[y - 6 : y + h + 6, x - 6 : x + w + 6, 1]
                ys, xs = np.nonzero(around < 0.85 * np.percentile(around, 97))
                assert abs(xs.min() - 6) <= 3
                assert abs(xs.max() + 1 - (w + 6)) <= 3
                assert abs(ys.min() - 6) <= 3
                assert abs(ys.max() + 1 - (h + 6)) <= 3


class TestCrowding:
    def test_about_one_in_eight_cells_touches_another(self) -> None:
        shares = [
            all_near(lay_out(SlideSpec(seed=seed, cells_per_field=80, bad_fields=0), 0).truth().boxes, 0.97).mean()
            for seed in range(10)
        ]
        assert 0.06 < np.mean(shares) < 0.25

    def test_no_cell_hides_another(self) -> None:
        for seed in range(6):
            layout = lay_out(SlideSpec(seed=seed, cells_per_field=170, overlap=0.6, bad_fields=0), 0)
            cells = layout.kinds <= 4
            assert not all_near(layout.truth().boxes[cells], 0.55).any()

    def test_a_film_too_dense_to_count_is_thinned(self) -> None:
        crowded = lay_out(replace(SMALL, cells_per_field=5000), 0)
        assert 60 < len(red_cells(crowded.truth())) < 160

    def test_some_cells_are_cut_by_the_border(self) -> None:
        boxes = np.concatenate([lay_out(SMALL, index).truth().boxes for index in range(4)])
        assert (boxes[:, :2] < 0).any()
        assert (boxes[:, 0] + boxes[:, 2] > SMALL.width).any()


class TestBadFields:
    BAD = replace(SMALL, bad_fields=0.4)

    def test_the_share_of_bad_fields_is_the_one_asked_for(self) -> None:
        found = [defect_of(self.BAD, index) for index in range(600)]
        assert sum(defect is not None for defect in found) / 600 == pytest.approx(0.4, abs=0.07)
        assert set(found) == {None, *DEFECTS}

    def test_the_truth_says_what_is_wrong(self) -> None:
        index = first_field(self.BAD, "blurred")
        assert render_field(self.BAD, index)[1].defect == "blurred"

    def test_a_duplicate_is_the_field_before_it_apart_from_noise(self) -> None:
        index = first_field(self.BAD, "duplicate")
        before, truth_before = render_field(self.BAD, index - 1)
        again, truth = render_field(self.BAD, index)
        assert np.array_equal(truth.boxes, truth_before.boxes)
        assert truth.types == truth_before.types
        assert not np.array_equal(before, again)
        assert np.abs(before.astype(int) - again).mean() < 6
        assert stage_position(self.BAD, content_index(self.BAD, index)) != stage_position(self.BAD, index)

    def test_two_fields_side_by_side_otherwise_differ_much(self) -> None:
        a, b = (render_field(SMALL, index)[0].astype(int) for index in (0, 1))
        assert np.abs(a - b).mean() > 10

    def test_the_first_field_is_never_a_duplicate(self) -> None:
        assert all(defect_of(replace(SMALL, seed=seed, bad_fields=1), 0) != "duplicate" for seed in range(60))

    def test_blurred_fields_lack_edges(self) -> None:
        bad, _ = render_field(self.BAD, first_field(self.BAD, "blurred"))
        good, _ = render_field(self.BAD, next(i for i in range(50) if defect_of(self.BAD, i) is None))
        steps = [np.percentile(np.abs(np.diff(image[..., 1].astype(int), axis=1)), 99) for image in (good, bad)]
        assert steps[0] > 1.3 * steps[1]

    def test_overexposed_fields_are_white_and_underexposed_ones_dark(self) -> None:
        over, _ = render_field(self.BAD, first_field(self.BAD, "overexposed"))
        under, _ = render_field(self.BAD, first_field(self.BAD, "underexposed"))
        assert (over.max(2) == 255).mean() > 0.4
        assert under.mean() < 80

    def test_empty_fields_hold_no_cell(self) -> None:
        _, truth = render_field(self.BAD, first_field(self.BAD, "empty"))
        assert red_cells(truth) == []


class TestSizes:
    @pytest.mark.parametrize(("width", "height", "cell"), [(641, 479, 38), (97, 33, 20), (1001, 777, 66), (16, 16, 66)])
    def test_any_field_size_works(self, width: int, height: int, cell: float) -> None:
        spec = SlideSpec(seed=1, width=width, height=height, cell_px=cell, cells_per_field=12, white_per_field=1)
        image, truth = render_field(spec, 1)
        assert image.shape == (height, width, 3)
        assert image.dtype == np.uint8
        assert truth.boxes.ndim == 2

    def test_a_sensor_of_twelve_megapixels_works(self) -> None:
        image, _ = render_field(SlideSpec(width=4056, height=3040, cell_px=120, bad_fields=0), 0)
        assert image.shape == (3040, 4056, 3)

    def test_a_glass_without_anything_on_it_works(self) -> None:
        spec = replace(SMALL, cells_per_field=0, white_per_field=0, platelets_per_field=0, specks_per_field=0)
        _, truth = render_field(spec, 0)
        assert truth.boxes.shape == (0, 4)

    def test_a_jpeg_round_trip_changes_little(self) -> None:
        plain, soft = render_field(SMALL, 0)[0], render_field(replace(SMALL, jpeg=85), 0)[0]
        assert 0 < np.abs(plain.astype(int) - soft).mean() < 5

    @pytest.mark.parametrize(
        "wrong",
        [
            {"seed": -1},
            {"width": 3},
            {"parasitaemia": 1.5},
            {"bad_fields": -1},
            {"cells_per_field": -1},
            {"fields": -1},
        ],
    )
    def test_nonsense_is_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=r"."):
            replace(SMALL, **wrong)  # type: ignore[arg-type]

    def test_there_is_no_field_before_the_first(self) -> None:
        with pytest.raises(ValueError, match="numbered from 0"):
            render_field(SMALL, -1)


class TestSource:
    def test_a_bounded_slide_yields_its_fields_in_order(self) -> None:
        slide = VirtualSlide(replace(SMALL, fields=3), sample="a")
        shots = list(slide)
        assert slide.total == 3
        assert [shot.index for shot in shots] == [0, 1, 2]
        assert [shot.name for shot in shots] == ["virtual-00000", "virtual-00001", "virtual-00002"]
        assert {shot.sample for shot in shots} == {"a"}

    def test_an_endless_slide_has_no_total(self) -> None:
        slide = VirtualSlide(SMALL)
        assert slide.total is None
        assert len(list(islice(slide, 500))) == 500

    def test_a_shot_loads_into_a_field_with_its_truth(self) -> None:
        shot = next(islice(VirtualSlide(SMALL), 2, None))
        field = shot.load()
        image, truth = render_field(SMALL, 2)
        assert np.array_equal(field.rgb, image)
        assert (field.index, field.sample, field.name) == (2, "simulated", "virtual-00002")
        assert field.decode_ms > 0
        known = field.metadata["truth"]
        assert isinstance(known, FieldTruth)
        assert np.array_equal(known.boxes, truth.boxes)

    def test_the_stage_goes_back_and_forth_without_seeing_a_place_twice(self) -> None:
        path = np.asarray([stage_position(SMALL, index) for index in range(120)])
        field = np.asarray([SMALL.width, SMALL.height]) * 7.5 / SMALL.cell_px
        steps = np.abs(path[:, None] - path[None]) / field
        apart = (steps >= 1).any(2) | np.eye(120, dtype=np.bool_)
        assert apart.all()
        assert (np.abs(np.diff(path, axis=0)) / field < 1.2).all()

    def test_closing_twice_is_harmless(self) -> None:
        slide = VirtualSlide(SMALL)
        slide.close()
        slide.close()
