"""What a reader can say of a cell, one key each: the same on the page and in a bundle, and no two alike.

Positive classes have 1 to 9, with the stages after the class they belong to; ``n`` is the first class that is not positive, ``x``
nothing that should have been counted, ``u`` cannot be told. Other classes have letters that mean nothing else. Moving about has
keys of its own (``MOVES``), which no answer may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from edge.review.records import ReaderAnswer

NEGATIVE, NO_CELL, UNSURE = "n", "x", "u"
UNDO, BACK, SKIP = "z", "ArrowLeft", (" ", "ArrowRight")
NEARER, FARTHER = "+", "-"
WHOLE_FIELD, GRID, BLIND = "f", "g", "b"
MOVES = (UNDO, BACK, *SKIP, NEARER, FARTHER, WHOLE_FIELD, GRID, BLIND)
"""Keys that give no answer, as a browser's ``KeyboardEvent.key`` names them."""

T = TypeVar("T")
_DIGITS = "123456789"
_LETTERS = "asdhjklqwertyopcvmi"  # what no key above has


@dataclass(frozen=True, slots=True)
class AnswerChoice:
    """One thing that can be said.

    Attributes:
        key: that says it; empty: there are more choices than keys, and this one has a button only.
        answer, label, stage: as in ``ReaderDecision``.
        words: for a button.
        positive: whether the cell then counts as a positive class.
    """

    key: str
    answer: ReaderAnswer
    label: str
    stage: str
    words: str
    positive: bool = False


def choices(
    labels: tuple[str, ...], positive: tuple[str, ...], stages: tuple[str, ...] = ()
) -> tuple[AnswerChoice, ...]:
    """Everything a reader can say, in the order of the buttons.

    Args:
        labels: the model's classes, in its order.
        positive: those that make a cell a suspect; none: all classes have digits, and there is no ``n``.
        stages: words that may be added to a positive class.
    """
    first = [label for label in labels if label in positive] if positive else list(labels)
    others = [label for label in labels if label not in first]
    digits, letters = iter(_DIGITS), iter(_LETTERS)
    said = ReaderAnswer.CLASS
    made = [AnswerChoice(key, said, label, "", label, label in positive) for key, label in _keyed(digits, first)]
    for key, (label, stage) in _keyed(digits, [(one, stage) for one in first if one in positive for stage in stages]):
        made.append(AnswerChoice(key, said, label, stage, _staged(first, label, stage), positive=True))
    made += [AnswerChoice(NEGATIVE, said, label, "", label) for label in others[:1]]
    made += [AnswerChoice(key, said, label, "", label) for key, label in _keyed(letters, others[1:])]
    made.append(AnswerChoice(NO_CELL, ReaderAnswer.NO_CELL, "", "", "not a cell"))
    made.append(AnswerChoice(UNSURE, ReaderAnswer.UNSURE, "", "", "cannot tell"))
    return tuple(made)


def _keyed(keys: Iterator[str], things: Iterable[T]) -> Iterator[tuple[str, T]]:
    for thing in things:
        yield next(keys, ""), thing


def _staged(first: list[str], label: str, stage: str) -> str:
    return stage if len(first) == 1 else f"{label}, {stage}"
