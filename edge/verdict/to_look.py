"""Which cells to look at next, and how many until a sample is decided.

Suspects in order come first: they are where infected cells are. Of what is drawn at random the next cells go where they narrow the
estimate most: in proportion to a part's cells times the standard deviation in it (Neyman 1934, optimum allocation). What was seen so
far gives that deviation, with a cell or two of doubt; what was not seen yet is thought to be as parts usually are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import sqrt

from edge.verdict.review_records import PartCounts, ReviewCounts
from edge.verdict.short import rounded_up

BATCH = 20
"""Cells drawn at random that are advised at once."""

_CHECK = 20  # of each part that a calibration vouches for: enough to see that it is far off
_USUAL_SUSPECT, _USUAL_OTHER = 0.3, 0.005  # share of positives in a part that nobody has seen
_DOUBT = 1.0  # cells by which the usual share counts
_STRIDE = 1.6  # factor from one step to the next
_FIRST = 4  # cells of the first step outwards
_FINER = 7  # halvings of the last step


def next_to_look(counts: ReviewCounts, *, calibrated: bool, batch: int = BATCH) -> dict[str, int]:
    """How many more cells of each part to look at next, by its name, best first; empty: there are none left that tell anything.

    Args:
        counts: the sample.
        calibrated: how many infected cells become suspects is known: other cells are a check only, a few of each part.
        batch: cells drawn at random.
    """
    advice = {part.name: part.size - part.looked for part in counts.parts if part.ordered and part.looked < part.size}
    drawn = [part for part in counts.parts if not part.ordered and part.looked < part.size]
    if calibrated:
        checks = {
            p.name: min(_CHECK, p.size) - p.looked for p in drawn if not p.suspect and p.looked < min(_CHECK, p.size)
        }
        suspects = [part for part in drawn if part.suspect]
        return advice | _allocated(suspects, batch) | checks
    return advice | _allocated(drawn, batch)


def _spread(part: PartCounts) -> float:
    usual = _USUAL_SUSPECT if part.suspect else _USUAL_OTHER
    share = (part.positive + part.unsure / 2 + _DOUBT * usual) / (part.looked + _DOUBT)
    return part.size * sqrt(share * (1 - share))


def _allocated(parts: list[PartCounts], batch: int) -> dict[str, int]:
    """``batch`` more cells among parts, so that all looked at come near to Neyman's proportions."""
    room = {part.name: part.size - part.looked for part in parts}
    batch = min(batch, sum(room.values()))
    spread = {part.name: max(_spread(part), 1e-9) for part in parts}
    looked = {part.name: part.looked for part in parts}
    wanted = dict.fromkeys(spread, 0.0)
    open_parts = set(spread)
    # Parts that already have more than their share, or would run out, are settled first; the others share what is left.
    while open_parts:
        total = batch - sum(wanted[name] for name in spread if name not in open_parts)
        total += sum(looked[name] for name in open_parts)
        whole = sum(spread[name] for name in open_parts)
        ideal = {name: total * spread[name] / whole - looked[name] for name in open_parts}
        off = {name for name in open_parts if ideal[name] < 0 or ideal[name] > room[name]}
        over = {name for name in off if ideal[name] < 0} or off
        for name in over or open_parts:
            wanted[name] = min(max(ideal[name], 0.0), room[name])
        open_parts -= over or open_parts
    out = {name: int(want) for name, want in wanted.items()}
    by_rest = sorted(wanted, key=lambda name: (out[name] - wanted[name], -spread[name]))
    for name in (by_rest * 2)[: 2 * len(by_rest)]:
        if sum(out.values()) < batch and out[name] < room[name]:
            out[name] += 1
    return {name: out[name] for name in sorted(out, key=lambda name: -out[name]) if out[name] > 0}


def cells_to_look(counts: ReviewCounts, decided: Callable[[ReviewCounts], bool], *, calibrated: bool) -> int | None:
    """The fewest further cells to look at, as ``next_to_look`` has them, until ``decided``; None: not even all of them.

    They are taken to go on as they did: as many positives among them as in the same part so far; none where nobody looked.
    """
    most = sum(part.size - part.looked for part in counts.parts)
    if not most or not decided(further(counts, most, calibrated=calibrated)):
        return None
    few, more = 0, _FIRST
    while more < most and not decided(further(counts, more, calibrated=calibrated)):
        few, more = more, rounded_up(int(more * _STRIDE) + 1)
    more = min(more, most)
    for _ in range(_FINER):
        middle = min(rounded_up((few + more) // 2), more)
        if not few < middle < more:
            break
        few, more = (few, middle) if decided(further(counts, middle, calibrated=calibrated)) else (middle, more)
    return more


def further(counts: ReviewCounts, more: int, *, calibrated: bool) -> ReviewCounts:
    """The sample with so many more cells looked at, in the order advised, that show what those before showed."""
    added: dict[str, int] = {}
    for part in counts.parts:
        if part.ordered:
            added[part.name] = min(part.size - part.looked, more)
            more -= added[part.name]
    drawn = [part for part in counts.parts if not part.ordered]
    groups = [[p for p in drawn if p.suspect], [p for p in drawn if not p.suspect]] if calibrated else [drawn]
    for group in groups:
        share: Mapping[str, int] = _allocated([part for part in group if part.looked < part.size], more)
        added |= share
        more -= sum(share.values())
    return replace(counts, parts=tuple(_grown(part, added.get(part.name, 0)) for part in counts.parts))


def _grown(part: PartCounts, more: int) -> PartCounts:
    positive = round(more * part.positive / part.looked) if part.looked else 0
    unsure = min(round(more * part.unsure / part.looked), more - positive) if part.looked else 0
    return replace(
        part,
        positive=part.positive + positive,
        unsure=part.unsure + unsure,
        negative=part.negative + more - positive - unsure,
    )
