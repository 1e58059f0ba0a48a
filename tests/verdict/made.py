"""Calibrations for the tests, and SciPy where there is one."""

from __future__ import annotations

from edge.types import Tally
from edge.verdict.calibration import Blank, Bound, Calibration, KnownSlide
from tests.fakes import CARD

BOUND = Bound(CARD.name, "ab" * 32, "fake-finder")


def calibration(
    positives: list[int] | None = None,
    cells: int = 20_000,
    *,
    found: int = 270,
    infected: int = 300,
    slides: int = 3,
    target: float | None = None,
) -> Calibration:
    """Ten good blanks and three positive slides, unless asked for otherwise; no positive slides: ``slides=0``."""
    counts = [2, 0, 1, 3, 1, 2, 0, 1, 2, 1] if positives is None else positives
    blanks = tuple(Blank(f"blank-{i}", cells, 100, {"parasitized": n}) for i, n in enumerate(counts))
    known = KnownSlide("known", {"parasitized": found}, {"parasitized": infected})
    origin = "positive slides" if slides else "not known"
    return Calibration(BOUND, ("parasitized",), 0.5, "test", blanks, (known,) * slides, origin, target=target)


def tally(healthy: int, infected: int, *, kept: int = 10, rejected: int = 0) -> Tally:
    counts = {"uninfected": healthy, "parasitized": infected}
    return Tally("s", counts, {}, kept, {"out of focus": rejected} if rejected else {})
