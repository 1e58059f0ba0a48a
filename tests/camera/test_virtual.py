"""The virtual microscope: views agree, the stage and the focus take their time, controls act on the picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from edge.camera.records import CameraSpec
from edge.camera.virtual.driver import FPS, VirtualMicroscope
from edge.camera.virtual.light import LATER, Settings, asked
from edge.camera.virtual.motion import Mover
from edge.camera.virtual.state import STATE
from edge.camera.virtual.world import EndlessSlide, index_of, slide_for
from edge.types import UInt8Array

SIZE = (320, 240)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Bench:
    """A virtual microscope whose time is pressed together."""

    def __init__(self, controls: Mapping[str, object] | None = None, /, **more: object) -> None:
        self.clock = Clock()
        self.driver = self.open(
            CameraSpec("simulated", size=SIZE, seed=1, controls={"hand": 0, **(controls or {}), **more})
        )

    def open(self, spec: CameraSpec) -> VirtualMicroscope:
        return VirtualMicroscope(spec, clock=self.clock, sleep=self.clock.sleep)

    def frame(self, count: int = 1) -> tuple[UInt8Array, dict[str, object]]:
        """The last of ``count`` frames."""
        for _ in range(count):
            picture, seen = self.driver.read()
        return picture, dict(seen)

    def after(self, seconds: float) -> tuple[UInt8Array, dict[str, object]]:
        self.clock.now += seconds
        return self.frame()


def fine(picture: UInt8Array) -> float:
    """How much fine structure there is, with the noise averaged out."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std())


class TestSlide:
    def test_two_views_that_overlap_agree_pixel_for_pixel(self) -> None:
        world = EndlessSlide(slide_for(5, *SIZE))
        first, second = world.cut(-200, -90, 300, 200), world.cut(-130, -40, 300, 200)
        assert np.array_equal(first[50:, 70:], second[:150, :230])
        assert first.std() > 5

    def test_a_view_is_the_same_whatever_was_seen_before(self) -> None:
        fresh, used = EndlessSlide(slide_for(5, *SIZE)), EndlessSlide(slide_for(5, *SIZE), kept_bytes=0)
        for left in range(-400, 400, 200):
            used.cut(left, 77, 100, 100)
        assert np.array_equal(fresh.cut(10, 20, 200, 150), used.cut(10, 20, 200, 150))

    def test_drawn_tiles_are_kept_within_their_bound(self) -> None:
        world = EndlessSlide(slide_for(5, *SIZE), kept_bytes=1_000_000)
        for left in range(0, 4000, 300):
            world.cut(left, 0, 100, 100)
        kept = sum(tile.light.nbytes for tile in world._tiles.values())
        assert 0 < kept <= 1_000_000

    def test_the_truth_of_two_halves_is_that_of_the_whole(self) -> None:
        world = EndlessSlide(slide_for(7, *SIZE))
        whole = world.truth(0, 0, 400, 300)
        halves = [world.truth(0, 0, 200, 300), world.truth(200, 0, 200, 300)]
        assert {name: sum(half.get(name, 0) for half in halves) for name in whole} == whole
        assert whole["red blood cell"] > 50

    def test_another_seed_is_another_slide(self) -> None:
        one, other = (EndlessSlide(slide_for(seed, *SIZE)).cut(0, 0, 200, 200) for seed in (1, 2))
        assert not np.array_equal(one, other)

    def test_every_place_of_the_grid_has_a_number_of_its_own(self) -> None:
        places = [(x, y) for x in range(-9, 10) for y in range(-9, 10)]
        numbers = {index_of(at, layer) for at in places for layer in range(3)}
        assert len(numbers) == 3 * len(places)
        assert min(numbers) == 0

    def test_the_slide_has_thick_and_empty_places_but_not_where_a_run_begins(self) -> None:
        world = EndlessSlide(slide_for(0, *SIZE))
        places = {place for x in range(-32, 32) for y in range(-32, 32) for place in world._places((x, y))}
        kinds = {place.thick for place in places}
        assert kinds == {True, False}
        assert all(not world._places((x, y)) for x in range(-8, 8) for y in range(-8, 8))
        for place in list(places)[:4]:
            at = (round(place.x) - 40, round(place.y) - 40, 80, 80)
            cells = world.truth(*at).get("red blood cell", 0)
            assert (cells > 8) if place.thick else (cells == 0), place


