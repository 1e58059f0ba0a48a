"""Where the files of the service are: the unit, its settings, a person's drop-ins, and the folder it writes in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge.service.unit import NAME, STATE


@dataclass(frozen=True, slots=True)
class ServicePlaces:
    """Places of a system's or a user's service.

    Attributes:
        unit: the unit file.
        settings: what it counts with: a configuration file of ``edge-run``.
        state: folder that everything is written in; the book is ``book.sqlite`` there.
        system: whether it is the system's.
    """

    unit: Path
    settings: Path
    state: Path
    system: bool

    @classmethod
    def of(cls, *, user: bool) -> Self:
        """Return the places of this user's service, or of the system's."""
        if not user:
            return cls(
                Path("/etc/systemd/system") / NAME, Path("/etc/edge/service.toml"), Path("/var/lib") / STATE, True
            )
        config, data = _folder("XDG_CONFIG_HOME", ".config"), _folder("XDG_DATA_HOME", ".local/share")
        return cls(config / "systemd/user" / NAME, config / "edge/service.toml", data / STATE, False)

    @property
    def drop_ins(self) -> tuple[Path, ...]:
        """A person's changes to the unit, as systemd reads them, in order."""
        return tuple(sorted(self.unit.with_name(f"{NAME}.d").glob("*.conf")))

    @property
    def book(self) -> Path:
        """What was counted."""
        return self.state / "book.sqlite"


def _folder(variable: str, below_home: str) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if os.path.isabs(given) else Path.home() / below_home  # noqa: PTH117 - a text
