"""Which way to 32 x 32 is taken, and in which order others follow where the gate refuses it. The cells that choose settle both.

Ways are made cheapest first, and only as far as they are needed: the first one that is as good as the float net by the cells that
choose (``convert.classify.passing``) ends the making. A student that loses one point is so not taken where an enlarged crop loses
nothing. A way that takes minutes to make and that few cells cannot show to be as good, as a student, comes after the others: it is
made only where these are worse, or the gate refuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from convert.child import Progress
from convert.classify import candidate
from convert.classify.candidate import Candidate, QuantizePlan
from convert.classify.passing import NO_GATE, as_good, worse
from convert.classify.ways import Way
from convert.errors import UnsupportedError
from edge.macs import macs
from edge.types import FloatArray

USUAL_LIMIT = 0.5
"""Points of accuracy that a cheaper way may cost where the gate is off; the gate's own limit where it is on."""


@dataclass(frozen=True, slots=True)
class WayOption:
    """A way that applies and is not made yet.

    Attributes:
        name: of the way.
        macs: what it will cost on the device, multiply-accumulates per cell.
        ways: makes it ready to convert: one way, or several of the same kind (students of several widths).
        last: it is made only where all others are worse or refused.
    """

    name: str
    macs: int
    ways: Callable[[], Sequence[Way]]
    last: bool = False


class WayChoice:
    """The ways, made when they are needed.

    Args:
        options: the ways that apply.
        plan: what they share.
        progress: told of every step of the making.
        plan_of: the plan for one way, on the same cells cut as it takes them; None: the same for all.

    Attributes:
        one_way_asked: there is no other way to fall back to.
        made: all that were made so far.
        notes: why others could not be.
    """

    def __init__(
        self,
        options: Sequence[WayOption],
        plan: QuantizePlan,
        progress: Progress,
        plan_of: Callable[[Way], QuantizePlan] | None = None,
    ) -> None:
        self._options = sorted(options, key=lambda one: (one.last, one.macs))
        if plan.scores is None:  # nothing can be checked: the ways that keep the net's function come first
            self._options.sort(key=lambda one: one.name not in ("native", "upscale"))
        self.one_way_asked = len(options) == 1
        self._waiting: list[Way] = []
        self._making_late = False  # those that wait come last
        self._plan, self._progress, self._plan_of = plan, progress, plan_of or (lambda _way: plan)
        self._limit = plan.limit if plan.limit < NO_GATE else USUAL_LIMIT
        self.made: list[Candidate] = []
        self.notes: list[str] = []

    @property
    def possible(self) -> int:
        """How many ways there are: those made, and those that could be."""
        return len(self.made) + len(self._waiting) + len(self._options)

    def in_order(self) -> Iterator[Candidate]:
        """The way to take, then those to fall back to; the cells that choose find none worse but perhaps the first.

        Raises:
            UnsupportedError: none could be made.
        """
        given: list[Candidate] = []
        while True:
            left = [one for one in self.made if one not in given]
            good = [one for one in left if self.chosen(one)]
            hopeful = self._late and any(not self._worse(one) for one in left)
            if not good and not hopeful and self._make_next():
                continue
            if not self.made:
                raise UnsupportedError("; ".join(self.notes))
            if not good:
                left = [one for one in left if not given or not self._worse(one)]
                best = max(left, key=lambda one: one.accuracy or 0, default=None)
                good = [one for one in left if best is one or (best and self._as_good(best.scores, one))]
            if not good:
                return
            given.append(min(good, key=lambda one: macs(one.float_file)))
            yield given[-1]

    def chosen(self, one: Candidate) -> bool:
        """Whether it is as good as the float net, by the cells that choose."""
        return self._as_good(self._plan.scores, one)

    def _as_good(self, than: FloatArray | None, one: Candidate) -> bool:
        plan = self._plan
        return than is None or one.scores is None or as_good(than, one.scores, plan.choose, plan.card, self._limit)

    def _worse(self, one: Candidate) -> bool:
        """Whether the cells that choose show that it loses more than the limit."""
        plan = self._plan
        if plan.scores is None or one.scores is None:
            return False
        return worse(plan.scores, one.scores, plan.choose, plan.card, self._limit)

    @property
    def _late(self) -> bool:
        """Whether what would be made next comes last for want of cells."""
        return self._making_late if self._waiting else bool(self._options) and self._options[0].last

    def _make_next(self) -> bool:
        """Make the next way; whether there was one, made or failed."""
        if not self._waiting and not self._options:
            return False
        name = self._waiting[0].name if self._waiting else self._options[0].name
        try:
            if not self._waiting:
                option = self._options.pop(0)
                self._making_late = option.last
                self._waiting = list(option.ways())
            else:
                way = self._waiting.pop(0)
                self.made.append(candidate.make(way, self._plan_of(way), self._progress))
        except UnsupportedError as error:
            self.notes.append(f"{name} failed: {error}")
        return True
