"""The next steps of a set-up: flat field and dust from fields that the stage moved between, the scale, and the focus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from edge.errors import ScopeError
from edge.gate import measure
from edge.pixels import Pyramid
from edge.scope import scale as scales
from edge.scope.check import SeenFrame
from edge.scope.dust import dust_of, fields_for_dust
from edge.scope.flat import EMPTY, FEWEST_MOVED, flat_field, same_view, unfit_for_flat
from edge.scope.light import glance_level, middle_light, paper_of
from edge.scope.profile import PixelScale, Profile
from edge.scope.set_up_records import SetUpPlan, SetUpStep, SetUpView, sentence
from edge.types import UInt8Array

WANTED_EMPTY = 8
"""Empty fields that a flat field is made from."""

_PX = 640  # longer side of the fields that are kept
_FOCUSED = 0.9  # of the best sharpness seen
_PASSED = 0.75  # of the best: to either side of it the focus was lost again
_SHORTEST = 8  # frames of focusing
_STAYS, _NO_BETTER = 5, 0.97  # frames in a row that are as sharp as the best; share of their best that there was before
_MOST_WIDTHS = 4000  # of red cells that are kept: who waits at this step fills no memory
_AGREEING = 3  # measurements of a scale that have to agree


class _FieldsStep:
    """Takes fields that the stage moved between, made smaller.

    Args:
        plan: of the set-up.
        fields: taken so far; the steps share them.
    """

    step: SetUpStep

    def __init__(self, plan: SetUpPlan, fields: list[UInt8Array]) -> None:
        self._fields = fields
        self._most = plan.fields or 0
        self._seen = 0

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at a frame, and take it where it shows another place."""
        self._seen += 1
        if self._wanted() > len(self._fields) or not self._fields:
            return self._new(frame)
        return self._said("Enough fields are taken.", good=True)

    def _new(self, frame: SeenFrame) -> SetUpView:
        small = _small(frame.rgb)
        fill = measure(small).fill
        measured = (("not paper", f"{fill * 100:.0f} %"),)
        if why := unfit_for_flat(frame.rgb):
            return self._said(sentence(why), measured)
        if self._fields and fill > EMPTY and same_view(small, self._fields[-1]):
            return self._said("Move the stage: this place was taken.", measured, moves=True)
        self._fields.append(small)
        have, want = len(self._fields), self._wanted()
        if have < want:
            return self._said(f"{have} of {want} fields taken: move the stage a little.", measured, moves=True)
        return self._said("Enough fields are taken.", measured, good=True)

    def _said(
        self, words: str, measured: tuple[tuple[str, str], ...] = (), *, good: bool = False, moves: bool = False
    ) -> SetUpView:
        return SetUpView(self.step, words, measured, good, len(self._fields), self._wanted(), moves=moves)

    def _fill(self) -> float:
        fills = sorted(measure(one).fill for one in self._fields)
        return fills[len(fills) // 2] if fills else 0.0

    def _wanted(self) -> int:
        """Fields that are needed, or as many as there are to see."""
        needed = WANTED_EMPTY if self._fill() <= EMPTY else self._moved()
        return needed if self._seen >= self._most else max(needed, self._most)

    def _moved(self) -> int:
        return FEWEST_MOVED


class FlatStep(_FieldsStep):
    """The flat field; with it the light is measured anew."""

    step = SetUpStep.FLAT

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put it into the profile; returns what there is to say too. Raises ScopeError."""
        flat = flat_field(self._fields)
        height, width = self._fields[0].shape[:2]
        level = glance_level((width, height))
        gains = flat.gains((width >> level, height >> level))
        paper = middle_light([paper_of(one, gains) for one in self._fields])
        light = None if made.light is None else replace(made.light, paper=paper, fields=len(self._fields))
        kind = "fields with cells" if flat.moved else "empty fields"
        words = f"{flat.fields} {kind}: the paper differed by {flat.uneven * 100:.1f} % over the field, "
        words += f"and differs by {flat.residual * 100:.1f} % on fields that were not used for it"
        return replace(made, flat=flat, light=light), words


class DustStep(_FieldsStep):
    """The dust map."""

    step = SetUpStep.DUST

    def _moved(self) -> int:
        return max(FEWEST_MOVED, fields_for_dust(self._fields))

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put it into the profile; returns what there is to say too. Raises ScopeError."""
        gains_at = None if made.flat is None else made.flat.gains
        dust = dust_of(self._fields, gains_at, moved=self._fill() > EMPTY)
        deep = sum(speck.deep for speck in dust)
        words = (
            f"{len(dust)} specks of dust: {len(dust) - deep} are corrected, cells at the {deep} deep ones are set aside"
        )
        return replace(made, dust=dust), words if dust else "no dust that matters"


class ScaleStep:
    """µm per pixel by what the plan says; three frames have to agree.

    Args:
        plan: of the set-up.
        widths_of: widths in pixels of the red cells of a field; None: nobody can say.
    """

    step = SetUpStep.SCALE

    def __init__(self, plan: SetUpPlan, widths_of: Callable[[UInt8Array], Sequence[float]] | None) -> None:
        self._plan = plan
        self._widths_of = widths_of
        self._scales: list[PixelScale] = []
        self._widths: list[float] = []

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at a frame."""
        if self._widths_of is not None:
            self._widths = [*self._widths, *self._widths_of(frame.rgb)][-_MOST_WIDTHS:]
        try:
            self._scales.append(self._measured(frame.rgb))
        except ScopeError as error:
            return SetUpView(self.step, sentence(str(error)), want=_AGREEING, moves=self._plan.division_um is None)
        found, agree = self._found()
        width = float(np.median(self._widths)) if len(self._widths) >= scales.FEWEST_CELLS else None
        doubt = scales.doubt_of_scale(found, width)
        words = "The scale is measured." if agree else "Wait: the scale is measured once more."
        if doubt:
            words, agree = sentence(doubt), False
        have = min(len(self._scales), _AGREEING)
        return SetUpView(self.step, words, (("scale", found.words()),), agree, have, _AGREEING)

    def _measured(self, rgb: UInt8Array) -> PixelScale:
        if self._plan.division_um is not None:
            return scales.scale_of_lines(rgb, self._plan.division_um)
        if self._plan.bar_um is not None:
            return scales.scale_of_bar(rgb, self._plan.bar_um)
        return scales.scale_of_cells(self._widths)

    def _found(self) -> tuple[PixelScale, bool]:
        """The middle of the last ones, and whether they agree."""
        last = self._scales[-_AGREEING:]
        middle = float(np.median([one.um_per_px for one in last]))
        agree = len(last) == _AGREEING and all(abs(one.um_per_px / middle - 1) <= scales.AGREE for one in last)
        return replace(last[-1], um_per_px=middle), agree

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put it into the profile; returns what there is to say too."""
        found, _ = self._found()
        return replace(made, scale=found), found.words()


class FocusStep:
    """The sharpest picture: the focus has to pass it, and to come back."""

    step = SetUpStep.FOCUS

    def __init__(self, plan: SetUpPlan) -> None:
        self._live = plan.live
        self._seen: list[float] = []

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at a frame."""
        seen = self._seen
        seen.append(measure(frame.rgb).sharpness)
        best, now = max(seen), seen[-1]
        passed = _passed(seen, best)
        # It stays sharp and is no longer getting sharper: else the focus is still being turned, perhaps towards the peak.
        last, before = seen[-_STAYS:], seen[:-_STAYS]
        stays = min(last) >= _FOCUSED * best and max(before, default=0.0) >= _NO_BETTER * max(last)
        good = len(seen) >= _SHORTEST and best > 0 and (not self._live or (passed and stays))
        words = "Turn the focus slowly to and fro, past the sharpest picture."
        if passed:
            words = "Turn back: it was sharper."
        if good or (passed and now >= _FOCUSED * best):
            words = "In focus." if good else "In focus: leave it so."
        return SetUpView(
            self.step,
            words,
            (("sharpness", f"{now:.3f}, best {best:.3f}"),),
            good,
            min(len(seen), _SHORTEST),
            _SHORTEST,
        )

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put the best sharpness into the profile; returns what there is to say too."""
        best = max(self._seen)
        return replace(made, sharpness=round(best, 6)), f"best sharpness {best:.3f}"


def _passed(seen: Sequence[float], best: float) -> bool:
    """Whether the focus came from a blurred picture to the sharpest one, and went on to a blurred one again."""
    wanted = iter((False, True, False))  # blurred, sharp, blurred, in this order
    sharp = next(wanted)
    for one in seen:
        if (one >= _FOCUSED * best) if sharp else (one < _PASSED * best):
            following = next(wanted, None)
            if following is None:
                return True
            sharp = following
    return False


def _small(rgb: UInt8Array) -> UInt8Array:
    number = 0
    while max(rgb.shape[:2]) >> number > _PX:
        number += 1
    return Pyramid(rgb).level(number).copy()
