"""What the two sides say to each other: one JSON object per packet of a socket pair, with a descriptor where memory is handed over.

The camera process says ``stage`` (what it is at, with how many steps it has done: its heartbeat), ``ready``, ``frame``, ``bad`` (a
frame that is not handed out) and ``failed``; it is told ``open``, ``free`` (a slot), ``command`` and ``close``.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edge.camera.records import CameraFacts, CameraSpec

_LARGEST = 1 << 16  # bytes of a packet

Message = Mapping[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that keep packets apart."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(end: socket.socket, kind: str, descriptors: tuple[int, ...] = (), **values: Any) -> bool:
    """Say something; False: nobody listens any more, or too slowly, or it is too long."""
    packet = json.dumps({"kind": kind, **values}, default=_plain).encode()
    if len(packet) > _LARGEST:
        return False
    try:
        if descriptors:
            socket.send_fds(end, [packet], list(descriptors))
        else:
            end.send(packet)
    except OSError:
        return False
    return True


def receive(end: socket.socket) -> tuple[Message, list[int]] | None:
    """The next packet with its descriptors; None: the other side is gone. Raises TimeoutError and BlockingIOError as sockets do."""
    try:
        packet, descriptors, _, _ = socket.recv_fds(end, _LARGEST, 2)
    except ConnectionError:
        return None
    if not packet:
        return None
    try:
        message = json.loads(packet)
    except ValueError:
        message = {"kind": "nonsense"}
    return (message if isinstance(message, dict) else {"kind": "nonsense"}), descriptors


def close_all(descriptors: list[int]) -> None:
    """Let go of descriptors that nobody needs."""
    for descriptor in descriptors:
        os.close(descriptor)


def spec_as_json(spec: CameraSpec) -> dict[str, Any]:
    """The record as JSON types."""
    return asdict(spec)


def spec_from_json(raw: Message) -> CameraSpec:
    """The record that ``spec_as_json`` wrote."""
    width, height = raw["size"]
    return CameraSpec(**{**raw, "size": (width, height), "controls": _tuples(raw["controls"])})


def facts_as_json(facts: CameraFacts) -> dict[str, Any]:
    """The record as JSON types."""
    return asdict(facts)


def facts_from_json(raw: Message) -> CameraFacts:
    """The record that ``facts_as_json`` wrote."""
    width, height = raw["size"]
    return CameraFacts(
        **{**raw, "size": (width, height), "held": _tuples(raw["held"]), "not_held": tuple(raw["not_held"])}
    )


def metadata_from_json(raw: Message) -> dict[str, object]:
    """What a driver said of a frame."""
    return _tuples(raw)


def _tuples(raw: Message) -> dict[str, object]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def _plain(value: object) -> object:
    """NumPy's numbers as Python's; whatever else a driver says as text."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
