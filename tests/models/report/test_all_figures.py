"""Every figure: known answers in a tiny world, targets met and missed, and nothing from a net that saw what it is judged on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.measure.matching import BORDER, Match
from edge.boxes import inside
from edge.errors import ModelError
from edge.types import Cells, FloatArray, UInt8Array
from edge.virtual_slide import SlideSpec, render_field
from models.data.fields import PointedField
from models.data.folds import CLASSIFIERS
from models.judge.microscopes import NetPlaces
from models.report import all_figures, spurious, virtual_slides
from models.report.all_figures import finder_rows, interval, measure_all, sparse
from models.report.figure import Figure, at_least, show
from tests.models.judge.world import HEALTHY, SICK, RedNet, SquareFinder, World, classifier_card, make_world


class Pointed(PointedField):
    """A field of points that is drawn, not read."""

    def read(self) -> UInt8Array:
        rgb = np.full((200, 300, 3), 10, np.uint8)
        for x, y in self.points.astype(int):
            rgb[y - 20 : y + 20, x - 20 : x + 20] = (round(255 * HEALTHY), 200, 200)
        return rgb


class BlueFinder(SquareFinder):
    """Stands for the classical finder, which has no file: finds all squares."""

    def __init__(self) -> None:
        self._least = 0.0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    points = np.array([[50, 50], [120, 50], [190, 120]], np.float32)
    monkeypatch.setattr(all_figures, "load_chula", lambda: [Pointed(Path(f"{i}.png"), points) for i in range(3)])
    monkeypatch.setattr(all_figures, "LearnedFinder", SquareFinder)
    monkeypatch.setattr(all_figures, "ClassicalFinder", BlueFinder)
    monkeypatch.setattr(all_figures, "Classifier", RedNet)
    monkeypatch.setattr(all_figures, "VIRTUAL_SEEDS", ())
    return make_world(tmp_path, monkeypatch)


def measured(world: World) -> dict[tuple[str, str], Figure]:
    """All figures by what and where."""
    world.build()
    rows = measure_all(NetPlaces(world.folds, world.shelf), (), None, quick=True)
    found = {(row.what, row.where): row for row in rows}
    assert len(found) == len(rows)
    return found


IML = "learned, IML, unseen blocks"
END = "IML end to end, unseen blocks, as annotated, threshold of other folds"
SECOND, SLIDES = "iml_fields, unseen blocks", "nih_cells, unseen slides"
NIH = "NIH cells, unseen slides, int8"


def test_nets_that_are_always_right_meet_their_targets(world: World) -> None:
    found = measured(world)
    assert found[("finder F1 at IoU 0.5", IML)].value.startswith("1.0000 (1.000 to 1.000")
    assert found[("count bias", IML)].value.startswith("+0.0%")
    for name in CLASSIFIERS:
        assert found[("accuracy", f"{name}: {NIH}")].value.startswith("1.0000")
        end = found[("infected cells found at 1.0% false positives", f"{name}: {END}")]
        assert end.value == "1.000 (n = 8, of them 0 lost by the finder)"
        assert end.met is None
    assert found[("centre-match F1, another scope than IML", "classical, Chula")].value.startswith(
        "1.000 (1.000 to 1.000"
    )
    must_reach = [row for (_, where), row in found.items() if where in (IML, SECOND, SLIDES)]
    assert [row.met for row in must_reach].count(True) == 9
    unknown = [row.what for row in must_reach if row.met is not True]
    assert unknown == ["infected found at 0.1 % false positives"] * 2  # so few cells say nothing of one in a thousand


def test_what_the_finder_loses_is_missed_and_what_is_spurious_counts(world: World) -> None:
    for block in range(4):
        world.fields[block] += [(SICK, 0.1, "gametocyte"), (HEALTHY, 0.9, None)]
    found = measured(world)
    end = found[("infected cells found at 1.0% false positives", f"{CLASSIFIERS[0]}: {END}")]
    assert end.value == "0.500 (n = 16, of them 8 lost by the finder)"
    kept = found[("infected kept by the finder", SECOND)]
    assert kept.value.startswith("0.500")
    assert kept.met is False
    assert found[("infected cells the finder keeps", IML)].value.startswith("0.500")
    assert "precision 0.889, recall 0.889" in found[("finder F1 at IoU 0.5", IML)].value


def test_false_positives_are_counted_on_negative_slides_only(world: World) -> None:
    world.slides["s01"] = [0.7] * 3 + [HEALTHY] * 3
    row = measured(world)[
        (
            "cells called positive on slides known to be negative",
            f"{CLASSIFIERS[0]}: NIH cells, unseen slides, the card's threshold",
        )
    ]
    assert row.value == "10.00%, worst slide 50.00%, 4 with none (n = 30 cells, 5 slides)"
    assert row.met is False


def test_nothing_is_measured_with_a_net_that_may_have_seen_a_slide(world: World) -> None:
    world.held_out_slides[3] = ["s03"]
    with pytest.raises(ModelError, match="s08"):
        measured(world)


@pytest.mark.parametrize(
    ("counted", "met"),
    [
        pytest.param(Match(100, 1, 0, 2), True, id="one too many"),
        pytest.param(Match(90, 0, 10, 2), False, id="ten too few"),
    ],
)
def test_a_count_error_counts_in_both_directions(counted: Match, met: bool) -> None:
    rows = {row.what: row for row in finder_rows([counted] * 5, "here", 0.9)}
    assert rows["median count error per field"].met is met
    assert rows["count bias"].met is met


def test_without_a_target_nothing_is_met_or_missed() -> None:
    assert [row.met for row in finder_rows([Match(90, 0, 10)] * 5, "here", None)] == [None, None]
    assert at_least("a", "b", None, "0.1", 0.1).met is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Match(100, 25, 0), Match(100, 30, 0), True),
        (Match(100, 24, 0), Match(100, 30, 0), False),
        (Match(100, 30, 0), Match(100, 0, 0), False),
    ],
)
def test_a_field_is_sparse_if_both_finders_see_a_quarter_more(one: Match, other: Match, expected: bool) -> None:
    assert sparse(one, other) is expected


def test_the_interval_holds_the_value_and_shrinks_with_more_fields() -> None:
    rng = np.random.default_rng(0)
    matches = [Match(int(n), 3, 4) for n in rng.integers(60, 100, 200)]
    wide, narrow = interval(matches[:20], lambda s: s.f1), interval(matches, lambda s: s.f1)
    assert wide[0] < 0.96 < wide[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_a_missed_target_is_said() -> None:
    rows = [Figure("a", "here", ">= 1", "2", met=True), Figure("b", "there", ">= 1", "0", met=False)]
    assert "1 of 2 targets met" in show(rows, markdown=False)
    assert "missed: b, there" in show(rows, markdown=False)
    assert "| b | there | >= 1 | 0 | **missed** |" in show(rows, markdown=True)


def test_the_sheet_of_spurious_finds_shows_those_alone(world: World) -> None:
    world.fields[2] += [(HEALTHY, 0.9, None)] * 3
    world.build()
    assert spurious.sheet(world.folds, world.data / "sheet.png") == 6


class KnowingFinder:
    """Gives what is drawn, but for the first infected cell, and a find where nothing is."""

    def __init__(self, boxes: np.ndarray, infected: np.ndarray) -> None:
        lost = np.flatnonzero(infected & inside(boxes, (960, 1280), 40))[0]
        self._boxes = np.vstack([np.delete(boxes, lost, axis=0), [[600, 450, 3, 3]]]).astype(np.int32)

    def find(self, _rgb: UInt8Array) -> Cells:
        n = len(self._boxes)
        return Cells(self._boxes, np.ones(n, np.float32), np.zeros(n, np.int32), ("cell",))


class SizeNet:
    """Scores every cell alike."""

    card = classifier_card("even")

    def scores(self, crops: UInt8Array) -> FloatArray:
        return np.full((len(crops), 2), 0.5, np.float32)


def test_parasites_of_a_virtual_slide_that_the_finder_lost_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_slides, "VIRTUAL_FIELDS", 1)
    rgb, truth = render_field(SlideSpec(seed=1, bad_fields=0.0, parasitaemia=0.05), 0)
    types = np.array(truth.types)
    red = ~np.isin(types, ("white cell", "platelet", "speck"))
    boxes, infected = virtual_slides.grown(truth.boxes[red]), types[red] != "red blood cell"
    assert rgb.shape == (960, 1280, 3)
    use = inside(boxes, (960, 1280), BORDER)
    counted, _, at_card = virtual_slides.virtual_rows(KnowingFinder(boxes, infected), SizeNet(), 1)  # type: ignore[arg-type]
    total = int((infected & use).sum())
    assert at_card.value == f"{(total - 1) / total:.3f} at 100.00% (n = {total})"
    assert counted.value.startswith("+0.00% (F1 ")  # one lost, one spurious
    assert f"n = {int(use.sum())})" in counted.value
