"""Names of classes: which of them mean the same, and how the names of a folder are matched with those of a net."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from convert.errors import CellsError

ALIKE = "case, spaces, hyphens and underscores"
"""What does not count in a name."""

_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")


def same(name: str) -> str:
    """The form that all names of the same class share.

    Case does not count, nor which of space, hyphen and underscore stands between two words, nor space around. All else does:
    ``CD4+`` is not ``CD4-``, ``cell`` is not ``cells``, ``un-infected`` is not ``uninfected``.
    """
    return _BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFC", name).strip().casefold())


def check_different(names: Sequence[str], where: str) -> None:
    """Raise CellsError where two names differ by nothing that counts; ``where`` begins the message."""
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(same(name), name)
        if other != name:
            raise CellsError(f"{where}: {other} and {name} differ in {ALIKE} only: they cannot both be classes")


def match(wanted: Iterable[str], names: Sequence[str], where: str) -> tuple[str, ...]:
    """Each of ``wanted`` as ``names`` spell it; raises CellsError where there is no such name."""
    known = {same(name): name for name in names}
    wanted = tuple(wanted)
    if lacking := [name for name in wanted if same(name) not in known]:
        raise CellsError(f"{where} {', '.join(lacking)}: no such class, there are {', '.join(names)}")
    return tuple(known[same(name)] for name in wanted)


def settle(found: Sequence[str], labels: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The classes in the order of a net's outputs: ``labels`` where given, else those found, by name.

    Raises:
        CellsError: the two are not the same classes, or fewer than two.
    """
    if not labels:
        return tuple(sorted(found))
    if len(set(labels)) < len(labels):
        raise CellsError(f"--labels names a class twice: {', '.join(labels)}")
    check_different(labels, "--labels")
    wanted, there = {same(name) for name in labels}, {same(name) for name in found}
    if wanted != there:
        lacking = sorted(name for name in labels if same(name) not in there)
        extra = sorted(name for name in found if same(name) not in wanted)
        parts = [f"no folder for {', '.join(lacking)}"] * bool(lacking)
        parts += [f"no label for the folder {', '.join(extra)}"] * bool(extra)
        raise CellsError(f"{where}: the class folders do not match --labels: {'; '.join(parts)}")
    return labels
