"""Make classifier files: train without a fold's blocks and slides or on all, convert to int8, write with a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.int8 import file_digest, to_int8, tool_versions
from edge.classifier import Classifier
from edge.crops import to_reference
from edge.modelfile import Card, CropSpec, read_model, write_model
from models.cell_data import LABELS, CellSet, cells_of, join
from models.cell_net import SIZE, macs
from models.cell_train import CellTraining, train
from models.debris import weak_labels
from models.fields import UNSURE, data_dir, load_iml
from models.finder_data import CellPool, Scene
from models.finder_train import nih_rows
from models.metrics import accuracy, auc, sensitivity_at
from models.nih import crops_of, infected
from models.virtual import virtual_scenes

NAME = "malaria-thin-32"
SPEC = CropSpec(size=SIZE, margin=1.0, normalise="cell", target=128)
MIX = (0.55, 0.3, 0.15)
"""Share of real, composed and virtual cells in a batch."""
FOLDS = 4


def slides_held_out(fold: int | None) -> set[str]:
    """NIH slides never shown to a fold's net: every fourth, by name."""
    slides = sorted({row["slide"] for row in nih_rows()})
    return set() if fold is None else set(slides[fold::FOLDS])


def real_cells(blocks_out: list[int], rng: np.random.Generator) -> CellSet:
    """Cells of the IML fields at full resolution, infected ones eightfold with other boxes, debris among the uninfected."""
    plain = replace(SPEC, normalise="none")
    sets = []
    for entry in load_iml():
        if entry.block in blocks_out:
            continue
        rgb = entry.read()
        debris, debris_kind = weak_labels(rgb, entry.boxes)
        debris = debris[debris_kind > 0]
        kind = np.where(entry.infected, 1, 0)
        kind[[t == UNSURE for t in entry.types]] = -1
        boxes = np.concatenate([entry.boxes.astype(np.float32), debris])
        scene = Scene(rgb, boxes, np.concatenate([kind, np.full(len(debris), 2)]), 0.0, others=True)
        sets.append(cells_of(scene, plain, rng, infected_copies=8))
    return join(sets)


def composed_cells(slides_out: set[str], count: int, seed: int) -> CellSet:
    """NIH cells pasted into fields of their own slide."""
    plain = replace(SPEC, normalise="none")
    rng = np.random.default_rng([seed, 13])
    pool = CellPool(data_dir() / "nih_cells", [r for r in nih_rows() if r["slide"] not in slides_out])
    return join([cells_of(pool.scene(rng), plain, rng) for _ in range(count)])


def virtual_cells(count: int, seed: int) -> CellSet:
    """Cells of virtual slides."""
    plain = replace(SPEC, normalise="none")
    rng = np.random.default_rng([seed, 17])
    return join([cells_of(s, plain, rng, infected_copies=3) for s in virtual_scenes(count, seed)])


def make_classifier(
    out: Path,
    blocks_out: list[int],
    slides_out: set[str],
    settings: CellTraining,
    say: Callable[[str], None],
) -> Card:
    """Train without the held-out blocks and slides; write ``out`` (.tflite) and the Keras file beside it."""
    rng = np.random.default_rng([settings.seed, 19])
    sources = [
        real_cells(blocks_out, rng),
        composed_cells(slides_out, 700, settings.seed),
        virtual_cells(200, settings.seed),
    ]
    say(f"cells: {len(sources[0])} real, {len(sources[1])} composed, {len(sources[2])} virtual")
    model = train(sources, list(MIX), SPEC, settings, say)
    keras_file = out.with_suffix(".keras")
    model.save(keras_file)
    some = [s.crops[rng.choice(len(s), 200)] for s in sources]
    calibration = to_reference(np.concatenate(some), SPEC)
    flatbuffer = to_int8(model, calibration, (SIZE, SIZE, 3))
    card = Card(
        NAME,
        "classify",
        LABELS,
        positive=(LABELS[1],),
        output="logit",
        crop=SPEC,
        source_sha256=file_digest(keras_file),
        training={
            "settings": asdict(settings),
            "held_out_blocks": blocks_out,
            "held_out_slides": sorted(slides_out),
            "mix": list(MIX),
            "macs_per_cell": macs(model),
            "data": ["IML fields", "NIH cells composed into fields", "virtual slides"],
        },
        tools=tool_versions(),
        licence="Apache-2.0 (weights)",
    )
    card = write_model(out, flatbuffer, card)
    if slides_out:
        rows = [row for row in nih_rows() if row["slide"] in slides_out]
        figures = held_out_figures(model, Classifier(read_model(out)), rows)
        say(f"NIH cells of {len(slides_out)} unseen slides: {figures}")
        card = write_model(out, flatbuffer, replace(card, accuracy=figures))
    return card


def held_out_figures(model: Any, classifier: Classifier, rows: list[dict[str, str]]) -> dict[str, Any]:
    """Float (Keras) and int8 (device runtime) on the same unseen cells, published labels."""
    crops = crops_of(rows, SPEC)
    truth = infected(rows)
    plain = (crops.astype(np.float32) - 128) / 64
    out = np.asarray(model.predict(plain, batch_size=1024, verbose=0)).reshape(-1)
    scores = {"float": 1 / (1 + np.exp(-out)), "int8": classifier.scores(crops)[:, 1]}
    figures: dict[str, Any] = {
        name: {
            "accuracy": round(accuracy(truth, s), 4),
            "auc": round(auc(truth, s), 4),
            "sensitivity_at_1_percent": round(sensitivity_at(truth, s, 0.01), 4),
        }
        for name, s in scores.items()
    }
    agree = (scores["float"] >= 0.5) == (scores["int8"] >= 0.5)
    return {
        "set": "NIH cells, slides never seen",
        "cells": len(rows),
        "agreement": round(float(agree.mean()), 5),
        **figures,
    }
