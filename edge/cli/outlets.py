"""From settings to outputs. They are opened before the first field, so that one that cannot be written is reported at once."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from edge import installed_version
from edge.cli.config import to_toml
from edge.cli.originals import EarlierPictures
from edge.cli.pipeline import CellPipeline
from edge.cli.run_settings import RunSettings
from edge.cli.settings import InputSettings
from edge.description import ModelLine, RunDescription
from edge.errors import NoInputError, OutputError
from edge.events import FieldEvent, Output
from edge.modelfile import Card
from edge.outputs.annotate import AnnotatedImages
from edge.outputs.bell import Bell
from edge.outputs.coco import Coco
from edge.outputs.console import Screen, Summary
from edge.outputs.csv import FieldTable
from edge.outputs.jsonl import JsonLines
from edge.outputs.live_line import Progress
from edge.outputs.pace import EndConditions
from edge.report.gather import PictureSource, live_pictures
from edge.report.output import HtmlReport
from edge.report.pictures import FieldPictures
from edge.service.notify import systemd_outputs
from edge.sources.files import PICTURE_SUFFIXES, expand
from edge.sources.video import VIDEO_SUFFIXES
from edge.verdict.assess import Assessor

_HINT = (
    "To see what was counted: --annotate DIR (fields with boxes), --report DIR (a page per sample, cells to look at)."
)

_PIPE_COLUMNS = 100
"""Width of tables and lines where stdout or stderr is no terminal and COLUMNS is not set."""


def open_outputs(
    settings: RunSettings, about: RunDescription, total: int | None, earlier: EarlierPictures, *, screens: bool = True
) -> list[Output]:
    """Open all outputs, which shows that they can be written; the screen comes last.

    Args:
        settings: of the run.
        about: what it counts with.
        total: fields of the source; None where it cannot tell.
        earlier: pictures of fields that an earlier part of the run had.
        screens: whether a person sits at this process's terminal.

    Raises:
        OutputError: one cannot be written, or would replace an input.
    """
    spare_inputs(settings)
    chosen, unit, card, model = settings.outputs, settings.nets.unit, about.card, about.model
    outputs: list[Output] = []
    try:
        if chosen.csv:
            outputs.append(FieldTable(chosen.csv, card.labels))
        if chosen.annotate:
            told = (chosen.annotate, card.labels, card.positive, card.threshold, unit)
            outputs.append(AnnotatedImages(*told, pixels=earlier.pixels))
        if chosen.detections:
            outputs.append(Coco(chosen.detections, card, model))
        if chosen.report:
            outputs.append(HtmlReport(chosen.report, about, pictures=pictures_of(card, earlier)))
    except BaseException:
        for output in outputs:
            output.discard()
        raise
    return [*outputs, *_screens(settings, card, model, total)] if screens else outputs


def pictures_of(card: Card, earlier: EarlierPictures) -> PictureSource:
    """Return what gives a report the pictures of a field: made from its pixels, or as they were kept."""
    live = live_pictures(card)

    def of(event: FieldEvent) -> FieldPictures | None:
        if event.result is None or event.rgb is not None:
            return live(event)
        return earlier.shown(event)

    return of


def spare_inputs(settings: RunSettings) -> None:
    """Raise OutputError if an output would replace an input, or if the next run would count it as a field."""
    source, outputs = settings.input, settings.outputs
    inputs = expand(source.inputs) if source.inputs else []
    for path in (outputs.csv, outputs.detections):
        if path is None or not os.path.exists(path):  # noqa: PTH110 - returns False, where Path.exists raises
            continue
        if path.suffix.lower() in PICTURE_SUFFIXES or any(os.path.samefile(path, file) for file in inputs):  # noqa: PTH121
            raise OutputError(f"{path}: will not be written over: it is a picture, a video or an input")
    if outputs.annotate is not None:
        folders = {os.path.realpath(path if path.is_dir() else path.parent) for path in inputs}
        place = os.path.realpath(outputs.annotate)
        if place in folders or (source.sample_per_folder and os.path.dirname(place) in folders):  # noqa: PTH120
            raise OutputError(
                f"{outputs.annotate}: choose another folder: the next run would count what is written here"
            )


def _screens(settings: RunSettings, card: Card, model: ModelLine, total: int | None) -> list[Output]:
    bell: list[Output] = [Bell(sys.stderr)] if settings.outputs.bell else []
    if settings.outputs.json:
        lines = JsonLines(sys.stdout, card.labels, model)
        if not sys.stderr.isatty() or sys.stdout.isatty():
            return [lines, *bell, *systemd_outputs(settings.nets.unit)]  # the events themselves show that it runs
        return [lines, *bell, *progress_line(settings, card, total)]
    progress = [*bell, *progress_line(settings, card, total)]
    hint = "" if settings.outputs.needs_pixels else _HINT
    return [*progress, Summary(screen(Screen, error=False), model, card.positive, hint)]


def progress_line(settings: RunSettings, card: Card, total: int | None) -> list[Output]:
    """Return the live line on stderr; a service tells systemd instead, which shows it as its state."""
    if told := systemd_outputs(settings.nets.unit):
        return told
    stop, sooner = settings.stop, settings.stop.until is not None
    several = not _one_sample(settings.input)
    ends = EndConditions(stop.max_cells, settings.field_limit, stop.max_seconds, total, several=several)
    return [Progress(screen(Screen, error=True), card.positive, ends, settings.nets.unit, sooner=sooner)]


def _one_sample(source: InputSettings) -> bool:
    """Whether all fields belong to one sample, so that its limits are those of the run."""
    if source.simulate or source.camera or source.sample_id is not None:
        return True
    try:
        paths = expand(source.inputs)
    except NoInputError:  # the source itself reports what is wrong with them
        return True
    whole = any(path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES for path in paths)
    return not source.sample_per_folder and (len(paths) == 1 or not whole)


def screen(cls: type[Screen], *, error: bool) -> Screen:
    """Return the screen on stdout, or on stderr."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_COLUMNS
    return cls(stderr=error, width=width, highlight=False, emoji=False, markup=False)


