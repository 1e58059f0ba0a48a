"""What models were made for: which sets choose the ranges, which only judge them, and what is counted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.appearance import BINS
from edge.modelfile import read_model, write_model
from edge.types import Appearance, UInt8Array
from edge.verdict.fitness import FEWEST
from models.places import SHELF
from models.studies.appearance import job, material
from models.studies.appearance.choose import (
    BOUNDS,
    DRAWS,
    FALSE_ALARMS,
    RangeChoice,
    choose,
    large_enough,
    outside,
    samples,
)
from models.studies.appearance.material import FOREIGN, JUDGING, TEACHING, VIRTUAL, FieldLook

FOREIGN_TOO = "grey"


def look(colour: float = 0.6, slide: str = "a", cells: int = 40, confidence: float = 0.7) -> FieldLook:
    histogram = np.zeros(BINS, np.int32)
    histogram[int(confidence * BINS)] = cells
    density = (0.2, 0.5, 0.3 + 0.1 * colour)
    return FieldLook(Appearance(cells, (230.0, 225.0, 220.0), density, 30.0, colour, histogram), 100.0, slide)


def microscope(colour: float, name: str, cells: int = 40) -> list[FieldLook]:
    """Two slides of six fields, a little different."""
    return [look(colour + 0.01 * (i % 6), f"{name}/{i // 6}", cells) for i in range(12)]


def looks(**colours: float) -> dict[str, list[FieldLook]]:
    """All sets: those that teach between 0.5 and 0.65, those that judge at 0.6, foreign ones without colour."""
    teach = dict(zip((*TEACHING, VIRTUAL), (0.5, 0.55, 0.6, 0.65), strict=True))
    known = {**teach, **dict.fromkeys(JUDGING, 0.6), **dict.fromkeys(FOREIGN, 0.0), FOREIGN_TOO: 0.0, **colours}
    return {name: microscope(colour, name) for name, colour in known.items()}


@pytest.fixture(autouse=True)
def one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "SIZES", (10,))
    monkeypatch.setattr(job, "_LARGE", (10,))


@pytest.fixture(scope="module")
def chosen() -> RangeChoice:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "SIZES", (10,))
        return job.chosen_ranges(looks())


# who may see what


def test_sets_that_choose_never_judge() -> None:
    sets = (set(TEACHING), {VIRTUAL}, set(JUDGING), set(FOREIGN))
    assert sum(len(one) for one in sets) == len(set.union(*sets))


def test_ranges_do_not_depend_on_any_set_that_judges(chosen: RangeChoice) -> None:
    others = dict.fromkeys((*JUDGING, *FOREIGN, FOREIGN_TOO), 2.0)
    assert job.chosen_ranges(looks(**others)) == chosen


@pytest.mark.parametrize("name", [*TEACHING, VIRTUAL])
def test_ranges_depend_on_each_set_that_teaches(chosen: RangeChoice, name: str) -> None:
    assert job.chosen_ranges(looks(**{name: 0.58})) != chosen


def test_samples_of_sets_that_chose_are_not_counted(chosen: RangeChoice) -> None:
    assert job.refusals(looks(**dict.fromkeys((*TEACHING, VIRTUAL), 0.0)), chosen) == job.refusals(looks(), chosen)


def test_what_is_counted_is_refused_samples_of_all_large_ones(chosen: RangeChoice) -> None:
    large = DRAWS * len(job._LARGE)
    counts = job.refusals(looks(), chosen)
    assert counts.unused == (0, large * len(JUDGING))
    assert counts.foreign == (large * (len(FOREIGN) + 1),) * 2
    spoilt = job.refusals(looks(**{JUDGING[0]: 0.0}), chosen)
    assert spoilt.unused == (large, large * len(JUDGING))


# how ranges are chosen


def test_a_range_is_as_wide_as_a_left_out_microscope_needs(chosen: RangeChoice) -> None:
    assert set(chosen.ranges) == set(BOUNDS)
    low, high = chosen.ranges["colour"]
    assert high is None
    assert low is not None
    assert 0.3 < low < 0.5
    assert max(chosen.left_out.values()) <= FALSE_ALARMS
    assert set(chosen.left_out) == {*TEACHING, VIRTUAL}


def test_alike_microscopes_need_no_widening() -> None:
    drawn = {name: samples(microscope(0.6, name), 10) for name in "abc"}
    assert choose(drawn).widths["colour"] == 0


def test_a_sample_is_drawn_within_one_slide() -> None:
    mixed = [look(0.2, "a") for _ in range(4)] + [look(0.8, "b") for _ in range(4)]
    assert {one.values["colour"] for one in samples(mixed, 3)} == {0.2, 0.8}
    assert {one.fields for one in samples(mixed, 30, 5)} == {4}


@pytest.mark.parametrize(("cells", "kept"), [(FEWEST - 1, 0), (FEWEST, 7)])
def test_samples_of_too_few_cells_are_left_out(cells: int, kept: int) -> None:
    assert len(large_enough(samples([look(cells=cells)], 1, 7))) == kept


def test_a_sample_outside_one_range_cannot_be_judged() -> None:
    drawn = samples([look(0.2, "a"), look(0.8, "b")], 1, 100)
    share = sum(one.values["colour"] < 0.5 for one in drawn) / 100
    assert outside({"colour": (0.5, None)}, drawn) == pytest.approx(share)
    assert outside({"colour": (0.1, None)}, drawn) == 0


# the page and the cards


def test_the_page_has_every_set_and_says_which_were_never_used(chosen: RangeChoice) -> None:
    given = looks()
    few = {**given, FOREIGN[0]: microscope(0.0, FOREIGN[0], cells=1)}
    page = "\n".join(job.page_lines(few, chosen, {3: {"the same": (1, 4)}, 5: {"the same": (1, 10)}}))
    for name in TEACHING:
        assert f"| {name} (may not be refused) | 12 | 0.0% |" in page
    assert f"| {JUDGING[0]} (may not be refused; never used) | 12 |" in page
    assert f"| {FOREIGN_TOO} (foreign) | 12 | 100.0% |" in page
    assert f"| {FOREIGN[0]} (foreign) | 12 | too few cells |" in page
    assert "| the same | 25.0% (1 of 4) | 10.0% (1 of 10) |" in page
    assert f"0 of {DRAWS * len(JUDGING)} (0.0% to 0.6%) of the microscopes never used refused," in page


@pytest.mark.parametrize(("name", "keys"), [("finder-thin", {"confidence"}), ("malaria-thin-32", {"colour", "blue"})])
def test_a_card_gets_the_ranges_of_its_own_measures_and_nothing_else_changes(
    chosen: RangeChoice, tmp_path: Path, name: str, keys: set[str]
) -> None:
    path = tmp_path / f"{name}.tflite"
    shutil.copy(SHELF / name / path.name, path)
    before = read_model(path)
    assert before.card is not None
    write_model(path, before.flatbuffer, replace(before.card, reference={}))
    job.into_card(path, chosen)
    after = read_model(path)
    assert after.card is not None
    assert set(after.card.reference) == keys
    assert after.sha256 == before.sha256
    assert replace(after.card, reference=before.card.reference) == before.card


# what fields are changed into


def field() -> UInt8Array:
    rgb = np.full((96, 128, 3), (235, 225, 220), np.uint8)
    for x in range(12, 120, 24):
        cv2.circle(rgb, (x, 48), 9, (180, 110, 150), -1)
    return rgb


def test_a_grey_picture_has_one_value_and_a_tinted_one_keeps_its_ratio() -> None:
    grey = material.grey(field())
    assert (grey == grey[..., :1]).all()
    tinted = material.tinted(field()).astype(float)
    assert np.allclose(tinted[..., 2] / grey[..., 2], 0.72, atol=0.01)


def test_the_other_changes_keep_the_shape_and_do_what_they_say() -> None:
    rgb = field()
    assert (material.inverted(material.inverted(rgb)) == rgb).all()
    pale = material.unstained(rgb)
    assert pale.shape == rgb.shape
    assert pale[48, 12, 2] < pale[0, 0, 2]  # haemoglobin absorbs some blue
    assert pale.astype(int).std() < rgb.astype(int).std()


def test_drawings_are_the_same_every_time() -> None:
    assert (next(material.pages()) == next(material.pages())).all()
    leaf = next(material.leaves())
    assert leaf[..., 1].mean() > max(leaf[..., 0].mean(), leaf[..., 2].mean())


def test_files_are_taken_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    for number in range(10):
        (tmp_path / "set" / f"{number}.png").touch()
    (tmp_path / "set" / "notes.txt").touch()
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    assert [path.stem for path in material.files_of("set", 5)] == ["0", "2", "4", "6", "8"]
    assert len(material.files_of("set")) == 10
