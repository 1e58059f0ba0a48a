"""The report of ``quantize``: what it says of the gate, of ways that were refused, and of what may help; no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convert.classify import judging
from convert.classify.accuracy_gate import chance_test
from convert.classify.candidate import Candidate
from convert.classify.gate_report import AT_CHANCE, JudgingCells, report_of_chance
from convert.classify.preprocess import Preprocessing
from convert.measure.scoring import TimedNets
from convert.net.values import RANGES
from tests.convert.classify.test_accuracy_gate import CARD, candidate, cells, scores
from tests.convert.classify.test_choice import PLAN

CELLS = cells(400)
PREP = Preprocessing(RANGES["0..1"], "rgb", logits=False, tried=(("--value-range 0..1 --colour rgb", 0.97),))
TIMES = TimedNets({"float": 3.0, "int8": 1.0}, {"float": (3.0, 2.8, 3.3), "int8": (1.0, 1.0, 1.0)})


class Choice:
    """Plays the choice: the ways in this order."""

    notes: tuple[str, ...] = ()

    def __init__(self, *ways: str) -> None:
        self.made = [replace(candidate(way), float_file=b"float", flatbuffer=way.encode()) for way in ways]
        self.possible, self.one_way_asked = len(ways), len(ways) == 1

    def in_order(self) -> Iterator[Candidate]:
        yield from self.made

    def chosen(self, one: Candidate) -> bool:
        return one is self.made[0]


def judges(as_cut: int | None = None) -> JudgingCells:
    shown = None if as_cut is None else scores(CELLS, as_cut)
    return JudgingCells(CELLS, scores(CELLS), 0.5, lambda _size: CELLS, shown, "stretch")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the report where files are wrong on so many of the cells."""

    def report(wrong: dict[str, int], limit: float = 0.5, as_cut: int | None = None) -> dict[str, Any]:
        def device_scores(file: bytes, *_: object) -> np.ndarray:
            return scores(CELLS, wrong.get(file.decode(), 0))

        monkeypatch.setattr(judging, "device_scores", device_scores)
        monkeypatch.setattr(judging, "latency", lambda *_: TIMES)
        monkeypatch.setattr(judging, "macs", len)
        monkeypatch.setattr(judging, "Net", lambda _file: SimpleNamespace(delegated=lambda: True))
        monkeypatch.setattr(judging, "compat", SimpleNamespace(min_runtime=lambda _: "2.2", notes=lambda *_: []))
        plan = replace(PLAN, limit=limit)
        choice: Any = Choice(*wrong)
        return judging.report(choice, plan, PREP, judges(as_cut), lambda *_: None)[1]

    return report


def test_a_loss_that_may_be_chance_is_let_through_with_what_would_settle_it(made: Any) -> None:
    found = made({"native": 5})
    assert (found["passed"], found["verdict"], found["drop_points"]) == (True, "may be over the limit", 1.25)
    low, high = found["drop_interval"]
    assert low < 0.5 < high
    assert found["cells_to_settle"] > 400
    assert any(
        f"about {found['cells_to_settle']:,} cells that judge would settle it" in line for line in found["warnings"]
    )
    assert found["what_helps"] == []


def test_where_the_cheapest_is_refused_the_next_is_taken_and_the_report_says_how(made: Any) -> None:
    found = made({"distill": 20, "upscale": 0, "rebuild": 0})
    assert (found["passed"], found["way"]) == (True, "upscale")
    assert [(one["way"], one["verdict"]) for one in found["judged_ways"]] == [
        ("distill", "refused"),
        ("upscale", "may be over the limit"),
    ]
    assert found["drop_level"] == pytest.approx(1 - 0.05 / 3)
    assert any("refused distill (5.00 points); fell back to upscale" in line for line in found["warnings"])


def test_where_all_are_refused_the_report_is_of_the_first_and_names_what_may_help(made: Any) -> None:
    found = made({"distill": 40, "upscale": 20}, as_cut=8)
    assert (found["passed"], found["way"], found["drop_points"]) == (False, "distill", 10.0)
    helps = "; ".join(found["what_helps"])
    assert "--input upscale loses 5.00 points" in helps
    assert "2.00 points of it are the device's square cuts" in helps
    assert "more cells to calibrate on (0 now" in helps
    assert "other --value-range" not in helps  # the net does well as it is
    allowed = float(helps.split("--max-accuracy-drop ")[1].split()[0])
    assert allowed >= found["drop_interval"][0]
    let_through = made({"distill": 40, "upscale": 20}, limit=allowed)
    assert (let_through["passed"], let_through["way"]) == (True, "distill")


def test_what_the_devices_cuts_cost_stands_beside_the_loss(made: Any) -> None:
    assert made({"native": 0})["device_cut_cost"] is None
    cost = made({"native": 0}, as_cut=8)["device_cut_cost"]
    assert (cost["drop_points"], cost["accuracy"]) == (2.0, 0.98)
    assert cost["drop_interval"][0] < 2 < cost["drop_interval"][1]


def test_the_report_of_a_net_at_chance_has_its_figures_and_no_device_file() -> None:
    guess = np.random.default_rng(0).random(len(CELLS)).astype(np.float32)
    shown = np.stack([1 - guess, guess], axis=1)
    of = replace(judges(), as_trained=shown, chance=chance_test(shown, CELLS, CARD))
    found = report_of_chance(PLAN, PREP, of, ["a note"])
    assert (found["passed"], found["verdict"], found["way"]) == (False, AT_CHANCE, None)
    assert found["figures"].keys() == {"as_trained"}
    assert any(line.startswith("AT CHANCE") for line in found["warnings"])
    assert "a note" in found["warnings"]
