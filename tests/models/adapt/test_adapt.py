"""``adapt`` and ``learning-curve``: what is learned, what is left alone, what is kept; needs TensorFlow for the whole of them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convert.measure.fields import read_fields
from convert.measure.matching import Match
from edge import shelf
from edge.errors import ModelError
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from edge.sources.decode import decode_image
from models.adapt import check as checking
from models.adapt import curve
from models.adapt import finder as finding
from models.adapt import tune as adapt
from models.data.classes import ClassScheme, Naming, make_scheme
from models.data.fieldset import Fields, open_fields
from models.data.scenes import CELL_PX, annotated_scene
from models.data.virtual import virtual_scenes
from models.train.start import open_start
from tests.models.train.test_train import models

LABELS = ("uninfected", "parasitized")
needs_tensorflow = [
    pytest.mark.build,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None,
        reason="needs TensorFlow (make test-build brings it)",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five fields of virtual slides with their truth as COCO."""
    made = tmp_path_factory.mktemp("scope") / "fields"
    made.mkdir()
    images: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, scene in enumerate(virtual_scenes(5, 90, parasitaemia=0.2)):
        name = f"f{number}.png"
        cv2.imwrite(str(made / name), cv2.cvtColor(scene.rgb, cv2.COLOR_RGB2BGR))
        images.append({"id": number, "file_name": name, "width": scene.rgb.shape[1], "height": scene.rgb.shape[0]})
        middle = scene.boxes[:, :2] + scene.boxes[:, 2:] / 2
        red = (scene.kind < 2) & (middle >= 0).all(axis=1) & (middle < (640, 480)).all(axis=1)
        found += [
            {"id": len(found) + i, "image_id": number, "category_id": int(kind), "bbox": [round(float(v)) for v in box]}
            for i, (box, kind) in enumerate(zip(scene.boxes[red], scene.kind[red], strict=True))
        ]
    categories = [{"id": i, "name": name} for i, name in enumerate(LABELS)]
    (made / "truth.json").write_text(json.dumps({"images": images, "annotations": found, "categories": categories}))
    return made


@pytest.fixture(scope="module")
def fields(folder: Path) -> Fields:
    return open_fields(folder, None, None, shelf.FINDER)


@pytest.fixture(scope="module")
def plan(fields: Fields) -> ClassScheme:
    card = shelf.load(shelf.CLASSIFIER).card
    assert card is not None
    return adapt.plan_for(make_scheme(fields.names(), Naming(), None, (), whole_fields=True), card)


def test_whole_groups_are_dealt_so_that_each_field_is_judged_once(fields: Fields, plan: ClassScheme) -> None:
    held = np.stack(checking.fold_masks(fields, plan))
    assert held.shape == (3, 5)
    assert (held.sum(axis=0) == 1).all()


def test_fields_of_one_group_are_not_dealt(folder: Path, fields: Fields, plan: ClassScheme) -> None:
    assert checking.fold_masks(replace(fields, fields=read_fields(folder, None, "f")), plan) == []


def test_whole_annotations_are_seen_to_be_whole_and_as_wide_as_the_finders(fields: Fields) -> None:
    seen = finding.check_annotations(fields, lambda *_: None)
    assert seen.complete
    assert finding.SAME_BOX[0] < seen.width < finding.SAME_BOX[1]


