"""docs/review-learning.md, from the points that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from models.adapt.reviewed_net import ALLOWED, CONFIRMED
from models.report.markdown import paragraph, table
from models.studies.review_learning import figures as of
from models.studies.review_learning.draws import ANSWERS, BLANKS, READER, REVIEWED
from models.studies.review_learning.points import ARMS, StudyArm
from models.studies.review_learning.scopes import SCOPES, StudyScope

Points = Sequence[Mapping[str, Any]]

HALVED = 0.5
"""False positives after over before that is aimed at."""

WITHIN = 0.01
"""Share of the positive cells by which what is found may fall."""

TARGET_LEVEL = "1 %"
"""Where the targets are held: the operating point of the project's other pages, and enough false positives to count."""


def render(points: Points) -> str:
    """The whole page."""
    lines = [
        "# What a review teaches a net",
        "",
        *paragraph(
            f"Written by `python -m models review-learning`. Nets that never saw a microscope learn from {BLANKS} blank slides and "
            f"{ANSWERS} answers of a simulated reader on {REVIEWED} other slides of it (suspects from the highest score, then near "
            "misses, then others by chance), as `python -m models adapt --reviewed BOOK --blank DIR` does, and are judged on slides "
            "of that microscope that taught nothing. Answers are the annotations (second readings where there are any); a reader "
            f"who errs calls {1 - READER[0]:.0%} of the infected cells not infected, and {1 - READER[1]:.0%} of the others infected."
        ),
        "",
        *_targets(points),
        "",
        *_WHY.splitlines(),
        "",
        *_REASONS.splitlines(),
        "",
        "## The threshold from the blanks alone, and the net that learned",
        "",
        *paragraph(
            "What a device would call on slides left out, of the first draw: with the card's threshold; with the net as it was and a "
            "threshold that the blanks give (the rule of `adapt --blank`: the lowest rate that so many cells can show, at least "
            "0.1 %); with the new net, and the threshold that the same blanks give it when each is scored by a net that had not "
            "seen it. A threshold moves both figures; only learning lets one fall and the other rise."
        ),
        "",
        *table(_THRESHOLD_HEAD, _threshold_rows(points)),
    ]
    for level in of.LEVELS:
        lines += ["", f"## {_level_title(level)}", "", *table(_HEAD, _rows(points, level))]
    lines += ["", "## What it learned before", "", *paragraph(_OLD), "", *table(_OLD_HEAD, _old_rows(points))]
    lines += ["", "## Microscopes", "", *table(("set", "net", "what stands for a slide"), _scope_rows(points))]
    return "\n".join([*lines, ""])


_WHY = """\
*At the same share found*: the new net's threshold is the highest with which it finds as many infected cells as the old one did, so
that what is found is equal and false positives alone are compared. Where a microscope shows no parasite, cells of what the net
learned before take their place. Intervals are 95 %, over slides; a value is the mean over draws, its interval the mean of the draws'
intervals."""

_REASONS = """\
## Why, where it is missed

- **What is left at 1 % is one of a kind.** The most suspicious cells of NIH's blanks were looked at: a platelet on a cell, a smear of
  stain, a fold, a crystal, each blank its own. Five blanks hold a handful of them, and none is like the next one's. What false
  positives there are of one kind, where more is called (5 %, 10 %), learning takes away.
- **The guard costs a part of it**: *unguarded* is what all new weights would give, and what they would forget stands below.
- **Blanks alone do harm.** Infected cells look like the suspects of blanks; a net that is shown only negative cells of a microscope
  takes what is infected there for negative, too, and its false positives rise where as much is found. So `adapt` changes no weight
  with fewer than ten confirmed cells, and chooses the threshold alone.
- **Where a microscope shows no parasite** no answer is positive, and `adapt` would change no weight. Its rows say what learning
  would do to blanks there; what would be lost of infected cells on that microscope nobody can see, so that they count for no
  target but that nothing is forgotten.
- **With few confirmed cells it goes either way**: the most suspicious finds and a sample by chance hold a handful where parasites are
  rare or the net ranks them low. IML gains, BBBC loses. It cannot be told beforehand, nor judged on so few, so `adapt` leaves the
  weights as they are: review more suspects of infected samples until there are ten.
- **A threshold from the blanks** moves along the old net's curve: it cannot find more without calling more. What learning adds beside
  it is the next table."""

_OLD = (
    "Cells of the sets that the net learned from, of groups that are neither rehearsed nor used to choose the mix: infected cells "
    "found at 1 % false positives. *Mix*: the largest share of the new weights with which the guard's cells lose at most "
    f"{ALLOWED:.1%} (`models/adapt/reviewed_net.py`); beside it the same without the guard, all weights new."
)

_HEAD = ("microscope", "what taught", "found", "false positives", "ratio", "ratio, unguarded", "found more at as many")
_OLD_HEAD = ("microscope", "what taught", "mix", "found before", "found after", "change in points", "unguarded")
_THRESHOLD_HEAD = (
    "microscope",
    "way",
    "false positives per 1,000",
    "infected found",
    "blank cells let through, at most",
)
_WAYS = (
    ("card's threshold", "before", ""),
    ("threshold from the blanks alone", "before", "before"),
    ("net that learned", "guarded", "guarded"),
)
"""Name, net, and which of the thresholds of ``points``."""


