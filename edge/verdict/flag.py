"""The flag of a sample, behind one stable function: ``decide(tally, card) -> Verdict``.

Without a calibration (how many false positives this model, finder and microscope give on slides known to be
negative) counts are all that can honestly be said, so the flag is ``uncalibrated``.
"""

from __future__ import annotations

from edge.modelfile import Card
from edge.types import Interval, Tally, Verdict
from edge.verdict.interval import clopper_pearson

UNCALIBRATED = "uncalibrated"


def decide(tally: Tally, card: Card) -> Verdict:
    """Shares with their 95 % intervals, the flag, and the reasons for it in words."""
    share = {label: clopper_pearson(count, tally.cells) for label, count in tally.counts.items()}
    return Verdict(UNCALIBRATED, tuple(_reasons(tally, card)), share)


def _reasons(tally: Tally, card: Card) -> list[str]:
    if card.calibration is None:
        first = (
            "No calibration for this model, finder and microscope: its false positives are not known, "
            "so the counts are not turned into a judgement."
        )
    else:
        first = "The model's card carries a calibration that this version cannot use yet: update the runner."
    return [first, _count(tally, card), *_fields(tally)]


def _count(tally: Tally, card: Card) -> str:
    if tally.cells == 0:
        return "No cell was counted."
    cells = _plural(tally.cells, "cell")
    if not card.positive:
        return f"{cells} counted; no class of this model makes a sample suspicious."
    positive = sum(tally.counts[label] for label in card.positive)
    names = " or ".join(card.positive)
    share = clopper_pearson(positive, tally.cells)
    range_ = percent_range(share)
    return f"{positive:,} of {cells} counted as {names}: {range_} with 95 % confidence, false positives included."


def _fields(tally: Tally) -> list[str]:
    seen = tally.kept + sum(tally.rejected.values())
    if tally.rejected and tally.kept < seen / 2:
        return [f"Only {tally.kept:,} of {_plural(seen, 'field')} passed the gate: check focus, light and stage."]
    return []


def percent_range(share: Interval) -> str:
    """An interval in per cent with sensible digits: ``1.08 to 1.94 %``."""
    digits = 2 if share.high - share.low > 1e-3 else 4
    return f"{share.low * 100:.{digits}f} to {share.high * 100:.{digits}f} %"


def _plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
