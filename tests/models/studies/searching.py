"""Made-up results of a search, for its tests."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.modelfile import CropSpec, read_model, write_model
from models.judge.figures import Measurement, exact
from models.places import SHELF
from models.studies.search.candidates import CANDIDATES, REFERENCE, SPEC
from models.studies.search.cost import NetInstructions, NetTime, TimedCase, TimingRun
from models.studies.search.judge import ACCURACY, AT_01, AT_1, AUC, CandidateFigures
from models.studies.search.make import SearchPlan, file_of
from models.studies.search.results import HardestSlide, NihScores, SearchResult, SearchRow
from models.train.classifier import CellTraining

PLAN = SearchPlan(CellTraining(steps=10), ("C1", "C2"), (0, 4))
COUNTED = NetInstructions("cortex-a76", {}, {}, {"numpy": "2"}, 4096)


def figures(auc: float = 0.98, macs: int = 487_440) -> CandidateFigures:
    def one(value: float) -> Measurement:
        return Measurement(value, value - 0.01, value + 0.005, 4000)

    nih = {ACCURACY: one(0.95), AUC: one(auc), AT_1: replace(one(0.8), n=2000), AT_01: replace(one(0.8), n=2000)}
    return CandidateFigures("ab", macs, nih, 32, exact(95, 110), 9, 7000)


def row(
    name: str, us: float = 5.0, auc: float = 0.98, macs: int = 487_440, instructions: int | None = None
) -> SearchRow:
    candidate = next(one for one in CANDIDATES if one.name == name)
    gain = None if name == REFERENCE else Measurement(auc - 0.98, auc - 0.99, auc - 0.97, 4000)
    time = NetTime(32, us, us / 5, us / 6, us / 4, delegated=True)
    return SearchRow(candidate, 34_000, figures(auc, macs), time, instructions, gain, auc + 0.01, "c0de")


def timing(*cases: TimedCase) -> TimingRun:
    return TimingRun("a processor", ("it was warm",), cases)


def found(*rows: SearchRow, **changes: Any) -> SearchResult:
    seeds = (figures(0.981), figures(0.978))
    given = SearchResult((row(REFERENCE), *rows), PLAN, seeds, timing(), COUNTED, HardestSlide("C116", 482, 0.7), ())
    return replace(given, **changes)


def case(name: str, batch: int, us: tuple[float, ...], sha256: str = "ab") -> TimedCase:
    return TimedCase(name, batch, sorted(us)[len(us) // 2], us, sha256, delegated=True)


# what is searched


def scores() -> NihScores:
    """Ten slides of 40 cells; on slide C3 one net is wrong throughout, and a little worse than the other elsewhere."""
    rng = np.random.default_rng(3)
    infected = np.arange(400) % 2 == 0
    slides = np.array([f"C{i // 40}" for i in range(400)])
    good = np.clip(rng.normal(np.where(infected, 0.8, 0.2), 0.1), 0, 1)
    poor = np.clip(rng.normal(np.where(infected, 0.7, 0.3), 0.2), 0, 1)
    poor[slides == "C3"] = 1 - good[slides == "C3"]
    return NihScores(infected, slides, {"good": good, "poor": poor, "again": good.copy()})


def keep(work: Path, name: str, plan: SearchPlan = PLAN, crop: CropSpec = SPEC) -> Path:
    """A sound device file where the search keeps it; its net is the shelf's, whatever crops it takes."""
    shipped = read_model(SHELF / REFERENCE / f"{REFERENCE}.tflite")
    assert shipped.card is not None
    training = {
        "settings": asdict(plan.settings),
        "held_out_slides": list(plan.slides),
        "held_out_blocks": list(plan.blocks),
    }
    path = file_of(work, name)
    path.parent.mkdir(parents=True)
    write_model(path, shipped.flatbuffer, replace(shipped.card, name=name, training=training, crop=crop))
    return path
