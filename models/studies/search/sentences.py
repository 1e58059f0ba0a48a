"""What the table of the search says, in sentences with the table's own figures."""

from __future__ import annotations

from models.studies.search.candidates import LITE, REFERENCE
from models.studies.search.judge import AT_1
from models.studies.search.results import SearchResult, SearchRow, frontier

ALIKE = 0.05
"""Share by which the work of two nets may differ that are compared with each other."""


def shelf_sentences(found: SearchResult) -> list[str]:
    """What the table says of the nets on the shelf."""
    ours = found.reference
    named = ", ".join(f"`{row.name}`" for row in frontier(found.rows))
    better = [
        f"`{row.name}` (AUC {row.auc - ours.auc:+.4f}, {_chance(found, row)}; {row.time.ratio:.2f} times the time)"
        for row in sorted(found.rows, key=lambda one: -one.auc)
        if row.auc > ours.auc
    ]
    texts = [
        f"No other net has both a higher AUC and less time than any of these: {named}.",
        f"A higher AUC than `{REFERENCE}`: {'; '.join(better)}."
        if better
        else f"None has a higher AUC than `{REFERENCE}`.",
        _without_hardest(found),
    ]
    if found.has(LITE):
        small = found[LITE]
        lost = ours.figures.nih[AT_1].value - small.figures.nih[AT_1].value
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


def work_sentence(found: SearchResult) -> str:
    """How the nets with the reference's work differ in time: multiply-accumulates alone do not tell."""
    ours = found.reference
    told = [
        f"`{row.name}` {row.time.ratio:.2f} times the time{_instructions(row, ours)}, AUC {row.auc - ours.auc:+.4f}"
        for row in sorted(found.rows, key=lambda one: one.time.us)
        if row.name != REFERENCE and abs(row.figures.macs / ours.figures.macs - 1) <= ALIKE
    ]
    return f"Within {100 * ALIKE:g} % of the work of `{REFERENCE}`: {'; '.join(told) or 'no other net'}."


def beyond_chance(found: SearchResult, row: SearchRow) -> bool:
    """Whether a net's gain in AUC is larger than that from seed to seed, and its interval over slides is above zero."""
    if row.gain is None or row.gain.low is None or found.spread is None:
        return False
    return row.gain.value > found.spread and row.gain.low > 0


def _chance(found: SearchResult, row: SearchRow) -> str:
    return "more than seeds and slides explain" if beyond_chance(found, row) else "chance is not excluded"


def _without_hardest(found: SearchResult) -> str:
    best, ours = max(found.rows, key=lambda row: row.easier), found.reference
    text = f"Without slide {found.hardest.slide} the highest AUC is that of `{best.name}`, {best.easier:.4f}"
    if best is ours:
        return f"{text}."
    return f"{text}, against {ours.easier:.4f} of `{REFERENCE}`, in {best.time.ratio:.2f} times the time."


def _instructions(row: SearchRow, other: SearchRow) -> str:
    if row.instructions is None or other.instructions is None:
        return ""
    return f" and {row.instructions / other.instructions:.2f} times its instructions on a Cortex-A76"
