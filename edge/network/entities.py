"""What a microscope says of itself to Home Assistant and to anybody who reads its topics: one table.

An entity is one value with a name. Its state is text on a retained topic; ``None`` there means: not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from edge.camera.records import CameraState
from edge.health import machine
from edge.health.disk import FreeSpace
from edge.health.records import CheckResult, Health
from edge.health.system import PowerSupply
from edge.status import Hint, RunEnd, RunState, SampleProgress, Status
from edge.verdict.table import FLAGS, UNCALIBRATED

NOT_KNOWN: Final = "None"
"""State of an entity that is not known; Home Assistant shows it so too."""

ON, OFF = "ON", "OFF"
"""States of an entity that is a yes or a no: yes means that somebody should look."""

_BRIGHTEST = 255  # luma
_NOW_BITS = 0xF  # of the firmware's word: what is so now; the others say what was


class DevicePart(StrEnum):
    """Which device an entity belongs to."""

    MICROSCOPE = "microscope"
    COMPUTER = "computer"


@dataclass(frozen=True, slots=True)
class Entity:
    """One row of the table.

    Attributes:
        key: last level of its topic.
        name: for a person.
        icon: of Material Design Icons; empty where the device class has one.
        part: what it is of.
        unit: of its number; empty: it has none.
        device_class: Home Assistant's; empty: none fits. ``problem``: its state is ON or OFF.
        number: whether its state is a number that may be drawn over time.
        digits: after the point, as shown.
        options: all states that it can have; empty: any.
        diagnostic: whether it is of the device rather than of what the device is for.
        slow: whether it changes all the time and need not be sent each time.
    """

    key: str
    name: str
    icon: str = ""
    part: DevicePart = DevicePart.MICROSCOPE
    unit: str = ""
    device_class: str = ""
    number: bool = False
    digits: int | None = None
    options: tuple[str, ...] = ()
    diagnostic: bool = False
    slow: bool = False

    @property
    def binary(self) -> bool:
        """Whether it is a yes or a no."""
        return self.device_class == "problem"


ENTITIES: Final = (
    Entity("state", "State", "mdi:state-machine", device_class="enum", options=tuple(map(str, RunState))),
    Entity("sample", "Sample", "mdi:test-tube"),
    Entity("fields", "Fields", "mdi:image-multiple", unit="fields", number=True, digits=0),
    Entity("cells", "Cells", "mdi:circle-multiple", unit="cells", number=True, digits=0),
    Entity("share", "Share of positive cells", "mdi:percent", unit="%", number=True, digits=3),
    Entity("flag", "Flag", "mdi:flag", device_class="enum", options=(*FLAGS, UNCALIBRATED)),
    Entity("focus", "Focus", "mdi:image-filter-center-focus", unit="%", number=True, digits=0, slow=True),
    Entity("lamp", "Lamp", "mdi:lightbulb-on", unit="%", number=True, digits=0, diagnostic=True, slow=True),
    Entity("problem", "Problem", device_class="problem", diagnostic=True),
    Entity(
        *("temperature", "Temperature", "", DevicePart.COMPUTER, "°C", "temperature"),
        number=True,
        digits=0,
        diagnostic=True,
        slow=True,
    ),
    Entity(
        "throttling", "Throttling", "mdi:speedometer-slow", DevicePart.COMPUTER, device_class="problem", diagnostic=True
    ),
    Entity(
        *("free-space", "Free space", "mdi:harddisk", DevicePart.COMPUTER, "GB", "data_size"),
        number=True,
        digits=1,
        diagnostic=True,
        slow=True,
    ),
)
"""All of them."""


def sample_states(sample: SampleProgress, shown: str) -> Mapping[str, str]:
    """What a sample says.

    Args:
        sample: as far as it came.
        shown: what it is called to others; empty: that is not known yet.
    """
    return {
        "sample": shown or NOT_KNOWN,
        "fields": str(sample.kept),
        "cells": str(sample.cells),
        "share": NOT_KNOWN if sample.share is None else f"{100 * sample.share[0]:.4f}",
        "flag": sample.flag if sample.flag in (*FLAGS, UNCALIBRATED) else NOT_KNOWN,
    }


def status_states(status: Status, shown: str) -> Mapping[str, str]:
    """What a snapshot says of the microscope; see ``sample_states``."""
    view = status.view
    focus = None if view is None or not view.needed else 100 * view.sharpness / view.needed
    broken = status.camera.state is CameraState.LOST or status.hint is Hint.CAMERA_LOST
    states = {
        "state": str(status.state),
        "focus": NOT_KNOWN if focus is None else f"{focus:.0f}",
        "lamp": NOT_KNOWN if view is None else lamp_state(view.brightness),
        "problem": ON if broken or status.failure or status.ended is RunEnd.FAILED else OFF,
    }
    return states if status.sample is None else {**states, **sample_states(status.sample, shown)}


def lamp_state(brightness: float) -> str:
    """Mean luma, 0 to 255, as a share of what the camera can show."""
    return f"{100 * brightness / _BRIGHTEST:.0f}"


def computer_states(root: Path, folder: Path) -> Mapping[str, str]:
    """What the computer says, and whether it is a problem for the count.

    Args:
        root: where /proc and /sys are.
        folder: where counts are kept.
    """
    degrees, bits = machine.temperature(root), machine.throttled(root)
    space, power = _looked(FreeSpace(folder)), _looked(PowerSupply(root))
    free = None if space is None else space.facts.get("free_bytes")
    bad = any(check is not None and check.health is Health.FAILED for check in (space, power))
    return {
        "temperature": NOT_KNOWN if degrees is None else f"{degrees:.0f}",
        "throttling": NOT_KNOWN if bits is None else ON if bits & _NOW_BITS else OFF,
        "free-space": NOT_KNOWN if free is None else f"{free / 1e9:.1f}",
        "problem": ON if bad else OFF,
    }


def _looked(check: FreeSpace | PowerSupply) -> CheckResult | None:
    try:
        return check.run()
    except OSError:
        return None
