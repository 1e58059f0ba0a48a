"""The peers: which cases there are, that the converted nets are the same net, and what the tables say."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.commands import peer_cases
from benchmarks.errors import CaseError, ModelError, NoInputError
from benchmarks.peers import cells as peer_cells
from benchmarks.peers import fields, layers, nets
from benchmarks.peers.cells import Rule, cells
from benchmarks.peers.layers import Conv
from benchmarks.peers.page import tables
from benchmarks.record.run import FAILED, LEFT_OUT, MEASURED, CaseRecord, Round, Run
from benchmarks.workload import Workload
from edge import shelf
from edge.classifier import Classifier
from edge.types import UInt8Array
from edge.virtual_slide import SlideSpec, render_field
from tests.benchmarks.steps import run as some_run

needs_onnx = pytest.mark.skipif(
    find_spec("onnxruntime") is None or find_spec("onnx") is None, reason="needs the extra peers"
)
needs_skimage = pytest.mark.skipif(find_spec("skimage") is None, reason="needs the extra peers (scikit-image)")
needs_ncnn = pytest.mark.skipif(find_spec("ncnn") is None, reason="needs the extra peers (ncnn)")


@pytest.fixture(scope="module")
def field() -> UInt8Array:
    return render_field(SlideSpec(3, 640, 480, 33, cells_per_field=60, bad_fields=0.0), 0)[0]


@pytest.fixture
def folder(tmp_path: Path, field: UInt8Array, monkeypatch: pytest.MonkeyPatch) -> str:
    import cv2

    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), field[..., ::-1])
    return str(tmp_path / "images")


def chain(seed: int = 0) -> list[Conv]:
    """A small chain with every kind of activation and uneven padding."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 0.3, shape).astype(np.float32) for shape in ((4, 3, 3, 3), (5, 4, 3, 3), (2, 5, 4, 4))]
    kinds = ((2, (0, 0, 1, 1), 6.0), (1, (1, 1, 1, 1), np.inf), (1, (0, 0, 0, 0), None))
    return [Conv(w, rng.normal(0, 1, len(w)).astype(np.float32), *kind) for w, kind in zip(weights, kinds, strict=True)]


def by_hand(convs: list[Conv], image: np.ndarray) -> np.ndarray:
    """The chain in plain NumPy: float [h, w, c] in."""
    x = image.transpose(2, 0, 1)
    for conv in convs:
        top, left, bottom, right = conv.pads
        x = np.pad(x, ((0, 0), (top, bottom), (left, right)))
        size = conv.kernel.shape[2:]
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))[:, :: conv.stride, :: conv.stride]
        x = np.einsum("chwij,ocij->ohw", windows, conv.kernel) + conv.bias[:, None, None]
        if conv.most is not None:
            x = np.clip(x, 0, conv.most)
    return x.reshape(-1)


def test_every_case_has_its_own_name_and_a_set_up_that_exists() -> None:
    cases = peers.workloads()
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        module, _, function = case.setup.partition(":")
        assert callable(getattr({"cells": peer_cells, "fields": fields, "nets": nets}[module.split(".")[-1]], function))


def test_our_own_case_comes_first_and_needs_nothing() -> None:
    for cases in (peers.classify_cases(shelf.CLASSIFIER, 32, ""), peers.find_cases("")):
        assert cases[0].name.split("/")[2].startswith(peers.OURS)
        assert not cases[0].needs


def test_a_reference_net_that_is_not_there_is_no_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(peers.REFERENCE_VARIABLE, str(tmp_path))
    assert peers.reference_cases(32) == []


def test_the_same_cells_come_back_and_are_repeated_where_there_are_too_few(folder: str) -> None:
    few = cells(shelf.CLASSIFIER, folder, 8)
    many = cells(shelf.CLASSIFIER, folder, 400)
    assert few.shape == (8, 32, 32, 6)
    assert (few == many[:8]).all()
    assert (many == cells(shelf.CLASSIFIER, folder, 400)).all()
    repeats = [n for n in range(20, 200) if (many[n] == many[0]).all()]
    assert repeats, "400 crops of one field must repeat"


def test_cases_of_a_folder_or_model_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="no such folder"):
        peer_cases(str(tmp_path / "gone"), "")
    with pytest.raises(ModelError, match="no such model"):
        peer_cases("simulate", "gone")


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="no image in it"):
        cells(shelf.CLASSIFIER, str(tmp_path), 8)


@pytest.mark.parametrize("batch", [1, 8])
def test_the_bare_interpreter_gives_our_classes(folder: str, batch: int) -> None:
    crops = cells(shelf.CLASSIFIER, folder, 32)
    file = shelf.load(shelf.CLASSIFIER)
    ours = Classifier(file)
    net = nets.interpreter(shelf.CLASSIFIER, batch=batch)
    assert (Rule(file)(net(crops)) == ours.classes(ours.scores(crops))).all()


