"""What passes between the camera process, who looks after it, and who uses its frames: frozen, typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from edge.types import UInt8Array


class CameraState(StrEnum):
    """How it stands with a camera."""

    OPENING = "opening"
    """For the first time, or again after it was lost."""
    RUNNING = "running"
    """Frames come, and they look like pictures of a field."""
    LOST = "lost"
    """It was killed or has died; it is opened again after a pause that grows."""
    CLOSED = "closed"
    """For good."""


class CameraTrouble(StrEnum):
    """What is wrong with a camera. ``CameraEvent.words`` says it to a person."""

    CANNOT_OPEN = "cannot be opened"
    NOT_ANSWERING = "does not answer"
    DIED = "its driver ended the camera process"
    NO_FRAMES = "gives no frames"
    WRONG_SIZE = "gives frames of another size"
    WRONG_FORMAT = "gives frames of another format"
    TORN = "gives torn frames"
    BLACK = "gives black frames"
    ONE_COLOUR = "gives frames of one colour"
    FROZEN = "gives the same frame again and again"
    NOISE = "gives nothing but noise"
    NOT_HELD = "does not hold exposure or white balance"
    """The only one with which frames go on: nothing is lost, and nothing says that it is back."""


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """The camera that is asked for.

    Attributes:
        kind: ``auto`` (a Pi camera where there is one, else USB), ``pi``, ``usb`` or ``simulated``.
        device: which of the cameras found, from 0, or a node like ``/dev/video2``.
        size: width and height in pixels asked of the driver, which gives the nearest it can.
        depth: bits that count of 16-bit frames; None for what the driver says.
        controls: values to set and hold, of a microscope's profile: ``exposure_us``, ``analogue_gain``, ``colour_gains`` (red,
            blue; USB cameras have ``white_balance_k`` instead), ``focus``; what is not given settles by itself and is then held.
        mode: sensor mode as ``CameraFacts.mode`` names it; empty: the driver chooses.
        preview_px: longest side of the preview in pixels.
        seed: of the virtual microscope.
    """

    kind: str = "auto"
    device: int | str = 0
    size: tuple[int, int] = (1280, 960)
    depth: int | None = None
    controls: Mapping[str, object] = field(default_factory=dict)
    mode: str = ""
    preview_px: int = 640
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame, full size.

    Attributes:
        rgb: uint8 [H, W, 3], red first; memory of its own, which nobody writes to again.
        number: place among all frames of the camera, from 0; it grows over re-openings too.
        captured: when it was taken, seconds since the epoch.
        at: the same by the monotonic clock.
        metadata: what the driver says of this very frame: ``exposure_us``, ``analogue_gain``, ``colour_gains``, ...
    """

    rgb: UInt8Array
    number: int
    captured: float
    at: float
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """A small picture of the newest frame for a page: ``jpeg`` of ``width`` by ``height`` pixels, made by the camera process."""

    number: int
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """The camera was lost, or is back.

    Attributes:
        number: of the event, from 0.
        at: by the monotonic clock.
        trouble: what is wrong; None: it is back.
        words: one plain line for a person, with the camera's name.
        seconds: of a camera that is back, for how long no frame was to be had.
    """

    number: int
    at: float
    trouble: CameraTrouble | None
    words: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LostFrames:
    """A stretch of a sample without the camera, which takes the place of a field: ``words`` say why and for how long, in one line."""

    words: str


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What is known of a camera that is open, read back from it and never assumed.

    Attributes:
        name: for a person: ``USB camera /dev/video0``.
        model: as the driver names it; empty: it does not say.
        size: width and height of its frames in pixels.
        format: of its frames as they come: ``BGR888``, ``NV12``, ``YUYV``, ``MJPG``, ``Y16``, ...
        mode: sensor mode, ``4056x3040-12`` (bits) of a Pi camera, ``MJPG`` of a USB camera; empty: not known.
        held: which of ``CameraSpec.controls`` (or of what settled) hold, by name, with the value read back.
        not_held: names of those that do not, or that the driver cannot set.
    """

    name: str
    model: str
    size: tuple[int, int]
    format: str
    mode: str = ""
    held: Mapping[str, object] = field(default_factory=dict)
    not_held: tuple[str, ...] = ()


class Camera(Protocol):
    """A camera as its users see it. ``edge.camera.link.CameraLink`` is the real one; every method may be called in any thread."""

    name: str

    @property
    def state(self) -> CameraState:
        """How it stands."""
        ...

    @property
    def facts(self) -> CameraFacts | None:
        """What was read back when it was opened; None: it never was."""
        ...

    def take(self, *, after: int = -1, timeout: float = 1.0) -> Frame | None:
        """The newest sound frame whose number is above ``after``; None: none came within ``timeout`` seconds.

        Frames that no driver can have meant (wrong size, torn, black, frozen, ...) are never handed out. Raises CameraError once the
        camera is closed.
        """
        ...

    def preview(self, *, after: int = -1) -> Preview | None:
        """The newest preview whose number is above ``after``; None: there is none yet. Never waits."""
        ...

    def events(self, *, after: int = -1) -> tuple[CameraEvent, ...]:
        """What happened after the event of this number, oldest first. At least the last 100 are kept."""
        ...

    def command(self, name: str, **values: float | str) -> None:
        """Ask something of the driver, as far as it can: ``set`` (controls by name), and of the virtual microscope ``move`` (x, y in
        µm), ``focus`` (z in µm), ``lamp`` (0 to 2, 1 as made), ``hand`` (on: 0 or 1), ``fault`` (kind: see
        ``edge.camera.faults.Fault``; seconds). Unknown ones are ignored.
        """
        ...

    def close(self) -> None:
        """Give the camera back. Safe to call twice; never blocks longer than a few seconds."""
        ...
