"""What stays on the bench when a camera process ends: the stage does not move because a program died.

A frame's metadata holds it under ``STATE``; whoever opens the camera again hands it back in ``CameraSpec.controls``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

STATE: Final = "virtual_state"
"""Name in a frame's metadata and in ``CameraSpec.controls``."""


@dataclass(frozen=True, slots=True)
class BenchState:
    """The microscope without its camera.

    Attributes:
        lit: when the lamp was switched on, by the clock of the driver.
        x: of the stage in µm; ``y`` too.
        z: of the focus in µm.
        lamp: its level.
        step: view that the hand is at; ``hand``: whether it works.
    """

    lit: float
    x: float
    y: float
    z: float
    lamp: float = 1.0
    step: int = 0
    hand: bool = True

    def plain(self) -> dict[str, float]:
        """The same as numbers by name, as JSON keeps them."""
        return {
            "lit": self.lit,
            "x": self.x,
            "y": self.y,
            "z": self.z,
            "lamp": self.lamp,
            "step": self.step,
            "hand": float(self.hand),
        }


def state_of(controls: Mapping[str, object]) -> BenchState | None:
    """The state that ``controls`` bring along; None: none, or not one of ours."""
    plain = controls.get(STATE)
    if not isinstance(plain, Mapping):
        return None
    try:
        numbers = {str(name): float(value) for name, value in plain.items()}
        return BenchState(
            lit=numbers["lit"],
            x=numbers["x"],
            y=numbers["y"],
            z=numbers["z"],
            lamp=numbers["lamp"],
            step=int(numbers["step"]),
            hand=bool(numbers["hand"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
