"""The steps of a set-up, as a machine without camera, clock or screen: frames in; what to do next, what was measured, is it good out.

Terminal and page show ``SetUpView``; a person, or the program where nobody sits at it, answers with ``accept`` or ``skip``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from edge.errors import ScopeError
from edge.scope.check import SeenFrame
from edge.scope.profile import HeldSettings, Profile, ScopeCamera
from edge.scope.set_up_fields import DustStep, FlatStep, FocusStep, ScaleStep
from edge.scope.set_up_light import BalanceStep, LightStep
from edge.scope.set_up_records import ASKS, NEEDED, SetUpPlan, SetUpStep, SetUpView
from edge.types import UInt8Array


class _Step(Protocol):
    """One step at work."""

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at a frame."""
        ...

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put what was measured into the profile; returns what there is to say too. Raises ScopeError."""
        ...


class SetUp:
    """One set-up. ``see`` a frame, look at the view, ``accept`` or ``skip``; ``profile`` is what it came to, whole or not.

    Args:
        name: of the microscope.
        camera: as it was read back; ``not_held``: names of settings that its driver cannot set or does not hold.
        plan: what is asked.
        start: an unfinished profile of this microscope to go on with; None: begin with the first step.
        widths_of: widths in pixels of the red cells of a field; None: nobody can say.
    """

    def __init__(
        self,
        name: str,
        camera: ScopeCamera,
        plan: SetUpPlan,
        *,
        not_held: Sequence[str] = (),
        start: Profile | None = None,
        widths_of: Callable[[UInt8Array], Sequence[float]] | None = None,
    ) -> None:
        self._plan = plan
        self._widths_of = widths_of
        self._fields: list[UInt8Array] = []
        self._todo = [one for one in SetUpStep if start is None or one in start.unfinished]
        made = start or Profile(name, camera, HeldSettings(not_held=tuple(not_held)))
        objective, operator = plan.objective or made.objective, plan.operator or made.operator
        self._made = replace(made, objective=objective, operator=operator)
        self.notes: list[str] = []
        """What there is to say of steps that are done, a line each."""
        self._begin()

    @property
    def view(self) -> SetUpView:
        """How it stands."""
        return self._view

    @property
    def step(self) -> SetUpStep | None:
        """The step that is being done; None: all are done."""
        return self._todo[0] if self._todo else None

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at one frame, uint8 [H, W, 3] as it came, for the step that is being done."""
        if self._at_work is not None:
            self._view = self._at_work.see(frame)
        return self._view

    def accept(self) -> SetUpView:
        """Finish the step where it is good. If that fails, the view says why, and the step begins anew."""
        if self._at_work is None or not self._view.good:
            return self._view
        try:
            self._made, words = self._at_work.finish(self._made)
        except ScopeError as error:
            self._fields = []
            self._begin()
            self._view = replace(self._view, words=str(error))
            return self._view
        if words:
            self.notes.append(f"{self.step}: {words}")
        return self._next()

    def again(self) -> SetUpView:
        """Begin the step anew; fields that it shares with the step before it are taken anew too."""
        self._fields = []
        self._begin()
        return self._view

    def skip(self) -> SetUpView:
        """Leave the step out; raises ScopeError for one that the profile needs."""
        if self.step in NEEDED:
            raise ScopeError(f"the step {self.step} cannot be left out: {self._view.words}")
        if self.step is not None:
            self.notes.append(f"{self.step}: left out")
        return self._next()

    def profile(self, date: str, made_by: str) -> Profile:
        """The profile as far as it came; ``unfinished`` names what is still to be done."""
        return replace(self._made, date=date, made_by=made_by, unfinished=tuple(map(str, self._todo)))

    def _next(self) -> SetUpView:
        self._todo = self._todo[1:]
        self._begin()
        return self._view

    def _begin(self) -> None:
        """Begin the step that is due."""
        step = self.step
        self._at_work = None if step is None else self._step(step)
        self._view = SetUpView(step, "The profile is complete." if step is None else ASKS[step])

    def _step(self, step: SetUpStep) -> _Step:
        match step:
            case SetUpStep.LIGHT:
                return LightStep(self._plan)
            case SetUpStep.BALANCE:
                return BalanceStep(self._plan)
            case SetUpStep.FLAT:
                return FlatStep(self._plan, self._fields)
            case SetUpStep.DUST:
                return DustStep(self._plan, self._fields)
            case SetUpStep.SCALE:
                return ScaleStep(self._plan, self._widths_of)
            case SetUpStep.FOCUS:
                return FocusStep(self._plan)
