"""The work of ``edge scope set-up``: frames into the machine, what it says onto the screen, the profile into its file."""

from __future__ import annotations

import edge.sources.decode  # noqa: F401 - first of all, for it sets limits that OpenCV reads on import

# isort: split
import select
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from edge import installed_version
from edge.cli.pipeline import finder_maker
from edge.cli.scope_frames import Frames, open_frames
from edge.cli.scope_settings import ScopeCameraSettings, SetUpSettings
from edge.cli.scope_words import profile_lines
from edge.cli.settings import NetSettings
from edge.door import StoppedError, quiet_native_stderr, say
from edge.errors import ScopeError
from edge.finders import Finder
from edge.lines import print_json, print_lines
from edge.pixels import Pyramid
from edge.scope.file import facts as settled_facts
from edge.scope.file import read_settled
from edge.scope.profile import FILES, Profile, path_of
from edge.scope.profile_file import find_profile, profile_facts, write_profile
from edge.scope.scale import cell_widths
from edge.scope.set_up import SetUp
from edge.scope.set_up_records import NEEDED, SetUpPlan, SetUpStep, SetUpView
from edge.types import UInt8Array

PROGRAM = "edge scope set-up"
"""Name that its lines begin with."""

_MORE = 8  # frames: what a step needs in a row is seen once more
_HELP = "Enter takes what is measured, s and Enter leaves a step out, Ctrl-C ends and keeps what is done."


def set_up(camera: ScopeCameraSettings, wanted: SetUpSettings) -> None:
    """Set a microscope up, and write its profile; raises EdgeError. What is done when it is stopped is kept."""
    path = path_of(wanted.name)
    start = _start(wanted)
    settled = None if wanted.settled is None else settled_facts(read_settled(wanted.settled))
    if start is not None and not start.unfinished:
        _keep(replace(start, settled=settled), wanted)  # nothing else was asked for
        return
    frames = open_frames(camera, start)
    try:
        if start is not None and start.camera.kind != frames.camera.kind:
            raise ScopeError(
                f"{wanted.name} was begun with another camera ({start.camera.kind}, here {frames.camera.kind}): "
                "give the same, or --again"
            )
        machine = SetUp(
            wanted.name,
            frames.camera,
            _plan(wanted, frames),
            not_held=frames.not_held,
            start=start,
            widths_of=CellWidths(),
        )
        for words in _cannot_hold(frames):
            say(f"note: {words}", PROGRAM)
        try:
            _Terminal(machine, frames, wanted).run()
        except (KeyboardInterrupt, StoppedError):
            made = _dated(machine, settled)
            if len(made.unfinished) == len(SetUpStep):
                raise StoppedError("nothing is written: the first step was not done") from None
            write_profile(made, path)
            left = ", ".join(made.unfinished)
            raise StoppedError(f"kept in {path}; still to do: {left}. The same command goes on") from None
    finally:
        frames.close()
    _keep(_dated(machine, settled), wanted)


def _start(wanted: SetUpSettings) -> Profile | None:
    """An earlier profile to go on with; raises ScopeError where a whole one would be overwritten unasked."""
    if wanted.again:
        return None
    found = find_profile(wanted.name)
    if found is None or found.unfinished or wanted.settled is not None:
        return found
    raise ScopeError(f"there is a profile of {wanted.name}, of {found.date[:10]}: --again sets it up anew")


def _plan(wanted: SetUpSettings, frames: Frames) -> SetUpPlan:
    light, colour = wanted.allowed
    fields = None if frames.live else frames.patience
    return SetUpPlan(
        wanted.division,
        wanted.bar,
        wanted.objective or "",
        wanted.operator or "",
        light,
        colour,
        fields,
        live=frames.live,
    )


def _cannot_hold(frames: Frames) -> list[str]:
    if frames.camera.kind == FILES or not frames.not_held:
        return []
    return [f"this camera's driver cannot hold {', '.join(frames.not_held)}: light is checked by the picture alone"]


def _dated(machine: SetUp, settled: object) -> Profile:
    made = profile_of(machine)
    return replace(made, settled=settled) if isinstance(settled, dict) else made


def profile_of(machine: SetUp) -> Profile:
    """What a set-up came to, dated now."""
    return machine.profile(datetime.now(UTC).isoformat(timespec="seconds"), f"edge-microscopy {installed_version()}")


def _keep(profile: Profile, wanted: SetUpSettings) -> None:
    path = path_of(wanted.name)
    write_profile(profile, path)
    if wanted.json:
        print_json(profile_facts(profile))
    else:
        print_lines([*profile_lines(profile), f"written     {path}"])


