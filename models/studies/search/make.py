"""Train a candidate as the shelf's nets are trained, and make its device file; a file that is made already is kept.

A net that takes other colours than RGB is trained behind ``edge.crops.to_colour``, the function the device calls before the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.colours import middle
from convert.net.batch import CONVERTED_AT, check_batches
from convert.net.int8 import quantise, tool_versions
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from edge.crops import to_colour, to_reference
from edge.errors import EdgeError
from edge.modelfile import Card, read_model, write_model
from edge.types import UInt8Array
from models.data.crops import LABELS, CellSet, join
from models.places import REPOSITORY
from models.studies.kept import code_digest
from models.studies.search.candidates import CandidateNet
from models.studies.streams import StudyStream
from models.train.classifier import CellTraining, train
from models.train.device import quiet, save_keras
from models.train.finder_make import held_out_blocks
from models.train.loop import Keeping
from models.train.net import SIZE
from models.train.shelf_classifier import PLATELETS, SPEC, slides_held_out
from models.train.sources import Source, kept_from

FOLD = 0
"""The fold whose slides and blocks no candidate sees."""

_CALIBRATION_CELLS = 200  # of each source
_VALUES = RANGES["-2..2"]

Say = Callable[[str], None]
Gather = Callable[[], list[Source]]


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
    settings = CellTraining(steps=steps, seed=seed, platelets=PLATELETS)
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
    sources = kept_from(gather(), plan.slides, plan.blocks)
    cells, shares = [source.cells for source in sources], [source.share for source in sources]
    keep = Keeping(path.parent / "checkpoint.npz", key)
    settings = replace(plan.settings, rate=candidate.rate or plan.settings.rate)
    learner = behind_colour(net, candidate.colour)
    train(cells, shares, SPEC, settings, lambda line: say(f"{candidate.name}: {line}"), start=learner, keep=keep)
    source = save_keras(net, path.with_suffix(".keras"))
    flatbuffer = to_device(net, calibration(cells, plan.settings.seed), candidate)
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
        return SearchPlan(CellTraining(**told["settings"]), slides, blocks)
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


def calibration(learned: list[CellSet], seed: int) -> UInt8Array:
    """Some cells of each source as the device crops them, RGB uint8 [n, 32, 32, 3]."""
    rng = np.random.default_rng([seed, StudyStream.CALIBRATION_CELLS])
    parts = []
    for cells in learned:
        rows = rng.choice(len(cells), min(len(cells), _CALIBRATION_CELLS), replace=False)
        parts.append(CellSet(cells.crops[rows], cells.labels[rows], cells.references(rows)))
    some = join(parts)
    return to_reference(np.ascontiguousarray(middle(some.crops, SIZE)), SPEC, some.reference)


def to_device(net: Any, crops: UInt8Array, candidate: CandidateNet) -> bytes:
    """The int8 flatbuffer of a net; its answers are checked to be the same in a batch and alone.

    Args:
        net: Keras, given bytes as (value - 128) / 64.
        crops: RGB uint8 [n, 32, 32, 3], to calibrate on.
        candidate: its name and colour.
    """
    images = to_colour(crops, candidate.colour)
    fed = _VALUES.values(images)
    # Both ends of the byte must be seen, so that a step of the input is a step of the byte.
    fed[0, 0, 0], fed[0, -1, -1] = _VALUES.limits

    def samples() -> Iterator[list[np.ndarray]]:
        for image in fed:
            yield [image[None]]

    with quiet():
        flatbuffer = quantise(device_model(net, SIZE, _VALUES, batch=CONVERTED_AT), samples)
        check_batches(flatbuffer, images[: CONVERTED_AT + 2], candidate.name)
    return flatbuffer


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
