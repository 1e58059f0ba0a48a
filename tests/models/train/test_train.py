"""``train`` as a user runs it, on drawn cells and fields, for a few steps; needs TensorFlow."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.classifier import Classifier
from edge.crops import net_channels
from edge.modelfile import read_model
from edge.sources.decode import decode_image
from tests.convert import cell_folders
from tests.convert.finding import discs

pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None,
        reason="needs TensorFlow (make test-build brings it)",
    ),
]
ROOT = Path(__file__).parents[3]
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def models(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "models", *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**ENV, **more}, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cell_folders.make(tmp_path_factory.mktemp("cells") / "cells", count=150, slides=10)


@pytest.fixture(scope="module")
def net(folder: Path) -> tuple[Path, str]:
    out = folder.parent / "nets" / "dots"
    got = models("train", "--cells", folder, "--group-by", r"s\d", "--background", "clear", "--steps", 60, "-o", out)
    assert got.returncode == 0, got.stderr
    return out, got.stdout + got.stderr


def test_a_net_comes_with_its_keras_file_its_card_and_held_out_figures(net: tuple[Path, str]) -> None:
    out, said = net
    assert sorted(path.name for path in out.iterdir()) == ["CARD.md", "dots.keras", "dots.tflite", "recipe.toml"]
    model = read_model(out / "dots.tflite")
    assert model.card is not None
    assert model.card.labels == ("clear", "dotted")
    assert model.card.positive == ("dotted",)
    held = model.card.accuracy["held_out"]
    assert held["auc"]["value"] > 0.95
    assert held["auc"]["low"] <= held["auc"]["value"] <= held["auc"]["high"]
    assert held["agreement_with_float"]["value"] > 0.98
    assert len(model.card.training["held_out_groups"]) == 2
    assert "left" in said
    text = (out / "CARD.md").read_text()
    assert "Not for diagnosis" in text
    assert "malaria" not in text


def test_evaluate_gives_the_cards_figures_again(net: tuple[Path, str], folder: Path) -> None:
    out, _ = net
    got = models(
        "evaluate", out, "--cells", folder, "--group-by", r"s\d", "--background", "clear", "--unseen", "--json"
    )
    assert got.returncode == 0, got.stderr
    (found,) = json.loads(got.stdout)["models"]
    card = read_model(out / "dots.tflite").card
    assert card is not None
    assert found["auc"] == pytest.approx(card.accuracy["held_out"]["auc"])


def test_evaluating_on_what_was_learned_from_is_pointed_out(net: tuple[Path, str], folder: Path) -> None:
    got = models("evaluate", net[0], "--cells", folder, "--group-by", r"s\d")
    assert got.returncode == 0, got.stderr
    assert "learned from cells, its card says: --unseen" in got.stderr
    assert "AUC" in got.stdout


def test_a_net_compared_with_itself_shows_no_real_difference(net: tuple[Path, str], folder: Path) -> None:
    got = models("compare", net[0], net[0] / "dots.tflite", "--cells", folder, "--group-by", r"s\d")
    assert got.returncode == 0, got.stderr
    assert "MMAC per cell" in got.stdout
    verdicts = [line.rsplit(": ", 1)[1] for line in got.stdout.splitlines() if " -> " in line]
    assert set(verdicts) == {"no real difference shown"}


def test_a_net_that_is_there_is_not_overwritten_unasked(net: tuple[Path, str], folder: Path) -> None:
    got = models("train", "--cells", folder, "--group-by", r"s\d", "-o", net[0])
    assert got.returncode == 7
    assert got.stderr.strip().splitlines()[-1].endswith("holds a net already: --force overwrites it")


def test_after_kill_9_the_same_command_goes_on_and_ends_with_the_same_net(folder: Path, tmp_path: Path) -> None:
    def arguments(out: Path) -> list[object]:
        given = ["train", "--cells", folder, "--group-by", r"s\d", "--background", "clear"]
        return [*given, "--steps", 40, "--batch", 64, "--checkpoint", 0, "-o", out]

    whole, broken = tmp_path / "whole" / "net", tmp_path / "broken" / "net"
    assert models(*arguments(whole)).returncode == 0
    command = [sys.executable, "-m", "models", *(str(one) for one in arguments(broken))]
    with subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        checkpoint = broken / "work" / "net.npz"
        until = time.monotonic() + 120
        while not checkpoint.exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    assert not (broken / "net.tflite").exists()
    got = models(*arguments(broken))
    assert got.returncode == 0, got.stderr
    assert "going on from step" in got.stderr
    rng = np.random.default_rng(0)
    one, other = (Classifier(read_model(out / "net.tflite")) for out in (whole, broken))
    crops = rng.integers(0, 256, (64, 32, 32, net_channels(one.card)), dtype=np.uint8)
    one_scores, other_scores = one.scores(crops), other.scores(crops)
    assert np.abs(one_scores - other_scores).max() < 0.02


def test_three_classes_get_a_net_with_three_outputs_and_a_confusion_matrix(folder: Path, tmp_path: Path) -> None:
    three = tmp_path / "three"
    shutil.copytree(folder, three)
    blue = cell_folders.make(tmp_path / "other", count=60, slides=10, seed=9)
    (three / "blue").mkdir()
    for path in (blue / "clear").iterdir():
        cv2.imwrite(str(three / "blue" / path.name), decode_image(path) // 2)
    out = tmp_path / "net3"
    got = models("train", "--cells", three, "--group-by", r"s\d", "--background", "clear", "--steps", 40, "-o", out)
    assert got.returncode == 0, got.stderr
    card = read_model(out / "net3.tflite").card
    assert card is not None
    assert card.labels == ("clear", "blue", "dotted")
    classes = card.accuracy["held_out"]["classes"]
    assert len(classes["confusion"]) == 3
    assert "macro F1" in got.stderr
    assert Classifier(read_model(out / "net3.tflite")).scores(np.zeros((2, 32, 32, 6), np.uint8)).shape == (2, 3)


def test_fields_are_learned_from_through_the_finder(tmp_path: Path) -> None:
    fields = discs.write(tmp_path / "fields", 8)
    out = tmp_path / "net"
    got = models("train", "--fields", fields, "--finder", "classical", "--steps", 15, "--batch", 32, "-o", out)
    assert got.returncode == 0, got.stderr
    card = read_model(out / "net.tflite").card
    assert card is not None
    assert card.labels == ("clear", "dotted")
    assert card.training["data"] == ["fields"]
