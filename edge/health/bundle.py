"""The support file: what a stranger needs to help, and nothing that says whose device it is or what was counted on it.

It holds no text that was read from the machine. Numbers stand as they are; names are chosen from lists written down here; versions
are digits. So there is nothing to be blacked out: no host name, user, path, sample or model of one's own can get in.
"""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edge import installed_version, shelf
from edge.errors import ModelError
from edge.health import machine
from edge.health.records import HealthReport

FORMAT = "edge-support"
VERSION = 1  # of the file's format

_OTHER = "other"
_PACKAGES = (
    *("ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless", "opencv-python", "picamera2"),
    *("simplejpeg", "tifffile", "typer", "rich"),
)
_SYSTEMS = ("debian", "raspbian", "ubuntu", "fedora", "arch", "alpine", "opensuse-leap", "nixos", "manjaro", "dietpi")
_MACHINES = ("aarch64", "armv7l", "armv6l", "x86_64", "i686", "riscv64")
_BOARD_WORDS = frozenset(
    (
        "raspberry",
        "pi",
        "zero",
        "compute",
        "module",
        "model",
        "plus",
        "rev",
        "lite",
        "a",
        "b",
        "w",
        "1",
        "2",
        "3",
        "4",
        "5",
    )
)
_SHIPPED = (shelf.CLASSIFIER, shelf.FINDER)
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){0,2}")  # three numbers: an address on a network has four
_SHA256 = re.compile(r"[0-9a-f]{64}")


def support_file(report: HealthReport, root: Path = machine.ROOT) -> dict[str, Any]:
    """Return the support file as JSON values.

    Args:
        report: of the checks: their names, states and facts are taken, their words are not.
        root: where /proc, /sys and /etc are; another folder in tests.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": numbers(installed_version()),
        "python": numbers(platform.python_version()),
        "packages": _packages(),
        "board": board(root),
        "machine": one_of(platform.machine(), _MACHINES),
        "kernel": numbers(platform.release()),
        "system": _system(root),
        "shelf": _shelf(),
        "checks": [
            {"name": result.name, "health": str(result.health), "facts": dict(result.facts)}
            for result in report.results
        ],
    }


def numbers(text: str) -> str:
    """The digits that a version begins with; ``other`` where there are none: what follows may name anything."""
    found = _VERSION.match(text)
    return found[0] if found else _OTHER


def one_of(text: str, known: tuple[str, ...]) -> str:
    """The text if it is one that is known, else ``other``."""
    return text if text in known else _OTHER


def board(root: Path) -> str | None:
    """``Raspberry Pi 4 Model B Rev 1.4`` and its like, ``other``, or None where the machine does not say."""
    name = machine.board(root)
    if name is None:
        return None
    words = name.split()[:9]
    known = [word for word in words if word.lower() in _BOARD_WORDS or re.fullmatch(r"\d\.\d", word)]
    return " ".join(words) if words[:2] == ["Raspberry", "Pi"] and known == words else _OTHER


def _packages() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = numbers(version(name))
        except PackageNotFoundError:
            continue
    return found


def _system(root: Path) -> dict[str, str]:
    lines = dict(
        line.split("=", 1) for line in (machine.text(root / "etc/os-release") or "").splitlines() if "=" in line
    )
    values = {key: value.strip("\"' ") for key, value in lines.items()}
    return {"name": one_of(values.get("ID", ""), _SYSTEMS), "version": numbers(values.get("VERSION_ID", ""))}


def _shelf() -> list[dict[str, object]]:
    """The models by their hashes; a name only where it is one that ships."""
    found: list[dict[str, object]] = []
    for entry in shelf.entries():
        try:
            model = shelf.load(str(entry.path))
        except ModelError:
            found.append({"name": one_of(entry.name, _SHIPPED), "refused": True})
            continue
        card = model.card_sha256 if _SHA256.fullmatch(model.card_sha256) else None
        found.append({"name": one_of(entry.name, _SHIPPED), "sha256": model.sha256, "card_sha256": card})
    return found
