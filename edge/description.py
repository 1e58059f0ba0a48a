"""What a run counts with: models, calibration, settings. The same for all of its samples; reports and the book carry it."""

from __future__ import annotations

from dataclasses import dataclass

from edge.modelfile import Card
from edge.verdict.calibration import Bound, Calibration


@dataclass(frozen=True, slots=True)
class ModelLine:
    """The models a run used: classifier's name, its full SHA-256, the finder's name, the SHA-256 of the classifier's card.

    The last is empty where the file has none.
    """

    name: str
    sha256: str
    finder: str
    card: str = ""


@dataclass(frozen=True, slots=True)
class RunDescription:
    """What a run counts with, the same for all of its samples.

    Attributes:
        model: names and hash; ``card`` is the classifier's, at the threshold of this run.
        bound: what a calibration of this run would be bound to (finder's id, cropping, microscope, gate).
        calibration: the one the samples are judged by, or None.
        unit: what is counted: ``cell`` or ``tile``.
        settings: options as a person would say them, in order.
        version: of this program.
        config: the settings that differ from the defaults, as a file that ``edge-run --config`` reads; empty: not known.
    """

    model: ModelLine
    card: Card
    bound: Bound
    calibration: Calibration | None = None
    unit: str = "cell"
    settings: tuple[tuple[str, str], ...] = ()
    version: str = "source"
    config: str = ""
