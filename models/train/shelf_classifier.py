"""Make classifier files: train without a fold's blocks and slides or on all, convert to int8, write with a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.colours import middle
from convert.measure.metrics import accuracy, auc, sensitivity_at
from convert.net.int8 import file_digest, to_int8, tool_versions
from edge.classifier import Classifier
from edge.crops import to_reference
from edge.modelfile import Card, read_model, write_model
from edge.types import UInt8Array
from models.data import folds
from models.data.crops import LABELS, SPEC, CellSet
from models.data.nih import crops_of, infected, nih_rows
from models.train.classifier import CellTraining, train
from models.train.net import SIZE, WIDTHS, macs
from models.train.sources import Source, kept_from

NAME = "malaria-thin-32"
NAMES = tuple(WIDTHS)
PLATELETS = 0.25
"""Share of the cells that learn with a platelet at their rim."""

WITHOUT_FIELDS = dict(zip(folds.WITHOUT_FIELDS, (0.0, PLATELETS), strict=True))
"""Nets of NIH cells alone, and their share of platelets: what these reach on fields is what a microscope never seen may expect."""

_CALIBRATION = 200  # cells of each source


def make_classifier(
    out: Path,
    sources: list[Source],
    blocks_out: list[int],
    slides_out: set[str],
    *,
    settings: CellTraining,
    say: Callable[[str], None],
    name: str = NAME,
    called: str | None = None,
) -> Card:
    """Train without the held-out blocks and slides; write ``out`` (.tflite) and the Keras file beside it; ``called`` in its card."""
    sources = kept_from(sources, slides_out, blocks_out)
    learned = [source.cells for source in sources]
    say(f"{out.stem}: {sum(len(cells) for cells in learned)} cells, blocks {blocks_out or 'none'} held out")
    model = train(learned, [source.share for source in sources], SPEC, settings, say, widths=WIDTHS[name])
    keras_file = out.with_suffix(".keras")
    model.save(keras_file)
    flatbuffer = to_int8(model, _calibration(learned, settings.seed), (SIZE, SIZE, 3))
    card = Card(
        called or name,
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
            "mix": {source.name: source.share for source in sources},
            "macs_per_cell": macs(model),
            "data": [source.name for source in sources],
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


def _calibration(learned: list[CellSet], seed: int) -> UInt8Array:
    """Some cells of each source as the net sees them."""
    rng = np.random.default_rng([seed, 23])
    some = [rng.choice(len(cells), _CALIBRATION) for cells in learned]
    crops = np.concatenate([middle(cells.crops[rows], SIZE) for cells, rows in zip(learned, some, strict=True)])
    colours = np.concatenate([cells.references(rows) for cells, rows in zip(learned, some, strict=True)])
    return to_reference(np.ascontiguousarray(crops), SPEC, colours)


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
