"""What is compared: a name, a net, and the colour of its crops. A new row is one more ``CandidateNet``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from edge.card import CropSpec
from models.studies.search.nets import ConvLayer, founding, resnet8, stack
from models.train.net import build

AUTHORS = 1e-3
"""Learning rate of the founding notebook."""

_DENSE = (
    16,
    16,
    32,
    32,
)  # filters of the shelf's classifier when the others were searched; its recipe may have others today

REFERENCE = "malaria-thin-32"
"""The net that times are held against: the accurate one of the shelf."""

LITE = "malaria-thin-32-lite"
"""A net of a quarter of the work."""

SPEC = CropSpec()
"""What the nets see: cells alone, in their own colours, for some take other colours than RGB."""


@dataclass(frozen=True, slots=True)
class CandidateNet:
    """One net.

    Attributes:
        name: short, a file name too.
        words: what it is, for the table.
        make: gives a fresh Keras model of one logit.
        colour: of its crops, one of ``edge.card.COLOURS`` with three channels.
        rate: highest learning rate; None: that of all. For nets that learn nothing at that one.
    """

    name: str
    words: str
    make: Callable[[], Any]
    colour: str = "rgb"
    rate: float | None = None


def _ours(*widths: int) -> Any:
    one, two, three, four = widths
    return build(1, (one, two, three, four))


def _body(*layers: ConvLayer) -> Callable[[], Any]:
    return partial(stack, layers)


CANDIDATES = (
    CandidateNet(REFERENCE, "the shelf's accurate net: dense 3x3", partial(_ours, *_DENSE)),
    CandidateNet(LITE, "dense 3x3, small", partial(_ours, 6, 10, 16, 16)),
    CandidateNet("twice-as-wide", "malaria-thin-32 with twice the filters", partial(_ours, 32, 32, 64, 64)),
    CandidateNet(
        "residual",
        "dense 3x3, two of them with a sum around",
        _body(ConvLayer(12, stride=2), ConvLayer(16, stride=2), ConvLayer(28, stride=2), ConvLayer(28, skip=True)),
    ),
    CandidateNet(
        "first-5x5",
        "its first layer 5x5, stride 2",
        _body(ConvLayer(8, side=5, stride=2), ConvLayer(20, stride=2), ConvLayer(32, stride=2), ConvLayer(32)),
    ),
    CandidateNet(
        "first-7x7-stride-4",
        "its first layer 7x7, stride 4",
        _body(ConvLayer(14, side=7, stride=4), ConvLayer(16), ConvLayer(32, stride=2), ConvLayer(32)),
    ),
    CandidateNet(
        "mobilenet-like",
        "3x3, then depthwise 3x3 and 1x1 (Howard et al. 2017)",
        _body(
            ConvLayer(16, stride=2),
            ConvLayer(24, separable=True),
            ConvLayer(48, stride=2, separable=True),
            ConvLayer(64, stride=2, separable=True),
            ConvLayer(64, separable=True),
        ),
    ),
    CandidateNet("notebook-1", "the founding notebook's first", partial(founding, "notebook_1")),
    CandidateNet(
        "notebook-2-and-6",
        "its second; at 32x32 its sixth is the same graph",
        partial(founding, "notebook_2"),
        rate=AUTHORS,
    ),
    CandidateNet("notebook-3", "its third", partial(founding, "notebook_3")),
    CandidateNet("notebook-6-hsv", "its sixth on HSV crops", partial(founding, "notebook_6"), "hsv", AUTHORS),
    CandidateNet("resnet8", "ResNet8 of MLPerf Tiny", resnet8),
)
"""In the order of the table, until figures sort it."""
