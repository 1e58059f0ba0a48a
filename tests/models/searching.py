"""Made-up results of a search, for its tests."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import records
from benchmarks.records import Case, Round, Run
from edge.modelfile import read_model, write_model
from models.judge.figures import Measurement, exact
from models.places import SHELF
from models.studies.search import cost
from models.studies.search.candidates import CANDIDATES, REFERENCE
from models.studies.search.cost import Counts, Time
from models.studies.search.found import Found, Hardest, Row, Scores
from models.studies.search.judge import Judged
from models.studies.search.make import Plan, file_of
from models.train.classifier import CellTraining

PLAN = Plan(CellTraining(steps=10), ("C1", "C2"), (0, 4))
COUNTED = Counts("cortex-a76", {}, {}, {"numpy": "2"}, 4096)


def judged(auc: float = 0.98, macs: int = 487_440) -> Judged:
    def one(value: float) -> Measurement:
        return Measurement(value, value - 0.01, value + 0.005, 4000)

    nih = {"accuracy": one(0.95), "AUC": one(auc)}
    nih |= {f"sensitivity at {rate} % false positives": replace(one(0.8), n=2000) for rate in ("1", "0.1")}
    return Judged("ab", macs, nih, 32, exact(95, 110), 9, 7000)


def row(name: str, us: float = 5.0, auc: float = 0.98, macs: int = 487_440, instructions: int | None = None) -> Row:
    candidate = next(one for one in CANDIDATES if one.name == name)
    gain = None if name == REFERENCE else Measurement(auc - 0.98, auc - 0.99, auc - 0.97, 4000)
    time = Time(32, us, us / 5, us / 6, us / 4, delegated=True)
    return Row(candidate, 34_000, judged(auc, macs), time, instructions, gain, auc + 0.01, "c0de")


def measured_run(cases: tuple[Case, ...] = ()) -> Run:
    device: dict[str, Any] = {"cpu": "a processor", "machine": "x86_64"}
    return Run("2026-11-21T00:00:00Z", "0.1", {}, False, (), ("it was warm",), device, (), cases)


def found(*rows: Row, **changes: Any) -> Found:
    seeds = (judged(0.981), judged(0.978))
    given = Found((row(REFERENCE), *rows), PLAN, seeds, measured_run(), COUNTED, Hardest("C116", 482, 0.7), ())
    return replace(given, **changes)


def case(name: str, batch: int, us: tuple[float, ...], sha256: str = "ab") -> Case:
    work = cost.workloads({name: Path(f"{name}.tflite")})[cost.BATCHES.index(batch)]
    rounds = tuple(Round(0, 0.0, 1, 1, [int(one * 1000 * batch)], [batch]) for one in us)
    return Case(work, records.MEASURED, facts={"sha256": sha256, "delegated": True}, rounds=rounds)


# what is searched


def scores() -> Scores:
    """Ten slides of 40 cells; on slide C3 one net is wrong throughout, and a little worse than the other elsewhere."""
    rng = np.random.default_rng(3)
    infected = np.arange(400) % 2 == 0
    slides = np.array([f"C{i // 40}" for i in range(400)])
    good = np.clip(rng.normal(np.where(infected, 0.8, 0.2), 0.1), 0, 1)
    poor = np.clip(rng.normal(np.where(infected, 0.7, 0.3), 0.2), 0, 1)
    poor[slides == "C3"] = 1 - good[slides == "C3"]
    return Scores(infected, slides, {"good": good, "poor": poor, "again": good.copy()})


def keep(work: Path, name: str, plan: Plan = PLAN, **changes: Any) -> Path:
    """A sound device file where the search keeps it; its net is the shelf's."""
    shipped = read_model(SHELF / REFERENCE / f"{REFERENCE}.tflite")
    assert shipped.card is not None
    training = {
        "settings": asdict(plan.settings),
        "held_out_slides": list(plan.slides),
        "held_out_blocks": list(plan.blocks),
    }
    path = file_of(work, name)
    path.parent.mkdir(parents=True)
    write_model(path, shipped.flatbuffer, replace(shipped.card, name=name, training=training, **changes))
    return path
