"""The list of checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import shelf
from edge.health.cameras import CameraPackage, CameraPresent
from edge.health.disk import BookCheck, DataFolder, FreeSpace
from edge.health.machine import ROOT
from edge.health.nets import FastPath, Fits, Models, Runtime
from edge.health.records import Check
from edge.health.supervision import Service
from edge.health.system import Clock, Memory, Network, PowerSupply, Temperature


@dataclass(frozen=True, slots=True)
class DeviceToCheck:
    """What the checks look at.

    Attributes:
        book: file of the book; its folder is the data folder.
        camera: whether counting needs a camera.
        models: classifier and learned finder of the run: names on the shelf or paths.
        calibration: raises EdgeError where the calibration does not fit; None: none is used.
        settled: the same for the settled microscope.
        user: whether the service is this user's, not the system's.
        root: where /proc and /sys are; another folder in tests.
    """

    book: Path
    camera: bool = False
    models: tuple[str, ...] = (shelf.CLASSIFIER, shelf.FINDER)
    calibration: Callable[[], None] | None = None
    settled: Callable[[], None] | None = None
    user: bool = False
    root: Path = ROOT


def device_checks(device: DeviceToCheck) -> tuple[Check, ...]:
    """Return the checks of a device. None is run yet: ``edge.health.examine`` does that."""
    folder, root = device.book.parent, device.root
    return (
        FreeSpace(folder),
        DataFolder(folder),
        BookCheck(device.book),
        Clock(root),
        CameraPresent(device.camera, root),
        CameraPackage(root),
        Runtime(),
        FastPath(device.models),
        Models(device.models),
        Fits("calibration", device.calibration, "none is used: samples stay uncalibrated"),
        Fits("settled scope", device.settled, "none is used"),
        PowerSupply(root),
        Temperature(root),
        Memory(root),
        Service(user=device.user),
        Network(),
    )
