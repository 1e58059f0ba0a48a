"""What annotated fields say about a net: its value range, and a threshold where no card gives one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from convert.errors import CellsError
from convert.finding.judge import f1, judge
from convert.measure.fields import FieldSet, spread
from convert.net.values import RANGES, ValueRange
from edge.finders.learned import LearnedFinder
from edge.modelfile import FinderSpec
from edge.runtime import interpreter_class

TRIED = ("-2..2", "0..1", "-1..1", "0..255")
"""Value ranges a finder may take: one straight line for all channels."""

FIELDS = 24
"""How many fields a value range or a threshold is tried on."""

NOTHING = 0.2
"""With an F1 below this a net finds next to nothing."""

_GRID = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)  # thresholds that are tried
_CLOSE = 0.03  # value ranges whose F1 differ by less cannot be told apart
_SAME = 0.001  # thresholds whose F1 differ by less are equally good


def score(finder: LearnedFinder, fields: FieldSet) -> float:
    """F1 of a finder on some of the fields."""
    return f1(judge({"float": finder}, spread(fields, FIELDS), (), lambda *_: None).matches["float"])


def value_range(
    given: str | None, hint: str | None, score_of: Callable[[ValueRange], float]
) -> tuple[ValueRange, tuple[str, ...]]:
    """The value range with which the float net finds most, and what to say of it; what is given is kept.

    A finder may find nearly as much with a wrong one (contrast is all that differs), and yet lose infected cells. So where
    several are close, the ``hint`` decides, and without one nothing is guessed.

    Raises:
        CellsError: with the given one the net finds next to nothing, and with another it does not; or several are close.
    """
    if given is not None and score_of(RANGES[given]) >= NOTHING:
        return RANGES[given], ()
    scores = {name: score_of(RANGES[name]) for name in TRIED}
    best = max(scores, key=scores.__getitem__)
    if given is not None:
        if scores[best] > scores[given] + NOTHING:
            raise CellsError(
                f"--value-range={given} does not fit: the float net finds next to nothing (F1 {scores[given]:.2f}); "
                f"with --value-range={best} F1 is {scores[best]:.2f}"
            )
        return RANGES[given], ()
    told = ", ".join(f"{name} {value:.3f}" for name, value in sorted(scores.items(), key=lambda item: -item[1]))
    close = [name for name, value in scores.items() if value >= scores[best] - _CLOSE]
    if len(close) > 1 and hint not in close:
        raise CellsError(f"the fields cannot tell the net's value range (F1 {told}): give it, as --value-range={best}")
    chosen = best if len(close) == 1 else str(hint)
    why = "" if len(close) == 1 else "; of those that are close, that of the finder it is like"
    return RANGES[chosen], (f"value range found by trying: --value-range={chosen} (F1 {told}{why})",)


def input_range(flatbuffer: bytes) -> str | None:
    """The value range folded into an int8 file's input quantisation; None for one that is none of ``TRIED``."""
    detail = interpreter_class()[0](model_content=flatbuffer).get_input_details()[0]
    scale, zero = detail["quantization"]
    for name in TRIED:
        values = RANGES[name]
        if abs(scale / values.scale - 1) < 1e-3 and abs(scale * (-128 - zero) - values.offset) < values.scale:
            return name
    return None


def threshold(
    finder: LearnedFinder, spec: FinderSpec, fields: FieldSet, progress: Callable[[str, float], None]
) -> tuple[FinderSpec, str]:
    """One threshold for all channels, the middle of those with the best F1 on some of the fields, and what to say of it."""
    scores = {}
    for number, level in enumerate(_GRID):
        progress("choosing the threshold", number / len(_GRID))
        finder.set_thresholds(tuple(level for _ in spec.kinds))
        scores[level] = score(finder, fields)
    best = middle_of_best(scores)
    used = min(len(fields), FIELDS)
    note = f"threshold {best:g} for all of {', '.join(spec.kinds)}: the best F1 of the float net on {used} fields"
    return replace(spec, thresholds=tuple(best for _ in spec.kinds)), note


def middle_of_best(scores: Mapping[float, float]) -> float:
    """The middle one of the levels whose F1 is as good as the best, of levels in order: other fields may shift it either way."""
    best = max(scores.values())
    good = [level for level, value in scores.items() if value > best - _SAME]
    return good[len(good) // 2]