def _level_title(level: str) -> str:
    if level == "card":
        return "At the share found that the card's threshold gives the net as it was"
    return f"At the share found with {level} false positives"


def _of(points: Points, scope: StudyScope, arm: StudyArm) -> Points:
    return [one for one in points if one["scope"] == scope.name and one["arm"] == arm.key]


def _each(points: Points) -> Iterator[tuple[StudyScope, StudyArm, Points]]:
    for scope in SCOPES:
        for arm in ARMS:
            if mine := _of(points, scope, arm):
                yield scope, arm, mine


def _targets(points: Points) -> list[str]:
    """What was to be reached, and what was."""
    rows = []
    for scope in SCOPES:
        mine = _of(points, scope, ARMS[0])
        sums = [_at(one, "guarded", TARGET_LEVEL) for one in mine]
        infected = any(any(one["judged"]["positive"]) for one in mine)  # where nothing is: see _REASONS
        if infected and (ratio := of.over_draws(sums, of.false_ratio)) is not None:
            row = (f"{scope.name}: false positives, at the same share found", f"<= {HALVED} of before")
            told = f"{ratio.text()}: {_counts(mine, sums)}; {_confirmed(mine)}"
            rows.append((*row, told, _met(ratio.value <= HALVED)))
        if (change := of.over_draws([of.of_old(one, "guarded") for one in mine], of.old_change)) is not None:
            row = (f"{scope.name}: what it learned before", f">= {-100 * ALLOWED:.1f} points")
            rows.append((*row, change.text(2, 100, sign=True), _met(change.value >= -ALLOWED)))
    reached = sum(row[3] == "met" for row in rows)
    head = f"## Must reach: {len(rows) - reached} of {len(rows)} missed"
    where = f"At the share found with {TARGET_LEVEL} false positives, which the choice of the threshold keeps the same."
    return [head, "", *paragraph(where), "", *table(("figure", "target", "measured", ""), rows)]


def _confirmed(points: Points) -> str:
    """How many answers confirmed an infected cell, and what ``adapt`` makes of so few."""
    counts = [one["positive answers"] for one in points]
    few = f", fewer than {CONFIRMED}: `adapt` learns with --force alone" if min(counts) < CONFIRMED else ""
    return f"{' and '.join(map(str, counts))} confirmed{few}"


def _met(reached: object) -> str:
    return "met" if reached else "**missed**"


def _at(point: Mapping[str, Any], net: str, level: str) -> np.ndarray:
    return of.judged(point, net).at(level, point["threshold"])


def _counts(points: Points, sums: Sequence[np.ndarray]) -> str:
    """False positives before and after, and of how many cells, means over draws."""
    whole = np.mean([one.sum(axis=0) for one in sums], axis=0)
    kind = of.judged(points[0], "guarded").kind
    return f"{whole[of.FALSE_BEFORE]:.1f} to {whole[of.FALSE_AFTER]:.1f} of {whole[of.NEGATIVE]:,.0f} {kind}"


def _rows(points: Points, level: str) -> Iterator[tuple[str, ...]]:
    for scope, arm, mine in _each(points):
        sums, whole = ([_at(one, net, level) for one in mine] for net in ("guarded", "whole"))
        found = np.mean([of.judged(one, "guarded").found_at(level, one["threshold"]) for one in mine])
        ratios = [of.over_draws(each, of.false_ratio) for each in (sums, whole)]
        more = of.over_draws(sums, of.gained)
        shown = ["-" if one is None else one.text() for one in ratios]
        gained = "-" if more is None else f"{more.text(1, 100, sign=True)} points"
        yield scope.name, arm.name, f"{found:.1%}", _counts(mine, sums), *shown, gained


def _old_rows(points: Points) -> Iterator[tuple[str, ...]]:
    for scope, arm, mine in _each(points):
        changes = [of.over_draws([of.of_old(one, net) for one in mine], of.old_change) for net in ("guarded", "whole")]
        shown = ["-" if one is None else one.text(2, 100, sign=True) for one in changes]
        mix = ", ".join(f"{one['mix']:g}" for one in mine)
        yield scope.name, arm.name, mix, *(f"{of.old_found(mine, column):.4f}" for column in (1, 2)), *shown


def _threshold_rows(points: Points) -> Iterator[tuple[str, ...]]:
    for scope in SCOPES:
        mine = [one for one in _of(points, scope, ARMS[0]) if one["thresholds"]]
        for name, net, which in _WAYS if mine else ():
            limits = [one["thresholds"][which] if which else one["threshold"] for one in mine]
            sums = [of.at_threshold(one, net, limit) for one, limit in zip(mine, limits, strict=True)]
            false, found = (of.over_draws(sums, figure) for figure in (of.false_per_1000, of.share_found))
            shown = ["-" if one is None else one.text(digits) for one, digits in ((false, 2), (found, 3))]
            rate = np.mean([one["thresholds"]["rate"] for one in mine])
            yield scope.name, name, *shown, f"{rate:.2%}" if which else "-"


def _scope_rows(points: Points) -> Iterator[tuple[str, ...]]:
    for scope in SCOPES:
        if _of(points, scope, ARMS[0]):
            yield scope.name, scope.classifier.name, scope.about
