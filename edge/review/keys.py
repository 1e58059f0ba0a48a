"""One key for each answer: made from a model's classes, so that no organism or class is built in, and no two answers share a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.review.records import ReaderAnswer

NOT, NO_CELL, UNSURE = "n", "x", "u"
"""Keys of the first class that is not positive, of what is no cell, and of what cannot be told."""

UNDO, MANY, MARKS, ALL = "z", "m", "b", "a"
"""Keys that answer nothing: take the last answer back; many cells at once; marks around the cell; select all."""

BLIND, FIELD = "v", "c"
"""Keys that answer nothing: hide what the machine says; the cell among its neighbours."""

_MORE = "123456789qweryopsdfghjkl"  # keys of all other answers, in this order; none of those above is among them


@dataclass(frozen=True, slots=True)
class ReaderChoice:
    """An answer that a reader may give.

    Attributes:
        key: one character, lower case; empty: there are more answers than keys.
        answer: ``label`` and ``stage`` go with it; empty where it names no class.
        words: on the button.
        positive: whether it makes a cell positive.
    """

    key: str
    answer: ReaderAnswer
    label: str
    stage: str
    words: str
    positive: bool = False


def choices_of(labels: Sequence[str], positive: Sequence[str], stages: Sequence[str] = ()) -> tuple[ReaderChoice, ...]:
    """The answers to a model's cells: positive classes first, then the others, then no cell and cannot tell.

    Args:
        labels: the model's classes, in its order.
        positive: those of them that make a cell a suspect.
        stages: words that say more of the positive class. With several positive classes these say it already, and the words are not
            used.
    """
    wanted = [label for label in labels if label in positive]
    others = [label for label in labels if label not in positive]
    keys = iter(_MORE)
    made = list(_of_classes(wanted, stages if len(wanted) == 1 else (), keys))
    for i, label in enumerate(others):
        made.append(ReaderChoice(NOT if i == 0 else next(keys, ""), ReaderAnswer.CLASS, label, "", label))
    made.append(ReaderChoice(NO_CELL, ReaderAnswer.NO_CELL, "", "", "not a cell"))
    made.append(ReaderChoice(UNSURE, ReaderAnswer.UNSURE, "", "", "cannot tell"))
    return tuple(made)


def _of_classes(labels: Sequence[str], stages: Sequence[str], keys: Iterator[str]) -> Iterator[ReaderChoice]:
    for label in labels:
        yield ReaderChoice(next(keys, ""), ReaderAnswer.CLASS, label, "", label, positive=True)
        for stage in stages:
            yield ReaderChoice(next(keys, ""), ReaderAnswer.CLASS, label, stage, stage, positive=True)
