"""The virtual microscope as a camera driver of kind ``simulated``; its commands are in docs/virtual.md."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import hypot, pi, sin
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.camera.records import CameraFacts, CameraSpec
from edge.camera.virtual.hand import Hand
from edge.camera.virtual.light import Sensor, lamp_light
from edge.camera.virtual.motion import Mover
from edge.camera.virtual.optics import NOISE_PLACES, Optics
from edge.camera.virtual.state import STATE, BenchState, state_of
from edge.camera.virtual.world import EndlessSlide, slide_for

FORMAT: Final = "BGR888"
"""libcamera's name of red, green, blue in memory."""

FPS: Final = 15.0
"""Frames per second, less where the exposure takes longer."""

_SMALLEST: Final = (160, 120)  # pixels: width, height
_LARGEST: Final = (4056, 3040)  # pixels: width, height
_STAGE_UM_S: Final = 500.0  # µm per second
_FOCUS_UM_S: Final = 8.0  # µm per second
_SLOWEST: Final = 3.0  # seconds of the longest glide
_BLUR_PER_UM: Final = 1.7  # pixels of blur at 66-pixel cells per µm out of focus
_BLUR_STEP: Final = 0.05  # pixels: a smaller change is not drawn anew
_TILT: Final = (0.002, 0.004)  # µm per µm: a field of 145 µm is 0.3 to 0.6 µm higher at one side
_FIRST_Z: Final = 3.0  # µm from the best focus at the start


