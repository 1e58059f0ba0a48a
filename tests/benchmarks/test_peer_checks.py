"""Whether peers do the same job, and the Keras chain they are given: decided on made-up nets and fields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.peers import __main__ as program
from benchmarks.peers import check, layers
from benchmarks.peers.check import PeerCheck, scores
from benchmarks.peers.fields import FINDERS, BoxesAndCrops
from benchmarks.record.files import write
from benchmarks.workload import Workload
from edge.types import UInt8Array
from tests.benchmarks.steps import case, run


def peer(name: str = "peers/classify/x", needs: tuple[str, ...] = (), **parameters: Any) -> Workload:
    everything = {"net": "interpreter", "model": "m", "count": 8, "fields": "", **parameters}
    return Workload(name, "net/m", "cell", "benchmarks.peers.cells:classify", everything, needs)


OURS = np.array([0, 1, 0, 1] * 50, np.int32)


@pytest.mark.parametrize(
    ("wrong", "same", "figure"),
    [
        (0, True, "1.0000 of 200 cells in our class"),
        (2, True, "0.9900 of 200 cells in our class"),
        (3, False, "0.9850 of 200 cells in our class"),
        (200, False, "0.0000 of 200 cells in our class"),
    ],
)
def test_a_peer_does_the_same_job_when_99_of_100_cells_are_in_our_class(
    monkeypatch: pytest.MonkeyPatch, wrong: int, same: bool, figure: str
) -> None:
    theirs = OURS.copy()
    theirs[:wrong] ^= 1
    monkeypatch.setattr(check, "make", lambda *_, **__: lambda _crops: theirs)
    rule: Any = lambda raw: raw  # noqa: E731
    assert check._agreement(peer(), rule, np.zeros(8), OURS) == PeerCheck("peers/classify/x", figure, same)


@pytest.mark.parametrize(
    ("work", "options"),
    [
        (peer(batch=8), {"batch": 8}),
        (peer(net="onnx", batch=8, int8=True, fields="/f"), {"batch": 8, "int8": True, "fields": "/f"}),
        (peer(net="ncnn", fields="/f"), {}),
    ],
)
def test_a_net_is_made_with_its_own_options(
    monkeypatch: pytest.MonkeyPatch, work: Workload, options: dict[str, Any]
) -> None:
    made: list[tuple[Any, ...]] = []

    def make(net: str, model: str, **given: Any) -> Callable[[Any], Any]:
        made.append((net, model, given))
        return lambda _crops: OURS

    monkeypatch.setattr(check, "make", make)
    rule: Any = lambda raw: raw  # noqa: E731
    check._agreement(work, rule, np.zeros(8), OURS)
    assert made == [(work.parameters["net"], "m", options)]


def test_a_peer_whose_package_is_missing_is_left_out_and_not_judged() -> None:
    assert check._missing(peer(needs=("numpy",))) is None
    found = check._missing(peer(needs=("numpy", "no_such_a", "no_such_b")))
    assert found == PeerCheck("peers/classify/x", "left out: no_such_a, no_such_b not installed", None)


def finding(name: str, how: str, **options: str) -> Workload:
    return Workload(name, "find+crop", "field", "benchmarks.peers.fields:find", {"fields": "", "how": how, **options})


@pytest.fixture
def annotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixteen fields with two cells each, of which every eighth is scored."""
    folder = tmp_path / "iml_fields"
    (folder / "images").mkdir(parents=True)
    images: list[dict[str, object]] = []
    boxes: list[dict[str, object]] = []
    for number in range(16):
        cv2.imwrite(str(folder / "images" / f"{number:02d}.png"), np.full((100, 200, 3), 9 * number, np.uint8))
        images.append({"id": number, "file_name": f"images/{number:02d}.png", "width": 200, "height": 100})
        for x in (40, 120):
            box = {"id": len(boxes), "image_id": number, "category_id": 1, "bbox": [x, 40, 20, 20]}
            boxes.append({**box, "area": 400, "iscrowd": 0})
    import json

    text = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "red blood cell"}]}
    (folder / "annotations.json").write_text(json.dumps(text))
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    return tmp_path