class TestMotion:
    def test_a_glide_ends_where_it_should_and_is_fastest_in_the_middle(self) -> None:
        stage = Mover((0.0, 0.0), speed=100.0, slowest=3.0)
        stage.go((100.0, 50.0), now=0.0)
        ways = [stage.velocity(t)[0] for t in (0.0, 0.3, stage.ends() / 2, stage.ends())]
        assert ways[0] == 0 < ways[1] < ways[2]
        assert ways[3] == 0
        assert stage.at(99.0) == (100.0, 50.0)

    def test_another_command_takes_over_where_the_stage_is(self) -> None:
        stage = Mover((0.0,), speed=100.0, slowest=3.0)
        stage.go((100.0,), now=0.0)
        half = stage.at(0.5)
        stage.go((0.0,), now=0.5)
        assert stage.at(0.5) == half
        assert stage.at(9.0) == (0.0,)

    def test_frames_come_at_their_rate_and_late_ones_are_not_made_up_for(self) -> None:
        bench = Bench()
        begin = bench.clock.now
        bench.frame(16)
        assert bench.clock.now - begin == pytest.approx(15 / FPS)
        bench.after(60)
        begin = bench.clock.now
        bench.frame(15)
        assert bench.clock.now - begin == pytest.approx(15 / FPS, abs=1 / FPS)


class TestPicture:
    def test_sharp_at_best_focus_blurred_beside_it_and_while_the_stage_moves(self) -> None:
        bench = Bench(focus=0)
        sharp = fine(bench.frame()[0])
        bench.driver.command("focus", {"z": 4.0})
        blurred = fine(bench.after(3)[0])
        bench.driver.command("focus", {"z": 0.0})
        bench.driver.command("set", {"exposure_us": 30_000})
        bench.after(3)
        bench.driver.command("move", {"x": 500, "y": 300})
        moving = fine(bench.after(0.4)[0])
        assert blurred < 0.5 * sharp
        assert moving < 0.8 * sharp

    def test_a_tilted_slide_must_be_refocused_after_a_long_way(self) -> None:
        driver = Bench().driver
        there = [driver.best_focus((x, y), 100.0) for x, y in ((0, 0), (1500, 0), (0, 1500), (1500, 1500))]
        assert there[0] == 0
        assert max(abs(z) for z in there) > 2

    def test_dust_stays_where_it_is_and_noise_is_new_in_every_frame(self) -> None:
        bench = Bench(focus=0)
        one, two = bench.frame()[0].astype(float), bench.frame()[0].astype(float)
        assert 0.5 < np.abs(one - two).mean() < 10
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.9
        assert not np.array_equal(one, two)

    @pytest.mark.parametrize(
        ("command", "values", "factor"),
        [
            ("lamp", {"level": 0.5}, 0.5),
            ("set", {"exposure_us": 4000.0}, 0.5),
            ("set", {"analogue_gain": 1.25}, 1.25),
            ("lamp", {"level": 0.0}, 0.0),
        ],
    )
    def test_lamp_and_controls_act_on_the_picture(self, command: str, values: dict[str, float], factor: float) -> None:
        bench = Bench()
        before = bench.frame()[0].mean()
        bench.driver.command(command, values)
        after = bench.frame(LATER + 1)[0].mean()
        assert after / before == pytest.approx(factor, abs=0.03)

    def test_a_setting_shows_later_and_each_frame_says_what_it_was_exposed_with(self) -> None:
        bench = Bench()
        bench.driver.command("set", {"exposure_us": 4001.0, "red_gain": 0.95})
        told = [bench.frame()[1] for _ in range(LATER + 1)]
        assert [seen["exposure_us"] for seen in told] == [8000.0] * LATER + [4000.0]
        assert told[-1]["colour_gains"] == (pytest.approx(0.953125), 1.6)

    def test_colour_gains_change_one_channel(self) -> None:
        bench = Bench()
        before = bench.frame()[0].mean((0, 1))
        bench.driver.command("set", {"colour_gains": "nonsense", "red_gain": 0.95})
        after = bench.frame(LATER + 1)[0].mean((0, 1))
        assert after[0] / before[0] == pytest.approx(0.5, abs=0.03)
        assert after[1:] / before[1:] == pytest.approx([1, 1], abs=0.02)

    @pytest.mark.parametrize("size", [(10, 10), (641, 481), (160, 120)])
    def test_frames_have_the_size_that_was_read_back(self, size: tuple[int, int]) -> None:
        driver = VirtualMicroscope(CameraSpec("simulated", size=size))
        picture, _ = driver.read()
        assert picture.shape == (driver.facts.size[1], driver.facts.size[0], 3)
        assert picture.flags.c_contiguous

    def test_facts_say_what_holds(self) -> None:
        bench = Bench(exposure_us=6007, analogue_gain=2, colour_gains=(2.0, 1.5))
        assert bench.driver.facts.held == {"exposure_us": 6000.0, "analogue_gain": 2.0, "colour_gains": (2.0, 1.5)}


