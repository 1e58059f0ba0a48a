"""A calibration: what known slides said of this model, finder and microscope, and the rates that follow for the next slide.

The file holds counts, not conclusions: the limits are computed from them at the cell count of each sample. It is JSON,
``{"format": "edge-calibration", "version": 1, ...}``, keys as below; docs/verdict.md describes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from edge.errors import CalibrationError
from edge.verdict.fitness import Range, ranges_of
from edge.verdict.limits import ErrorRates
from edge.verdict.rates import MISSED_CELLS, Rate, certain, fit
from edge.verdict.units import RBC_PER_UL

FORMAT = "edge-calibration"
VERSION = 1  # of the file's format


@dataclass(frozen=True, slots=True)
class Bound:
    """What a calibration is valid for: nothing else may be judged by it.

    Attributes:
        model: the classifier's name; ``model_sha256`` is that of its flatbuffer.
        finder: the finder's name; ``finder_id`` tells finders of one name apart (hash of its net and card, or its settings).
        crops: fingerprint of the crops that this version makes for this model.
        scope: the microscope's name; empty: not named.
        gate: whether the gate left out bad fields.
        profile: fingerprint of the microscope's profile; empty: it was made without one, and is valid as before.
        light: that profile's paper, linear red, green and blue; empty likewise.
    """

    model: str
    model_sha256: str
    finder: str
    finder_id: str = ""
    crops: str = ""
    scope: str = ""
    gate: bool = True
    profile: str = ""
    light: tuple[float, ...] = ()

    def refuse_other(self, run: Bound) -> None:
        """Raise CalibrationError when a run differs; a run that does not name its microscope is not checked for it."""
        pairs = (
            ("model", f"{self.model} {self.model_sha256[:12]}", f"{run.model} {run.model_sha256[:12]}"),
            ("finder", f"{self.finder} {self.finder_id}".strip(), f"{run.finder} {run.finder_id}".strip()),
            ("microscope", self.scope or run.scope, run.scope or self.scope),
            ("cropping", self.crops, run.crops or self.crops),
            ("gate", "on" if self.gate else "off", "on" if run.gate else "off"),
        )
        if self.scope == "" and run.scope:
            raise CalibrationError(
                f"the calibration names no microscope and this one is {run.scope}: calibrate it anew"
            )
        if self.profile and run.profile and self.profile != run.profile:
            raise CalibrationError(
                f"the calibration was made with another profile of {self.scope} ({self.profile}, here {run.profile}): its light or "
                "its flat field was set up anew since, and the limits say nothing of these fields. Make it anew: edge calibrate"
            )
        for what, had, has in pairs:
            if had == has:
                continue
            if (what, self.model) == ("model", run.model) or (what, self.finder) == ("finder", run.finder):
                raise CalibrationError(
                    f"the calibration was made with another {what} of the same name ({had}, here {has}): the nets or their settings "
                    "have changed since, and its limits say nothing of these. Make it anew: edge calibrate"
                )
            raise CalibrationError(f"the calibration is of another {what} ({had}, here {has}): calibrate this one")


@dataclass(frozen=True, slots=True)
class Blank:
    """A slide known to be negative: cells and fields counted, and false positives per positive class.

    ``appearance`` is what it looked like (``edge.appearance``); empty: not measured.
    """

    name: str
    cells: int
    fields: int
    positives: Mapping[str, int]
    appearance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownSlide:
    """Infected cells of one slide (or of one part of a held-out set), and how many of them came out positive."""

    name: str
    found: Mapping[str, int]
    infected: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CountError:
    """How a finder's count differs from the truth: ``counted / true - 1``, its mean and spread from slide to slide."""

    bias: float
    spread: float
    source: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Counts on known slides with everything they were counted with; see the module.

    Attributes:
        positive: the classes that have limits, in the model's order.
        unit: ``cell``, or ``tile`` where a grid is counted: tiles are not red cells, so parasites per µL do not apply.
        threshold: the operating threshold of the run; ``threshold_origin``: how it was chosen.
        blanks: slides known to be negative.
        known: infected cells; ``known_origin``: where they come from.
        count_error: of the finder, or None: not known, and then shares are per cell as the finder counts them.
        target: share of infected cells to be detected, or None.
        rbc_per_ul: red cells per µL assumed.
        cells_per_field, seconds_per_field: measured while calibrating, for ``edge plan``; None: not measured.
    """

    bound: Bound
    positive: tuple[str, ...]
    threshold: float
    threshold_origin: str
    blanks: tuple[Blank, ...]
    known: tuple[KnownSlide, ...] = ()
    known_origin: str = "not known"
    count_error: CountError | None = None
    unit: str = "cell"
    target: float | None = None
    rbc_per_ul: float = RBC_PER_UL
    cells_per_field: float | None = None
    seconds_per_field: float | None = None
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """Blank cells it rests on."""
        return sum(blank.cells for blank in self.blanks)

    @property
    def rbc(self) -> float | None:
        """Red cells per µL, None for tiles."""
        return self.rbc_per_ul if self.unit == "cell" else None

    def ranges(self) -> Mapping[str, Range]:
        """What a sample has to look like for this to apply; empty where a blank was not measured."""
        return ranges_of([blank.appearance for blank in self.blanks])

    def errors(self, label: str) -> ErrorRates:
        """The next slide's rates for one positive class."""
        false = fit([blank.positives[label] for blank in self.blanks], [blank.cells for blank in self.blanks])
        return ErrorRates(false.next, self.found(label), false.pooled)

    def knows(self, label: str) -> bool:
        """Whether its sensitivity for this class is known; where not, no sample can be called negative."""
        return any(k.infected.get(label, 0) for k in self.known)

    def found(self, label: str) -> Rate:
        """The next slide's share of infected cells that come out positive, per cell counted; not known: from 0 to 1."""
        slides = [(k.found[label], k.infected[label]) for k in self.known if k.infected.get(label, 0)]
        if not slides:
            return Rate(np.linspace(0.025, 0.975, 20), np.full(20, 0.05))
        return self._sensitivity(slides)

    def found_as_any(self) -> Rate | None:
        """The next slide's share of infected cells, of whichever positive class, that come out as theirs; None: not known.

        Those that come out as another positive class count as missed, so it is at most the share that come out as any.
        """
        sums = [(sum(k.found.values()), sum(k.infected.values())) for k in self.known]
        slides = [(found, infected) for found, infected in sums if infected]
        return self._sensitivity(slides) if slides and all(map(self.knows, self.positive)) else None

    def _sensitivity(self, slides: list[tuple[int, int]]) -> Rate:
        missed = fit([n - k for k, n in slides], [n for _, n in slides], MISSED_CELLS).next
        return missed.complement().times(_per_counted(self.count_error))


def _per_counted(error: CountError | None) -> Rate:
    """1 / (1 + count error): five Gauss-Hermite points, for slides differ in it too."""
    if error is None:
        return certain(1.0)
    at, weights = np.polynomial.hermite_e.hermegauss(5)
    counted = np.maximum(1 + error.bias + error.spread * at, 0.2)
    return Rate((1 / counted)[::-1], (weights / weights.sum())[::-1])


def to_json(calibration: Calibration) -> str:
    """The file's text; ends with a newline."""
    return json.dumps({"format": FORMAT, "version": VERSION, **asdict(calibration)}, indent=1, ensure_ascii=True) + "\n"
