"""Which camera is opened: those that answer are tried in order, and what was tried is said in one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import NamedTuple

from edge.camera import nodes, usb
from edge.camera.driver import CameraDriver
from edge.camera.faults import Faulty
from edge.camera.pi import PiCamera, pi_cameras
from edge.camera.records import CameraSpec
from edge.camera.virtual.driver import VirtualMicroscope
from edge.errors import CameraError

STAND_IN = "EDGE_CAMERA_STAND_IN"
"""``module:function``, called in the camera process before a camera is looked for: how tests put drivers there that misbehave."""


class _Attempt(NamedTuple):
    name: str
    open: Callable[[], CameraDriver]


def open_driver(spec: CameraSpec, model: str, step: usb.Step, *, faults: bool = False) -> CameraDriver:
    """Open the camera that is asked for.

    Args:
        spec: what is asked for.
        model: of the camera that a run began with; another one is passed over. Empty: any.
        step: called after each step.
        faults: let it be told to misbehave (``edge.camera.faults``); a simulated camera always can.

    Raises:
        CameraError: none answers; one line says what was tried and what to do.
    """
    if place := os.environ.get(STAND_IN):
        module, _, name = place.partition(":")
        getattr(import_module(module), name)()
    tried: list[str] = []
    for attempt in _attempts(spec, step):
        step()
        try:
            driver = attempt.open()
        except CameraError as error:
            tried.append(str(error))
            continue
        except Exception as error:  # noqa: BLE001 - drivers raise anything; all of it means the same to the user
            tried.append(f"{attempt.name}: {first_line(error)}")
            continue
        if model and driver.facts.model != model:
            tried.append(f"{driver.facts.name} is another one ({driver.facts.model}, not {model})")
            driver.release()
            continue
        return Faulty(driver) if faults or spec.kind == "simulated" else driver
    if spec.kind == "simulated":
        raise CameraError("; ".join(tried))
    raise CameraError(
        f"no camera answers: {'; '.join(tried)}. Check the cable and that no other program holds the camera"
    )


def first_line(error: BaseException) -> str:
    """The first line of what went wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _attempts(spec: CameraSpec, step: usb.Step) -> Iterator[_Attempt]:
    if spec.kind == "simulated":
        yield _Attempt("simulated camera", partial(VirtualMicroscope, spec))
        return
    if spec.kind in ("auto", "pi") and isinstance(spec.device, int):
        yield _Attempt("Pi camera", partial(_pi, spec.device, spec, step))
    if spec.kind in ("auto", "usb"):
        found = [spec.device] if isinstance(spec.device, str) else nodes.video_nodes()[spec.device :]
        if not found:
            yield _Attempt("USB camera", _no_usb)
        for node in found:
            yield _Attempt(f"USB camera {node}", partial(usb.UsbCamera, node, spec, step))


def _pi(number: int, spec: CameraSpec, step: usb.Step) -> CameraDriver:
    found = pi_cameras()
    if number >= len(found):
        raise CameraError(f"Pi camera: {len(found)} connected" if found else "Pi camera: none is connected")
    return PiCamera(found[number], spec, step)


def _no_usb() -> CameraDriver:
    raise CameraError("USB camera: none is plugged in (no /dev/video* that is a camera)")
