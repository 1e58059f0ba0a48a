"""What is measured: nets, the whole analysis, the standard set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import fields, nets, peers, places, standard
from benchmarks.dense import CHANNELS, LAYERS, SIDE, dense_net
from benchmarks.errors import NoInputError
from edge import shelf
from edge.macs import macs
from edge.runtime import interpreter_class

litert = pytest.mark.skipif(
    interpreter_class()[1] != "ai-edge-litert", reason="needs ai-edge-litert, which is not installed"
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.CACHE_VARIABLE, str(tmp_path / "cache"))


@litert
def test_the_dense_net_runs_wholly_in_the_delegate_and_costs_what_it_should() -> None:
    flatbuffer = dense_net()
    assert flatbuffer == dense_net()
    assert macs(flatbuffer) == LAYERS * SIDE * SIDE * CHANNELS * CHANNELS * 9
    step = nets.ceiling(threads=1)
    assert step().units == nets.CEILING_BATCH
    assert getattr(step, "facts")["delegated"] is True  # noqa: B009


@litert
def test_multiply_accumulates_grow_with_the_image() -> None:
    flatbuffer = dense_net()
    assert macs(flatbuffer, (SIDE * 2, SIDE, CHANNELS)) == 2 * macs(flatbuffer)
    assert macs(shelf.load(shelf.CLASSIFIER).flatbuffer) == 598_032


@litert
@pytest.mark.parametrize("call", ["whole", "invoke"])
def test_the_bare_interpreter_does_as_many_cells_as_it_says(call: str) -> None:
    step = nets.bare(shelf.CLASSIFIER, batch=3, threads=1, runtime="litert", call=call)
    assert step().units == 3


def test_the_classifier_tells_its_model_and_batch() -> None:
    step = nets.classify(shelf.CLASSIFIER, batch=5)
    assert step().units == 5
    facts = step.facts  # type: ignore[attr-defined]
    assert facts["sha256"] == shelf.load(shelf.CLASSIFIER).sha256
    assert facts["batch_inside"] >= 1


def test_a_model_is_measured_at_every_batch_thread_and_runtime() -> None:
    cases = nets.workloads("m", finder=False, batches=(1, 8), threads=(1, 2), runtimes=("litert", "tflite"))
    names = [case.name for case in cases]
    assert len(set(names)) == len(names) == 8 + 4
    assert {"model/m/tflite/b8/t2", "classify/m/b8", "invoke/m/litert/b1/t1"} <= set(names)
    assert {case.unit for case in cases} == {"cell"}
    finder = nets.workloads("shelf/f.tflite", finder=True, batches=(1,), threads=(1,), runtimes=("litert",))
    assert [(case.name, case.unit) for case in finder] == [("model/f/litert/b1/t1", "field")]


def test_one_field_is_split_into_its_stages() -> None:
    step = fields.workload("simulate", "320x240", 20, 1).prepare()
    done = step()
    assert done.units == 1
    assert tuple(done.stages) == ("decode", "gate", "find", "crop", "classify", "tally")
    assert all(ns > 0 for ns in done.stages.values())
    for _ in range(7):
        step()
    facts = step.facts  # type: ignore[attr-defined]
    assert facts["fields"] == 8
    assert facts["pixels"] == 320 * 240
    assert 10 < facts["cells"] < 30


def test_several_workers_do_several_fields_per_step() -> None:
    step = fields.workload("simulate", "320x240", 20, 2).prepare()
    for _ in range(3):
        done = step()
        assert done.units == 2 * fields.ROUND_FIELDS
        assert done.stages["decode"] > 0


def test_virtual_fields_are_rendered_once() -> None:
    folder = fields.virtual_folder("160x120", 5)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    stamps = {path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(first) == fields.ENOUGH
    assert fields.virtual_folder("160x120", 5) == folder
    assert {path.stat().st_mtime_ns for path in folder.iterdir()} == stamps
    assert fields.virtual_folder("160x120", 6) != folder
    assert {path.parent for path in (folder, fields.virtual_folder("160x120", 6))} == {folder.parent}
    assert not [path for path in folder.parent.iterdir() if path.name.startswith("tmp")]


def test_more_cells_than_fit_are_smaller_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def render_field(spec: object, index: int) -> tuple[np.ndarray, None]:
        seen.append(spec.cell_px)  # type: ignore[attr-defined]
        return np.zeros((8, 8, 3), np.uint8), None

    monkeypatch.setattr("benchmarks.fields.render_field", render_field)
    for cells in (50, 110, 1000):
        fields.virtual_folder("1280x960", cells)
    few, usual, many = seen[0], seen[8], seen[16]
    assert few == usual == pytest.approx(66)
    assert many < 35


def test_a_folder_without_images_is_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(NoInputError):
        fields.workload(str(tmp_path), "", 0, 1).prepare()


def test_the_standard_set_is_the_same_everywhere_and_fits_the_cores() -> None:
    one, four = standard.standard(1, "litert"), standard.standard(4, "litert")
    assert {case.name for case in one} < {case.name for case in four}
    names = [case.name for case in four]
    assert len(set(names)) == len(names)
    assert sum("/w4" in name for name in names) == 1
    assert any(name.startswith("ceiling/") for name in names)
    assert not any(name.startswith("ceiling/") for name in (case.name for case in standard.standard(1, "tflite")))


def test_the_peers_are_in_the_standard_set() -> None:
    names = {case.name for case in standard.standard(1, "litert")}
    assert {case.name for case in peers.workloads()} <= names