class VirtualMicroscope:
    """A ``CameraDriver``. Time is the caller's: ``clock`` gives seconds, ``sleep`` waits for some.

    Attributes:
        world: the slide.
    """

    def __init__(
        self,
        spec: CameraSpec,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        width, height = (
            min(max(n, low), high) & ~1 for n, low, high in zip(spec.size, _SMALLEST, _LARGEST, strict=True)
        )
        slide = slide_for(spec.seed, width, height)
        self._slide = slide
        self.world = EndlessSlide(slide)
        self._optics = Optics(slide)
        self._sensor = Sensor(spec.controls)
        self._chance = np.random.default_rng()
        self._noise_at = (0, 0)
        tilt = np.random.default_rng([spec.seed, _TILT_STREAM])
        turn, steep = tilt.uniform(0, 2 * pi), tilt.uniform(*_TILT)
        self._tilt = (float(steep * np.cos(turn)), float(steep * np.sin(turn)))
        now = clock()
        state = state_of(spec.controls) or self._first_state(spec.controls, now)
        self._lit, self._lamp, self._hand_on = state.lit, state.lamp, state.hand
        self._stage = Mover((state.x, state.y), _STAGE_UM_S, _SLOWEST)
        self._focus = Mover((state.z,), _FOCUS_UM_S, _SLOWEST)
        self._hand = Hand(slide, (0.0, 0.0), state.step, _finite(spec.controls.get("hand_pace")) or 1.0)
        self._due = now
        self._seen: tuple[tuple[object, ...], NDArray[Any]] | None = None
        self._truth: tuple[tuple[int, int], Mapping[str, int]] | None = None

    @property
    def facts(self) -> CameraFacts:
        """Settings are read back as they hold now."""
        return CameraFacts(
            name="virtual microscope",
            model=f"slide {self._slide.seed}",
            size=(self._slide.width, self._slide.height),
            format=FORMAT,
            mode=f"{self._slide.width}x{self._slide.height}",
            held=self._sensor.now.plain(),
        )

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        """The next frame, uint8 [H, W, 3] RGB, once it is due."""
        settings = self._sensor.next_frame()
        interval = max(1 / FPS, settings.exposure_us / 1e6)
        now = self._clock()
        if now < self._due:
            self._prepare()
            self._sleep(max(0.0, self._due - self._clock()))
            now = self._clock()
        self._due = (self._due if now - self._due < interval else now) + interval
        if self._hand_on:
            self._hand.act(now, self._stage, self._focus, lambda at: self.best_focus(at, now))
        x, y = self._stage.at(now)
        z = self._focus.at(now)[0]
        corner = (
            round(x / self.world.um_per_px) - self._slide.width // 2,
            round(y / self.world.um_per_px) - self._slide.height // 2,
        )
        seen = self._look(corner, self._blur(z - self.best_focus((x, y), now)), self._way(now, settings.exposure_us))
        picture = self._optics.expose(
            seen,
            lamp_light(self._lamp, now - self._lit) * settings.level,
            settings.factors,
            settings.gain,
            self._next_noise(),
        )
        metadata: dict[str, object] = {
            **settings.plain(),
            "virtual_stage": (x, y),
            "virtual_z": z,
            "virtual_best_z": self.best_focus((x, y), now),
            "virtual_corner": corner,
            "truth": self._true_counts(corner),
            STATE: self.state(now).plain(),
        }
        return picture, metadata

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """``move``, ``focus``, ``lamp``, ``hand``, ``set``; see docs/virtual.md. What cannot be read as a number is ignored."""
        now = self._clock()
        numbers = {key: number for key, value in values.items() if (number := _finite(value)) is not None}
        if name == "move":
            # Steps add up: three of them at once are three steps, not what was left of the first.
            (x, y) = self._stage.goal() if not self._hand_on else self._stage.at(now)
            self._hand_on = False
            self._stage.go(
                (numbers.get("x", x) + numbers.get("dx", 0.0), numbers.get("y", y) + numbers.get("dy", 0.0)), now
            )
        elif name == "focus":
            (z,) = self._focus.goal() if not self._hand_on else self._focus.at(now)
            self._hand_on = False
            self._focus.go((numbers.get("z", z) + numbers.get("dz", 0.0),), now)
        elif name == "lamp":
            self._lamp = min(max(next(iter(numbers.values()), self._lamp), 0.0), 2.0)
        elif name == "hand":
            self._hand_on = bool(numbers.get("on", 1.0))
        elif name == "set":
            self._sensor.set(values)

    def release(self) -> None:
        """Nothing is held open."""

    def state(self, now: float) -> BenchState:
        """What stays when the camera is closed."""
        x, y = self._stage.at(now)
        # A view that the hand has not finished with is begun again.
        step = self._hand.step - (self._hand_on and (self._stage.busy(now) or self._focus.busy(now)))
        return BenchState(self._lit, x, y, self._focus.at(now)[0], self._lamp, step, self._hand_on)

    def best_focus(self, at: tuple[float, ...], now: float) -> float:
        """The z in µm at which the place x, y (µm) is sharpest: the slide is tilted and not quite flat, and the stand creeps."""
        x, y = at
        flat = x * self._tilt[0] + y * self._tilt[1] + 0.3 * sin(x / 700) + 0.3 * sin(y / 500)
        since = now - self._lit
        return flat + 0.35 * sin(2 * pi * since / 900) + 3.0 * sin(2 * pi * since / 40_000)

    @staticmethod
    def _first_state(controls: Mapping[str, object], now: float) -> BenchState:
        # At the origin and at the beginning the best focus is at 0.
        z = _finite(controls.get("focus"))
        return BenchState(now, 0.0, 0.0, _FIRST_Z if z is None else z, hand=bool(_finite(controls.get("hand", 1.0))))

    def _blur(self, away: float) -> float:
        """Blur of the lens in pixels at ``away`` µm out of focus."""
        blur = hypot(self._optics.softness, away * _BLUR_PER_UM * self._slide.cell_px / 66.0)
        return round(blur / _BLUR_STEP) * _BLUR_STEP

    def _way(self, now: float, exposure_us: float) -> tuple[float, float]:
        """Way of the picture during the exposure in whole pixels."""
        vx, vy = self._stage.velocity(now)
        scale = exposure_us / 1e6 / self.world.um_per_px
        return float(round(vx * scale)), float(round(vy * scale))

    def _look(self, corner: tuple[int, int], blur: float, way: tuple[float, float]) -> NDArray[Any]:
        key = (corner, blur, way)
        if self._seen is None or self._seen[0] != key:
            pad = self._optics.pad
            light = self.world.cut(
                corner[0] - pad, corner[1] - pad, self._slide.width + 2 * pad, self._slide.height + 2 * pad
            )
            self._seen = (key, self._optics.see(light, blur, way))
        return self._seen[1]

    def _true_counts(self, corner: tuple[int, int]) -> Mapping[str, int]:
        if self._truth is None or self._truth[0] != corner:
            self._truth = (corner, self.world.truth(*corner, self._slide.width, self._slide.height))
        return self._truth[1]

    def _next_noise(self) -> tuple[int, int]:
        """Where the noise of this frame begins: never where that of the last one did."""
        step = self._chance.integers(1, NOISE_PLACES, 2)
        x, y = (int(old + new) % NOISE_PLACES for old, new in zip(self._noise_at, step.tolist(), strict=True))
        self._noise_at = (x, y)
        return self._noise_at

    def _prepare(self) -> None:
        """Use the time until the next frame to draw a tile that the hand will move to."""
        if self._hand_on:
            x, y = (round(n / self.world.um_per_px) for n in self._hand.place(self._hand.step + 1))
            width, height = self._slide.width, self._slide.height
            self.world.prepare(x - width // 2, y - height // 2, width, height)


_TILT_STREAM: Final = 42
"""How the slide lies on the stage."""


def _finite(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e9 else None
