"""Which preprocessing is found, and what is said of it, on nets that are plain functions here."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from convert.classify import preprocess, trials
from convert.classify.preprocess import InputOptions, Preprocessing, find
from convert.measure.cells import CellSet

LABELS = ("a", "b")
TRUTH = np.arange(200, dtype=np.int32) % 2


def cells() -> CellSet:
    names = tuple(str(n) for n in range(len(TRUTH)))
    images = np.zeros((len(TRUTH), 4, 4, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(len(TRUTH))  # which cell it is
    return CellSet(images, TRUTH, LABELS, np.array(names), names, grouped=False)


def found(
    monkeypatch: pytest.MonkeyPatch,
    right: dict[tuple[str, str], float],
    asked: InputOptions,
    scale: float | None = None,
) -> Preprocessing:
    """``right``: share of right answers for a value range and colour; the others are at chance, all class 0."""

    def outputs(_model: object, images: np.ndarray, values: object, colour: str) -> np.ndarray:
        cell = images[:, 0, 0, 0].astype(int)
        share = right.get((values.name, colour))  # type: ignore[attr-defined]
        if share is None:
            return np.zeros((len(cell), 1), np.float32)
        wrong = cell >= round(share * len(TRUTH))
        return np.asarray(wrong != TRUTH[cell], np.float32)[:, None]

    monkeypatch.setattr(trials, "outputs", outputs)
    monkeypatch.setattr(preprocess, "net_input", lambda _: SimpleNamespace(channels=3))
    model = SimpleNamespace(layers=[] if scale is None else [type("Rescaling", (), {"scale": scale})()])
    return find(model, cells(), asked, affordable=300)


def test_a_fair_net_given_wrong_things_is_not_called_untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    got = found(monkeypatch, {("0..1", "rgb"): 0.75}, InputOptions(value_range="-1..1"))
    assert got.values.name == "-1..1"  # what is given is kept
    assert any("but not with --value-range 0..1 --colour rgb (75.0%)" in note for note in got.notes)
    assert not any("or not at all" in note for note in got.notes)


def test_swapped_labels_are_named_and_no_odd_colour_is_taken_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    got = found(monkeypatch, {("0..1", "rgb"): 0.7, ("0..255", "bgr"): 0.71}, InputOptions(labels=LABELS))
    assert (got.values.name, got.colour, got.swapped) == ("0..1", "rgb", False)
    got = found(monkeypatch, {("0..1", "rgb"): 0.3, ("0..255", "bgr"): 0.29}, InputOptions(labels=LABELS))
    assert (got.values.name, got.colour) == ("0..1", "rgb")
    assert any("--value-range 0..1 --colour rgb --labels b,a (70.0%)" in note for note in got.notes)


def test_a_net_with_a_rescaling_inside_takes_bytes_whatever_looks_better(monkeypatch: pytest.MonkeyPatch) -> None:
    right = {("0..255", "rgb"): 0.8, ("caffe", "bgr"): 0.9}
    assert found(monkeypatch, right, InputOptions(), 1 / 255).values.name == "0..255"
    assert found(monkeypatch, right, InputOptions(), 2.0).values.name == "caffe"  # meant for 0..1: no proof of bytes
    assert found(monkeypatch, right, InputOptions()).values.name == "caffe"


def test_the_authors_standardisation_of_each_image_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    got = found(monkeypatch, {("per-image", "rgb"): 0.9, ("0..1", "rgb"): 0.6}, InputOptions())
    assert (got.values.name, got.values.per_image, got.at_chance) == ("per-image", True, False)


@pytest.mark.parametrize(
    ("right", "chosen", "at_chance"),
    [
        ({("0..255", "hsv"): 0.64}, ("0..1", "rgb"), True),
        ({("0..1", "rgb"): 0.64}, ("0..1", "rgb"), False),
        ({("0..255", "hsv"): 0.75}, ("0..255", "hsv"), False),
        ({}, ("0..1", "rgb"), True),
    ],
    ids=["an unusual one at 64 %", "the usual one at 64 %", "an unusual one at 75 %", "none"],
)
def test_what_luck_may_give_among_many_is_not_picked(
    monkeypatch: pytest.MonkeyPatch, right: dict[tuple[str, str], float], chosen: tuple[str, str], at_chance: bool
) -> None:
    got = found(monkeypatch, right, InputOptions())
    assert ((got.values.name, got.colour), got.at_chance) == (chosen, at_chance)
    assert any("which luck may give" in note for note in got.notes) == at_chance


def test_of_two_that_are_as_often_right_the_surer_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    sure = {"0..1": 0.6, "-1..1": 0.65, "per-image": 0.95}

    def outputs(_model: object, images: np.ndarray, values: object, colour: str) -> np.ndarray:
        cell = images[:, 0, 0, 0].astype(int)
        own = np.where(cell < 180, sure.get(values.name, 0.5) if colour == "rgb" else 0.5, 0.4)  # type: ignore[attr-defined]
        return np.asarray(np.where(TRUTH[cell] == 1, own, 1 - own), np.float32)[:, None]

    monkeypatch.setattr(trials, "outputs", outputs)
    monkeypatch.setattr(preprocess, "net_input", lambda _: SimpleNamespace(channels=3))
    got = find(SimpleNamespace(layers=[]), cells(), InputOptions(), affordable=300)
    assert (got.values.name, got.colour) == ("per-image", "rgb")


def test_as_many_combinations_are_tried_as_their_time_is_reckoned_for(monkeypatch: pytest.MonkeyPatch) -> None:
    prep = found(monkeypatch, {("0..1", "rgb"): 0.9}, InputOptions())
    assert len({words.removesuffix(" (classes swapped)") for words, _ in prep.tried}) == trials.MOST_TRIED


@pytest.mark.parametrize(
    ("rgb", "bgr", "colour"),
    [
        pytest.param(0.9, 0.925, "rgb", id="5 cells of 200 more: luck"),
        pytest.param(0.7, 0.9, "bgr", id="40 cells of 200 more are no luck"),
        pytest.param(0.9, 0.9, "rgb", id="equals"),
    ],
)
def test_the_usual_colour_is_kept_where_another_fits_better_by_luck(
    monkeypatch: pytest.MonkeyPatch, rgb: float, bgr: float, colour: str
) -> None:
    got = found(monkeypatch, {("0..1", "rgb"): rgb, ("0..1", "bgr"): bgr}, InputOptions())
    assert (got.values.name, got.colour) == ("0..1", colour)
    said = "200 cells do not tell --value-range 0..1 --colour rgb (90.0%) from --value-range 0..1 --colour bgr"
    assert any(said in note for note in got.notes) == (rgb > 0.8)


def test_what_is_surely_worse_on_some_cells_is_not_tried_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: dict[tuple[str, str], int] = {}

    def outputs(_model: object, images: np.ndarray, values: object, colour: str) -> np.ndarray:
        combination = (values.name, colour)  # type: ignore[attr-defined]
        fed[combination] = fed.get(combination, 0) + len(images)
        right = 0.95 if combination in (("-1..1", "rgb"), ("-1..1", "bgr")) else 0.5
        cell = images[:, 0, 0, 0].astype(int)
        wrong = cell % 100 >= round(right * 100)
        return np.asarray(wrong != TRUTH[cell], np.float32)[:, None]

    monkeypatch.setattr(trials, "outputs", outputs)
    monkeypatch.setattr(preprocess, "net_input", lambda _: SimpleNamespace(channels=3))
    got = find(SimpleNamespace(layers=[]), cells(), InputOptions(), affordable=300)
    assert (got.values.name, got.colour) == ("-1..1", "rgb")
    assert [name for name, count in fed.items() if count == len(TRUTH)] == [
        ("0..1", "rgb"),  # the usual one always is
        ("-1..1", "rgb"),
        ("-1..1", "bgr"),
    ]


@pytest.mark.parametrize("cells", [40, 80, 200, 300])
def test_time_and_cells_of_the_search_go_together(cells: int) -> None:
    assert trials.cells_for(trials.images_fed(cells)) == cells
