"""Every founding net, in its author's own file format and with its own preprocessing, becomes a file the device runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.classifier import Classifier
from edge.modelfile import read_model
from tests.convert import cell_folders, mlperf

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow (make test-build brings it)"
    ),
]
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def python(*arguments: object) -> str:
    got = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=ENV,
        cwd=ROOT,
        check=False,
        timeout=400,
    )
    assert got.returncode == 0, got.stderr[-2000:]
    return got.stdout


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nets")
    rng = np.random.default_rng(0)
    for classes, count in ((2, 40), (3, 20), (8, 8)):
        for label in range(classes):
            place = folder / f"of{classes}" / f"class{label}"
            place.mkdir(parents=True)
            for number in range(count):
                image = cell_folders.draw(rng, dotted=label % 2 == 1)
                cv2.imwrite(str(place / f"s{number % 4}_{number}.png"), image[..., ::-1])
    return folder


@pytest.mark.parametrize(
    "net",
    [
        ("notebook_1", ".keras", 2, "hsv", "upscale"),
        ("notebook_2", ".keras", 2, "hsv", "upscale"),
        ("notebook_3", ".keras", 2, "hsv", "upscale"),
        ("notebook_4", ".keras", 2, "hsv", "upscale"),
        ("notebook_5", ".keras", 2, "hsv", "upscale"),
        ("notebook_6", ".keras", 2, "hsv", "rebuild"),
        ("resnet50v2", ".h5", 2, "rgb", "upscale"),
        ("parasite_cnn", ".savedmodel", 3, "rgb", "native"),
        ("micro_organisms", ".h5", 8, "rgb", "rebuild"),
    ],
    ids=lambda net: net[0],
)
def test_a_founding_net_runs_on_the_device(tmp_path: Path, cells: Path, net: tuple[str, str, int, str, str]) -> None:
    name, ending, classes, colour, way = net
    source, out, report = tmp_path / f"net{ending}", tmp_path / "net.tflite", tmp_path / "report.json"
    python("-m", "tests.convert.nets", name, source)
    preprocessing = ("--colour", colour, "--value-range", "0..1", "--input", way, "--max-accuracy-drop", "100")
    arguments = (
        "quantize",
        source,
        "--cells",
        cells / f"of{classes}",
        "--group-by",
        r"^s\d",
        "-o",
        out,
        "--report",
        report,
    )
    python("-c", "from convert.cli import main; main()", *arguments, *preprocessing)
    found = json.loads(report.read_text())
    assert found["way"] == way
    assert found["delegated"]
    classifier = Classifier(read_model(out))
    scores = classifier.scores(np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8))
    assert scores.shape == (40, classes)
    assert np.allclose(scores.sum(axis=1), 1, atol=0.01)
    assert classifier.card.colour == colour
    assert classifier.net.delegated()


@pytest.mark.skipif(not mlperf.MODELS.exists(), reason=f"{mlperf.MODELS} is not here")
def test_resnet8_follows_its_float_net_at_least_as_closely_as_the_published_file() -> None:
    found = json.loads(python("-m", "tests.convert.mlperf").splitlines()[-1])
    assert found["ours"]["delegated"]
    assert found["ours"]["bytes"] <= found["published"]["bytes"]
    assert found["ours"]["agreement"] >= found["published"]["agreement"]
    assert found["ours"]["us"] <= found["published"]["us"] * 1.1  # one run on a busy machine
