"""Whether another user can read a file: the service runs as nobody in particular, and a program in somebody's home is shut to it."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge.errors import ServiceError

_HOMES = ("/home", "/root", "/run/user")
"""What ``ProtectHome=`` hides."""


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """Who reads: user and groups by number; None for a user that owns nothing."""

    uid: int | None = None
    gids: frozenset[int] = frozenset()

    @classmethod
    def named(cls, name: str) -> Self:
        """Look a user up; raises ServiceError where there is none of this name."""
        try:
            found = pwd.getpwnam(name)
        except (KeyError, ValueError):
            raise ServiceError(f"--run-as {name}: there is no such user here") from None
        return cls(found.pw_uid, frozenset(os.getgrouplist(name, found.pw_gid)))

    def barred_at(self, path: Path) -> Path | None:
        """Return the file or folder on the way that this user cannot read or enter; None: it can be read."""
        for place in (*reversed(path.parents), path):
            try:
                found = place.stat()
            except OSError:
                return place
            wanted = 0o5 if stat.S_ISDIR(found.st_mode) and place == path else 0o1 if place != path else 0o4
            if not self._may(found, wanted):
                return place
        return None

    def _may(self, found: os.stat_result, wanted: int) -> bool:
        if self.uid == 0:
            return True
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.gids else 0
        return found.st_mode >> shift & wanted == wanted


def with_links(paths: Iterable[Path]) -> list[Path]:
    """Return the paths and what they lead to: both ways must be open."""
    absolute = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - resolve() would follow links
    return sorted({*absolute, *(path.resolve() for path in absolute)})


def in_homes(paths: Iterable[Path]) -> bool:
    """Whether one of these lies where ``ProtectHome=`` hides it."""
    return any(path.is_relative_to(home) for path in paths for home in _HOMES)
