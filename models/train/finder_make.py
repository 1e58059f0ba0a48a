"""Make finder files: train on all blocks or all but a fold's, convert to int8, write with a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from convert.finding.graph import finder_graph, quantised
from convert.finding.spec import Roles
from convert.net.int8 import file_digest, tool_versions
from convert.net.values import RANGES
from edge.modelfile import Card, FinderSpec, write_model
from edge.sources.virtual import SlideSpec
from edge.types import UInt8Array
from models.data.fields import load_iml
from models.data.scenes import CELL_PX, KINDS, STRIDE, VIEW, Scene, draw
from models.data.virtual import virtual_scenes
from models.judge.finder_thresholds import OTHERS
from models.train.finder import FinderTraining, composed_scenes, real_scenes, train

NAME = "finder-thin"
THRESHOLDS = (0.4, 0.2, *OTHERS)
"""Before they are chosen on held-out blocks by ``models.judge.finder_thresholds``."""


def make_finder(
    out: Path, held_out: list[int], settings: FinderTraining, say: Callable[[str], None], name: str = NAME
) -> Card:
    """Train without the held-out blocks and write ``out`` (.tflite) and the Keras file beside it.

    Args:
        out: path of the .tflite.
        held_out: numbers of the IML blocks never shown; empty for the shipped finder.
        settings: of the training.
        say: gets lines of progress.
        name: of the card.
    """
    real = real_scenes([f for f in load_iml() if f.block not in held_out])
    say(f"{len(real)} real fields, blocks {held_out or 'none'} held out; composing and rendering others")
    composed = composed_scenes(200, settings.seed)
    virtual = virtual_scenes(120, settings.seed)
    model = train(real, composed, virtual, settings, say)
    keras_file = out.with_suffix(".keras")
    model.save(keras_file)
    flatbuffer = device_file(model, _calibration([*real[::2], *composed[::3], *virtual[::3]]))
    card = Card(
        name,
        "find",
        KINDS,
        finder=FinderSpec(KINDS, THRESHOLDS, CELL_PX, STRIDE),
        source_sha256=file_digest(keras_file),
        training={
            "settings": asdict(settings),
            "held_out_blocks": held_out,
            "data": ["IML fields", "fields composed of NIH cells", "virtual slides"],
            "virtual_slide": type(SlideSpec()).__module__,
        },
        tools=tool_versions(),
        licence="Apache-2.0 (weights)",
    )
    return write_model(out, flatbuffer, card)


def device_file(model: Any, images: list[UInt8Array]) -> bytes:
    """The int8 flatbuffer of a net of ``models.train.finder_net``, made by the workshop as any finder is.

    Args:
        model: as trained.
        images: uint8 [h, w, 3] of ``VIEW``'s size, to calibrate on.
    """
    values = RANGES["-2..2"]
    return quantised(finder_graph(model, VIEW, Roles(0, (1,), logits=False), values), images, values)


def _calibration(scenes: list[Scene]) -> list[UInt8Array]:
    rng = np.random.default_rng(5)
    return [draw(scene, rng).image for scene in scenes]
