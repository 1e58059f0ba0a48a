"""The one contract between workshop and device: a ``.tflite`` with a ZIP appended that holds ``labels.txt`` and ``card.json``.

This is the TFLite metadata convention: ``unzip`` reads the tail, the interpreter ignores it. The card says all that
the device must know; nothing else may guess. The SHA-256 in it is that of the flatbuffer part alone and is checked
before an interpreter sees one byte.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from edge.errors import ModelError, OutputError

CARD_VERSION = 1
MAX_MODEL_BYTES = 256 * 2**20
MAX_CARD_BYTES = 2**20
_FLATBUFFER_ID = b"TFL3"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How ``edge.crops`` cuts a cell out of a field.

    Attributes:
        size: side of the square crop in pixels.
        margin: side of the square that is cut, as a multiple of the box's longer side.
        mask: ``none`` or ``black`` (outside the finder's mask is painted black).
        normalise: ``none``, or ``cell`` (each channel is scaled so that the cell's own centre averages ``target``).
        target: grey value, 0 to 255, for ``normalise``.
    """

    size: int = 32
    margin: float = 1.0
    mask: str = "none"
    normalise: str = "none"
    target: int = 128


@dataclass(frozen=True, slots=True)
class FinderSpec:
    """What a finder's net needs to be read.

    Attributes:
        kinds: one per heat channel; ``kinds[0]`` is ``cell``. A channel named ``suspect`` finds cells too (those that
            must not be lost) and is counted as ``cell``; others start with ``not-``.
        thresholds: per heat channel, the lowest heat (0 to 1) of a detection.
        cell_px: width of a typical cell at the net's input, in pixels.
        stride: input pixels per output pixel.
        overlap: boxes that overlap more than this (intersection over union) are one cell.
    """

    kinds: tuple[str, ...] = ("cell",)
    thresholds: tuple[float, ...] = (0.4,)
    cell_px: float = 20.0
    stride: int = 4
    overlap: float = 0.5


