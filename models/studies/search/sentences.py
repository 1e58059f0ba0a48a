"""What the table says, in sentences whose figures are the table's own."""

from __future__ import annotations

from collections.abc import Sequence

from models.studies.search.candidates import LITE, REFERENCE
from models.studies.search.judge import AT_1
from models.studies.search.results import SearchResult, SearchRow, frontier

_ALIKE = 0.05
"""Share by which the work of two nets may differ that are held against each other."""


def shelf_sentences(found: SearchResult) -> list[str]:
    """What the table says of the choice that was made."""
    ours = found.reference
    named = ", ".join(f"`{row.name}`" for row in frontier(found.rows))
    texts = [f"No other net has both a higher AUC and less time than any of these: {named}."]
    faster = [row for row in found.rows if row.time.us < ours.time.us and row.auc > ours.auc]
    better = [row for row in found.rows if row.time.us > ours.time.us and row.auc > ours.auc]
    texts.append(_beats(found, faster, "Less time and a higher AUC", "No net takes less time and has a higher AUC"))
    texts.append(_beats(found, better, "More time and a higher AUC", "No net that takes more time has a higher AUC"))
    texts.append(_without_hardest(found))
    if found.has(LITE):
        small = found[LITE]
        lost = _sensitivity(ours) - _sensitivity(small)
        texts.append(
            f"`{LITE}` keeps {100 * small.auc / ours.auc:.2f} % of the AUC of `{REFERENCE}` (without that slide "
            f"{100 * small.easier / ours.easier:.2f} %) in {small.time.ratio:.2f} of its time"
            f"{_instructions(small, ours)}; its sensitivity at 1 % false positives is {100 * lost:.1f} points lower."
        )
    founding = [row for row in found.rows if row.name.startswith("notebook")]
    if founding:
        best = max(founding, key=lambda row: row.auc)
        texts.append(
            f"Of the founding notebook's nets `{best.name}` is best: AUC {best.auc - ours.auc:+.4f} in {best.time.ratio:.1f} times "
            f"the time of `{REFERENCE}`{_instructions(best, ours)}."
        )
    return texts


def _beats(found: SearchResult, rows: Sequence[SearchRow], some: str, none: str) -> str:
    if not rows:
        return f"{none} than `{REFERENCE}`."
    told = []
    for row in sorted(rows, key=lambda one: -one.auc):
        word = "more than seeds and slides explain" if beyond_chance(found, row) else "chance is not excluded"
        told.append(
            f"`{row.name}` (AUC {row.auc - found.reference.auc:+.4f}, {word}; {row.time.ratio:.2f} times the time)"
        )
    return f"{some} than `{REFERENCE}`: {'; '.join(told)}."


def beyond_chance(found: SearchResult, row: SearchRow) -> bool:
    """Whether a net's gain in AUC is more than that from seed to seed, and its interval over slides is above zero."""
    if row.gain is None or row.gain.low is None or found.spread is None:
        return False
    return row.gain.value > found.spread and row.gain.low > 0


def _without_hardest(found: SearchResult) -> str:
    best, ours = max(found.rows, key=lambda row: row.easier), found.reference
    text = f"Without slide {found.hardest.slide} the highest AUC is that of `{best.name}`, {best.easier:.4f}"
    if best is ours:
        return f"{text}."
    return f"{text}, against {ours.easier:.4f} of `{REFERENCE}`, in {best.time.ratio:.2f} times the time."


def _sensitivity(row: SearchRow) -> float:
    return row.figures.nih[AT_1].value


def _instructions(row: SearchRow, other: SearchRow) -> str:
    if row.instructions is None or other.instructions is None:
        return ""
    return f" and {row.instructions / other.instructions:.2f} times its instructions on a Cortex-A76"


def work_sentences(found: SearchResult) -> list[str]:
    """How nets of the reference's work differ in time: what multiply-accumulates do not tell."""
    ours = found.reference
    alike = [row for row in found.rows if abs(row.figures.macs / ours.figures.macs - 1) <= _ALIKE]
    told = [
        f"`{row.name}` {row.time.ratio:.2f} times the time{_instructions(row, ours)}, AUC {row.auc - ours.auc:+.4f}"
        for row in sorted(alike, key=lambda one: one.time.us)
        if row.name != REFERENCE
    ]
    if not told:
        return ["No other net is within so little of its work that they could be compared."]
    texts = [f"Work within {100 * _ALIKE:g} % of `{REFERENCE}`: {'; '.join(told)}."]
    if found.has("mobilenet-like"):
        texts.append(_depthwise(found["mobilenet-like"], ours))
    return texts


def _depthwise(row: SearchRow, ours: SearchRow) -> str:
    here = (row.time.us / row.figures.macs) / (ours.time.us / ours.figures.macs)
    text = (
        f"Per multiply-accumulate `{row.name}`, depthwise and 1x1 convolutions after its first layer, takes {here:.2f} times "
        "the time of dense 3x3 ones here"
    )
    if row.instructions is not None and ours.instructions is not None:
        there = (row.instructions / row.figures.macs) / (ours.instructions / ours.figures.macs)
        text += f" and {there:.2f} times the instructions on a Cortex-A76"
    return f"{text}. That is what these two nets cost, one of each kind, and no law."