BOTH = [[40, 40, 20, 20], [120, 40, 20, 20]]


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        pytest.param(BOTH, "F1 1.000, precision 1.000, recall 1.000", id="all found"),
        pytest.param(BOTH[:1], "F1 0.667, precision 1.000, recall 0.500", id="half of them"),
        pytest.param([*BOTH, [80, 40, 20, 20]], "F1 0.800, precision 0.667, recall 1.000", id="one too many"),
        pytest.param([[44, 40, 20, 20], [124, 40, 20, 20]], "F1 1.000", id="IoU above a half"),
        pytest.param([[50, 40, 20, 20], [130, 40, 20, 20]], "F1 0.000", id="IoU below a half"),
    ],
)
def test_finders_are_scored_on_every_eighth_annotated_field(
    annotated: Path, monkeypatch: pytest.MonkeyPatch, boxes: list[list[int]], words: str
) -> None:
    def find(_rgb: UInt8Array) -> BoxesAndCrops:
        return BoxesAndCrops(np.array(boxes, np.int32), np.zeros((len(boxes), 32, 32, 3), np.uint8))

    given: list[dict[str, str]] = []

    def make(**options: str) -> Callable[[UInt8Array], BoxesAndCrops]:
        given.append(options)
        return find

    monkeypatch.setitem(FINDERS, "edge", make)
    decoding = Workload("peers/decode/x", "decode", "field", "benchmarks.peers.fields:decode", {"how": "edge"})
    (found,) = scores([finding("peers/find/edge", "edge", finder="learned"), decoding])
    assert found.figure.startswith(words)
    assert found.figure.endswith("at IoU 0.5, 2 IML fields, 4 cells")
    assert found.same is None
    assert given == [{"finder": "learned"}]


def test_without_annotated_fields_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    (found,) = scores([finding("peers/find/edge", "edge")])
    assert found.figure == "left out: no annotated fields (EDGE_DATA)"


@pytest.mark.parametrize(
    ("found", "code", "line"),
    [
        ([PeerCheck("a", "1.0000", True)], 0, "a: 1.0000 (same)"),
        ([PeerCheck("a", "0.5000", False), PeerCheck("b", "1.0000", True)], 3, "a: 0.5000 (DIFFERENT)"),
        ([PeerCheck("a", "left out", None)], 0, "a: left out (-)"),
    ],
)
def test_the_command_fails_where_a_peer_differs(
    monkeypatch: pytest.MonkeyPatch, found: list[PeerCheck], code: int, line: str
) -> None:
    monkeypatch.setattr(check, "check", lambda *_: iter(found))
    got = CliRunner().invoke(program.app, ["check"])
    assert (got.exit_code, got.stdout.splitlines()[0]) == (code, line)


def test_the_tables_of_a_result_are_printed(tmp_path: Path) -> None:
    work = Workload("peers/classify/edge", "net/m", "cell", "benchmarks.peers.cells:ours")
    write(tmp_path / "r.json", run(case("peers/classify/edge", [10.0] * 4, workload=work)))
    got = CliRunner().invoke(program.app, ["table", str(tmp_path / "r.json")])
    assert got.exit_code == 0, got.output
    assert "| edge | 10.00 |" in got.stdout
    (tmp_path / "r.json").write_text("{}")
    assert CliRunner().invoke(program.app, ["table", str(tmp_path / "r.json")]).exit_code == 12


def layer(kind: str, **values: Any) -> Any:
    return type(kind, (SimpleNamespace,), {})(name=kind.lower(), **values)


def conv(**changes: Any) -> Any:
    """A Keras convolution of one channel into one, kernel [[1, 2], [3, 4]]."""
    values: dict[str, Any] = {
        "kernel": np.array([[1, 2], [3, 4]], np.float32).reshape(2, 2, 1, 1),
        "bias": np.array([0.5], np.float32),
        "use_bias": True,
        "activation": SimpleNamespace(__name__="linear"),
        "dilation_rate": (1, 1),
        "groups": 1,
        "strides": (1, 1),
        "padding": "valid",
        "input": np.zeros((1, 4, 4, 1)),
    }
    return layer("Conv2D", **{**values, **changes})


