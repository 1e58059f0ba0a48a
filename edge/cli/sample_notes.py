"""Who takes notes of a sample's fields: of its light, and of its typical cells where cells are counted."""

from __future__ import annotations

from collections.abc import Callable

from edge.cli.pipeline import CellPipeline
from edge.cli.settings import NetSettings
from edge.deciding import NoteTaker
from edge.scope.notes import TypicalWatch
from edge.scope.watch import AllNotes, LightWatch
from edge.verdict.assess import Assessor


def notes_of_samples(
    nets: NetSettings, pipeline: CellPipeline, assessor: Assessor | None, tell: Callable[[str], None]
) -> Callable[[], NoteTaker]:
    """What makes the note taker of a new sample.

    Args:
        nets: of the run.
        pipeline: what it counts with.
        assessor: what its samples are judged by.
        tell: gets what a person should know while the sample is counted, a line each.
    """
    calibrated = assessor is not None and bool(assessor.calibration.bound.profile)
    light = LightWatch(tell, "the day of calibration" if calibrated else "the day of set-up")
    if nets.grid:
        return light.sample
    typical = TypicalWatch(pipeline.settled, tell)
    return lambda: AllNotes([typical.sample(), light.sample()])
