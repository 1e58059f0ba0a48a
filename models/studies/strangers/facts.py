"""What is known of one stranger's net, kept in the repository: a fresh machine goes on with the rest. No path, no image."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.safe_file import write_text

FACTS = Path(__file__).resolve().parent / "facts"
"""A JSON file for each net that is finished."""

LIMIT = 0.5
"""Points of accuracy that a device file may lose and still count as not worse."""


@dataclass(frozen=True, slots=True)
class ConversionFacts:
    """A conversion with default options.

    Attributes:
        code: digest of the converter's files.
        exit_code: of ``edge-convert quantize``; 0: there is a device file.
        message: its last line, where it refused.
        way: to the device; None: no report was written.
        recipe: that it was quantised by; None: likewise.
        verdict: of the gate; None: likewise.
        warnings: of the report.
        value_range: that the converter found.
        colour: likewise.
        wall_s: seconds on the wall.
        processor_s: seconds of all cores.
        cores: that it could use.
        load: load average of the machine in the minute before.
        device_bytes: size of the device file; None: there is no report.
        device_macs: multiply-accumulates per cell on the device; None: likewise.
    """

    code: str
    exit_code: int
    message: str
    way: str | None
    recipe: str | None
    verdict: str | None
    warnings: tuple[str, ...]
    value_range: str | None
    colour: str | None
    wall_s: float
    processor_s: float
    cores: int
    load: float
    device_bytes: int | None
    device_macs: int | None

    @property
    def idle_s(self) -> float:
        """Seconds that it takes idle cores at most: some core works for it at every moment, so not more than processor seconds."""
        return min(self.wall_s, self.processor_s)


@dataclass(frozen=True, slots=True)
class JudgedFacts:
    """The device file against the net as trained, on the same cells, which neither training nor converter saw.

    Attributes:
        cells: that judged.
        slides: they are of.
        before: accuracy 0..1 of the net as trained, on its author's cuts.
        after: of the device file, on the device's cuts.
        lost: cells that only the net as trained counts right.
        won: cells that only the device file counts right.
        low: lower end of the loss's 95 % interval, in points.
        high: upper end.
        on_cuts: accuracy 0..1 of the net as trained, on the device's cuts at its own size.
        cuts_lost: cells that only that net counts right, and the device file does not.
        cuts_won: cells that only the device file counts right.
    """

    cells: int
    slides: int
    before: float
    after: float
    lost: int
    won: int
    low: float
    high: float
    on_cuts: float
    cuts_lost: int
    cuts_won: int

    @property
    def points(self) -> float:
        """Points of accuracy that the device file loses."""
        return (self.lost - self.won) * 100 / self.cells

    @property
    def not_worse(self) -> bool:
        """Whether it loses no more than ``LIMIT`` points."""
        return self.points <= LIMIT

    @property
    def points_of_net(self) -> float:
        """Points that it loses against the net as trained on the same cuts: what the way and int8 cost, without the cuts."""
        return (self.cuts_lost - self.cuts_won) * 100 / self.cells


@dataclass(frozen=True, slots=True)
class StrangerFacts:
    """One net: trained, converted and, where there is a device file, judged.

    Attributes:
        name: of ``models.studies.strangers.nets.NETS``.
        cells: that it was trained on.
        epochs: over them.
        accuracy: 0..1 on cells of slides kept apart from training.
        macs: multiply-accumulates per cell of the net as trained; 0: a graph without layers; None: not known.
        parameters: of the net; None: not known.
        conversion: with default options.
        judged: None: there is no device file.
    """

    name: str
    cells: int
    epochs: int
    accuracy: float
    macs: int | None
    parameters: int | None
    conversion: ConversionFacts
    judged: JudgedFacts | None

    @property
    def reached(self) -> bool:
        """Whether default options gave a device file that is not worse."""
        return self.judged is not None and self.judged.not_worse

    @property
    def reached_on_cuts(self) -> bool:
        """Likewise, against the net as trained on the device's cuts."""
        return self.judged is not None and self.judged.points_of_net <= LIMIT


def kept_facts(name: str, place: Path = FACTS) -> StrangerFacts | None:
    """The facts of a net; None: it is not finished."""
    path = place / f"{name}.json"
    return from_json(json.loads(path.read_text())) if path.exists() else None


def keep(facts: StrangerFacts, place: Path = FACTS) -> None:
    """Write a net's facts; raises OutputError."""
    place.mkdir(parents=True, exist_ok=True)
    write_text(place / f"{facts.name}.json", json.dumps(asdict(facts), indent=1, ensure_ascii=False) + "\n")


def from_json(raw: dict[str, Any]) -> StrangerFacts:
    """What ``asdict`` and JSON made of a ``StrangerFacts``."""
    conversion, judged = raw["conversion"], raw["judged"]
    made = ConversionFacts(**{**conversion, "warnings": tuple(conversion["warnings"])})
    return StrangerFacts(**{**raw, "conversion": made, "judged": judged and JudgedFacts(**judged)})


def states(found: Iterable[StrangerFacts]) -> set[str]:
    """The states of the converter that the facts are of."""
    return {one.conversion.code for one in found}