NORM = {"gamma": [2.0], "beta": [1.0], "epsilon": 0.0}


@pytest.fixture
def keras_chain(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[layers.Conv]]:
    def read(*parts: Any) -> list[layers.Conv]:
        model = SimpleNamespace(layers=[layer("InputLayer"), *parts], input_shape=(None, 4, 4, 1))
        fake = SimpleNamespace(models=SimpleNamespace(load_model=lambda *_, **__: model))
        monkeypatch.setitem(__import__("sys").modules, "keras", fake)
        chain, shape = layers.read_keras(Path("net.keras"))
        assert shape == (4, 4, 1)
        return chain

    return read


def test_a_kernel_is_turned_from_keras_order(keras_chain: Callable[..., list[layers.Conv]]) -> None:
    (one,) = keras_chain(conv())
    assert one.kernel.tolist() == [[[[1, 2], [3, 4]]]]
    assert (one.bias.tolist(), one.stride, one.pads, one.most) == ([0.5], 1, (0, 0, 0, 0), None)


def test_normalisation_is_folded_into_the_convolution_before(keras_chain: Callable[..., list[layers.Conv]]) -> None:
    norm = layer("BatchNormalization", **NORM, non_trainable_variables=[[3.0], [4.0]])
    (one,) = keras_chain(conv(), norm)
    # (x - 3) * 2 / sqrt(4) + 1 is x - 2: the kernel stays, the bias is 0.5 - 2
    assert one.kernel.tolist() == [[[[1, 2], [3, 4]]]]
    assert one.bias.tolist() == [-1.5]


@pytest.mark.parametrize(
    ("parts", "most"),
    [
        ((conv(activation=SimpleNamespace(__name__="relu")),), np.inf),
        ((conv(), layer("ReLU", negative_slope=0, threshold=0, max_value=None)), np.inf),
        ((conv(), layer("ReLU", negative_slope=0, threshold=0, max_value=6.0)), 6.0),
        ((conv(), layer("Dropout")), None),
    ],
)
def test_activations_are_the_bound_of_a_relu(
    keras_chain: Callable[..., list[layers.Conv]], parts: tuple[Any, ...], most: float | None
) -> None:
    (one,) = keras_chain(*parts)
    assert one.most == most


@pytest.mark.parametrize(("stride", "pads"), [(1, (0, 0, 1, 1)), (2, (0, 0, 0, 0))])
def test_same_padding_is_written_out(
    keras_chain: Callable[..., list[layers.Conv]], stride: int, pads: tuple[int, ...]
) -> None:
    (one,) = keras_chain(conv(padding="same", strides=(stride, stride)))
    assert one.pads == pads


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((layer("Dense"),), id="another layer"),
        pytest.param((layer("BatchNormalization"),), id="normalisation before any convolution"),
        pytest.param((conv(), layer("ReLU", negative_slope=0.1, threshold=0)), id="a leaky ReLU"),
        pytest.param((conv(), layer("ReLU", negative_slope=0, threshold=1)), id="a ReLU with a threshold"),
        pytest.param((conv(groups=2),), id="a grouped convolution"),
        pytest.param((conv(dilation_rate=(2, 2)),), id="a dilated convolution"),
        pytest.param((conv(activation=SimpleNamespace(__name__="tanh")),), id="another activation"),
        pytest.param(
            (conv(activation=SimpleNamespace(__name__="relu")), layer("BatchNormalization")),
            id="normalisation behind an activation",
        ),
    ],
)
def test_a_net_that_is_no_plain_chain_is_refused(
    keras_chain: Callable[..., list[layers.Conv]], parts: tuple[Any, ...]
) -> None:
    with pytest.raises(ValueError, match=r"not part of a plain chain|of a kind that is not known"):
        keras_chain(*parts)