class TestControls:
    @pytest.mark.parametrize("bad", ["", "inf", "nan", None, [], "1e400", (1,), float("nan")])
    def test_what_is_not_a_number_changes_nothing(self, bad: object) -> None:
        nonsense = {"exposure_us": bad, "analogue_gain": bad, "colour_gains": bad, "red_gain": bad}
        assert asked(Settings(), nonsense) == Settings()

    @pytest.mark.parametrize("name", ["move", "focus", "lamp", "hand", "set", "fly", ""])
    def test_commands_with_nonsense_are_ignored(self, name: str) -> None:
        bench = Bench()
        bench.driver.command(name, {"x": "here", "z": "nan", "level": "inf", "on": "", "quite": 3})
        assert bench.frame(3)[0].any()


class TestHand:
    def test_it_shows_a_new_sharp_and_still_view_every_few_seconds(self) -> None:
        bench = Bench(hand=1)
        places, still = set(), 0
        for _ in range(round(30 * FPS)):
            picture, seen = bench.frame()
            here = seen["virtual_stage"]
            still = still + 1 if here == place_before(seen, bench) else 0
            if still > FPS / 2 and abs(float(str(seen["virtual_z"])) - float(str(seen["virtual_best_z"]))) < 0.4:
                places.add(here)
        assert 5 <= len(places) <= 10
        assert picture.any()

    def test_a_person_takes_over_and_gives_back(self) -> None:
        bench = Bench(hand=1)
        bench.frame(5)
        bench.driver.command("move", {"x": 30.0, "y": 40.0})
        assert bench.after(5)[1]["virtual_stage"] == bench.after(20)[1]["virtual_stage"] == (30.0, 40.0)
        bench.driver.command("hand", {"on": 1})
        bench.frame()
        assert bench.after(20)[1]["virtual_stage"] != (30.0, 40.0)

    @pytest.mark.parametrize("pause", [0.0, 0.1, 3.0])
    def test_steps_add_up_however_quickly_they_come(self, pause: float) -> None:
        bench = Bench(focus=0)
        for values in ({"dx": 10.0}, {"dx": 10.0, "dy": -5.0}):
            bench.driver.command("move", values)
            bench.driver.command("focus", {"dz": 1.0})
            bench.clock.now += pause
        _, seen = bench.after(3)
        assert seen["virtual_stage"] == (20.0, -5.0)
        assert seen["virtual_z"] == 2.0


def place_before(seen: dict[str, object], bench: Bench) -> object:
    """Where the stage was a frame ago, by its own account."""
    x, y = bench.driver._stage.at(bench.clock.now)
    speed = bench.driver._stage.velocity(bench.clock.now)
    return (x, y) if speed == (0.0, 0.0) else (x - speed[0], y - speed[1])


class TestReopened:
    def test_the_bench_stays_as_it_is_when_the_camera_is_opened_again(self) -> None:
        bench = Bench(hand=1)
        bench.frame(40)
        bench.driver.command("lamp", {"level": 0.8})
        _, seen = bench.frame()
        again = bench.open(CameraSpec("simulated", size=SIZE, seed=1, controls={STATE: seen[STATE]}))
        _, then = again.read()
        assert then[STATE] == pytest.approx(seen[STATE], abs=1e-6)

    @pytest.mark.parametrize("state", [None, 3, {}, {"x": "far"}, []])
    def test_a_state_of_somebody_else_is_a_new_bench(self, state: object) -> None:
        bench = Bench({STATE: state})
        assert bench.frame()[1]["virtual_stage"] == (0.0, 0.0)
