"""Train a candidate as the shelf's nets are trained, and make its device file; a file that is made already is kept.

A net that takes other colours than RGB is trained behind ``edge.crops.to_colour``, the function the device calls before the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.net.int8 import tool_versions
from convert.net.values import RANGES
from edge.crops import to_colour
from edge.errors import EdgeError
from edge.modelfile import Card, read_model, write_model
from models.data.crops import LABELS
from models.data.folds import CLASSIFIER, held_out_blocks, slides_held_out
from models.places import REPOSITORY
from models.studies.kept import code_digest
from models.studies.search.candidates import SPEC, CandidateNet
from models.train import recipe
from models.train.classifier import CellTraining, train
from models.train.device import calibration, classifier_file, save_keras
from models.train.loop import Keeping
from models.train.material import CellMaterial, without
from models.train.net import SIZE

FOLD = 0
"""The fold whose slides and blocks no candidate sees."""

_VALUES = RANGES["-2..2"]

Say = Callable[[str], None]
Gather = Callable[[], list[CellMaterial]]


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What all candidates have in common.

    Attributes:
        settings: of the training.
        slides: of NIH, held out.
        blocks: of IML, held out.
    """

    settings: CellTraining
    slides: tuple[str, ...]
    blocks: tuple[int, ...]


def plan_of(steps: int, seed: int) -> SearchPlan:
    """The plan with this number of steps and this seed."""
    usual = recipe.load(CLASSIFIER).training
    if not isinstance(usual, CellTraining):
        raise TypeError("the shelf's classifier is trained as a finder")
    settings = replace(usual, steps=steps, seed=seed)
    return SearchPlan(settings, tuple(sorted(slides_held_out(FOLD))), tuple(held_out_blocks(FOLD)))


def training_code() -> str:
    """The state of the code that reads cells and trains nets, a digest."""
    return code_digest(
        REPOSITORY / "models" / "data", REPOSITORY / "models" / "train", REPOSITORY / "convert" / "measure"
    )


def file_of(work: Path, name: str) -> Path:
    """Where a candidate's device file is kept; the folder is laid out as a shelf (``edge.shelf``)."""
    return work / "nets" / name / f"{name}.tflite"


def make_net(candidate: CandidateNet, plan: SearchPlan, gather: Gather, work: Path, say: Say) -> Path:
    """The candidate's device file, made where it is missing or was made of another net or by another plan.

    Args:
        candidate: the net.
        plan: what all candidates have in common.
        gather: reads the cells to learn from; called only where there is something to train.
        work: keeps files and checkpoints.
        say: gets lines of progress.

    Raises:
        OutputError: a file cannot be written.
        KeyboardInterrupt: Ctrl-C; a checkpoint is kept.
    """
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(plan.settings.seed)
    net = candidate.make()
    path, key = file_of(work, candidate.name), _key(net, candidate, plan)
    if training_in(path).get("key") == key:
        return path
    slides = (f"nih_cells/{one}" for one in plan.slides)
    held_out = frozenset((*slides, *(f"iml_fields/block {one}" for one in plan.blocks)))
    kept = [replace(source, cells=without(source.cells, held_out)) for source in gather()]
    cells, shares = zip(*((source.cells, source.share) for source in kept if len(source.cells)), strict=True)
    keep = Keeping(path.parent / "checkpoint.npz", key)
    settings = replace(plan.settings, rate=candidate.rate or plan.settings.rate)
    learner = behind_colour(net, candidate.colour)
    train(cells, shares, SPEC, settings, lambda line: say(f"{candidate.name}: {line}"), start=learner, keep=keep)
    source = save_keras(net, path.with_suffix(".keras"))
    images = to_colour(calibration(cells, SPEC, plan.settings.seed), candidate.colour)
    flatbuffer = classifier_file(net, images, candidate.name)
    write_model(path, flatbuffer, _card(candidate, plan, source, key))
    keep.path.unlink(missing_ok=True)
    return path


def training_in(path: Path) -> dict[str, Any]:
    """What the card of a kept device file says of its training; empty where there is no sound file for the search's crops."""
    try:
        card = read_model(path).card
    except EdgeError:
        return {}
    return dict(card.training) if card is not None and card.crop == SPEC else {}


def plan_in(path: Path) -> SearchPlan | None:
    """The plan that a kept device file was made by; None where there is no sound file."""
    told = training_in(path)
    try:
        slides, blocks = tuple(told["held_out_slides"]), tuple(told["held_out_blocks"])
        return SearchPlan(CellTraining.plain(told["settings"]), slides, blocks)
    except (KeyError, TypeError):
        return None


def _key(net: Any, candidate: CandidateNet, plan: SearchPlan) -> str:
    """A digest of the net, the plan and the crops: a file with another key is made anew."""
    layers = [
        (type(layer).__name__, str(layer.output.shape), [tuple(weight.shape) for weight in layer.weights])
        for layer in net.layers
    ]
    told = [asdict(plan), asdict(SPEC), candidate.colour, candidate.rate, layers]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def behind_colour(net: Any, colour: str) -> Any:
    """The net as it is trained: given RGB crops, it sees them in its own colour, byte for byte as on the device."""
    if colour == "rgb":
        return net
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    def recoloured(values: np.ndarray) -> np.ndarray:
        return _VALUES.values(to_colour(np.rint(values * 64 + 128).astype(np.uint8), colour))

    base: Any = keras.layers.Layer

    class DeviceColour(base):  # type: ignore[misc]
        def call(self, values: Any) -> Any:
            out = tf.numpy_function(recoloured, [values], tf.float32, stateful=False)
            out.set_shape(values.shape)
            return out

    inputs = keras.Input((SIZE, SIZE, 3))
    return keras.Model(inputs, net(DeviceColour()(inputs)))


def _card(candidate: CandidateNet, plan: SearchPlan, source: str, key: str) -> Card:
    return Card(
        candidate.name,
        "classify",
        LABELS,
        positive=(LABELS[1],),
        colour=candidate.colour,
        output="logit",
        crop=SPEC,
        source_sha256=source,
        training={
            "settings": asdict(plan.settings),
            "rate": candidate.rate or plan.settings.rate,
            "held_out_blocks": list(plan.blocks),
            "held_out_slides": list(plan.slides),
            "code": training_code(),
            "key": key,
        },
        tools=tool_versions(),
        licence="Apache-2.0 (weights)",
    )
