"""A model's card: all that the device must know of a model, and the checks a card from anywhere has to pass.

A card comes out of a file that anybody may have made, so nothing in it is believed: types, ranges and names are checked
once, here, and whoever holds a ``Card`` afterwards may rely on them. Names are printable, so that they reach no terminal as
anything but text.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision import positive_mask

CARD_VERSION = 1  # of the card's format; a reader refuses another one
_LONGEST_NAME = 100  # letters
_LONGEST_LINE = 2000  # letters
_MOST_CLASSES = 1000  # more than any classifier of cells has; a bound on what a foreign file may make us hold
_FIND_KINDS = ("cell", "suspect")
COLOURS = ("rgb", "bgr", "hsv", "grey")
"""What a net may want of a crop, which the device has as RGB bytes; ``edge.crops.to_colour`` makes it."""

NORMALISE = ("none", "typical")
"""What can be done to a crop's colours, see ``CropSpec``."""

_FORMER = ("cell", "bounded")  # what earlier versions did


SHAPES = ("square", "stretch")
"""Which part of a field becomes a crop, see ``CropSpec``."""


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How ``edge.crops`` cuts a cell out of a field.

    Attributes:
        size: side of the square crop in pixels.
        margin: side of the square that is cut, as a multiple of the box's longer side; stretched: sides as multiples of the box's.
        mask: ``none`` or ``black`` (outside the finder's mask is painted black).
        shape: ``square``: a square around the box's centre; ``stretch``: the box itself, whatever its sides.
        normalise: ``none``; ``typical``: the crop has six channels, the cell and the typical cell of its field in optical density
            (``edge.typical``).
    """

    size: int = 32
    margin: float = 1.0
    mask: str = "none"
    normalise: str = "none"
    shape: str = "square"


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
        colour: what the net's input holds: ``rgb``, ``bgr``, ``hsv`` (OpenCV's bytes, hue 0 to 179) or ``grey`` (one
            channel). A finder's is ``rgb``.
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
        reference: what the model was made for: per measure of ``edge.appearance`` the lowest and highest value of a sample
            (None: no bound). Empty: not said, and then samples are not compared with it.
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
    reference: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    version: int = CARD_VERSION

    @property
    def positive_mask(self) -> NDArray[np.bool_]:
        """Which of the labels are positive, bool [k]."""
        return positive_mask(self.labels, self.positive)


def parse_card(raw: Any) -> Card:
    """Card from its JSON form. Unknown keys are ignored (a newer writer); raises ValueError on a card that makes no sense."""
    raw = _object(raw, "the card")
    if raw.get("version") != CARD_VERSION:
        raise ValueError(
            f"card version {reprlib.repr(raw.get('version'))} is not {CARD_VERSION}; "
            "update the runner or convert the model anew"
        )
    values = _known(Card, raw)
    for key in ("name", "task", "labels"):
        if key not in values:
            raise ValueError(f"{key} is missing")
    for key in ("labels", "positive"):
        values[key] = _listed(values.get(key, ()), key)
    reference = _object(values.get("reference") or {}, "reference")
    values["reference"] = {name: _listed(pair, "a range of the reference") for name, pair in reference.items()}
    values["crop"] = CropSpec(**_known(CropSpec, _object(values.get("crop") or {}, "crop")))
    if values.get("finder") is not None:
        spec = _known(FinderSpec, _object(values["finder"], "finder"))
        for key in {"kinds", "thresholds"} & spec.keys():
            spec[key] = _listed(spec[key], key)
        values["finder"] = FinderSpec(**spec)
    card = Card(**values)
    check_card(card)
    return card


def check_card(card: Card) -> None:
    """Raise ValueError saying what is wrong with a card, wherever it comes from."""
    _check_form(card)
    if card.task not in ("classify", "find"):
        raise ValueError(f"unknown task {reprlib.repr(card.task)}")
    if not set(card.positive) <= set(card.labels):
        raise ValueError("a positive class is not among the labels")
    if card.task == "classify" and any(label.startswith("not-") for label in card.labels):
        raise ValueError("its labels hold a 'not-...', which names what is set aside and never a class")
    if card.colour not in (COLOURS if card.task == "classify" else ("rgb",)) or card.output not in (
        "probability",
        "logit",
    ):
        raise ValueError("the card asks for a colour order or an output this version does not know; update the runner")
    _within(card.threshold, 0, 1, "the threshold")
    _check_crop(card.crop)
    if card.crop.normalise == "typical" and (card.colour != "rgb" or card.crop.mask != "none"):
        raise ValueError("a net that compares cells takes them in rgb and unmasked")
    _check_reference(card.reference)
    if card.finder is not None:
        _check_finder(card.finder)
    elif card.task == "find":
        raise ValueError("a finder's card needs one threshold per kind")


def _check_form(card: Card) -> None:
    for key in ("name", "task", "colour", "output", "threshold_origin", "sha256", "source_sha256", "licence"):
        if not _is_line(getattr(card, key), _LONGEST_LINE):
            raise ValueError(f"its {key} is not one line of printable text")
    for key in ("accuracy", "training", "tools"):
        _object(getattr(card, key), key)
    if card.calibration is not None:
        _object(card.calibration, "calibration")
    _names(card.labels, "labels")
    _names(card.positive, "positive classes", may_be_none=True)


def _check_crop(crop: CropSpec) -> None:
    _within(crop.size, 8, 512, "the crop's size", whole=True)
    _within(crop.margin, 0.1, 10, "the crop's margin")
    if crop.mask == "black" and crop.shape != "square":
        raise ValueError("masks are square: a crop that is stretched cannot be masked")
    if crop.normalise in _FORMER:
        raise ValueError(
            "it was trained on cells in their own colours, which this version no longer makes (cells are compared with the typical "
            "cell of their field): take the net of the same name from the shelf, or train yours anew"
        )
    if crop.mask not in ("none", "black") or crop.normalise not in NORMALISE or crop.shape not in SHAPES:
        raise ValueError("the card asks for a crop this version does not know; update the runner")


def _check_reference(reference: Mapping[str, Any]) -> None:
    _names(reference, "measures of the reference", may_be_none=True)
    for name, pair in reference.items():
        if len(pair) != 2:
            raise ValueError(f"the range of {name} is not two numbers")
        for end in pair:
            if end is not None:
                _within(end, -1e6, 1e6, f"the range of {name}")


def _check_finder(finder: FinderSpec) -> None:
    _names(finder.kinds, "kinds")
    if finder.kinds[0] != "cell" or not all(k in _FIND_KINDS or k.startswith("not-") for k in finder.kinds):
        raise ValueError("a finder's kinds are cell first, then suspect or not-...")
    if len(finder.kinds) != len(finder.thresholds):
        raise ValueError("a finder's card needs one threshold per kind")
    for threshold in finder.thresholds:
        _within(threshold, 0.001, 1, "a finder's threshold")
    _within(finder.cell_px, 4, 256, "cell_px")
    _within(finder.stride, 1, 64, "stride", whole=True)
    _within(finder.overlap, 0, 1, "overlap")


def _names(names: Iterable[Any], what: str, *, may_be_none: bool = False) -> None:
    names = tuple(names)
    if not all(_is_line(name, _LONGEST_NAME) and name for name in names):
        raise ValueError(f"its {what} are not all printable names of up to {_LONGEST_NAME} letters")
    if len(set(names)) < len(names) or len(names) > _MOST_CLASSES or not (names or may_be_none):
        raise ValueError(f"its {what} must be given, each once")


def _within(value: Any, low: float, high: float, what: str, *, whole: bool = False) -> None:
    numbers = (int,) if whole else (int, float)
    # NaN is within nothing; True is an int to Python and a mistake here
    if not isinstance(value, numbers) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{what} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}")


def _is_line(value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and value.isprintable()


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is not a JSON object")  # noqa: TRY004 - the file is wrong, not the caller
    return value


def _listed(value: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} is not a list")  # noqa: TRY004 - as above
    return tuple(value)


def _known(cls: type[Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(cls)}
    return {key: value for key, value in raw.items() if key in names}
