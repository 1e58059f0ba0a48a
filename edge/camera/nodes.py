"""V4L2's device nodes: which may be cameras, what they are called, and who has them open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Nodes of a Pi's codecs and raw sensors: they open like cameras and never give a picture.
_NOT_CAMERAS = ("bcm2835-", "pispbe", "rp1-cfe", "unicam", "rpi-hevc", "rpivid", "hevc")


def held_by(node: str) -> str:
    """``: python3 (1234) has it open``, as far as this user may see; else where to look."""
    for process, name in who_has(node):
        return f": {name} (process {process}) has it open; end that first"
    return " (does another program use it?)"


def who_has(node: str) -> Iterator[tuple[int, str]]:
    """Other processes that have a node open, with their names, as far as this user may see them."""
    real = os.path.realpath(node)
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            if any(os.path.realpath(one) == real for one in (folder / "fd").iterdir()):
                yield int(folder.name), (folder / "comm").read_text().strip()
        except OSError:
            continue


def model_of(node: str) -> str:
    """What its driver calls a camera; empty: it does not say."""
    try:
        return (Path("/sys/class/video4linux") / Path(node).name / "name").read_text().strip()
    except OSError:
        return ""


def video_nodes() -> list[str]:
    """V4L2 nodes that may be cameras, in order; elsewhere than on Linux the first few camera numbers."""
    if sys.platform != "linux":
        return ["0", "1", "2"]
    return [str(node) for node in sorted(Path("/dev").glob("video[0-9]*"), key=_number) if _may_be_camera(node)]


def _number(node: Path) -> int:
    return int(node.name.removeprefix("video"))


def _may_be_camera(node: Path) -> bool:
    about = Path("/sys/class/video4linux") / node.name
    try:
        # A USB camera's second node carries metadata, no pictures.
        name, index = (about / "name").read_text().strip().lower(), (about / "index").read_text().strip()
    except OSError:
        return True
    return index == "0" and not name.startswith(_NOT_CAMERAS)