def test_where_few_cells_are_annotated_the_finder_may_not_learn(fields: Fields) -> None:
    def thinned(rows: Callable[[int], slice]) -> Fields:
        few = tuple(
            replace(one, boxes=one.boxes[rows(len(one.boxes))], types=one.types[rows(len(one.types))])
            for one in fields.fields.fields
        )
        return replace(fields, fields=replace(fields.fields, fields=few))

    assert not finding.check_annotations(thinned(lambda count: slice(0, count // 3)), lambda *_: None).complete


def test_tight_boxes_are_noticed_and_brought_to_the_finders_width(fields: Fields) -> None:
    tight = finding.resized(fields, 0.75)
    seen = finding.check_annotations(tight, lambda *_: None)
    assert seen.width < finding.SAME_BOX[0]
    mended = finding.check_annotations(finding.resized(tight, 1 / seen.width), lambda *_: None)
    assert mended.width == pytest.approx(1, abs=0.06)


def test_a_field_becomes_a_scene_at_the_finders_scale_with_suspects_marked(fields: Fields, plan: ClassScheme) -> None:
    one = fields.fields.fields[0]
    made = annotated_scene(one, decode_image(one.path), plan)
    assert made is not None
    assert made.unit == pytest.approx(2 * CELL_PX, rel=0.1)
    assert (made.kind == 1).sum() == sum(kind == "parasitized" for kind in one.types)


def test_a_finder_that_loses_more_positive_cells_is_no_better() -> None:
    before = [Match(90, 10, 10, 20, 2)]
    worse = checking.FinderCheck([], before, [Match(95, 5, 5, 20, 3)], [])
    assert not worse.better
    assert checking.FinderCheck([], before, [Match(95, 5, 5, 20, 1)], []).better
    assert not checking.FinderCheck([], before, [Match(80, 10, 20, 20, 2)], []).better


def test_with_few_fields_the_finders_thresholds_are_kept_and_it_is_said() -> None:
    card = shelf.load(shelf.FINDER).card
    assert card is not None
    kept, said = checking.finder_threshold(checking.FinderCheck([], [], [], []), card, 5)
    assert kept.finder == card.finder
    assert "kept" in said
    assert kept.threshold_origin.startswith("kept from finder-thin")


def test_without_anything_to_check_on_the_classifiers_threshold_is_kept_and_it_is_said() -> None:
    card = shelf.load(shelf.CLASSIFIER).card
    assert card is not None
    kept, said = checking.cell_threshold(None, card, None)
    assert kept.threshold == card.threshold
    assert "kept" in said


def test_a_start_needs_its_keras_file_and_the_right_one(tmp_path: Path) -> None:
    model = shelf.load(shelf.CLASSIFIER)
    lone = tmp_path / "net.tflite"
    lone.write_bytes(model.path.read_bytes())
    with pytest.raises(ModelError, match="its Keras file must stand beside it"):
        open_start(str(lone), "classify")
    lone.with_suffix(".keras").write_bytes(b"another")
    with pytest.raises(ModelError, match="is not the Keras file"):
        open_start(str(lone), "classify")
    with pytest.raises(ModelError, match="is no finder"):
        open_start(shelf.CLASSIFIER, "find")


def test_the_table_of_a_curve_has_mean_and_range_over_draws() -> None:
    points = [{"fields": 5, "draw": d, "auc": 0.9 + 0.02 * d, "finder_f1": 0.9} for d in range(3)]
    lines = curve.curve_table([*points, {"fields": 0, "draw": 0, "auc": 0.8, "found_at_1_percent_fp": {"value": 0.5}}])
    assert lines[2].startswith("| 0 | 1 | 0.800 (0.800 to 0.800) | 0.500 (0.500 to 0.500) |")
    assert lines[3].startswith("| 5 | 3 | 0.920 (0.900 to 0.940) | - |")


def test_a_page_holds_a_section_for_each_microscope_and_a_new_one_takes_the_place_of_the_old() -> None:
    first = curve.into_page("", ["## On mine", "", "one"])
    assert first == f"{curve.TITLE}\n\n## On mine\n\none\n"
    both = curve.into_page(first, ["## On yours", "", "two"])
    assert both == f"{first}\n## On yours\n\ntwo\n"
    again = curve.into_page(both, ["## On mine", "", "three"])
    assert again == both.replace("one", "three")
    assert curve.into_page(again, ["## On mine", "", "three"]) == again


def test_finished_points_are_kept_and_not_done_again(
    fields: Fields, plan: ClassScheme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def instead(*given: Any) -> dict[str, Any]:
        done.append(len(given[1].fields))
        return {"auc": 0.9, "judged_fields": 3}

    monkeypatch.setattr(curve, "point", instead)
    starts = open_start(shelf.FINDER, "find"), open_start(shelf.CLASSIFIER, "classify")
    setup = adapt.AdaptationSetup(*starts, plan, adapt.TuningSettings(), lambda *_: None, lambda _: None)
    settings = curve.CurveSettings((0, 2, 50), 2, tmp_path)
    first = curve.run(setup, fields, settings)
    assert done == [0, 2, 0, 2]
    assert curve.run(setup, fields, settings) == first
    assert done == [0, 2, 0, 2]
    assert {point["block"] for point in first if point["draw"] == 0} != {p["block"] for p in first if p["draw"] == 1}
    text = "\n".join(curve.page(first, setup, "my fields"))
    assert text.startswith("## On my fields\n")
    assert "rehearsed beside the new fields, so that it is not forgotten: nothing." in text.lower()
    assert f"`{shelf.CLASSIFIER}`" in text
    assert all(f"{point['block']} (3 fields)" in text for point in first)
    assert "| 2 | 2 | 0.900" in text


def test_the_groups_of_coco_images_are_the_blocks_that_a_curve_judges_on(
    folder: Path, plan: ClassScheme, tmp_path: Path
) -> None:
    raw = json.loads((folder / "truth.json").read_text())
    for number, image in enumerate(raw["images"]):
        image["group"] = f"slide {number % 2}"
    slides = tmp_path / "slides.json"
    slides.write_text(json.dumps(raw))
    opened = open_fields(folder, slides, None, shelf.FINDER)
    assert opened.fields.groups == ("slide 0", "slide 1", "slide 0", "slide 1", "slide 0")
    assert sorted(curve.judged_groups(opened, plan)) == ["slide 0", "slide 1"]
    starts = open_start(shelf.FINDER, "find"), open_start(shelf.CLASSIFIER, "classify")
    setup = adapt.AdaptationSetup(*starts, plan, adapt.TuningSettings(), lambda *_: None, lambda _: None)
    blocks = open_fields(folder, folder / "truth.json", None, shelf.FINDER)
    assert curve.key(setup, opened) != curve.key(setup, blocks), "a point kept of other groups is none of these"


class TestWhole:
    pytestmark = needs_tensorflow

    def test_five_fields_make_two_device_files_with_cards(self, folder: Path, tmp_path: Path) -> None:
        out = tmp_path / "my-scope"
        steps = ("--steps", 10, "--finder-steps", 10)
        got = models("adapt", "--fields", folder, *steps, "-o", out, EDGE_DATA=str(tmp_path / "nowhere"))
        assert got.returncode == 0, got.stderr
        assert "40 fields of virtual slides" in got.stderr
        assert "forgot of what they learned before is not known" in got.stdout
        finder = read_model(out / "finder-thin-my-scope" / "finder-thin-my-scope.tflite")
        net = read_model(out / "malaria-thin-32-my-scope" / "malaria-thin-32-my-scope.tflite")
        LearnedFinder(finder)
        assert net.card is not None
        assert net.card.calibration is None
        assert "before" in got.stdout
        if "the classifier stays" not in got.stderr:
            assert net.card.training["adapted_from"] == "malaria-thin-32"
            assert net.card.training["adapted_from_sha256"] == shelf.load("malaria-thin-32").sha256
            assert net.card.training["fields"] == 5
            assert net.card.threshold_origin.startswith(("cross-validation", "kept"))
        assert "edge-run FIELDS --finder" in got.stdout
        again = models("adapt", "--fields", folder, "-o", out)
        assert again.returncode == 7
        assert "is not empty: --force" in again.stderr