class CellWidths:
    """Widths of red cells, by the finder that counts them; it is loaded when it is first asked."""

    def __init__(self) -> None:
        self._finder: Finder | None = None

    def __call__(self, rgb: UInt8Array) -> Sequence[float]:
        """The widths in pixels of the red cells of a field, uint8 [H, W, 3]."""
        if self._finder is None:
            with quiet_native_stderr():
                self._finder = finder_maker(NetSettings())()
        cells = self._finder.find(Pyramid(rgb))
        return cell_widths(rgb, cells.boxes[cells.kind == 0])


@dataclass(slots=True)
class _Progress:
    """What was said last, and for how many frames nothing has changed."""

    words: str = ""
    have: int = -1
    still: int = 0

    def look(self, view: SetUpView) -> None:
        changed = view.have > self.have
        self.still = 0 if changed else self.still + 1
        self.have = max(self.have, view.have)


class _Terminal:
    """Shows the steps on stderr, and takes what a person answers."""

    def __init__(self, machine: SetUp, frames: Frames, wanted: SetUpSettings) -> None:
        self._machine = machine
        self._frames = frames
        self._skip = _steps(wanted.skip)
        self._asked: Callable[[], str | None] = _answer if sys.stdin.isatty() and not wanted.yes else lambda: None
        self._alone = wanted.yes or not sys.stdin.isatty()
        self._notes = 0

    def run(self) -> None:
        """Until all steps are done; raises ScopeError where nobody sits here and a step that is needed cannot be done."""
        if not self._alone:
            say(_HELP, PROGRAM)
        while (step := self._machine.step) is not None:
            if step in self._skip:
                self._machine.skip()
                continue
            say(f"{list(SetUpStep).index(step) + 1} of {len(SetUpStep)}, {step}: {self._machine.view.words}", PROGRAM)
            self._one(step)
            for note in self._machine.notes[self._notes :]:
                say(note, PROGRAM)
            self._notes = len(self._machine.notes)

    def _one(self, step: SetUpStep) -> None:
        progress, trouble = _Progress(), ""
        while self._machine.step is step:
            frame = self._frames.next(self._machine)
            words = self._frames.words()
            if words and words != trouble:
                say(words, PROGRAM)
            trouble = words
            if frame is not None:
                view = self._machine.see(frame)
                progress.look(view)
                self._show(progress, view)
            else:
                progress.still += 1
            if self._alone:
                self._decide(step, progress)
            elif (answer := self._asked()) is not None:
                self._take(answer)

    def _show(self, progress: _Progress, view: SetUpView) -> None:
        measured = "; ".join(f"{name} {value}" for name, value in view.measured)
        line = f"  {view.words} ({measured})" if measured else f"  {view.words}"
        if view.words != progress.words and not (self._alone and view.have < view.want and view.moves):
            say(line, PROGRAM)
        progress.words = view.words

    def _decide(self, step: SetUpStep, progress: _Progress) -> None:
        """Nobody sits here: accept what is good, and leave out what cannot be done."""
        if self._machine.view.good:
            before = self._machine.view
            after = self._machine.accept()
            if after.step is step and after is not before:
                raise ScopeError(f"{step}: {after.words}")
        elif progress.still > self._frames.patience + _MORE:
            words = self._frames.words() or self._machine.view.words
            if step in NEEDED or step is SetUpStep.FLAT:
                raise ScopeError(f"{step}: {words}")
            say(f"note: {step} is left out: {words}", PROGRAM)
            self._machine.skip()

    def _take(self, answer: str) -> None:
        if answer.strip().lower().startswith("s"):
            try:
                self._machine.skip()
            except ScopeError as error:
                say(str(error), PROGRAM)
        elif not self._machine.view.good:
            say(f"not yet: {self._machine.view.words}", PROGRAM)
        else:
            step = self._machine.step
            view = self._machine.accept()
            if view.step is step:
                say(view.words, PROGRAM)


def _steps(words: Sequence[str]) -> frozenset[SetUpStep]:
    """Steps by their names; raises ScopeError for one that there is not, or that is needed."""
    names = {str(step).replace(" ", "-"): step for step in SetUpStep if step not in NEEDED}
    for word in words:
        if word not in names:
            raise ScopeError(f"--skip {word}: there is no such step to leave out; there are {', '.join(names)}")
    return frozenset(names[word] for word in words)


def _answer() -> str | None:
    """A line that a person has typed; None: none. At the end of input the program is stopped."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    if not ready:
        return None
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line
