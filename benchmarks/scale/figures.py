"""What was measured, as records that are kept in ``kept.json`` between calls: each part may be measured by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.archive.figures import MeasuredOn
from benchmarks.kept import read_kept, write_kept
from benchmarks.scale.drive import DrivenFields

KEPT: Final = Path(__file__).parent / "kept.json"

RECOUNT, EDGE_RUN = "edge recount, 1 worker", "edge-run, 1 worker"
"""Ways of counting the same fields, in turns."""


@dataclass(frozen=True, slots=True)
class CountingCall:
    """One call: the way, fields, processor seconds of all its processes."""

    way: str
    fields: int
    processor_s: float


@dataclass(frozen=True, slots=True)
class FieldCosts:
    """What a field costs to count.

    Attributes:
        calls: each way with few and with many fields, in turns: starting up is not part of what a field more costs.
        file_bytes: of a field; ``result_bytes``: that the tables hold of it.
        what: the fields, in words.
    """

    machine: MeasuredOn
    calls: tuple[CountingCall, ...]
    file_bytes: float
    result_bytes: float
    what: str

    def ms(self, way: str) -> float:
        """Processor time of one field more, milliseconds: the median over the turns."""
        sizes = sorted({call.fields for call in self.calls})
        few, many = ([c.processor_s for c in self.calls if (c.way, c.fields) == (way, size)] for size in sizes)
        each = [(more - less) / (sizes[1] - sizes[0]) for less, more in zip(few, many, strict=True)]
        return 1e3 * median(each)

    def start_s(self, way: str) -> float:
        """Processor time of a call without fields, seconds."""
        sizes = sorted({call.fields for call in self.calls})
        few = median(call.processor_s for call in self.calls if (call.way, call.fields) == (way, sizes[0]))
        return max(few - sizes[0] * self.ms(way) / 1e3, 0.0)


@dataclass(frozen=True, slots=True)
class ListedFields:
    """A client that lists a made-up archive and cuts it into tasks: processor seconds, and the most memory (MiB)."""

    machine: MeasuredOn
    fields: int
    processor_s: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class DrivenBatch:
    """Simulated fields through a real scheduler.

    Attributes:
        driven: of all portions.
        portions: how many there were; ``load``: median of the system's load at their ends.
        wanted: fields that were to be driven.
    """

    machine: MeasuredOn
    driven: DrivenFields
    portions: int
    load: float
    wanted: int

    @property
    def per_task(self) -> float:
        """Fields of a task, on average: a sample's last slice is smaller."""
        return self.driven.fields / self.driven.tasks


@dataclass(frozen=True, slots=True)
class ComparedSamples:
    """Two made-up results of few and of many samples, compared: processor seconds and the most memory (MiB) of each."""

    machine: MeasuredOn
    few: int
    few_s: float
    few_mb: float
    many: int
    many_s: float
    many_mb: float


@dataclass(frozen=True, slots=True)
class ScaleFigures:
    """All parts; None or empty: not measured yet."""

    costs: FieldCosts | None = None
    listed: ListedFields | None = None
    batches: tuple[DrivenBatch, ...] = ()
    compared: ComparedSamples | None = None


def read_scale(path: Path = KEPT) -> ScaleFigures:
    """What is kept; raises ResultError where that is no such file."""
    return read_kept(ScaleFigures, path)


def write_scale(figures: ScaleFigures, path: Path = KEPT) -> None:
    """Keep them; raises OutputError."""
    write_kept(figures, path)
