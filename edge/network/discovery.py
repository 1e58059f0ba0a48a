"""What Home Assistant is told so that it shows a microscope without being set up.

One retained message per device (*device discovery*, Home Assistant 2024.12 and later), not one per entity: device, origin and
availability are said once, what is no entity any more goes with the next message, and one empty payload removes the device with
all that it has. There are two devices: the microscope, and the computer that it hangs on. The latter has the entities that are a
computer's, and so exists when the microscope names it (``via_device``), as Home Assistant wants it.

Identifiers come from the book's origin and the machine's id, not from names: who renames a microscope keeps its history.
"""

from __future__ import annotations

import json
from typing import Final

from edge.network.entities import ENTITIES, OFF, ON, DevicePart, Entity
from edge.network.topics import OFFLINE, ONLINE
from edge.network.voice import PROGRAM, Voice

PREFIX: Final = "homeassistant"
"""First level of the topics where Home Assistant listens."""

STATUS_TOPIC: Final = f"{PREFIX}/status"
"""Where it says that it was born again."""

_LETTERS = 16  # of the origin that stand in identifiers


def device_topics(voice: Voice) -> dict[DevicePart, str]:
    """Where the devices are told of; an empty retained payload there removes one."""
    return {part: f"{PREFIX}/device/{_id(voice, part)}/config" for part in DevicePart}


def device_messages(voice: Voice) -> list[tuple[str, bytes]]:
    """Topic and retained payload for each device; the computer comes first, for the microscope names it."""
    topics = device_topics(voice)
    return [
        (topics[part], json.dumps(_config(voice, part)).encode())
        for part in (DevicePart.COMPUTER, DevicePart.MICROSCOPE)
    ]


def _id(voice: Voice, part: DevicePart) -> str:
    own = voice.origin[:_LETTERS] if part is DevicePart.MICROSCOPE else voice.computer.id
    return f"edge_{part}_{own}"


def _config(voice: Voice, part: DevicePart) -> dict[str, object]:
    id_ = _id(voice, part)
    components = {one.key.replace("-", "_"): _component(voice, one, id_) for one in ENTITIES if one.part is part}
    return {
        "device": _device(voice, part),
        "origin": {"name": PROGRAM, "sw_version": voice.version},
        "availability_topic": voice.topics.availability,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "qos": 1,
        "components": components,
    }


def _device(voice: Voice, part: DevicePart) -> dict[str, object]:
    identifiers = {"identifiers": [_id(voice, part)]}
    if part is DevicePart.COMPUTER:
        board = {"model": voice.computer.board} if voice.computer.board else {}
        return {**identifiers, "name": voice.computer.name, **board}
    told = {"name": voice.scope, "manufacturer": PROGRAM, "model": f"microscope with {voice.model or 'a model'}"}
    return {**identifiers, **told, "sw_version": voice.version, "via_device": _id(voice, DevicePart.COMPUTER)}


def _component(voice: Voice, entity: Entity, device: str) -> dict[str, object]:
    key = entity.key.replace("-", "_")
    told: dict[str, object] = {
        "platform": "binary_sensor" if entity.binary else "sensor",
        "unique_id": f"{device}_{key}",
        "name": entity.name,
        "state_topic": voice.topics.state(entity.key),
    }
    if entity.diagnostic:
        told["entity_category"] = "diagnostic"
    if entity.device_class:
        told["device_class"] = entity.device_class
    if entity.icon:
        told["icon"] = entity.icon
    if entity.unit:
        told["unit_of_measurement"] = entity.unit
    if entity.number:
        told["state_class"] = "measurement"
    if entity.digits is not None:
        told["suggested_display_precision"] = entity.digits
    if entity.options:
        told["options"] = list(entity.options)
    if entity.binary:
        told |= {"payload_on": ON, "payload_off": OFF}
    return told
