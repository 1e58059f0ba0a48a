"""Who speaks: the microscope and the computer it hangs on, as others are to know them."""

from __future__ import annotations

import hashlib
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge import installed_version
from edge.health import machine
from edge.network.topics import ScopeTopics, topic_name

PROGRAM: Final = "edge-microscopy"
"""Name of this program towards others."""

ABOUT_FORMAT: Final = 1
"""Of what a microscope says of itself."""

_ID_LETTERS = 16  # of a computer's id that are told


@dataclass(frozen=True, slots=True)
class Computer:
    """What the microscope's camera hangs on.

    Attributes:
        id: 16 hexadecimal digits that stay the same; made from the machine's own id, which cannot be told from them.
        name: of the host.
        board: its maker's name of it; empty: not known.
    """

    id: str
    name: str
    board: str = ""


def this_computer(root: Path = machine.ROOT) -> Computer:
    """The computer that this runs on; ``root``: where /etc and /proc are."""
    name = socket.gethostname()
    own = (machine.text(root / "etc/machine-id") or "").strip() or name
    id_ = hashlib.sha256(f"{PROGRAM} {own}".encode()).hexdigest()[:_ID_LETTERS]
    return Computer(id_, name, machine.board(root) or "")


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks.

    Attributes:
        scope: name of the microscope; ``origin``: of its book, 32 hexadecimal digits.
        computer: that it hangs on.
        model: name of the classifier; empty: not known here.
        version: of this program.
        names: whether names of samples and files are sent.
    """

    scope: str
    origin: str
    computer: Computer
    model: str = ""
    version: str = ""
    names: bool = False

    @property
    def topics(self) -> ScopeTopics:
        """Where it speaks."""
        return ScopeTopics(topic_name(self.scope), self.origin)

    def about(self, newest: int) -> bytes:
        """What it says of itself, as JSON; ``newest``: number of the newest entry of its journal, 0: none."""
        told = {
            "format": ABOUT_FORMAT,
            "scope": self.scope,
            "origin": self.origin,
            "newest": newest,
            "program": PROGRAM,
            "version": self.version or installed_version(),
            "model": self.model,
            "names": self.names,
            "computer": self.computer.id,
        }
        return json.dumps(told).encode()
