"""The process that counts for a page: the camera stays open, models are loaded once, samples come one after the other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from edge.camera.records import Camera, CameraSpec, Frame
from edge.cli.run_settings import RunSettings
from edge.control.board import StatusBoard
from edge.control.looking import Looker
from edge.control.page_end import PageEnd
from edge.control.records import Command, CommandRefusedError, Quit
from edge.control.taking import Taker
from edge.control.views import Eye
from edge.door import stop_on_signals
from edge.errors import CameraError
from edge.status import RunState, View


def camera_spec(settings: RunSettings) -> CameraSpec:
    """The camera that the settings ask for."""
    source = settings.input
    kind = "simulated" if source.device == "simulated" else "auto"
    device = int(source.device) if source.device.isdecimal() else source.device
    return CameraSpec(kind, device, source.size_px, settings.fields.depth, seed=source.seed)


def open_camera_of(spec: CameraSpec) -> Camera:
    """Open the camera in a process of its own; raises CameraError."""
    raise CameraError(f"{spec.kind} camera {spec.device}: the camera process is not part of this version yet")


def run_engine(settings: RunSettings, link: int, opened: Callable[[CameraSpec], Camera]) -> int:
    """Serve the page at this file descriptor until it goes or says so; returns the exit code.

    Args:
        settings: of all samples.
        link: one end of a socket pair.
        opened: opens the camera.
    """
    ended = threading.Event()
    camera = opened(camera_spec(settings))
    board = StatusBoard(camera.name)
    eye, taker = Eye(), Taker()

    def see(frame: Frame) -> None:
        seen = eye.see(frame.rgb, frame.at)
        decision, quality = taker.see(seen, frame.at, ready=False), seen.quality
        view = View(
            frame.number, quality.sharpness, decision.best, decision.needed, seen.moved, decision.still,
            quality.brightness, quality.over, quality.under, seen.histogram,
        )  # fmt: skip
        board.change(state=RunState.IDLE, view=view)

    def order(command: Command) -> None:
        if not isinstance(command, Quit):
            raise CommandRefusedError("this version of the engine takes no samples yet")
        ended.set()

    looker = Looker(camera, board, see)
    page = PageEnd(socket.socket(fileno=link), board, order, ended.set, lambda: getattr(camera, "preview_memory", ""))
    looker.start()
    try:
        with stop_on_signals(ended.set):
            ended.wait()
    finally:
        looker.close()
        page.close()
        camera.close()
    return 0
