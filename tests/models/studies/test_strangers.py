"""Strangers' nets: facts that are kept, the page made of them, files that the converter reads. Some need TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from convert.measure.scoring import outputs
from convert.net.values import RANGES
from convert.reading.load import load_model
from convert.reading.source import open_source
from models.__main__ import app
from models.places import REPOSITORY
from models.studies.strangers import run as running
from models.studies.strangers.facts import (
    FACTS,
    ConversionFacts,
    JudgedFacts,
    StrangerFacts,
    keep,
    kept_facts,
)
from models.studies.strangers.files import file_name, write
from models.studies.strangers.limits import LIMITS_FILE, kept_limits
from models.studies.strangers.nets import NETS, FileForm, build
from models.studies.strangers.page import render
from models.studies.strangers.run import StrangersSettings, run
from models.studies.strangers.train import TrainedStranger, fed

DONE = ConversionFacts(
    "abc", 0, "", "upscale", "int8", "passed", ("few cells",), "0..1", "rgb", 61.0, 70.0, 2, 0.1, 80_000, 14_000_000
)
JUDGED = JudgedFacts(500, 30, 0.95, 0.948, 2, 1, -0.6, 1.1, 0.949, 1, 1)


def facts(name: str = NETS[0].name, **changes: Any) -> StrangerFacts:
    return replace(StrangerFacts(name, 5000, 8, 0.94, 13_000_000, 176_000, DONE, JUDGED), **changes)


def test_facts_that_are_kept_come_back_the_same(tmp_path: Path) -> None:
    for one in (facts(), facts("two_convolutions_50", judged=None)):
        keep(one, tmp_path)
        assert kept_facts(one.name, tmp_path) == one
    assert kept_facts("vgg_100", tmp_path) is None


def test_facts_in_the_repository_are_of_known_nets_and_name_no_folder() -> None:
    for path in FACTS.glob("*.json"):
        if path.name == LIMITS_FILE:
            assert kept_limits() is not None
        else:
            assert path.stem in {net.name for net in NETS}
            assert kept_facts(path.stem) is not None
        assert not any(f"/{root}/" in path.read_text() for root in ("home", "tmp", "work", "root", "usr"))


@pytest.mark.parametrize(
    ("lost", "won", "counts"),
    [(2, 0, True), (3, 0, False), (9, 7, True), (0, 5, True)],
    ids=["0.4 points", "0.6 points", "0.4 points of many", "a gain"],
)
def test_not_worse_is_up_to_half_a_point(lost: int, won: int, counts: bool) -> None:
    assert facts(judged=replace(JUDGED, lost=lost, won=won)).reached is counts


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param([facts()], "1 of 1 (100%); 1 give a device file", id="one that is not worse"),
        pytest.param(
            [
                facts(),
                facts("grey_64", judged=None, conversion=replace(DONE, exit_code=8, message="it loses 3 points")),
            ],
            "(exit code 8): it loses 3 points",
            id="one refused, and why",
        ),
        pytest.param(
            [facts(), facts("grey_64", accuracy=0.7, judged=None)], "1 of 1 (100%)", id="one that is not sound"
        ),
        pytest.param(
            [facts(conversion=replace(DONE, wall_s=91.0, processor_s=99.0))],
            f"0 of 1 (not: {NETS[0].name})",
            id="one that takes too long",
        ),
        pytest.param(
            [facts("vgg_100", conversion=replace(DONE, wall_s=91.0, processor_s=99.0))],
            "≤ 300 s | met",
            id="a large one has more time",
        ),
        pytest.param(
            [facts(conversion=replace(DONE, wall_s=400.0))], "1 of 1 | ≤ 90 s", id="one that waited for other work"
        ),
        pytest.param(
            [facts(judged=replace(JUDGED, lost=9, won=1, cuts_lost=2))],
            "on square cuts | 1 of 1",
            id="one that the cuts alone cost points",
        ),
        pytest.param([], "Nothing is measured yet.", id="none"),
    ],
)
def test_the_page_says_what_was_found(found: list[StrangerFacts], said: str) -> None:
    assert said in render(found)


def test_rows_are_as_long_as_their_heads() -> None:
    found = [facts(), facts("grey_64", judged=None)]
    tables = [line for line in render(found).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {5, 11, 9}


def test_what_is_not_measured_yet_is_named() -> None:
    assert f"Not measured yet: {', '.join(net.name for net in NETS[1:])}." in " ".join(render([facts()]).split("\n"))


def test_a_run_goes_on_with_what_is_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[str] = []

    def convert(net: Any, _made: object, _work: Path) -> StrangerFacts:
        converted.append(net.name)
        return facts(net.name)

    monkeypatch.setattr(running, "train", lambda *_: TrainedStranger(tmp_path / "net", 1, 1, 0.9))
    monkeypatch.setattr(running, "convert", convert)
    settings = StrangersSettings(tmp_path / "work", tmp_path / "page.md", facts=tmp_path / "facts")
    assert run(replace(settings, only=("grey_64",)), print) == 1
    assert run(settings, print) == len(NETS)
    assert sorted(converted) == sorted(net.name for net in NETS)
    run(replace(settings, only=("grey_64",), again=True), print)
    assert converted[-1] == "grey_64"
    assert len(converted) == len(NETS) + 1


@pytest.mark.parametrize(
    ("given", "said"),
    [(["--only", "nobody"], "no such row"), (["--work", str(REPOSITORY / "work")], "in the repository")],
)
def test_a_request_that_makes_no_sense_is_refused(given: list[str], said: str) -> None:
    found = CliRunner().invoke(app, ["strangers", *given])
    assert found.exit_code == 2
    assert said in " ".join(found.output.replace("│", " ").split())


@pytest.mark.build
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("net", NETS, ids=[net.name for net in NETS])
def test_the_converter_reads_each_file_and_feeds_it_as_its_author_did(net: Any, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
    made = build(net)
    path = tmp_path / file_name(net.name, net.form)
    write(made, path, net.form)
    images = np.random.default_rng(3).integers(0, 256, (3, net.side, net.side, 3), dtype=np.uint8)
    want = np.asarray(made.predict_on_batch(fed(net, images)))
    got = outputs(load_model(open_source(path)), images, RANGES[net.values], net.colour)
    assert got.shape == (3, net.outputs)
    assert np.abs(got - want).max() < 1e-3


@pytest.mark.build
def test_only_a_sequential_is_written_as_keras_2_did(tmp_path: Path) -> None:
    keras: Any = pytest.importorskip("keras", reason="needs TensorFlow (make test-build brings it)")
    inputs = keras.Input((8, 8, 3))
    with pytest.raises(TypeError, match="only a Sequential"):
        write(keras.Model(inputs, keras.layers.Flatten()(inputs)), tmp_path / "net.h5", FileForm.H5_KERAS_2)
