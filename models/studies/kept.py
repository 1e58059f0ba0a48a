"""Where studies keep their nets and figures between runs, and which code made them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from models.places import REPOSITORY


def default_work(name: str) -> Path:
    """A folder of that name in the user's cache; ``$XDG_CACHE_HOME`` says where that is."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-microscopy" / name


def check_request(work: Path, only: Collection[str], known: Collection[str]) -> None:
    """Raise ValueError where ``work`` is inside the repository, which must hold no cell image, or ``only`` names no known row."""
    if work.resolve().is_relative_to(REPOSITORY):
        raise ValueError(f"{work}: is in the repository, where no cell image may be: give --work another folder")
    if unknown := sorted(set(only) - set(known)):
        raise ValueError(f"--only {', '.join(unknown)}: no such row, there are {', '.join(known)}")


def code_digest(*folders: Path) -> str:
    """The state of the code in these folders: a digest of all Python files below them."""
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            whole.update(path.read_bytes())
    return whole.hexdigest()[:12]
