"""When a field is taken: once it is new, still and sharp. A pure state machine: measures and a time go in, a decision comes out.

* **New**: at least half of it was not shown by the field taken last, or that field did not count and this is sharper.
* **Still**: the view moves so slowly that nothing is blurred by it.
* **Sharp**: as sharp as the sample usually is, near the best that this view has shown, and not getting sharper any more. A view that
  stays less sharp for some seconds is taken as soon as the gate would let it count; one that stays worse is taken once, so that the
  gate may judge it and learn (another objective).

What the sample usually is, the gate says: the same gate, fed with the same fields in the same order as the session's.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from edge.control.views import Seen
from edge.gate import OVER_EXPOSED, Gate
from edge.status import Hint, RunState
from edge.types import Quality


@dataclass(frozen=True, slots=True)
class TakingLimits:
    """Thresholds of taking.

    Attributes:
        new: share of the view that the field taken last did not show.
        speed: field widths per second from which on a view moves: 1 pixel in 1,280 within an exposure of 20 ms.
        still_s: seconds that a view must have stood still.
        sharp: share of the sample's usual sharpness at which a view is taken at once.
        peak: share of the best sharpness of this view, below which focus has been passed.
        risen: a view gets sharper when it is sharper by this share than it ever was.
        quiet_s: seconds in which it must not have got sharper; ``first_s``: the same while the sample's usual sharpness is not known.
        settle_s: seconds after which a still view is taken that is less sharp than usual, or than it was, but would count.
        give_up_s: seconds after which a still view is taken that would not count.
        better: how many times sharper the view must be than the field taken of it that did not count.
        thick: share of the field that is not background, from which on it is too thick.
        few: share of the usual filled share, below which a view has too few cells.
        usual_of: fields that count before the filled share is compared.
    """

    new: float = 0.5
    speed: float = 0.04
    still_s: float = 0.15
    sharp: float = 0.8
    peak: float = 0.92
    risen: float = 0.03
    quiet_s: float = 0.2
    first_s: float = 0.6
    settle_s: float = 2.0
    give_up_s: float = 15.0
    better: float = 1.2
    thick: float = 0.85
    few: float = 0.15
    usual_of: int = 5


WITHOUT_REGISTER = TakingLimits(new=0.9)
"""Where nobody sets aside what two fields show, they must not overlap; a smaller overlap is not noticed (``edge.control.views``)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a view.

    Attributes:
        take: whether this very frame is taken as a field.
        state: ``WAITING`` or ``FOCUSING``.
        hint: what a person should do; ``words``: the same in a sentence with what was measured.
        best: the highest sharpness of this view since the stage last moved; ``needed``: from which on it is taken.
        still: whether the stage stands still.
    """

    take: bool
    state: RunState
    hint: Hint
    words: str
    best: float
    needed: float | None
    still: bool


class Taker:
    """Decides for one sample, frame after frame. The same measures at the same times give the same decisions.

    Args:
        limits: thresholds.
        interval: seconds from one field to the next: fields are taken by time, whatever is seen; None: as the module says.
    """

    def __init__(self, limits: TakingLimits | None = None, interval: float | None = None) -> None:
        self._limits = limits or TakingLimits()
        self._interval = interval
        self._gate = Gate(registered=True)
        self._fills: deque[float] = deque(maxlen=self._gate.limits.memory)
        self._due = float("-inf")
        self._moved_at: float | None = None  # when it was last seen to move
        self._best = 0.0
        self._risen_at = 0.0
        self._taken_sharpness = 0.0
        self._left_out: float | None = None
        self._forced = False

    def take_now(self) -> None:
        """Take the next frame, whatever is seen."""
        self._forced = True

    def judged(self, quality: Quality, reason: str | None, *, newest: bool = True) -> None:
        """A field was decided. Call it in field order.

        Args:
            quality: its measures.
            reason: why it does not count; None: it does.
            newest: whether it is the field taken last.
        """
        self._gate.judge(quality)
        if reason is None:
            self._fills.append(quality.fill)
        if newest:
            self._left_out = None if reason is None else self._taken_sharpness

    def see(self, seen: Seen, at: float, *, ready: bool) -> Decision:
        """Decide about a frame.

        Args:
            seen: what was measured of it.
            at: when it was taken, in seconds of one clock.
            ready: whether a field can be taken now.
        """
        still = self._follow(seen, at)
        state, hint, words, wanted = self._judge(seen, at, still=still)
        if self._interval is not None:
            wanted = at >= self._due
        take = ready and (wanted or self._forced)
        if take:
            self._forced = False
            self._due = at + (self._interval or 0.0)
            self._taken_sharpness, self._left_out = seen.quality.sharpness, None
        return Decision(take, state, hint, words, self._best, self._wanted, still)

    @property
    def _wanted(self) -> float:
        """Sharpness at which a view is taken at once."""
        usual = self._gate.usual
        return self._gate.needed if usual is None else max(self._gate.needed, self._limits.sharp * usual)

    def _follow(self, seen: Seen, at: float) -> bool:
        """Note how the view moves and gets sharper; returns whether it stands still.

        A view that moves has no best: smeared along one direction it may measure sharper than it is.
        """
        if seen.speed is None or seen.speed >= self._limits.speed or self._moved_at is None:
            self._moved_at = at
        still = at - self._moved_at >= self._limits.still_s
        if still and seen.quality.sharpness > self._best * (1 + self._limits.risen):
            self._risen_at = at
        self._best = max(self._best, seen.quality.sharpness) if still else 0.0
        return still

    def _judge(self, seen: Seen, at: float, *, still: bool) -> tuple[RunState, Hint, str, bool]:
        """State, hint, its words, and whether the view is to be taken."""
        for hint, words in self._obstacles(seen, still=still):
            return RunState.WAITING, hint, words, False
        return self._focus(seen.quality, at, still=still)

    def _obstacles(self, seen: Seen, *, still: bool) -> Iterator[tuple[Hint, str]]:
        """What keeps the view from being taken whatever its focus, the gravest first: a hint and its words."""
        limits, quality = self._limits, seen.quality
        light = self._gate.light(quality)
        if light is not None:
            bright = light == OVER_EXPOSED
            yield Hint.TOO_BRIGHT if bright else Hint.TOO_DARK, f"brightness {quality.brightness:.0f} of 255"
        if quality.fill < self._gate.limits.fill:
            yield Hint.TOO_FEW_CELLS, "nothing is in view, or it is far out of focus"
        if seen.new < limits.new and not self._sharper(quality):
            yield Hint.MOVE_STAGE, f"{seen.new:.0%} of this view is new, {limits.new:.0%} is needed"
        if not still and quality.sharpness >= self._gate.limits.hopeless:
            yield Hint.HOLD_STILL, "the view moves"
        if quality.fill > limits.thick:
            yield Hint.TOO_THICK, f"{quality.fill:.0%} of the view is covered"
        if len(self._fills) >= limits.usual_of:
            usual = statistics.median(self._fills)
            if quality.fill < limits.few * usual:
                yield Hint.TOO_FEW_CELLS, f"{quality.fill:.1%} of the view is covered, usually {usual:.0%}"

    def _sharper(self, quality: Quality) -> bool:
        """Whether the field taken of this view did not count, and it is clearly sharper now."""
        return self._left_out is not None and quality.sharpness >= self._limits.better * self._left_out

    def _focus(self, quality: Quality, at: float, *, still: bool) -> tuple[RunState, Hint, str, bool]:
        limits, sharpness, wanted = self._limits, quality.sharpness, self._wanted
        here = f"sharpness {sharpness:.2f}, {wanted:.2f} is needed"
        if not still:
            return RunState.FOCUSING, Hint.REFOCUS, here, False
        near = sharpness >= limits.peak * self._best
        if not near:
            here += f"; the best of this view was {self._best:.2f}"
        stays = at - self._risen_at
        if sharpness >= wanted and near:
            enough = limits.first_s if self._gate.usual is None else limits.quiet_s
            return RunState.FOCUSING, Hint.HOLD_STILL, here, stays >= enough
        enough = limits.settle_s if sharpness >= self._gate.needed else limits.give_up_s
        return RunState.FOCUSING, Hint.REFOCUS, here, stays >= enough
