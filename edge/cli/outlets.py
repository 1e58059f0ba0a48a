"""From options to outputs, opened before the first field so that what cannot be written is said at once."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from edge import installed_version
from edge.cli.judging import bound_of
from edge.errors import NoInputError, OutputError
from edge.modelfile import Card, ModelFile
from edge.outputs import ModelLine, Output
from edge.verdict.assess import Assessor

if TYPE_CHECKING:
    from edge.cli.build import Options
    from edge.outputs.console import Screen
    from edge.report.records import RunDescription

_HINT = (
    "To see what was counted: --annotate DIR (fields with boxes), --report DIR (a page per sample, cells to look at)."
)


def open_outputs(
    options: Options, card: Card, model: ModelLine, total: int | None, about: RunDescription | None
) -> list[Output]:
    """All outputs, opened and so known to be writable; raises OutputError. The screen comes last."""
    spare_inputs(options)
    outputs: list[Output] = []
    try:
        if options.csv:
            from edge.outputs.csv import FieldTable  # noqa: PLC0415

            outputs.append(FieldTable(options.csv, card.labels))
        if options.annotate:
            from edge.outputs.annotate import AnnotatedImages  # noqa: PLC0415

            outputs.append(AnnotatedImages(options.annotate, card.labels, card.positive, card.threshold, options.unit))
        if options.detections:
            from edge.outputs.coco import Coco  # noqa: PLC0415

            outputs.append(Coco(options.detections, card, model))
        if options.report and about:
            from edge.report.output import HtmlReport  # noqa: PLC0415

            outputs.append(HtmlReport(options.report, about))
    except BaseException:
        for output in outputs:
            output.discard()
        raise
    if options.json:
        from edge.outputs.jsonl import JsonLines  # noqa: PLC0415

        outputs.append(JsonLines(sys.stdout, card.labels, model))
        if not sys.stderr.isatty() or sys.stdout.isatty():
            return outputs  # the events themselves show that it runs
    return [*outputs, *_screens(options, card, model, total)]


def spare_inputs(options: Options) -> None:
    """Raise OutputError where an output would take the place of a field, or be counted as one by the next run."""
    from edge.sources.files import PICTURE_SUFFIXES, expand  # noqa: PLC0415

    inputs = expand(options.inputs) if options.inputs else []
    for path in (options.csv, options.detections):
        if path is None or not os.path.exists(path):  # noqa: PTH110 - says no, where Path.exists raises
            continue
        if path.suffix.lower() in PICTURE_SUFFIXES or any(os.path.samefile(path, file) for file in inputs):  # noqa: PTH121
            raise OutputError(f"{path}: will not be written over: it is a picture, a video or an input")
    if options.annotate is not None:
        folders = {os.path.realpath(path if path.is_dir() else path.parent) for path in inputs}
        place = os.path.realpath(options.annotate)
        if place in folders or (options.sample_per_folder and os.path.dirname(place) in folders):  # noqa: PTH120
            raise OutputError(
                f"{options.annotate}: choose another folder: the next run would count what is written here"
            )


def _screens(options: Options, card: Card, model: ModelLine, total: int | None) -> list[Output]:
    from edge.outputs.console import Screen, Summary  # noqa: PLC0415

    progress = progress_line(options, card, total)
    if options.json:
        return progress
    hint = "" if options.needs_pixels else _HINT
    return [*progress, Summary(_screen(Screen, error=False), model, card.positive, hint)]


def progress_line(options: Options, card: Card, total: int | None) -> list[Output]:
    """The live line on stderr."""
    from edge.outputs.console import Progress, Screen  # noqa: PLC0415
    from edge.outputs.pace import EndConditions  # noqa: PLC0415

    ends = EndConditions(
        options.max_cells, options.max_fields, options.max_seconds, total, several=not _one_sample(options)
    )
    return [Progress(_screen(Screen, error=True), card.positive, ends, options.unit, sooner=options.until_decided)]


def _one_sample(options: Options) -> bool:
    """Whether all fields are of one sample, so that its limits are the run's."""
    from edge.sources.files import expand  # noqa: PLC0415
    from edge.sources.video import VIDEO_SUFFIXES  # noqa: PLC0415

    if options.simulate or options.camera or options.sample_id is not None:
        return True
    try:
        paths = expand(options.inputs)
    except NoInputError:  # what is wrong with them is the source's to say
        return True
    whole = any(path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES for path in paths)
    return not options.sample_per_folder and (len(paths) == 1 or not whole)


def _screen(cls: type[Screen], *, error: bool) -> Screen:
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 100
    return cls(stderr=error, width=width, highlight=False, emoji=False, markup=False)


def about_run(
    options: Options, model: ModelFile, card: Card, line: ModelLine, assessor: Assessor | None
) -> RunDescription:
    """What a report says of the run itself."""
    from edge.report.records import RunDescription  # noqa: PLC0415

    bound = bound_of(options, model, card, line.finder)
    calibration = None if assessor is None else assessor.calibration
    return RunDescription(line, card, bound, calibration, options.unit, _settings(options), installed_version())


def _settings(options: Options) -> tuple[tuple[str, str], ...]:
    source = (
        "virtual slide, seed " + str(options.seed)
        if options.simulate
        else "camera"
        if options.camera
        else ", ".join(options.inputs)
    )
    limits = [
        f"{value:g} {what}"
        for value, what in (
            (options.max_cells, f"{options.unit}s"),
            (options.max_fields, "fields"),
            (options.max_seconds, "seconds"),
        )
        if value is not None
    ]
    if options.until_decided:
        limits.insert(0, "when decided")
    if options.grid:
        cut = f"grid of {options.tile_px or 'default'} px, overlap {options.tile_overlap:g}"
    else:
        cut = f"cells, finder {options.finder}"
    given = [
        ("source", source),
        ("a sample ends after", ", ".join(limits) or "its last field"),
        ("of a video, every", options.every),
        ("plane of a stack", options.z),
        ("bits of 16-bit pixels", options.depth),
        ("fields cut into", cut),
        ("gate", "on" if options.gate else "off"),
        ("overlapping fields", None if options.grid else "counted once" if options.overlap else "not looked for"),
        ("calibration", options.calibration),
        ("target", options.target),
        ("workers", options.workers),
    ]
    return tuple((name, str(value)) for name, value in given if value is not None)
