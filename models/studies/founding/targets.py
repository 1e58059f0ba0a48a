"""The targets of a conversion, and which of them a device file meets."""

from __future__ import annotations

from dataclasses import dataclass

from models.studies.founding.compare import PairedDifference
from models.studies.founding.convert import ConversionFigures

ACCURACY_POINTS = 0.3  # a conversion may lose so many points
AUC_DROP = 0.002  # a conversion may lose so much
AGREEMENT = 0.995
"""The targets: the most points of accuracy and of AUC that a device file may lose, and the least agreement."""


@dataclass(frozen=True, slots=True)
class TargetsMet:
    """Which targets a device file meets; None where a target does not apply.

    Attributes:
        accuracy: within 0.3 points of the net as trained, from one half.
        operating: likewise, each at its own operating threshold.
        auc: within 0.002 of it.
        agreement: both put at least 99.5 % of the cells into the same class, each at its own operating threshold.
        same_graph: so do the device file and the float file of the same graph at one threshold: what int8 alone costs.
    """

    accuracy: bool
    operating: bool
    auc: bool | None
    agreement: bool
    same_graph: bool

    @property
    def met(self) -> bool:
        """All targets against the net as trained that apply."""
        return self.accuracy and self.operating and self.auc is not False and self.agreement


def targets(found: ConversionFigures) -> TargetsMet:
    """The targets that these figures meet; a gain meets them as well."""
    same_graph = found.report["agreement"]["int8_with_float"] >= AGREEMENT
    pair = found.paired
    if pair is None:
        return TargetsMet(accuracy=False, operating=False, auc=False, agreement=False, same_graph=same_graph)
    return TargetsMet(
        accuracy=_lost(pair.accuracy) * 100 <= ACCURACY_POINTS,
        operating=_lost(pair.operating) * 100 <= ACCURACY_POINTS,
        auc=None if pair.auc is None else _lost(pair.auc) <= AUC_DROP,
        agreement=pair.agreement >= AGREEMENT,
        same_graph=same_graph,
    )


def _lost(difference: PairedDifference) -> float:
    return round(-difference.value, 9)
