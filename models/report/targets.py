"""What the shipped classifiers were to reach, and what they do."""

from __future__ import annotations

from collections.abc import Sequence

from models.judge.targets import CELL_MACS, FOUND_TARGETS, NEGATIVE_TARGET, NIH_TARGETS, WORST_SLIDE_TARGET
from models.report.figure import Figure
from models.report.tables import NetFigures

_BYTES = 40_000  # of the first net's file
_AGREEMENT = 0.999  # share of cells that int8 and float decide alike


def rows(nets: Sequence[NetFigures]) -> list[Figure]:
    """Targets of the first net, and of all nets that int8 decides as float does."""
    accurate = nets[0]
    found = []
    for name, (_, wanted) in NIH_TARGETS.items():
        value = accurate.raw[name]
        where = "NIH, raw labels"
        found.append(Figure(name, where, f">= {wanted:g}", f"{value.value:.4f}", value.value >= wanted))
    cells = sum(one.cells for one in accurate.negatives)
    rate = sum(one.flagged for one in accurate.negatives) / cells
    worst = max(one.per_1000 for one in accurate.negatives) / 1000
    found.append(
        Figure(
            "cells called positive",
            "NIH, slides known to be negative, the card's threshold",
            f"<= {NEGATIVE_TARGET:.1%}, worst slide {WORST_SLIDE_TARGET:.0%}",
            f"{rate:.2%}, worst slide {worst:.1%}",
            rate <= NEGATIVE_TARGET and worst <= WORST_SLIDE_TARGET,
        )
    )
    for allowed, wanted in FOUND_TARGETS.items():
        value = accurate.found[allowed].share
        what = f"infected cells found at {allowed:.1%} false positives"
        found.append(Figure(what, "IML end to end", f">= {wanted:g}", f"{value.value:.3f}", value.value >= wanted))
    found.append(_cost(accurate, CELL_MACS, _BYTES))
    for net in nets:
        for key, agreed in net.agreement.items():
            words = f"{agreed.value:.3%} ({agreed.low:.2%} to {agreed.high:.2%}; n = {agreed.n:,})"
            what = f"{net.name}: int8 decides as float does at the operating threshold"
            found.append(Figure(what, key.upper(), f">= {_AGREEMENT:.1%}", words, agreed.value >= _AGREEMENT))
    return found


def _cost(net: NetFigures, macs: int, size: int) -> Figure:
    target = f"<= {macs:,} multiply-accumulates, {size:,} bytes"
    met = net.macs <= macs and net.size <= size
    return Figure(f"{net.name}: cost per cell", "shipped file", target, f"{net.macs:,}, {net.size:,} bytes", met)
