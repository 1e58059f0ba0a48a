"""Train a candidate as the shelf's nets are trained, and make its device file; what is made already is taken from the work folder.

A net that wants other colours than RGB learns behind ``edge.crops.to_colour``, the function the device calls before the file.
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
from edge.errors import EdgeError, OutputError
from edge.modelfile import Card, read_model, write_model
from models.data.crops import LABELS, SPEC
from models.data.folds import CLASSIFIER, held_out_blocks, slides_held_out
from models.places import REPOSITORY
from models.studies.search.candidates import Candidate
from models.train import recipe
from models.train.classifier import CellTraining, train
from models.train.device import calibration, classifier_file, save_keras
from models.train.loop import Keeping
from models.train.material import CellMaterial, without
from models.train.net import SIZE

FOLD = 0
_VALUES = RANGES["-2..2"]
_CODE = (
    *(
        f"models/data/{name}"
        for name in (
            "augment",
            "crops",
            "debris",
            "fields",
            "fieldset",
            "folder",
            "nih",
            "platelets",
            "scene_sources",
            "scenes",
            "virtual",
        )
    ),
    *("models/train/material", "models/train/classifier"),
    *("convert/measure/colours", "convert/measure/single"),
)

Say = Callable[[str], None]
Gather = Callable[[], list[CellMaterial]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all candidates have in common.

    Attributes:
        settings: of the training.
        slides: of NIH, held out.
        blocks: of IML, held out.
    """

    settings: CellTraining
    slides: tuple[str, ...]
    blocks: tuple[int, ...]

    @property
    def key(self) -> str:
        """Nets of one key may stand in one table."""
        return _digest([asdict(self), asdict(SPEC)])


def _training() -> CellTraining:
    """The settings of the shelf's classifier."""
    usual = recipe.load(CLASSIFIER).training
    if not isinstance(usual, CellTraining):
        raise TypeError("the shelf's classifier is trained as a finder")
    return usual


def plan_of(steps: int, seed: int) -> Plan:
    """The plan for the fold that is held out."""
    return Plan(
        replace(_training(), steps=steps, seed=seed),
        tuple(sorted(slides_held_out(FOLD))),
        tuple(held_out_blocks(FOLD)),
    )


def training_code() -> str:
    """Which code makes cells and trains nets: a digest of its files."""
    whole = hashlib.sha256()
    for name in _CODE:
        whole.update((REPOSITORY / f"{name}.py").read_bytes())
    return whole.hexdigest()[:12]


def file_of(work: Path, name: str) -> Path:
    """Where a candidate's device file is kept; the folder is laid out as a shelf (``edge.shelf``)."""
    return work / "nets" / name / f"{name}.tflite"


def made(candidate: Candidate, plan: Plan, gather: Gather, work: Path, say: Say) -> Path:
    """The candidate's device file, made where it is missing or of another plan or net.

    Args:
        candidate: which.
        plan: of all.
        gather: gives the sources; called only where there is something to train.
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
    note = path.with_suffix(".json")
    if path.exists() and note.exists() and json.loads(note.read_text())["key"] == key:
        return path
    note.unlink(missing_ok=True)
    held = frozenset(
        (*(f"nih_cells/{one}" for one in plan.slides), *(f"iml_fields/block {one}" for one in plan.blocks))
    )
    kept = [replace(source, cells=without(source.cells, held)) for source in gather()]
    learned, shares = zip(*((source.cells, source.share) for source in kept if len(source.cells)), strict=True)
    keep = Keeping(path.parent / "checkpoint.npz", key)
    learner = behind_colour(net, candidate.colour)
    settings = replace(plan.settings, rate=candidate.rate or plan.settings.rate)
    train(learned, shares, SPEC, settings, lambda line: say(f"{candidate.name}: {line}"), start=learner, keep=keep)
    source = save_keras(net, path.with_suffix(".keras"))
    some = calibration(learned, SPEC, plan.settings.seed)
    flatbuffer = classifier_file(net, to_colour(some, candidate.colour), candidate.name)
    try:
        write_model(path, flatbuffer, _card(candidate, plan, source))
        note.write_text(json.dumps({"key": key}) + "\n")  # last: without it, it is made again
        keep.path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def plan_in(path: Path) -> Plan | None:
    """The plan that a kept device file was made by; None where there is no sound file."""
    try:
        card = read_model(path).card
        if card is None or card.crop != SPEC:
            return None
        told = card.training
        slides, blocks = tuple(told["held_out_slides"]), tuple(told["held_out_blocks"])
        return Plan(CellTraining.plain(told["settings"]), slides, blocks)
    except (EdgeError, KeyError, TypeError):
        return None


def code_of(path: Path) -> str:
    """Which code trained a kept device file, as its card says; empty where it does not."""
    card = read_model(path).card
    return str(card.training.get("code", "")) if card is not None else ""


def _key(net: Any, candidate: Candidate, plan: Plan) -> str:
    layers = [
        (type(layer).__name__, str(layer.output.shape), [tuple(weight.shape) for weight in layer.weights])
        for layer in net.layers
    ]
    own = [] if candidate.rate is None else [candidate.rate]
    return _digest([plan.key, candidate.colour, layers, *own])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def behind_colour(net: Any, colour: str) -> Any:
    """The net as it is trained: on RGB crops, which reach it in its own colour, byte for byte as on the device."""
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


def _card(candidate: Candidate, plan: Plan, source: str) -> Card:
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
        },
        tools=tool_versions(),
        licence="Apache-2.0 (weights)",
    )
