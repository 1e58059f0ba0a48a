"""``convert quantize --task finder`` as a user runs it, on a net trained here in seconds."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from edge.types import UInt8Array
from tests.convert.classify.test_quantize import ROOT, convert
from tests.convert.finding import discs

pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None,
        reason="needs TensorFlow (make test-build brings it)",
    ),
]
GIVEN = ("--task", "finder", "--cell-px", "20", "--positive", "dotted", "--value-range", "0..255")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("finder")
    discs.write(made / "fields", 24)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "tests.convert.finding.discs", str(made / "net.h5"), "40"]
    subprocess.run(command, check=True, env=env, capture_output=True, timeout=300, cwd=ROOT)
    return made


@pytest.fixture(scope="module")
def device(folder: Path) -> tuple[Path, dict[str, Any], str]:
    out, report = folder / "net.tflite", folder / "net.json"
    got = convert(
        "quantize", folder / "net.h5", *GIVEN, "--fields", folder / "fields", "--max-f1-drop", "3", "-o", out,
        "--report", report,
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    return out, json.loads(report.read_text()), got.stdout


def test_a_trained_finder_becomes_a_device_file_that_finds_as_much(device: tuple[Path, dict[str, Any], str]) -> None:
    _, report, shown = device
    assert report["figures"]["float"]["f1"] > 0.9
    assert report["drop_points"] <= 3
    assert report["figures"]["int8"]["infected"] > 50
    assert report["figures"]["int8"]["infected_kept"] > 0.9
    assert report["agreement"]["boxes"] > 0.95
    assert report["delegated"]
    assert "int8 loses" in shown


def test_offset_and_size_are_joined_and_logits_get_their_sigmoid(device: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = device
    assert report["outputs"] == {"heat": "hm", "boxes": ["offset", "wh"], "sigmoid_added": True}
    assert report["finder"]["kinds"] == ["cell"]
    assert any(warning.startswith("threshold ") for warning in report["warnings"])


def test_the_file_runs_on_fields_of_other_sizes(device: tuple[Path, dict[str, Any], str]) -> None:
    finder = LearnedFinder(read_model(device[0]))
    rgb, boxes, _ = discs.draw(np.random.default_rng(9), 480, 300)
    assert len(finder.find(np.asarray(rgb, np.uint8))) == pytest.approx(len(boxes), rel=0.1)


def test_edge_run_takes_it_as_its_finder(device: tuple[Path, dict[str, Any], str], folder: Path) -> None:
    out = folder / "found.json"
    command = [sys.executable, "-m", "edge", "run", str(folder / "fields"), "--finder", str(device[0])]
    got = subprocess.run(
        [*command, "--detections", str(out)], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert got.returncode == 0, got.stderr
    found = json.loads(out.read_text())
    assert found["info"]["finder"] == "net"
    assert len(found["annotations"]) > 20 * len(found["images"]) > 0


def test_the_same_inputs_give_the_same_bytes(folder: Path, device: tuple[Path, dict[str, Any], str]) -> None:
    again = folder / "again" / "net.tflite"
    again.parent.mkdir()
    got = convert(
        "quantize", folder / "net.h5", *GIVEN, "--fields", folder / "fields", "--max-f1-drop", "3", "-o", again
    )
    assert got.returncode == 0, got.stderr
    assert again.read_bytes() == device[0].read_bytes()


def test_without_fields_it_is_made_and_said_loudly_to_be_unjudged(folder: Path) -> None:
    out, report = folder / "alone.tflite", folder / "alone.json"
    got = convert("quantize", folder / "net.h5", "--task", "finder", "--cell-px", "20", "-o", out, "--report", report)
    assert got.returncode == 0, got.stderr
    found = json.loads(report.read_text())
    assert found["figures"] == {}
    assert "NO FIELDS WERE GIVEN" in got.stdout
    card = read_model(out).card
    assert card is not None
    assert "accuracy unknown" in card.training["calibrated_on"]


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("--cell-px", "20", "--positive", "ring"), 9, "--positive ring: nothing is annotated so, there are clear, dotted"),
        ((), 5, "--cell-px"),
        (("--like", "malaria-thin-32"), 5, "not a finder's model"),
        (("--cell-px", "20", "--labels", "cell,suspect"), 5, "2 kinds are named"),
        (("--cell-px", "20", "--value-range", "caffe"), 5, "a finder takes one of"),
        (("--cell-px", "20", "--value-range", "0..1"), 9, "does not fit"),
        (("--cell-px", "20", "--group-by", "f"), 9, "all 24 fields are one group"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line_and_a_code(folder: Path, given: tuple[str, ...], code: int, said: str) -> None:
    out = folder / "never.tflite"
    got = convert("quantize", folder / "net.h5", "--task", "finder", "--fields", folder / "fields", *given, "-o", out)
    assert got.returncode == code, got.stderr
    assert said in got.stderr.strip().splitlines()[-1]
    assert "Traceback" not in got.stderr
    assert not out.exists()


def test_the_doubling_that_stands_for_an_upsampling_gives_the_same_numbers() -> None:
    import keras

    from convert.finding.graph import _any_size

    inputs = keras.Input((6, 8, 3))
    for factor in (2, 4):
        net = keras.Sequential([inputs, keras.layers.UpSampling2D(factor)])
        (stand_in,) = _any_size(net).values()
        values: UInt8Array = np.random.default_rng(0).integers(0, 256, (1, 6, 8, 3), dtype=np.uint8)
        wanted = cv2.resize(values[0], None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
        assert (np.asarray(stand_in(values.astype(np.float32)))[0] == wanted).all()
