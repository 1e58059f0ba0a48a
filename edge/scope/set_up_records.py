"""What passes between a set-up and who shows it: steps, what is asked, how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.scope.profile import COLOUR_ALLOWED, LIGHT_ALLOWED


class SetUpStep(StrEnum):
    """The steps, in their order."""

    LIGHT = "light"
    BALANCE = "white balance"
    FLAT = "flat field"
    DUST = "dust"
    FOCUS = "focus"
    SCALE = "scale"
    """After the focus: a blurred cell or bar is wider than a sharp one."""


NEEDED = frozenset({SetUpStep.LIGHT, SetUpStep.BALANCE})
"""Steps that cannot be skipped."""


@dataclass(frozen=True, slots=True)
class SetUpPlan:
    """What is asked of a set-up.

    Attributes:
        division_um: distance of a stage micrometer's lines; None: there is none.
        bar_um: length of a bar in the picture; None likewise. Without both the scale is estimated from red cells.
        objective, operator: as a person writes them.
        light_allowed, colour_allowed: shares that light and colour may differ by later.
        fields: that are taken for flat field and dust where there are so many; None: no more than are needed.
        live: a camera is looked through; False: image files, which nobody can light or focus any more.
    """

    division_um: float | None = None
    bar_um: float | None = None
    objective: str = ""
    operator: str = ""
    light_allowed: float = LIGHT_ALLOWED
    colour_allowed: float = COLOUR_ALLOWED
    fields: int | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class SetUpView:
    """How a set-up stands.

    Attributes:
        step: that is being done; None: all are done.
        words: what a person should do now, one sentence.
        measured: what was measured in this step so far: what, and its value in words.
        good: whether the step can be accepted.
        have, want: fields or frames taken in this step, and how many it needs.
        moves: the step waits for another place of the slide.
    """

    step: SetUpStep | None
    words: str
    measured: tuple[tuple[str, str], ...] = ()
    good: bool = False
    have: int = 0
    want: int = 0
    moves: bool = False


ASKS: Mapping[SetUpStep, str] = {
    SetUpStep.LIGHT: "Bring a place with much paper into view, and turn the lamp until it is bright and not saturated.",
    SetUpStep.BALANCE: "Leave it as it is: white balance is read back until it holds.",
    SetUpStep.FLAT: "Move to an empty place of the slide; or move the stage from field to field.",
    SetUpStep.DUST: "Move the stage from field to field, so that dust in the light path stays and the slide does not.",
    SetUpStep.SCALE: "Bring what the scale is measured by into view: stage micrometer, bar, or a field with red cells.",
    SetUpStep.FOCUS: "Bring a field with cells into view, and turn the focus slowly to and fro.",
}
"""What a person is asked to do when a step begins."""


def sentence(words: str) -> str:
    """The words as a sentence."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '?')) else '.'}"