@dataclass(frozen=True, slots=True)
class Card:
    """What the device must know of a model.

    Attributes:
        name: short name, as on the shelf.
        task: ``classify`` or ``find``.
        labels: class names, in the order of the net's outputs (classify) or heat channels (find).
        positive: the labels that make a sample suspicious.
        colour: colour order of the input, ``rgb``.
        output: ``probability``, or ``logit``: the device applies the sigmoid (one output, two labels) or softmax in
            float, since an int8 probability cannot tell 0.997 from 0.9999.
        threshold: a cell counts as positive when its positive classes' scores add up to this or more.
        threshold_origin: how the threshold was chosen, in words.
        crop: for ``classify``.
        finder: for ``find``.
        sha256: of the flatbuffer part, lower-case hex.
        source_sha256: of the Keras file it was converted from.
        accuracy: measured figures, float and int8, free form.
        training: data, splits, seeds, free form.
        tools: versions of the tools that made it.
        calibration: a calibration, or None: the flag stays ``uncalibrated``.
        licence: licence of the weights.
        version: version of this card's format.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    positive: tuple[str, ...] = ()
    colour: str = "rgb"
    output: str = "probability"
    threshold: float = 0.5
    threshold_origin: str = "default"
    crop: CropSpec = field(default_factory=CropSpec)
    finder: FinderSpec | None = None
    sha256: str = ""
    source_sha256: str = ""
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Any] | None = None
    licence: str = "Apache-2.0"
    version: int = CARD_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """A model read from disk: ``flatbuffer`` for the interpreter, ``card`` for everything else (None: there is none)."""

    flatbuffer: bytes
    card: Card | None
    sha256: str
    path: Path


def write_model(path: Path, flatbuffer: bytes, card: Card) -> Card:
    """Write flatbuffer and card to ``path`` (temporary name, then rename); the same inputs give the same bytes.

    Returns the card as written, with its hash. Raises OutputError.
    """
    card = replace(card, sha256=hashlib.sha256(flatbuffer).hexdigest())
    buffer = io.BytesIO()
    buffer.write(flatbuffer)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        labels = "".join(f"{label}\n" for label in card.labels)
        text = json.dumps(asdict(card), indent=1, sort_keys=True, ensure_ascii=False)
        for name, content in (("labels.txt", labels), ("card.json", text)):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(buffer.getvalue())
        written = Path(part.name)
        written.chmod(0o644)
        written.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot write the model: {error.strerror}") from error
    return card


def read_model(path: Path) -> ModelFile:
    """Read a model file, check its form and its hash; raises ModelError saying what is wrong with it."""
    try:
        size = path.stat().st_size
        if size > MAX_MODEL_BYTES:
            raise ModelError(f"{path}: {size} bytes is too large for a model file")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot read the model: {error.strerror}") from error
    if len(data) < 8 or data[4:8] != _FLATBUFFER_ID:
        raise ModelError(f"{path}: not a TFLite model")
    flatbuffer, card = _split(path, data)
    digest = hashlib.sha256(flatbuffer).hexdigest()
    if card is not None and card.sha256 != digest:
        raise ModelError(f"{path}: the model does not match the hash in its card (altered or damaged): copy it anew")
    return ModelFile(flatbuffer, card, digest, path)


def _split(path: Path, data: bytes) -> tuple[bytes, Card | None]:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        if b"PK\x03\x04" in data and b"card.json" in data:
            raise ModelError(f"{path}: the card at the end of the file is truncated: copy the file anew")
        return data, None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "card.json" not in archive.namelist():
                return data, None
            start = min(info.header_offset for info in archive.infolist())
            if archive.getinfo("card.json").file_size > MAX_CARD_BYTES:
                raise ModelError(f"{path}: its card is too large")
            card = parse_card(json.loads(archive.read("card.json")))
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as error:
        raise ModelError(f"{path}: its card cannot be read: {error}") from error
    return data[:start], card


def parse_card(raw: Mapping[str, Any]) -> Card:
    """Card from its JSON form. Unknown keys are ignored (a newer writer); raises ValueError or TypeError on wrong ones."""
    if not isinstance(raw, dict):
        raise TypeError("the card is not a JSON object")
    if raw.get("version") != CARD_VERSION:
        raise ValueError(
            f"card version {raw.get('version')!r} is not {CARD_VERSION}; update the runner or convert the model anew"
        )
    values = _known(Card, raw)
    values["labels"] = tuple(str(label) for label in values["labels"])
    values["positive"] = tuple(str(label) for label in values.get("positive", ()))
    values["threshold"] = float(values.get("threshold", 0.5))
    values["crop"] = CropSpec(**_known(CropSpec, values.get("crop") or {}))
    if values.get("finder") is not None:
        spec = _known(FinderSpec, values["finder"])
        for key in ("kinds", "thresholds"):
            spec[key] = tuple(spec[key])
        values["finder"] = FinderSpec(**spec)
    card = Card(**values)
    _check(card)
    return card


def _check(card: Card) -> None:
    if card.task not in ("classify", "find"):
        raise ValueError(f"unknown task {card.task!r}")
    if len(set(card.labels)) != len(card.labels) or not card.labels:
        raise ValueError("labels must be given, each once")
    if not set(card.positive) <= set(card.labels):
        raise ValueError("a positive class is not among the labels")
    if card.colour != "rgb" or card.output not in ("probability", "logit"):
        raise ValueError("the card asks for a colour order or an output this version does not know; update the runner")
    if not 0.0 <= card.threshold <= 1.0:
        raise ValueError("the threshold is not between 0 and 1")
    if card.task == "find" and (card.finder is None or len(card.finder.kinds) != len(card.finder.thresholds)):
        raise ValueError("a finder's card needs one threshold per kind")
    if not 8 <= card.crop.size <= 512 or not 0.1 <= card.crop.margin <= 10:
        raise ValueError("the crop's size or margin is out of range")
    if card.crop.mask not in ("none", "black") or card.crop.normalise not in ("none", "cell"):
        raise ValueError("the card asks for a crop this version does not know; update the runner")


def _known(cls: type[Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(cls)}
    return {key: value for key, value in raw.items() if key in names}