def test_steps_say_how_many_cells_or_fields_they_did(folder: str) -> None:
    assert peer_cells.ours(shelf.CLASSIFIER, folder, 16)().units == 16
    assert peer_cells.classify("interpreter", shelf.CLASSIFIER, folder, 16, batch=8)().units == 16
    assert fields.find("edge", folder, finder="learned")().units == 1
    assert fields.decode(folder, 2)().units == 1


def test_a_model_without_a_keras_file_cannot_be_converted(tmp_path: Path) -> None:
    alone = tmp_path / "alone.tflite"
    alone.write_bytes(shelf.load(shelf.CLASSIFIER).path.read_bytes())
    with pytest.raises(CaseError, match="no Keras file"):
        nets.keras_file(str(alone))


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "pads"),
    [(32, 3, 2, (0, 1)), (4, 3, 1, (1, 1)), (5, 4, 1, (1, 2)), (5, 3, 2, (1, 1))],
)
def test_same_padding_is_tensorflows(length: int, kernel: int, stride: int, pads: tuple[int, int]) -> None:
    assert layers._same(length, kernel, stride) == pads


@needs_onnx
def test_the_onnx_file_computes_the_chain(tmp_path: Path) -> None:
    import onnxruntime

    images = np.random.default_rng(1).normal(0, 1, (3, 8, 8, 3)).astype(np.float32)
    layers.write_onnx(chain(), (8, 8, 3), tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"image": images})[0]
    assert np.allclose(found, [by_hand(chain(), image) for image in images], atol=1e-4)


@needs_ncnn
def test_the_ncnn_files_compute_the_chain(tmp_path: Path) -> None:
    import ncnn

    image = np.random.default_rng(1).normal(0, 1, (8, 8, 3)).astype(np.float32)
    layers.write_ncnn(chain(), (8, 8, 3), tmp_path / "net.param")
    net = ncnn.Net()
    net.opt.use_fp16_storage = net.opt.use_fp16_packed = net.opt.use_fp16_arithmetic = False
    assert net.load_param(str(tmp_path / "net.param")) == net.load_model(str(tmp_path / "net.bin")) == 0
    with net.create_extractor() as extractor:
        extractor.input("x0", ncnn.Mat(np.ascontiguousarray(image.transpose(2, 0, 1))))
        found = np.array(extractor.extract("x3")[1]).reshape(-1)
    assert np.allclose(found, by_hand(chain(), image), atol=1e-3)


@needs_skimage
def test_scikit_image_finds_the_cells_of_a_clean_field(field: UInt8Array) -> None:
    ours, theirs = fields.edge("learned")(field), fields.scikit_image()(field)
    assert theirs.crops.shape == (len(theirs.boxes), 32, 32, 3)
    assert 0.7 < len(theirs.boxes) / len(ours.boxes) < 1.4


@needs_skimage
def test_scikit_image_finds_nothing_in_an_almost_empty_field() -> None:
    blank = np.full((480, 640, 3), 230, np.uint8)
    blank[100:103, 100:103] = 90
    assert len(fields.scikit_image()(blank).boxes) == 0


def result(*cases: tuple[str, str, int]) -> Run:
    """A run of one round per case: name, status, ns per unit."""
    made = tuple(
        CaseRecord(
            Workload(name, "net/x", "cell", "a:b"),
            status,
            None if status == MEASURED else "needs x, which is not installed",
            rounds=(Round(0, 0.0, ns, ns // 2, [ns], [1]),) if status == MEASURED else (),
        )
        for name, status, ns in cases
    )
    whole = some_run()
    return Run(whole.created, whole.version, whole.plan, False, (), (), whole.device, whole.states, made)


def test_the_table_holds_every_case_against_ours_and_says_who_was_left_out() -> None:
    lines = tables(
        result(
            ("peers/classify/edge", MEASURED, 2000),
            ("peers/classify/slow", MEASURED, 9000),
            ("peers/classify/gone", LEFT_OUT, 0),
        )
    )
    assert "| edge | 2.000 | 2.000 | 1.000 | 500,000 | 1.00 | 1.00 |" in lines
    assert "| slow | 9.000 | 9.000 | 4.500 | 111,111 | 4.50 | 4.50 |" in lines
    assert "- classify/gone: left out: needs x, which is not installed" in lines


def test_the_table_of_a_group_without_ours_has_no_ratio_and_other_cases_are_not_in_it() -> None:
    lines = tables(
        result(("peers/decode/full", MEASURED, 2000), ("model/x", MEASURED, 1), ("peers/decode/x", FAILED, 0))
    )
    assert not any("times ours" in line or "model/x" in line for line in lines)
    assert any(line.startswith("- decode/x: failed") for line in lines)
