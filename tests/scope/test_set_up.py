"""The steps of a set-up, frame by frame, without camera, clock or screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

import cv2
import numpy as np
import pytest

from edge.errors import ScopeError
from edge.scope.profile import Profile, ScaleSource
from edge.scope.scale import cell_widths, scale_of_bar, scale_of_cells, scale_of_lines
from edge.scope.set_up import SetUp
from edge.scope.set_up_light import same_values
from edge.scope.set_up_records import SetUpPlan, SetUpStep, SetUpView
from edge.types import UInt8Array
from tests.scope.lit import AS_HELD, CAMERA, SIZE, Lit, Seen

BENCH = Lit(corner=0.75, dust=((120, 90, 8, 0.6),))
CELLS = replace(BENCH, cells=40)


def machine(plan: SetUpPlan | None = None, start: Profile | None = None, widths: float | None = 66.0) -> SetUp:
    def of(_: UInt8Array) -> Sequence[float]:
        return [] if widths is None else [widths] * 20

    return SetUp("bench-3", CAMERA, plan or SetUpPlan(objective="100x"), start=start, widths_of=of)


def shown(
    at: SetUp, scope: Lit, many: int, told: Mapping[str, object] = AS_HELD, numbers: Iterator[int] | None = None
) -> SetUpView:
    numbers = numbers or count(1)
    for _ in range(many):
        at.see(Seen(scope.field(next(numbers)), told))
    return at.view


def begun_with(step: SetUpStep) -> SetUp:
    todo = tuple(one for one in SetUpStep if list(SetUpStep).index(one) >= list(SetUpStep).index(step))
    return machine(start=Profile("bench-3", CAMERA, unfinished=tuple(map(str, todo))))


def test_from_light_to_scale_it_says_what_to_do_and_makes_a_profile() -> None:
    at, numbers = machine(), count(1)
    said = []
    while at.step is not None:
        said.append((at.step, at.view.words.split(":")[0].split(",")[0]))
        view = at.view
        for _ in range(40):
            frame = BENCH.field(next(numbers)) if at.step is not SetUpStep.FOCUS else next(FOCUSING)
            view = at.see(Seen(frame, AS_HELD))
            if view.good:
                break
        assert view.good, view
        at.accept()
    assert [step for step, _ in said] == list(SetUpStep)
    made = at.profile("2026-11-30T01:00:00+00:00", "edge-microscopy 1")
    assert made.unfinished == ()
    assert (made.held.exposure_us, made.held.gain, made.held.colour_gains) == (8000.0, 1.5, (1.9, 1.4))
    assert made.flat is not None
    assert made.flat.residual < 0.03
    assert [speck.deep for speck in made.dust] == [True]
    assert made.scale is not None
    assert made.scale.source is ScaleSource.RED_CELLS
    assert made.scale.um_per_px == pytest.approx(7.5 / 66)
    assert made.light is not None
    assert made.light.fields == 8
    assert made.objective == "100x"
    assert any(note.startswith("flat field: 8 empty fields: the paper differed by") for note in at.notes)


def _focusing() -> Iterator[UInt8Array]:
    for blur in (6, 4, 2, 1, 2, 4, 6, 4, 2, 1, *[1] * 30):
        yield cv2.GaussianBlur(CELLS.field(3), (0, 0), blur).astype(np.uint8)


FOCUSING = _focusing()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        pytest.param(Lit(lamp=90), "The paper is dark: turn the lamp up", id="dark"),
        pytest.param(Lit(lamp=8), "The field is black: is the lamp on", id="black"),
        pytest.param(Lit(lamp=300), "saturated: turn the lamp down", id="saturated"),
        pytest.param(Lit(lamp=246, corner=0.99, noise=0.5), "The paper is nearly saturated", id="nearly saturated"),
    ],
)
def test_a_light_that_is_not_good_says_what_to_turn(scope: Lit, words: str) -> None:
    view = shown(machine(), scope, 6)
    assert words in view.words
    assert not view.good


@pytest.mark.parametrize(
    ("told", "good"),
    [
        pytest.param([AS_HELD] * 6, True, id="they hold"),
        pytest.param([{"exposure_us": 1000 * n} for n in range(1, 7)], False, id="exposure still changes"),
        pytest.param([{"analogue_gain": 1 + n / 10} for n in range(6)], False, id="gain still changes"),
        pytest.param([{"exposure_us": 1}, *[AS_HELD] * 5], True, id="they settled"),
        pytest.param([{}] * 6, True, id="a driver that does not say"),
        pytest.param([*[AS_HELD] * 5, {}], False, id="one that says it now and then"),
    ],
)
def test_settings_are_read_back_from_frames_until_they_hold(
    told: Sequence[Mapping[str, object]], *, good: bool
) -> None:
    at = machine()
    for n, one in enumerate(told):
        at.see(Seen(BENCH.field(n), one))
    assert at.view.good is good
    at.accept()
    assert (at.step is SetUpStep.BALANCE) is good


def test_a_driver_that_does_not_say_its_settings_is_noted_in_the_profile() -> None:
    at = machine()
    shown(at, BENCH, 5, {})
    at.accept()
    shown(at, BENCH, 5, {})
    at.accept()
    assert at.profile("", "").held.not_held == ("exposure_us", "analogue_gain", "colour_gains")
    assert "light: this camera's driver does not say exposure_us, analogue_gain" in at.notes[0]


def test_white_balance_that_still_moves_is_waited_for_and_a_tint_is_said() -> None:
    at = begun_with(SetUpStep.BALANCE)
    for n in range(6):
        at.see(Seen(BENCH.field(n), {"colour_gains": (1.0 + n / 5, 1.4)}))
    assert at.view.words == "Wait: white balance still changes."
    shown(at, replace(BENCH, lamp=(160.0, 215.0, 215.0)), 6)
    assert at.view.good
    assert "the paper is tinted (see red)" in at.view.words


def test_fields_with_cells_count_once_the_stage_has_moved() -> None:
    at = begun_with(SetUpStep.FLAT)
    assert shown(at, CELLS, 3, numbers=iter([1, 1, 1])).words == "Move the stage: this place was taken."
    assert at.view.have == 1
    view = shown(at, CELLS, 11, numbers=count(2))
    assert (view.good, view.have, view.want) == (True, 12, 12)


def test_black_and_saturated_fields_are_not_taken() -> None:
    at = begun_with(SetUpStep.FLAT)
    assert "The field is black" in shown(at, Lit(lamp=5), 9).words
    assert shown(at, Lit(lamp=300), 9).have == 0


def test_a_step_that_cannot_be_finished_begins_anew_and_says_why() -> None:
    at = begun_with(SetUpStep.FLAT)
    assert shown(at, Lit(corner=0.3), 9).good
    view = at.accept()
    assert (view.step, view.good) == (SetUpStep.FLAT, False)
    assert "centre lamp and condenser first" in view.words
    assert shown(at, BENCH, 9).good
    assert at.accept().step is SetUpStep.DUST


def test_focus_is_good_once_it_has_passed_the_sharpest_picture_and_come_back() -> None:
    at = begun_with(SetUpStep.FOCUS)
    good, words = [], []
    for blur in (6, 4, 2, 1, 2, 4, 6, 4, 2, 1, 1, 1, 1, 1):
        view = at.see(Seen(np.asarray(cv2.GaussianBlur(CELLS.field(3), (0, 0), blur), np.uint8)))
        good.append(view.good)
        words.append(view.words)
    assert good == [False] * 13 + [True]
    assert words[6] == "Turn back: it was sharper."
    assert words[-1] == "In focus."


def test_a_focus_that_was_right_from_the_beginning_is_found_again() -> None:
    at = begun_with(SetUpStep.FOCUS)
    turned = (1, 2, 4, 6, 4, 2, 1, 2, 4, 6, 4, 2, 1, 1, 1, 1, 1)
    seen = [np.asarray(cv2.GaussianBlur(CELLS.field(3), (0, 0), blur), np.uint8) for blur in turned]
    good = [at.see(Seen(rgb)).good for rgb in seen]
    assert good == [False] * 16 + [True]


def test_a_focus_that_is_still_getting_sharper_is_not_good() -> None:
    at = begun_with(SetUpStep.FOCUS)
    for blur in (6, 5, 4, 5, 6, 5, 4, 3.5, 3, 2.5, 2, 1.5):
        view = at.see(Seen(np.asarray(cv2.GaussianBlur(CELLS.field(3), (0, 0), blur), np.uint8)))
        assert not view.good


@pytest.mark.parametrize("step", [SetUpStep.LIGHT, SetUpStep.BALANCE])
def test_light_and_white_balance_cannot_be_left_out(step: SetUpStep) -> None:
    with pytest.raises(ScopeError, match=f"the step {step} cannot be left out"):
        begun_with(step).skip()


def test_what_is_left_out_is_not_in_the_profile_and_not_unfinished() -> None:
    at = begun_with(SetUpStep.FLAT)
    while at.step is not None:
        at.skip()
    made = at.profile("", "")
    assert (made.flat, made.dust, made.scale, made.unfinished) == (None, (), None, ())
    assert "flat field: left out" in at.notes


def test_a_step_that_is_begun_anew_takes_its_fields_anew() -> None:
    at = begun_with(SetUpStep.FLAT)
    shown(at, BENCH, 3)
    before = at.view
    after = at.again()
    assert before.have > 0
    assert (after.step, after.have, after.good) == (SetUpStep.FLAT, 0, False)
    shown(at, BENCH, 1)
    assert at.view.have == 1


def test_what_was_done_before_it_was_stopped_is_gone_on_with() -> None:
    at = machine()
    shown(at, BENCH, 5)
    at.accept()
    half = at.profile("", "")
    assert half.unfinished == ("white balance", "flat field", "dust", "focus", "scale")
    again = machine(start=half)
    assert again.step is SetUpStep.BALANCE
    assert again.profile("", "").held.exposure_us == 8000.0


def test_files_are_taken_as_they_are() -> None:
    at = machine(SetUpPlan(fields=10, live=False))
    for n in range(5):
        at.see(Seen(replace(BENCH, lamp=150 + 20 * n).field(n)))
    assert at.view.good
    at.accept()
    assert at.notes == []
    shown(at, BENCH, 5, {})
    at.accept()
    assert (shown(at, BENCH, 9, {}).good, shown(at, BENCH, 1, {}).good) == (False, True)


class TestScale:
    """Lines, bars, cells."""

    @staticmethod
    def lines(period: float, angle: float, width: float = 0.15) -> UInt8Array:
        y, x = np.mgrid[0:480, 0:640].astype(np.float64)
        along = (x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))) / period
        grey = np.where(along % 1 < width, 70.0, 210.0)
        grey = cv2.GaussianBlur(grey, (0, 0), 1.2) + np.random.default_rng(1).normal(0, 3, grey.shape)
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)

    @pytest.mark.parametrize(("period", "angle"), [(40.0, 0), (33.3, 90), (44.4, 17), (25.0, -40), (52.0, 3)])
    def test_lines_of_a_micrometer_at_any_angle(self, period: float, angle: float) -> None:
        found = scale_of_lines(self.lines(period, angle), 10.0)
        assert found.um_per_px == pytest.approx(10 / period, rel=0.004)
        assert found.source is ScaleSource.MICROMETER

    @pytest.mark.parametrize(
        "rgb",
        [CELLS.field(1), BENCH.field(1), replace(CELLS, cells=150).field(2)],
        ids=["cells", "empty", "many cells"],
    )
    def test_where_there_are_none_it_says_so(self, rgb: UInt8Array) -> None:
        with pytest.raises(ScopeError, match="no evenly spaced lines are in view"):
            scale_of_lines(rgb, 10.0)
        with pytest.raises(ScopeError, match="no scale bar is in view"):
            scale_of_bar(rgb, 10.0)

    @pytest.mark.parametrize("colour", [(0, 0, 0), (10, 200, 20)], ids=["black", "green"])
    def test_a_bar_among_cells(self, colour: tuple[int, int, int]) -> None:
        rgb = CELLS.field(4)
        rgb[300:345, 330:470] = 210
        rgb[322:325, 350:450] = colour
        found = scale_of_bar(rgb, 20.0)
        assert found.um_per_px == pytest.approx(0.2, rel=0.02)

    def test_cells_are_as_wide_as_they_are_and_not_as_their_boxes(self) -> None:
        rgb = np.full((*SIZE[::-1], 3), 210, np.uint8)
        boxes = []
        for n in range(6):
            centre = (40 + 70 * n, 100)
            cv2.circle(rgb, centre, 20, (150, 110, 140), -1)
            boxes.append((centre[0] - 25, 75, 50, 50))
        widths = cell_widths(rgb, np.array(boxes, np.int32))
        assert len(widths) == 6
        assert np.median(widths) == pytest.approx(41, abs=1.5)

    def test_few_cells_are_no_scale(self) -> None:
        with pytest.raises(ScopeError, match="49 red cells are too few to estimate a scale from"):
            scale_of_cells([66.0] * 49)

    @pytest.mark.parametrize(
        ("bar", "good", "words"),
        [
            pytest.param(11.0, True, "The scale is measured.", id="as long as it says"),
            pytest.param(
                50.0, False, "By it red cells would be 33.0 µm wide, and they are about 7.5", id="a wrong label"
            ),
        ],
    )
    def test_a_bar_is_held_against_the_cells(self, bar: float, words: str, *, good: bool) -> None:
        at = SetUp(
            "b",
            CAMERA,
            SetUpPlan(bar_um=bar),
            start=Profile("b", CAMERA, unfinished=("scale",)),
            widths_of=lambda _: [66.0] * 60,
        )
        rgb = BENCH.field(1)
        rgb[322:325, 350:450] = 0
        for _ in range(3):
            view = at.see(Seen(rgb))
        assert view.good is good
        assert words in view.words


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ([1, 1.01, 1], True),
        ([1, 1.1], False),
        ([(1, 2), (1, 2.01)], True),
        ([(1, 2), (1, 2.5)], False),
        ([None, None], True),
        ([None, 1], False),
        ([(1, 2), 1], False),
    ],
)
def test_what_is_the_same(values: Sequence[object], *, same: bool) -> None:
    assert same_values(values) is same
