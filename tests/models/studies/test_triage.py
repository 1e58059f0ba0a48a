from __future__ import annotations

import numpy as np
import pytest

from models.judge.figures import Measurement
from models.judge.microscope_figures import CalledCells
from models.judge.microscopes import UNSEEN_RED_ONLY, MicroscopeRow
from models.studies.triage.page import page
from models.studies.triage.table import TriagePoint, best_threshold, point, safe_share, verdict
from tests.fakes import CARD


def cells(infected: list[float], others: list[float], lost: int = 0) -> CalledCells:
    """Scored cells, two to a slide."""
    scores = np.array([*infected, *others], np.float32)
    truth = np.arange(len(scores)) < len(infected)
    units = np.array([f"slide {i // 2}" for i in range(len(scores))])
    return CalledCells(CARD, truth, scores, scores >= 0.5, units, np.array(["slide 0"] * lost, str))


def test_a_threshold_keeps_what_reaches_it_and_never_what_the_finder_lost() -> None:
    at = point(cells([0.9, 0.5, 0.1], [0.5, 0.2, 0.1, 0.0], lost=1), 0.5)
    assert (at.kept, at.kept_of_found, at.discarded) != (None, None, None)
    assert [one and (one.value, one.n) for one in (at.kept, at.kept_of_found, at.discarded)] == [
        (0.5, 4),
        (pytest.approx(2 / 3), 3),
        (0.75, 4),
    ]


def test_the_best_threshold_is_the_lowest_score_that_may_not_be_lost() -> None:
    assert best_threshold(cells([0.9, 0.5, 0.25], [0.1])) == 0.25
    thousand = cells([0.01, *[0.9] * 999], [0.1])
    assert best_threshold(thousand) == pytest.approx(0.9)  # one in a thousand may go
    assert best_threshold(thousand, 1.0) == pytest.approx(0.01)


def test_a_share_of_all_or_none_has_the_exact_interval_and_of_nothing_there_is_none() -> None:
    whole = safe_share(np.ones(100, bool), np.array(["a", "b"] * 50))
    assert whole is not None
    assert whole.low == pytest.approx(0.025 ** (1 / 100), abs=1e-6)
    assert safe_share(np.zeros(0, bool), np.zeros(0, str)) is None


def test_cells_of_one_slide_that_are_alike_widen_an_interval() -> None:
    hits = np.arange(1000) < 500
    alike = safe_share(hits, np.where(hits, "a", "b"))
    mixed = safe_share(hits, np.array([f"slide {i % 250}" for i in range(1000)]))
    assert alike is not None
    assert mixed is not None
    assert alike.low is not None
    assert mixed.low is not None
    assert alike.low < mixed.low


def at(kept: float, discarded: float, *, low: float, n: int = 10_000) -> TriagePoint:
    return TriagePoint(0.5, Measurement(kept, low, 1.0, n), None, Measurement(discarded, 0.8, 0.95, 5000))


@pytest.mark.parametrize(
    ("name", "triage", "said"),
    [
        ("both reached", at(1.0, 0.9, low=0.9995), "met"),
        ("reached, but by too few", at(1.0, 0.9, low=0.96, n=88), "not shown: 88 infected cells are too few"),
        ("too few kept", at(0.99, 0.9, low=0.98), "**missed**: kept"),
        ("too few spared", at(1.0, 0.5, low=0.9995), "**missed**: discarded"),
        ("neither", at(0.9, 0.5, low=0.8), "**missed**: kept, discarded"),
        ("nothing infected", TriagePoint(0.5, None, None, Measurement(1.0, 0.9, 1.0, 9)), "no infected cells"),
    ],
)
def test_a_target_is_met_missed_or_not_shown(name: str, triage: TriagePoint, said: str) -> None:
    assert verdict(triage) == said, name


def test_the_page_names_every_row_with_cells_once_and_says_why_others_are_missing() -> None:
    rows = [
        MicroscopeRow("mine", "mine", ("net.tflite",), cells=cells([0.9, 0.8], [0.1, 0.2, 0.3, 0.1], lost=1)),
        MicroscopeRow("blank", "blank", cells=cells([], [0.1, 0.6, 0.3, 0.1])),
        MicroscopeRow(UNSEEN_RED_ONLY, "blocks", cells=cells([0.9], [0.1])),
        MicroscopeRow("other", "other", missing="not trained: python -m models train"),
    ]
    text = " ".join("\n".join(page(rows)).split())
    assert "**Both targets are met on 0 of 1 rows.**" in text
    assert "loses too many infected ones on *mine*." in text
    assert "| blank | 4 | 75.00 % |" in text
    assert UNSEEN_RED_ONLY not in text
    assert "other: not trained: python -m models train." in text
