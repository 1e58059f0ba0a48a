"""The nets of a search, trained and converted; needs TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.modelfile import Card, read_model
from models.studies.search.candidates import CANDIDATES, LITE, REFERENCE
from models.studies.search.make import SearchPlan, file_of, plan_in
from models.train.classifier import CellTraining
from tests.models.studies.searching import PLAN


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., list[str]]:
    """Make a candidate of a few cells; gives what was said."""
    pytest.importorskip("tensorflow", reason="TensorFlow (extra convert)")
    from models.data.cells import LabelledCells
    from models.studies.search.make import make_net as make
    from models.train.material import CellMaterial

    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    crops = rng.integers(60, 220, (120, 36, 36, 3)).astype(np.uint8)
    crops[labels == 1, 14:22, 14:22] //= 3
    groups = np.array(["nih_cells/C1", "nih_cells/C2", "nih_cells/C3"] * 40)
    numbers, role = np.zeros(120, np.int32), np.zeros(120, np.int8)
    names = ("uninfected", "parasitized")
    cells = LabelledCells(crops, labels.astype(np.int32), names, groups, numbers, role)
    source = CellMaterial("cells", "nih_cells", 1.0, cells)

    def work(name: str, plan: SearchPlan = PLAN, sources: Any = (source,)) -> list[str]:
        lines: list[str] = []
        gathered = [*sources]

        def gather() -> list[CellMaterial]:
            lines.append("gathered")
            return gathered

        make(next(one for one in CANDIDATES if one.name == name), plan, gather, tmp_path, lines.append)
        return lines

    return work


build = pytest.mark.build
quietly = pytest.mark.filterwarnings("ignore")


@build
@quietly
@pytest.mark.parametrize("name", [LITE, "mobilenet-like", "notebook-1", "notebook-6-hsv"])
def test_a_candidate_becomes_a_device_file_and_is_not_made_twice(
    made: Callable[..., list[str]], tmp_path: Path, name: str
) -> None:
    from edge.classifier import Classifier

    small = replace(PLAN, settings=CellTraining(steps=2, batch=8))
    assert "gathered" in made(name, small)
    classifier = Classifier(read_model(file_of(tmp_path, name)))
    assert classifier.net.delegated()
    cells = np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), np.uint8)
    together = classifier.scores(cells)
    assert np.allclose(together[3], classifier.scores(cells[3:4])[0], atol=0.02)
    assert made(name, small) == []
    assert "gathered" in made(name, replace(small, settings=CellTraining(steps=3, batch=8)))
    card = classifier.card
    assert isinstance(card, Card)
    assert card.colour == ("hsv" if name.endswith("hsv") else "rgb")
    assert not list(tmp_path.rglob("checkpoint*"))


@build
@quietly
def test_a_stopped_training_goes_on_where_it_was(
    made: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, settings=CellTraining(steps=4, batch=8))

    def stopped(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("models.studies.search.make.save_keras", stopped)
        with pytest.raises(KeyboardInterrupt):
            made(LITE, plan)
    assert any("going on from step 4" in line for line in made(LITE, plan))
    assert plan_in(file_of(tmp_path, LITE)) == plan


@build
@quietly
def test_held_out_slides_are_not_learned_from(made: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    from models.studies.search import make

    seen: list[int] = []

    def stops(sources: Any, *_: Any, **__: Any) -> None:
        seen.extend(len(cells) for cells in sources)
        raise KeyboardInterrupt

    monkeypatch.setattr(make, "train", stops)
    with pytest.raises(KeyboardInterrupt):
        made(LITE, PLAN)
    assert seen == [40]  # of C3 alone: C1 and C2 are held out


@build
@quietly
def test_a_net_on_hsv_learns_from_the_bytes_that_the_device_gives_it() -> None:
    keras = pytest.importorskip("keras")
    from edge.crops import to_colour
    from models.studies.search.make import behind_colour

    inputs = keras.Input((32, 32, 3))
    bare = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    cells = np.random.default_rng(2).integers(0, 256, (5, 32, 32, 3), np.uint8)
    out = np.asarray(behind_colour(bare, "hsv")((cells.astype(np.float32) - 128) / 64, training=True))
    assert np.array_equal(np.rint(out * 64 + 128).astype(np.uint8), to_colour(cells, "hsv"))
    assert behind_colour(bare, "rgb") is bare


@build
@quietly
def test_the_notebooks_second_and_sixth_net_are_the_same_graph_at_32() -> None:
    pytest.importorskip("tensorflow")
    from models.studies.search.nets import founding

    def layers(name: str) -> list[tuple[str, Any, list[Any]]]:
        found = [
            (type(layer).__name__, layer.output.shape, [tuple(w.shape) for w in layer.weights])
            for layer in founding(name).layers
        ]
        return [one for one in found if one[0] != "Resizing"]

    assert layers("notebook_2") == layers("notebook_6")
    assert layers("notebook_2") != layers("notebook_3")


@build
@quietly
def test_candidates_give_one_logit_and_those_meant_to_be_alike_are_of_the_same_work() -> None:
    pytest.importorskip("tensorflow")
    from convert.net.rewrite import count_macs, has_head

    nets = {one.name: one.make() for one in CANDIDATES}
    work = {name: count_macs(net, 32, 32) for name, net in nets.items()}
    for name, net in nets.items():
        assert int(np.prod(net.output.shape[1:])) == 1, name
        assert not has_head(net), name
    for name in ("residual", "first-5x5", "first-7x7-stride-4", "mobilenet-like"):
        assert work[name] == pytest.approx(work[REFERENCE], rel=0.05), name
    assert work["resnet8"] == pytest.approx(12.5e6, rel=0.01)
