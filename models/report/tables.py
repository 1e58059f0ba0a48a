"""The page's tables and sentences, Markdown lines from figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.judge.figures import Measurement, NegativeGroup
from models.judge.scores import FieldCells, NetScores
from models.report import blind
from models.report.blind import BlindReading
from models.report.looked import LOOKED, fingerprint
from models.report.markdown import paragraph, table
from models.report.measure import RATES, SENSITIVITY, Audit, EndToEnd, WorstSlide, found
from models.report.operating import ThresholdResult

_SHEETS = {
    "nih-uninfected-highest": "NIH, published as uninfected, highest scores",
    "nih-infected-lowest": "NIH, published as infected, lowest scores",
    "iml-uninfected-highest": "IML, not annotated as infected, highest scores",
    "iml-infected-lowest": "IML, annotated as infected and found by the finder, lowest scores",
}


@dataclass(frozen=True, slots=True, eq=False)
class NetFigures:
    """One net's figures.

    Attributes:
        name: of the net.
        macs: per cell.
        size: of the shipped file, bytes.
        raw: NIH against published labels, by figure.
        cleaned: NIH against labels with the second opinion where there is one.
        found: IML end to end, by share of false positives.
        negatives: slides without an infected cell.
        stages: IML end to end at the larger share of false positives, by stage.
        auc_share: its AUC on NIH as a share of the first net's; None: it is the first.
        agreement: int8 with float at the operating threshold, by set, from the shipped file's card.
        calibration: expected calibration errors on NIH and IML.
    """

    name: str
    macs: int
    size: int
    raw: dict[str, Measurement]
    cleaned: dict[str, Measurement]
    found: dict[float, EndToEnd]
    negatives: list[NegativeGroup]
    stages: dict[str, Measurement]
    auc_share: Measurement | None
    agreement: dict[str, Measurement]
    calibration: tuple[float, float]


def percent(value: Measurement) -> str:
    """A share with its interval and n, or a dash where it is of nothing."""
    return f"{value.text()}; n = {value.n:,}" if value.n else "-"


def fine(value: Measurement) -> str:
    """A small share, its interval to as many digits as itself."""
    interval = "" if value.low is None or value.high is None else f" ({100 * value.low:.2f} to {100 * value.high:.2f})"
    return f"{100 * value.value:.2f} %{interval}; n = {value.n:,}"


def summary(nets: Sequence[NetFigures], changed: int) -> list[str]:
    """The table of the nets: a column each."""
    rows = [
        ["multiply-accumulates per cell", *(f"{net.macs:,}" for net in nets)],
        ["file, bytes", *(f"{net.size:,}" for net in nets)],
    ]
    for words, labels in (("raw labels", "raw"), (f"cleaned labels ({changed} changed)", "cleaned")):
        for name in nets[0].raw:
            values = [getattr(net, labels)[name] for net in nets]
            shown = [f"{value.text(percent=name != 'AUC')}; n = {value.n:,}" for value in values]
            rows.append([f"NIH, {words}: {name}", *shown])
    shares = ["1" if net.auc_share is None else percent(net.auc_share) for net in nets]
    rows.append([f"NIH, raw labels: AUC as a share of that of {nets[0].name}", *shares])
    for rate in nets[0].found:
        rows.append(
            [f"IML end to end: infected cells found at {rate:.1%}", *(percent(net.found[rate].share) for net in nets)]
        )
        let = [fine(net.found[rate].false) for net in nets]
        rows.append([f"- uninfected cells above those thresholds (aimed at: {rate:.1%})", *let])
    return table(["", *(f"`{net.name}`" for net in nets)], rows)


def known_negatives(nets: Sequence[NetFigures]) -> list[str]:
    """WorstSlide by slide, the slides by name."""
    head = ["slide", "cells", *(f"`{net.name}`: called positive | per 1,000" for net in nets)]
    rows = []
    for same in zip(*(net.negatives for net in nets), strict=True):
        parts = [f"{one.flagged} | {one.per_1000:.1f}" for one in same]
        rows.append([same[0].group, f"{same[0].cells:,}", *parts])
    totals = []
    for net in nets:
        flagged, cells = (sum(getattr(one, key) for one in net.negatives) for key in ("flagged", "cells"))
        totals.append(f"{flagged} | {1000 * flagged / cells:.1f}")
    rows.append(["all", f"{sum(one.cells for one in nets[0].negatives):,}", *totals])
    lines = table(head, rows)
    lines[1] = "|" + "---|" * (2 + 2 * len(nets))
    return lines


def stages(nets: Sequence[NetFigures]) -> list[str]:
    """Infected cells found, stage by stage."""
    rows = [[stage, *(percent(net.stages[stage]) for net in nets)] for stage in nets[0].stages]
    return table(["stage", *(f"`{net.name}`" for net in nets)], rows)


def audit_lines(found: Audit, target: float) -> list[str]:
    """The noise audit."""
    sides = [
        [
            f"`{side.name}`",
            percent(side.against),
            percent(side.infected),
            percent(side.by_second),
            percent(side.with_second),
            percent(side.without),
        ]
        for side in found.sides
    ]
    first = found.sides[0]
    disputed = first.against.n + first.infected.n
    where = "inside" if (found.agreement.low or 0) <= target <= (found.agreement.high or 1) else "outside"
    return [
        *paragraph(
            f"{found.agreement.n:,} of the NIH cells have a second opinion. It contradicts the published label of {disputed}: "
            f"of {found.healthy.text()} of the {found.healthy.n:,} published as infected and of {found.infected.text()} of the "
            f"{found.infected.n:,} published as uninfected. How often the nets side with it, at a score of one half (exact "
            "intervals; accuracies with "
            "intervals over slides):"
        ),
        "",
        *table(
            [
                "net",
                "sides with it: published infected, it says uninfected",
                "sides with it: published uninfected, it says infected",
                "accuracy against it",
                "accuracy against the published label, same cells",
                "the same, cells without second opinion",
            ],
            sides,
        ),
        "",
        *paragraph(
            "What this says of the ceiling: a net that always agreed with the second opinion would score "
            f"{found.agreement.text()} for accuracy against the published labels (interval over slides; both labels weighted "
            "as in the whole set). **If** that opinion were always right and the cells that have one were typical, knowing "
            f"the truth of every cell would give no more, and the target of {target:.1%} lies {where} the interval. Neither "
            "is known: how the cells were chosen is not in the data, the second opinion may be wrong too, and a net may "
            "learn the habits of whoever labelled. It is no proof that the target cannot be reached."
        ),
        "",
        *paragraph(
            "On these cells the second opinion agrees with the published label in "
            f"{found.plain.text()}; `{first.name}` does in {first.with_second.text()}. Label noise is not all: against the "
            f"second opinion itself `{first.name}` reaches {first.by_second.text()}."
        ),
        "",
        *paragraph(
            f"Of few false positives: the second opinion calls {found.infected.text()} of the cells infected that are "
            f"published as uninfected. The sensitivities allow {' and '.join(f'{rate:.1%}' for rate in SENSITIVITY.values())} "
            "of them to score above the threshold."
        ),
    ]


def one_slide(slide: WorstSlide, net: str, cells: int) -> list[str]:
    """Where a net is wrong most often."""
    rest = ", ".join(f"{name} {value.text(percent=name != 'AUC')}" for name, value in slide.without.items())
    return paragraph(
        f"Slides differ: of the {slide.all_wrong:,} cells on which `{net}` is wrong (at a score of one half), {slide.wrong} are of "
        f"one slide, {slide.name}, which has {slide.cells} of the {cells:,} cells; {slide.infected} of these are published as "
        f"infected. Without it (left out after the fact, so no result): {rest}."
    )


def mistakes(on_sheets: dict[str, list[str]], slides: np.ndarray, budget: dict[float, int]) -> list[str]:
    """What was seen on the sheets, if these are the cells that were looked at.

    Args:
        on_sheets: names of the cells on each sheet.
        slides: slide of each cell on the NIH sheet of infected cells, str [n].
        budget: uninfected IML cells that each share of false positives allows.
    """
    rows = []
    for key, words in _SHEETS.items():
        look = LOOKED.get(key)
        if look is None or look.cells != fingerprint(on_sheets[key]):
            rows.append([words, f"{len(on_sheets[key])}", "nobody has looked at these cells yet", "", "", ""])
        else:
            counts = (look.infected, look.unsure, look.other)
            rows.append([words, f"{len(on_sheets[key])}", *map(str, counts), look.words])
    names, counts_of = np.unique(slides, return_counts=True)
    most = int(np.argmax(counts_of))
    allowed = ", ".join(f"{count} at {rate:.1%}" for rate, count in budget.items())
    return [
        *table(["sheet", "cells", "look infected", "unsure", "look uninfected", "what is seen"], rows),
        "",
        *paragraph(
            f"Of the infected NIH cells with the lowest scores, {counts_of[most]} of {len(slides)} are of one slide, "
            f"{names[most]}. On IML so many uninfected cells may score above the threshold: {allowed}. The third row shows "
            f"the {len(on_sheets['iml-uninfected-highest'])} highest of them, so what they truly are decides what the figure "
            "at the smaller share is worth; that takes somebody trained."
        ),
    ]


def read_blind(reading: BlindReading | None, iml: FieldCells, net: NetScores) -> list[str]:
    """What was read without knowing the labels, and the figures without what was read as infected."""
    if reading is None:
        return ["Nobody has read these cells yet (`python -m models report --blind DIR`)."]
    counts = blind.counts(reading, iml, net)
    rows = [[group, f"{sum(row.values())}", *(str(row[v]) for v in blind.VERDICTS)] for group, row in counts.items()]
    fewer, same = blind.without_read_as_infected(reading, iml, net)
    shown = "; ".join(f"{percent(found(fewer, same, rate).share)} at {rate:.1%}" for rate in RATES)
    return [
        *paragraph(
            f"The worst false positives of `{net.name}` on IML, shuffled among cells drawn at random, were read one by one "
            f"without score, label or neighbours known ({reading.reader})."
        ),
        "",
        *table(["cells", "n", *(f"read as {verdict}" for verdict in blind.VERDICTS)], rows),
        "",
        *paragraph(
            f"Without the {len(iml.infected) - len(fewer.infected)} that are not annotated as infected and were read as "
            f"infected, infected cells found end to end: {shown}. Only false positives of the net were looked at, so this can "
            "only flatter it: it says how far the annotations carry, not what the net reaches."
        ),
    ]


def operating(points: Sequence[ThresholdResult]) -> list[str]:
    """Ways to set the threshold, a row each."""
    head = ["threshold", "value", "known-negative NIH cells called positive", "worst slide", "infected NIH cells found"]
    rows = []
    for one in points:
        low, high = one.limits
        value = f"{low:.4f}" if low == high else f"{low:.4f} to {high:.4f}"
        shown = [fine(one.negative), f"{one.worst:.1%}", percent(one.nih), percent(one.iml), fine(one.false)]
        rows.append([one.rule, value, *shown])
    return table([*head, "infected IML cells found, end to end", "other IML finds called positive"], rows)
