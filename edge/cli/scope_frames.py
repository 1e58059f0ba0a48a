"""Frames for a set-up or a check: of a camera, of the virtual microscope, or of a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge.camera.link import CameraLink, open_camera
from edge.camera.records import Camera, CameraFacts, CameraSpec
from edge.cli.scope_settings import ScopeCameraSettings
from edge.errors import CameraError, NoInputError, UnreadableFieldError
from edge.gate import measure
from edge.scope.check import SeenFrame
from edge.scope.profile import FILES, Profile, ScopeCamera
from edge.scope.set_up import SetUp
from edge.scope.set_up_records import SetUpStep
from edge.sources.files import FileSource

_TAKE_S = 1.0  # seconds that a frame is waited for
_OPEN_S = 60.0  # seconds that a camera may take to open and settle
_SWEEP_UM, _SWEEP_STEP_UM = 12.0, 0.75
"""How far, and in what steps, the virtual microscope's focus is turned to either side."""

_STEP_UM = (170.0, 130.0)
"""µm across and down that the stage is moved from field to field: more than a field is large."""

_COLUMNS = 4
"""Fields in a row before the stage goes down and back: it stays near, where the slide is in focus."""

_NEAR_UM = 0.1  # of where the focus was sent
_MOST_FILES = 120  # images of a folder that are looked at


class Frames(Protocol):
    """Where frames come from."""

    live: bool
    """Whether it is a camera."""

    camera: ScopeCamera
    """As it was read back."""

    not_held: tuple[str, ...]
    """Names of settings that its driver cannot set or does not hold."""

    patience: int
    """Frames without progress after which a step is given up where nobody sits at the screen; of a folder all there are."""

    def next(self, set_up: SetUp | None = None) -> SeenFrame | None:
        """The next frame; None: none came just now. ``set_up`` says what is being done, for a microscope that moves by itself."""
        ...

    def words(self) -> str:
        """What is wrong with the camera, one line; empty: nothing."""
        ...

    def close(self) -> None:
        """Give the camera back."""
        ...


def open_frames(wanted: ScopeCameraSettings, profile: Profile | None = None) -> Frames:
    """Open what is asked for, with the settings of a profile where one is given; raises CameraError or NoInputError."""
    if wanted.fields is not None:
        return FolderFrames(wanted.fields)
    device = int(wanted.device) if wanted.device.isdecimal() else wanted.device
    kind = "simulated" if wanted.simulate else "auto"
    spec = CameraSpec(kind, 0 if wanted.simulate else device, wanted.size_px, seed=wanted.seed)
    if profile is not None:
        spec = CameraSpec(
            kind, spec.device, profile.camera.size, controls=profile.held.controls, mode="", seed=wanted.seed
        )
    link = _opened(spec)
    try:
        return (SimulatedFrames if wanted.simulate else CameraFrames)(link, kind)
    except BaseException:
        link.close()
        raise


def _opened(spec: CameraSpec) -> CameraLink:
    link = open_camera(spec)
    try:
        link.wait_ready(_OPEN_S)
    except BaseException:
        link.close()
        raise
    return link


class CameraFrames:
    """Frames of the camera process.

    Args:
        link: open; closed with this.
        asked: the kind that was asked for.

    Raises:
        CameraError: it does not say what it is.
    """

    live = True
    patience = 300

    def __init__(self, link: Camera, asked: str) -> None:
        self.link = link
        self._last = -1
        facts = link.facts
        if facts is None:
            raise CameraError(f"{link.name} does not say what it is: unplug it, plug it in, and try again")
        self.camera = scope_camera(asked, facts)
        self.not_held = facts.not_held

    def next(self, set_up: SetUp | None = None) -> SeenFrame | None:
        """The newest frame that was not had yet."""
        del set_up
        frame = self.link.take(after=self._last, timeout=_TAKE_S)
        if frame is not None:
            self._last = frame.number
        return frame

    def words(self) -> str:
        """What the watchdog says."""
        return str(getattr(self.link, "words", ""))

    def close(self) -> None:
        """Give the camera back."""
        self.link.close()


def scope_camera(asked: str, facts: CameraFacts) -> ScopeCamera:
    """A profile's camera from what was read back; ``asked`` is the kind that was asked for."""
    kind = asked if asked != "auto" else "usb" if facts.name.startswith("USB") else "pi"
    return ScopeCamera(kind, facts.model, facts.size, facts.mode, facts.format)


class SimulatedFrames(CameraFrames):
    """The virtual microscope, whose stage and focus are turned as the set-up asks for."""

    patience = 600

    def __init__(self, link: Camera, asked: str) -> None:
        super().__init__(link, asked)
        self.link.command("hand", on=0)
        self._taken = -1
        self._ways: list[float] = []
        self._seen: list[tuple[float, float]] = []

    def next(self, set_up: SetUp | None = None) -> SeenFrame | None:
        """The newest frame; before it the stage is moved, or the focus turned."""
        frame = super().next()
        if frame is None or set_up is None:
            return frame
        if set_up.view.moves and set_up.view.have != self._taken:
            self._taken = set_up.view.have
            turn, place = divmod(self._taken, _COLUMNS)
            across, down = (0.0, _STEP_UM[1]) if place == 0 else (_STEP_UM[0] * (-1) ** turn, 0.0)
            self.link.command("move", dx=across, dy=down)
        if set_up.step is SetUpStep.FOCUS:
            self._turn(frame)
        return frame

    def _turn(self, frame: SeenFrame) -> None:
        """To one side, to the other, and back to where it was sharpest."""
        z = frame.metadata.get("virtual_z")
        if not isinstance(z, int | float):
            return
        self._seen.append((measure(frame.rgb).sharpness, float(z)))
        if not self._ways:
            steps = int(2 * _SWEEP_UM / _SWEEP_STEP_UM) + 1
            self._ways = [z - _SWEEP_UM + n * _SWEEP_STEP_UM for n in range(steps)]
            self.link.command("focus", z=self._ways[0])
        elif abs(z - self._ways[0]) <= _NEAR_UM:
            if len(self._ways) > 1:
                self._ways.pop(0)
            else:
                self._ways = [max(self._seen)[1]]
            self.link.command("focus", z=self._ways[0])


class FolderFrames:
    """The images of a folder, in order, again and again; those that cannot be read are passed over.

    Args:
        folder: of images of one microscope.
    """

    live = False
    not_held: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        source = FileSource([str(folder)])
        step = max(1, (source.total or 1) // _MOST_FILES)
        self._shots = tuple(source)[::step]
        self._at = 0
        first: SeenFrame | None = None
        for _ in self._shots:
            first = self.next()
            if first is not None:
                break
        if first is None:
            raise NoInputError(f"{folder}: none of its images can be read")
        self._at = 0
        self.patience = len(self._shots)
        self.camera = ScopeCamera(FILES, "", (first.rgb.shape[1], first.rgb.shape[0]))

    def next(self, set_up: SetUp | None = None) -> SeenFrame | None:
        """The next image."""
        del set_up
        shot = self._shots[self._at % len(self._shots)]
        self._at += 1
        try:
            return shot.load()
        except UnreadableFieldError:
            return None

    def words(self) -> str:
        """Nothing is wrong with a folder."""
        return ""

    def close(self) -> None:
        """Nothing is held open."""
