"""From fields of any samples to a settled microscope: find the cells, take the typical one of each field, write the file."""

from __future__ import annotations

import edge.sources.decode  # noqa: F401 - first of all, for it sets limits that OpenCV reads on import

# isort: split
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2

from edge import installed_version
from edge.cli.known_slides import holds_folders, run_through
from edge.cli.pipeline import CellPipeline, make_pipeline
from edge.cli.run_settings import RunSettings
from edge.cli.settings import InputSettings
from edge.door import StoppedError, say
from edge.errors import SettlingError
from edge.events import FieldEvent, SampleEvent
from edge.lines import print_json, print_lines
from edge.safe_file import ReplacedFile, plain_errors
from edge.scope.file import facts
from edge.scope.profile import path_of
from edge.scope.profile_file import write_profile
from edge.scope.settling import FEW_FIELDS, SettledField, SettledScope, field_for_settling, settle
from edge.verdict.units import plural

_PROGRAM = "edge scope settle"
_ENDS = (("light", 255.0), ("size", float("inf")))  # measures whose range is printed, and how high they can be


@dataclass(frozen=True, slots=True)
class SettlingRequest:
    """What ``edge scope settle`` is asked for: the folder of fields, the file, the microscope's name, JSON on stdout."""

    fields: Path
    output: Path
    scope: str | None
    json: bool


class _TypicalKeeper:
    """An output that keeps what each field that counts says of its microscope."""

    def __init__(self) -> None:
        self.seen: list[SettledField] = []
        self.few = self.rejected = 0

    def field(self, event: FieldEvent) -> None:
        if event.result is None:
            return
        if not event.kept:
            self.rejected += 1
            return
        one = field_for_settling(event.result)
        if one is None:
            self.few += 1
        else:
            self.seen.append(one)

    def sample(self, event: SampleEvent) -> None:
        """Samples do not matter here."""

    def close(self) -> None:
        """Nothing is held open."""

    discard = close


def settle_scope(settings: RunSettings, request: SettlingRequest) -> None:
    """Settle, write the file, and print what was learned on stdout; raises EdgeError.

    Args:
        settings: nets, fields and process are used.
        request: where fields and file are.
    """
    cv2.setNumThreads(1)
    file = ReplacedFile(
        request.output
    )  # opened first, so that a path that cannot be written is known before the counting
    try:
        pipeline = make_pipeline(settings.nets, settings.process, gate=settings.fields.gate, scope=request.scope)
        keeper = _seen(settings, pipeline, str(request.fields))
        made = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": f"edge-microscopy {installed_version()}"}
        settled = settle(keeper.seen, pipeline.settled_with, request.scope or "", made)
        with plain_errors(file.path):
            file.stream.write(json.dumps(facts(settled), indent=1, ensure_ascii=True) + "\n")
        file.close()
        _keep_in_profile(pipeline, settled)
    except BaseException:
        file.discard()
        raise
    if request.json:
        print_json(facts(settled))
    else:
        print_lines([*_lines(settled, keeper), f"written: {request.output}"])


def _keep_in_profile(pipeline: CellPipeline, settled: SettledScope) -> None:
    """Put it into the microscope's profile too, where there is one, so that a run need name only that."""
    if pipeline.profile is None:
        return
    path = path_of(pipeline.profile.name)
    write_profile(replace(pipeline.profile, settled=facts(settled)), path)
    say(f"note: kept in the profile of {pipeline.profile.name} too: edge-run --scope needs no --settled", _PROGRAM)


def _seen(settings: RunSettings, pipeline: CellPipeline, text: str) -> _TypicalKeeper:
    """What the fields of a folder say; raises EdgeError."""
    if pipeline.card.crop.normalise != "typical":
        raise SettlingError(f"{pipeline.card.name} looks at each cell alone: there is nothing to settle for it")
    keeper = _TypicalKeeper()
    settings = replace(settings, input=InputSettings(inputs=(text,), sample_per_folder=holds_folders(text)))
    ending, stopped = run_through(settings, pipeline, keeper, _PROGRAM)
    if stopped:
        raise StoppedError("nothing is written")
    if ending.error is not None:
        raise ending.error
    if ending.unreadable:
        say(f"note: {ending.unreadable} of its images cannot be read", _PROGRAM)
    return keeper


def _lines(settled: SettledScope, keeper: _TypicalKeeper) -> list[str]:
    looks, density = settled.looks, settled.density
    paper = settled.typical.papers[0].tolist()
    others = f"; {keeper.few:,} more with too few cells" if keeper.few else ""
    others += f"; {keeper.rejected:,} more rejected" if keeper.rejected else ""
    light, size = (f"fits from {looks[name].low:.0f} to {min(most, looks[name].high):.0f}" for name, most in _ENDS)
    colour = f"red {paper[0]}, green {paper[1]}, blue {paper[2]}; brightness {looks['light'].value:.0f}"
    dense = f"{density[0]:.2f} red, {density[1]:.2f} green, {density[2]:.2f} blue denser than the paper"
    lines = [
        f"settled on  {plural(settled.fields, 'field')} with {plural(settled.cells, 'cell')}{others}",
        f"paper       {colour}, {light}",
        f"cell        {dense}; {looks['size'].value:.0f} pixels wide, {size}",
    ]
    if settled.fields < FEW_FIELDS:
        lines.append(f"note        {FEW_FIELDS} fields or more would tell what they differ by")
    return lines
