"""What the finder learns from: views, targets, weights, weak labels, composed fields."""

from __future__ import annotations

import numpy as np
import pytest

from convert.measure.single import BOX_MARGIN
from edge.virtual_slide import SlideSpec, render_field
from models.data.debris import weak_labels
from models.data.other_things import with_other_things
from models.data.scenes import CELL_PX, KINDS, Scene
from models.data.views import STRIDE, VIEW, SceneView, draw, recolour, targets
from models.data.virtual import FIRST_TRAINING_SEED, virtual_scenes
from models.report.virtual_slides import grown

EVERYWHERE = (0.0, 0.0, float(VIEW[1]), float(VIEW[0]))
ALL = tuple(range(len(KINDS)))


def view(boxes: list[list[float]], kind: list[int], core: tuple[float, float, float, float] = EVERYWHERE) -> SceneView:
    pieces = np.array([EVERYWHERE], np.float32)
    cores = np.array([core], np.float32)
    empty = np.zeros((*VIEW, 3), np.uint8)
    return SceneView(empty, np.array(boxes, np.float32).reshape(-1, 4), np.array(kind, int), pieces, cores)


def parts(heat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return heat[..., : len(KINDS)], heat[..., len(KINDS) :]


def test_a_cell_is_a_peak_at_its_middle_and_its_box_can_be_read_back() -> None:
    heat, reg = targets(view([[101, 61, 22, 18]], [0]), known=ALL)
    wanted, _ = parts(heat)
    row, column = np.unravel_index(wanted[..., 0].argmax(), wanted.shape[:2])
    assert [int(row), int(column)] == [17, 28]
    assert wanted[row, column, 0] == 1
    dx, dy, w, h, weight = reg[row, column]
    assert ((column + 0.5 + dx) * STRIDE, (row + 0.5 + dy) * STRIDE) == pytest.approx((112, 70))
    assert (w * CELL_PX, h * CELL_PX) == pytest.approx((22, 18))
    assert weight == 1


def test_an_infected_cell_is_a_cell_and_a_suspect_and_weighs_more() -> None:
    wanted, weight = parts(targets(view([[100, 60, 20, 20]], [1]), known=ALL)[0])
    assert wanted[..., 0].max() == wanted[..., 1].max() == 1
    assert weight[17, 27, 0] > 1
    assert weight[17, 27, 1] > 1


def test_a_white_cell_is_a_hard_background_for_cells() -> None:
    wanted, weight = parts(targets(view([[100, 60, 30, 30]], [2]), known=ALL)[0])
    assert wanted[..., 0].max() == 0
    assert wanted[..., 2].max() == 1
    assert weight[18, 28, 0] > 1


def test_what_annotators_were_unsure_of_counts_neither_way() -> None:
    wanted, weight = parts(targets(view([[100, 60, 20, 20]], [-1]), known=ALL)[0])
    assert wanted.max() == 0
    assert weight[17, 27].max() == 0


def test_near_the_border_of_a_field_only_what_is_annotated_counts() -> None:
    core = (40.0, 40.0, 220.0, 160.0)
    _, weight = parts(targets(view([[10, 100, 20, 20]], [0], core), known=ALL)[0])
    assert weight[3, 3].max() == 0
    assert weight[27, 5].max() == 0
    assert weight[30, 40, 0] == 1


def test_where_white_cells_are_not_annotated_their_channel_is_not_taught() -> None:
    _, weight = parts(targets(view([], []), known=(0, 1))[0])
    assert weight[..., :2].min() == 1
    assert weight[..., 2:].max() == 0


def test_two_cells_near_each_other_each_keep_their_own_box() -> None:
    _, reg = targets(view([[100, 60, 20, 20], [112, 60, 20, 20]], [0, 0]), known=ALL)
    left, right = reg[17, 27], reg[17, 30]
    assert (27 + 0.5 + left[0]) * STRIDE == pytest.approx(110)
    assert (30 + 0.5 + right[0]) * STRIDE == pytest.approx(122)


def test_a_drawn_view_shows_its_cells_where_its_boxes_say() -> None:
    rgb = np.full((480, 640, 3), 240, np.uint8)
    boxes = []
    for x, y in ((200, 150), (420, 300), (320, 240), (260, 330)):
        rgb[y : y + 33, x : x + 33] = (150, 60, 120)
        boxes.append([x - 3, y - 3, 40, 40])
    scene = Scene(rgb, np.array(boxes, np.float32), np.zeros(4, int), 40.0)
    for seed in range(8):
        drawn = draw(scene, np.random.default_rng(seed))
        for x, y, w, h in drawn.boxes[drawn.kind == 0]:
            cx, cy = int(x + w / 2), int(y + h / 2)
            if 8 < cx < VIEW[1] - 8 and 8 < cy < VIEW[0] - 8:
                middle = drawn.image[cy - 2 : cy + 3, cx - 2 : cx + 3].mean()
                rim = drawn.image[cy - 2 : cy + 3, min(cx + int(w * 0.75), VIEW[1] - 1)].mean()
                assert middle < rim


def test_what_is_no_red_cell_is_hard_background_over_its_whole_body() -> None:
    wanted, weight = parts(targets(view([[80, 40, 48, 48]], [2]), known=(0, 1))[0])
    row, column = 64 // STRIDE, 104 // STRIDE
    assert (weight[row - 3 : row + 4, column - 3 : column + 4, :2] > 1).all()  # lobes lie well off the middle
    assert wanted[..., :2].max() == 0
    assert weight[row, column, 4] == 1  # what it is is known, though other things are not
    assert weight[2, 2, 4] == 0


def test_a_cell_under_a_platelet_is_still_a_cell() -> None:
    wanted, weight = parts(targets(view([[100, 60, 16, 16], [104, 64, 8, 8]], [0, 3]), known=ALL)[0])
    assert wanted[17, 27, 0] == 1
    assert weight[17, 27, 0] == 1


def test_other_things_are_drawn_beside_the_cells_and_never_on_them() -> None:
    boxes = np.array([[x, y, 16, 16] for x in range(8, 240, 40) for y in range(8, 180, 40)], np.float32)
    kinds: set[int] = set()
    for seed in range(30):
        paper = np.full((*VIEW, 3), 235, np.uint8)
        things = with_other_things(paper, boxes, np.zeros(len(boxes), int), CELL_PX, np.random.default_rng(seed))
        assert (things.boxes[: len(boxes)] == boxes).all()
        added = things.kind[len(boxes) :]
        kinds |= set(added.tolist())
        bar = things.boxes[len(boxes) :, 2] > 2.2 * things.boxes[len(boxes) :, 3]
        for (x, y, w, h), kind in zip(things.boxes[len(boxes) :][~bar], added[~bar], strict=True):
            centre = np.array([x + w / 2, y + h / 2])
            away = np.hypot(*(boxes[:, :2] + 8 - centre).T).min()
            assert away > 6 or kind == 4
    assert kinds == {2, 4}


def test_drawing_is_repeatable_and_varied() -> None:
    scene = virtual_scenes(1, 0)[0]
    one, same, other = (draw(scene, np.random.default_rng(seed)).image for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_recolouring_keeps_dark_things_darker_than_the_background() -> None:
    rgb, truth = render_field(SlideSpec(seed=5, width=320, height=240, cell_px=17, bad_fields=0.0), 0)
    boxes = truth.boxes[np.array(truth.types) == "red blood cell"]
    x, y = (boxes[:, :2] + boxes[:, 2:] // 2).clip(0, (319, 239)).T
    for seed in range(5):
        out = recolour(rgb, np.random.default_rng(seed))
        assert np.median(out[y, x]) < np.median(np.percentile(out, 92, axis=(0, 1)))


def test_training_slides_are_none_that_a_user_or_a_figure_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.data import virtual
    from models.report import virtual_slides as figures

    seen: list[int] = []

    def spy(spec: SlideSpec, index: int) -> object:
        seen.append(spec.seed)
        return render_field(spec, index)

    monkeypatch.setattr(virtual, "render_field", spy)
    virtual_scenes(3, 0)
    assert min(seen) >= FIRST_TRAINING_SEED > max(figures.VIRTUAL_SEEDS)


def test_weak_labels_name_white_cells_and_never_an_annotated_cell() -> None:
    found = total = 0
    for index in range(6):
        rgb, truth = render_field(SlideSpec(seed=9, bad_fields=0.0, parasitaemia=0.1, white_per_field=2.0), index)
        types = np.array(truth.types)
        red = ~np.isin(types, ("white cell", "platelet", "speck"))
        cells = grown(truth.boxes[red])
        boxes, kinds = weak_labels(rgb, cells)
        white = truth.boxes[types == "white cell"]
        for x, y, w, h in white:
            total += 1
            centre = boxes[kinds == 2, :2] + boxes[kinds == 2, 2:] / 2
            found += bool(((np.abs(centre - (x + w / 2, y + h / 2))) < (w / 2, h / 2)).all(axis=1).any())
        if len(boxes):
            centres = boxes[:, :2] + boxes[:, 2:] / 2
            assert len(centres) < 0.2 * len(cells)
    assert total > 3
    assert found >= 0.7 * total


def test_the_margin_of_virtual_boxes_is_that_of_the_annotators() -> None:
    scene = virtual_scenes(1, 1)[0]
    assert float(np.median(scene.boxes[scene.kind == 0, 2:])) == pytest.approx(2 * CELL_PX, rel=0.12)
    assert pytest.approx(1.2) == BOX_MARGIN