def about_run(
    settings: RunSettings, pipeline: CellPipeline, line: ModelLine, assessor: Assessor | None
) -> RunDescription:
    """Return what a report says of the run itself."""
    return RunDescription(
        line,
        pipeline.card,
        pipeline.bound,
        None if assessor is None else assessor.calibration,
        settings.nets.unit,
        _in_words(settings),
        installed_version(),
        to_toml(replace(settings, book=replace(settings.book, resume=False, again=False))),
    )


def _in_words(settings: RunSettings) -> tuple[tuple[str, str], ...]:
    source, stop, nets, fields = settings.input, settings.stop, settings.nets, settings.fields
    limits = [
        f"{value:g} {what}"
        for value, what in (
            (stop.max_cells, f"{nets.unit}s"),
            (settings.field_limit, "fields"),
            (stop.max_seconds, "seconds"),
        )
        if value is not None
    ]
    if stop.until is not None:
        limits.insert(0, "when decided")
    grid = f"grid of {nets.tile_px or 'default'} px, overlap {nets.tile_overlap:g}"
    given = [
        ("source", _source_in_words(source)),
        ("a sample ends after", ", ".join(limits) or "its last field"),
        ("of a video, every", source.every),
        ("plane of a stack", fields.z),
        ("bits of 16-bit pixels", fields.depth),
        ("fields cut into", grid if nets.grid else f"cells, finder {nets.finder}"),
        ("gate", "on" if fields.gate else "off"),
        ("overlapping fields", None if nets.grid else "counted once" if fields.overlap else "not looked for"),
        ("settled microscope", nets.settled),
        ("calibration", settings.judging.calibration),
        ("target", settings.judging.target_parasitaemia),
        ("workers", settings.process.worker_count),
    ]
    return tuple((name, str(value)) for name, value in given if value is not None)


def _source_in_words(source: InputSettings) -> str:
    if source.simulate:
        return f"virtual slide, seed {source.seed}"
    return "camera" if source.camera else ", ".join(source.inputs)
