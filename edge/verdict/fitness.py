"""Whether a sample looks like what a model or a calibration was made for. Where it does not, its counts are no evidence.

A model's card carries, per measure of ``edge.appearance``, the range that its own material keeps to. A calibration carries
what each of its blanks looked like; the range is theirs, widened by what slides of one microscope differ by (``SLACK``, printed
by ``python -m models appearance``).

A median confidence is compared with a model only where there are enough cells: its whole interval has to lie outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.types import SampleAppearance

Range = tuple[float | None, float | None]
"""Lowest and highest value; None: no bound on that side."""

FEWEST = 20
"""Cells from which a sample's looks can be told."""

GREYEST = 0.02
"""Below this share of hue in the contrast a picture is grey, whatever a card says of its model's material."""

LOG_SLACK = {"density": 0.7, "size": 0.2, "light": 0.25, "sharpness": 0.4, "colour": 0.5}
"""How far beyond the blanks' range a sample may lie at least, in natural logarithms: 0.2 is a factor of 1.22."""

SLACK = {"red": 0.5, "blue": 0.5, "warm": 0.08, "cool": 0.08}
"""The same for measures that are logarithms already."""

_LEAST = 1e-3  # measures below it count as it: a logarithm needs a floor
_NAMES = {
    "colour": "hue in the picture",
    "density": "how dark the cells are",
    "red": "red in the cells' stain",
    "blue": "blue in the cells' stain",
    "size": "width of a cell in pixels",
    "light": "brightness of the background",
    "warm": "red in the background",
    "cool": "blue in the background",
    "sharpness": "sharpness",
    "confidence": "how sure the finder is of its cells",
}
_CELLS_NEEDED = frozenset({"density", "red", "blue", "size", "confidence"})


@dataclass(frozen=True, slots=True)
class ReferenceRanges:
    """What something was made for.

    Attributes:
        what: the model or the calibration, in words that can begin a sentence.
        ranges: per measure of ``edge.appearance``.
        model: whether it is a model: blanks that were grey give a colour model no leave to judge grey pictures.
    """

    what: str
    ranges: Mapping[str, Range]
    model: bool = True


@dataclass(frozen=True, slots=True)
class Fitness:
    """Holds samples against what models and calibration were made for. Call it with a sample's appearance.

    Attributes:
        made: every model and calibration that says what it was made for.
        colour: whether the classifier takes colour pictures.
        tiles: tiles of a grid are counted, which are no cells: only the fields' hue is looked at.
    """

    made: tuple[ReferenceRanges, ...]
    colour: bool = True
    tiles: bool = False

    def __call__(self, seen: SampleAppearance) -> tuple[str, ...]:
        """Why this sample cannot be judged, a sentence each; empty where it can be judged."""
        if not seen.fields:
            return ()
        if seen.values.get("colour", math.inf) < GREYEST and (what := self._colour_only()):
            # one reason is enough: the others follow from it
            return (f"The fields are grey, and {what} was made for colour pictures: it cannot judge them.",)
        out = []
        if not self.tiles and seen.cells < FEWEST and any(made.ranges.keys() & _CELLS_NEEDED for made in self.made):
            cells = f"{seen.cells} cell{'s' * (seen.cells != 1)}"
            out.append(f"Only {cells} counted: too few to tell whether these fields are what the model was made for.")
        for made in self.made:
            out += [
                text for name, allowed in made.ranges.items() if (text := self._doubt(made.what, name, allowed, seen))
            ]
        return tuple(out)

    def _colour_only(self) -> str:
        """What was made for colour pictures and for no grey ones; empty: nothing was."""
        lows = {made.what: made.ranges["colour"][0] or 0.0 for made in self.made if "colour" in made.ranges}
        if self.colour and not any(made.model and made.what in lows for made in self.made):
            return "the model"
        return next((what for what, low in lows.items() if low >= GREYEST), "")

    def _doubt(self, what: str, name: str, allowed: Range, seen: SampleAppearance) -> str:
        value = seen.values.get(name)
        if value is None or (self.tiles and name != "colour") or (name in _CELLS_NEEDED and seen.cells < FEWEST):
            return ""
        low, high = allowed
        least, most = value, value
        if name == "confidence" and seen.confidence:
            least, most = seen.confidence
        if (low is None or most >= low) and (high is None or least <= high):
            return ""
        return f"{_NAMES[name].capitalize()}: {_number(value)} here, and {what} was made for {_words(low, high)}."


def range_of(name: str, values: Sequence[float]) -> Range:
    """The range of what n known slides of a microscope show, widened for the next slide of it.

    Of slides that are alike the next one lies outside the range of n others ``2 / (n + 1)`` of the times, so the range is
    widened by ``2 / n`` of itself, and by the slack at least.
    """
    logs = name in LOG_SLACK
    ends = [min(values), max(values)]
    low, high = (math.log(max(end, _LEAST)) for end in ends) if logs else ends
    more = max(LOG_SLACK[name] if logs else SLACK[name], 2 / len(values) * (high - low))
    if not logs:
        return low - more, high + more
    return 0.0 if ends[0] <= _LEAST else math.exp(low - more), math.exp(high + more)


def ranges_of(looks: Sequence[Mapping[str, float]]) -> dict[str, Range]:
    """The ranges of a calibration's blanks; measures that not every blank has are left out."""
    names = [name for name in (*LOG_SLACK, *SLACK) if looks and all(name in look for look in looks)]
    return {name: range_of(name, [look[name] for look in looks]) for name in names}


def _words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{_number(high)} or less"
    if high is None:
        return f"{_number(low)} or more"
    return f"{_number(low)} to {_number(high)}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"
