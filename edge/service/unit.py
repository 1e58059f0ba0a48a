"""The systemd unit that counts from boot on, as text. One plan in, one file out; nothing is read and nothing is run here.

The unit is hardened so that ``systemd-analyze security`` puts its exposure below 2.5 of 10: a user of its own, no network, every file
read-only but one folder, and of the devices the cameras alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import (
    EXIT_INTERRUPTED,
    BookError,
    CalibrationError,
    ModelError,
    NothingCountedError,
    UnreadableFieldError,
)

NAME = "edge.service"
"""Of the unit."""

STATE = "edge"
"""Folder of the service below systemd's folder for state (``%S``): all it writes is there."""

STEPS_SINCE = 254
"""The version of systemd that has RestartSteps; an earlier one waits equally long each time."""

CAMERA_GROUP = "video"
"""The group that owns cameras on Linux."""

_USAGE = 2  # exit code of a wrong command line
_HOPELESS = (
    _USAGE,
    UnreadableFieldError.exit_code,
    ModelError.exit_code,
    CalibrationError.exit_code,
    NothingCountedError.exit_code,
    BookError.exit_code,
)
"""Exit codes after which starting again helps nobody."""

_OPENING_S = 60  # seconds for models and camera until the first field is waited for
_CLOSING_S = 120  # seconds for the last field and the outputs

_CAMERAS = ("char-video4linux", "char-media", "char-dma_heap", "char-vcio")
"""Kinds of devices that a camera of a Raspberry Pi or on USB needs; vcio tells throttling."""


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """What the unit holds.

    Attributes:
        command: program and arguments; the program's path is absolute.
        settings: file that holds the settings of the run.
        system: of the whole machine; False: of one user's session.
        user: who it runs as; None: a user that systemd makes for it alone. Of a system's unit only.
        groups: which own the cameras' devices. Of a system's unit only.
        homes: whether it reads files below /home or /root; otherwise it does not see them at all.
        patience_s: seconds without a field after which it is started anew.
        version: of systemd, where it will run.
        environment: variables that the program needs.
        folder: where it works and writes; of a user's unit only, a system's has ``%S/edge``.
        network: whether it speaks to others over a network; otherwise it does not see one.
    """

    command: tuple[str, ...]
    settings: Path
    system: bool = True
    user: str | None = None
    groups: tuple[str, ...] = (CAMERA_GROUP,)
    homes: bool = False
    patience_s: int = 120
    version: int = STEPS_SINCE
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    network: bool = False


def unit_text(plan: UnitPlan) -> str:
    """Return the unit file."""
    sections = {"Unit": _head(), "Service": _service(plan), "Install": _install(plan)}
    comments = [
        f"# Settings of the count: {plan.settings} (then restart the service).",
        f"# To change this unit, make a drop-in, which no later install touches: systemctl {_mode(plan)}edit {STATE}",
    ]
    body = [f"\n[{name}]\n" + "\n".join(lines) for name, lines in sections.items()]
    return "\n".join([*comments, *body]) + "\n"


def _mode(plan: UnitPlan) -> str:
    return "" if plan.system else "--user "


def _head() -> list[str]:
    return [
        "Description=edge: count cells on the microscope",
        "# A microscope without screen must come back by itself, however often the camera was lost.",
        "StartLimitIntervalSec=0",
    ]


def _service(plan: UnitPlan) -> list[str]:
    environment = {"PYTHONDONTWRITEBYTECODE": "1", **plan.environment}
    if plan.system:
        environment |= {"HOME": f"%S/{STATE}", "XDG_DATA_HOME": "%S"}  # the book: %S/edge/book.sqlite
    state = f"%S/{STATE}" if plan.folder is None else word(str(plan.folder))
    return [
        "# Ready with the first field; after that each field feeds the watchdog, and nothing else does.",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={' '.join(word(part) for part in plan.command)}",
        f"WorkingDirectory={state}",
        *(f"Environment={assignment(name, value)}" for name, value in environment.items()),
        f"TimeoutStartSec={plan.patience_s + _OPENING_S}",
        f"WatchdogSec={plan.patience_s}",
        "# SIGTERM ends a sample as Ctrl-C does: what was counted is kept, and the exit code is 130.",
        "KillMode=mixed",
        f"TimeoutStopSec={_CLOSING_S}",
        f"SuccessExitStatus={EXIT_INTERRUPTED}",
        "Restart=on-failure",
        f"RestartPreventExitStatus={' '.join(map(str, _HOPELESS))}",
        *_pauses(plan.version),
        "SyslogIdentifier=edge",
        "UMask=0077",
        "LimitCORE=0",
        *(_system_walls(plan) if plan.system else []),
        *_walls(plan),
    ]


def _pauses(version: int) -> list[str]:
    if version >= STEPS_SINCE:
        return ["RestartSec=5", "RestartSteps=6", "RestartMaxDelaySec=300"]
    return ["# This systemd knows no growing pauses.", "RestartSec=30"]


def _system_walls(plan: UnitPlan) -> list[str]:
    """What only the system's manager can do."""
    return [
        *([f"User={word(plan.user)}"] if plan.user else ["DynamicUser=yes"]),
        *([f"SupplementaryGroups={' '.join(plan.groups)}"] if plan.groups else []),
        f"StateDirectory={STATE}",
        "StateDirectoryMode=0700",
        "ProtectSystem=strict",
        f"ProtectHome={'read-only' if plan.homes else 'yes'}",
        "PrivateTmp=yes",
        "RemoveIPC=yes",
        "DevicePolicy=closed",
        *(f"DeviceAllow={kind} rw" for kind in _CAMERAS),
        *([] if plan.network else ["PrivateNetwork=yes", "IPAddressDeny=any"]),
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "ProtectControlGroups=yes",
        "ProtectProc=invisible",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
    ]


def _walls(plan: UnitPlan) -> list[str]:
    """What a user's manager can do too."""
    return [
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "# AF_NETLINK: libcamera finds cameras by it.",
        f"RestrictAddressFamilies=AF_UNIX AF_NETLINK{' AF_INET AF_INET6' if plan.network else ''}",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources",
        "SystemCallErrorNumber=EPERM",
    ]


def _install(plan: UnitPlan) -> list[str]:
    return [f"WantedBy={'multi-user' if plan.system else 'default'}.target"]


def word(text: str) -> str:
    """Return one word of a command as systemd reads it: ``%`` and ``$`` doubled, quoted where needed.

    Raises:
        ValueError: it holds a character that no unit file can hold.
    """
    if not text.isprintable():
        raise ValueError(f"{text!r} holds a control character")
    safe = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return safe if safe and not set(safe) & set(" '\"\\;#") else f'"{safe}"'


def assignment(name: str, value: str) -> str:
    """Return ``NAME=value`` as ``Environment=`` takes it: there ``$`` means itself, and ``%S`` at the start is systemd's."""
    if not value.isprintable():
        raise ValueError(f"{value!r} holds a control character")
    start, rest = ("%S", value[2:]) if value.startswith("%S") else ("", value)
    safe = start + rest.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{name}={safe}"' if set(safe) & set(" '\"\\;#") else f"{name}={safe}"
