"""From the names in folders and annotations to the classes of a net, and from those to the classes of another net."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from convert.classify.job import NEGATIVE
from convert.errors import CellsError
from convert.measure.names import same
from edge.card import Card

REST = "*"
"""Stands in ``--merge`` for every name that nothing else is said of."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What annotated names become.

    Attributes:
        classes: the classes in the order of the net's outputs; empty: all there are.
        merge: annotated name (as ``same`` has it, or ``REST``) to class.
        ignore: annotated names (likewise) that are left out.
    """

    classes: tuple[str, ...] = ()
    merge: Mapping[str, str] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()

    def of(self, name: str) -> str | None:
        """The class of an annotated name; None: left out."""
        key = same(name)
        if key in self.ignore:
            return None
        if key in self.merge:
            return self.merge[key]
        kept = next((one for one in self.classes if same(one) == key), None)
        if kept is None and REST in self.merge and key not in {same(one) for one in self.merge.values()}:
            return self.merge[REST]
        return kept or name.strip()


def parse_merge(texts: Iterable[str]) -> dict[str, str]:
    """``a,b=c`` to {a: c, b: c}; raises ValueError saying what is wrong with one."""
    merged: dict[str, str] = {}
    for text in texts:
        names, equals, into = text.rpartition("=")
        parts = [same(name) for name in names.split(",") if name.strip()]
        if not equals or not parts or not into.strip():
            raise ValueError(f"--merge {text!r}: give it as ring,trophozoite=parasitized")
        for name in parts:
            if merged.setdefault(name, into.strip()) != into.strip():
                raise ValueError(f"--merge: {name} goes into {merged[name]} and into {into.strip()}")
    return merged


@dataclass(frozen=True, slots=True)
class ClassScheme:
    """The classes of a piece of work.

    Attributes:
        labels: in the order of the net's outputs.
        background: the ordinary class, of which nothing is suspicious; None: there is none.
        positive: the classes that make a sample suspicious.
        naming: how annotated names come to them.
    """

    labels: tuple[str, ...]
    background: str | None
    positive: tuple[str, ...]
    naming: Naming = field(default_factory=Naming)

    def index(self, name: str) -> int:
        """The class of an annotated name, as an index into ``labels``; -1: it is none of them, or left out."""
        known = self.naming.of(name)
        if known is None:
            return -1
        return next((i for i, label in enumerate(self.labels) if same(label) == same(known)), -1)

    def indices(self, names: Iterable[str]) -> np.ndarray:
        """The same of many names, int32 [n]."""
        table: dict[str, int] = {}
        return np.array([table.setdefault(name, self.index(name)) for name in names], np.int32)

    @property
    def background_index(self) -> int | None:
        """Index of the background."""
        return None if self.background is None else self.labels.index(self.background)

    @property
    def suspect(self) -> np.ndarray:
        """Which classes are positive, bool [k]."""
        return np.array([label in self.positive for label in self.labels], bool)


def make_scheme(
    names: Counter[str],
    naming: Naming,
    background: str | None,
    positive: Sequence[str],
    *,
    whole_fields: bool,
    least: int = 2,
) -> ClassScheme:
    """The classes of what is annotated.

    Args:
        names: how often each name is annotated.
        naming: what the names become.
        background: the ordinary class, where given; else told by the names of two classes, or the most frequent one of fields.
        positive: the suspicious classes, where given; else all but the background.
        whole_fields: whether any of it is annotated fields.
        least: classes there must be; one is enough to count false positives on.

    Raises:
        CellsError: fewer classes than that, or a class is named that there is none of.
    """
    counts: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for name, count in names.items():
        known = naming.of(name)
        if known is not None:
            shown.setdefault(same(known), known)
            counts[same(known)] += count
    wanted = {same(one) for one in naming.classes}
    if wanted and (lacking := [one for one in naming.classes if same(one) not in counts]):
        raise CellsError(
            f"--classes {', '.join(lacking)}: no cell is of that class, there are {_listed(shown.values())}"
        )
    if wanted and (extra := [shown[key] for key in counts if key not in wanted]):
        raise CellsError(
            f"some cells are annotated as {_listed(extra)}, not among --classes: --merge {extra[0]}=CLASS, or --ignore {extra[0]}"
        )
    if len(counts) < least:
        only = f"only one class ({_listed(shown.values())})" if counts else "no class"
        raise CellsError(f"{only} is annotated: at least {'two are' if least > 1 else 'one is'} needed")
    background = _named(background, shown, "--background") or _told(counts, shown, whole_fields=whole_fields)
    labels = naming.classes or tuple(
        sorted(shown.values(), key=lambda name: (same(name) != same(background or ""), same(name)))
    )
    background = next((label for label in labels if background is not None and same(label) == same(background)), None)
    suspicious = [_named(one, shown, "--positive") for one in positive] or list(labels if background else ())
    chosen = {same(one) for one in suspicious if one is not None} - ({same(background)} if background else set())
    return ClassScheme(labels, background, tuple(label for label in labels if same(label) in chosen), naming)


def _named(name: str | None, shown: Mapping[str, str], option: str) -> str | None:
    if name is None:
        return None
    if same(name) not in shown:
        raise CellsError(f"{option} {name}: there is no such class, there are {_listed(shown.values())}")
    return shown[same(name)]


def _told(counts: Counter[str], shown: Mapping[str, str], *, whole_fields: bool) -> str | None:
    """The background where nobody names it: by the names of two classes, or as the most frequent class of fields."""
    plain = [name for name in counts if name.startswith(NEGATIVE)]
    if len(plain) == 1:
        return shown[plain[0]]
    return shown[counts.most_common(1)[0][0]] if whole_fields else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


@dataclass(frozen=True, slots=True)
class ClassMapping:
    """How the classes of some cells are read by a net with classes of its own.

    Attributes:
        label_of: per class of the cells, the net's class, int32 [k]; None: the net's classes are others, and only suspicious or not
            can be judged.
        suspect: per class of the cells, whether it is positive, bool [k].
    """

    label_of: np.ndarray | None
    suspect: np.ndarray


def fit(plan: ClassScheme, card: Card) -> ClassMapping:
    """How a net with this card reads the classes of ``plan``.

    By name where all names are the net's; where the net tells two classes apart, one of them positive, by what is
    positive. Raises CellsError where there is no way.
    """
    place = {same(label): i for i, label in enumerate(card.labels)}
    named = [place.get(same(label)) for label in plan.labels]
    whole = np.array([-1 if one is None else one for one in named], np.int32)
    if (whole >= 0).all():
        suspicious = np.array([card.labels[i] in card.positive for i in whole], bool)
        return ClassMapping(whole, suspicious if suspicious.any() else plan.suspect)
    if plan.background is None or not card.positive or len(card.positive) == len(card.labels):
        raise CellsError(
            f"the cells are of {', '.join(plan.labels)}, {card.name} tells {', '.join(card.labels)} apart: "
            f"--merge {plan.labels[0]}={card.labels[0]} and so on, or say what is --positive"
        )
    if len(card.labels) == 2:
        yes, no = card.labels.index(card.positive[0]), 1 - card.labels.index(card.positive[0])
        return ClassMapping(np.where(plan.suspect, yes, no).astype(np.int32), plan.suspect)
    return ClassMapping(None, plan.suspect)
