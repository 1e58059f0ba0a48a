"""From known slides to a calibration: collect scores, choose the threshold, write the file, say what it is worth."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge import installed_version
from edge.cli.calibration_report import report_lines
from edge.cli.known_slides import SlideReader
from edge.cli.run_settings import RunSettings
from edge.cli.settings import NetSettings
from edge.cli.slides import Slide
from edge.door import say
from edge.errors import CalibrationError, NoInputError
from edge.lines import print_lines
from edge.modelfile import Card
from edge.safe_file import ReplacedFile, plain_errors
from edge.verdict.calibration import Calibration, CountError, KnownSlide, to_json
from edge.verdict.choose import KnownAt, blanks_at, choose_threshold
from edge.verdict.known import MarkedSlide, ReadSlide, held_out, joined, match
from edge.verdict.rates import fit
from edge.verdict.units import parse_share

_PROGRAM = "edge calibrate"
_TRUTH = "truth.json"
"""Name of the file in a slide's folder that marks its infected cells (COCO)."""


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """What ``edge calibrate`` is asked for.

    Attributes:
        blanks: slides known to be negative, as typed.
        positives: slides with infected cells, as typed: ``DIR``, ``DIR=1.4%`` or ``DIR=27/2000``.
        output: the calibration file to write.
        target: share of infected cells to be detected; None: not given.
        cells: cells of a later sample; None: as many as the blanks have.
        false_positives: share of cells that may be false positives; None: as few as possible.
        rbc_per_ul: assumed red cells per µL.
        scope: name of the microscope; None: not named.
        cache: folder that keeps finished slides; None: none.
    """

    blanks: tuple[str, ...]
    positives: tuple[str, ...]
    output: Path
    target: float | None
    cells: int | None
    false_positives: float | None
    rbc_per_ul: float
    scope: str | None
    cache: Path | None


def make_calibration(settings: RunSettings, request: CalibrationRequest) -> None:
    """Calibrate, write the file, and print what it is worth on stdout; raises EdgeError.

    Args:
        settings: nets, fields and process are used.
        request: the known slides and what is asked of them.
    """
    file = ReplacedFile(
        request.output
    )  # opened first, so that a path that cannot be written is known before hours of counting
    try:
        readings = [_reading(text) for text in request.positives]
        reader = SlideReader(settings, request.scope, request.cache)
        card = reader.card
        _check_classes(card)
        blanks = _collect(reader, request.blanks, "blank")
        _check_cells(blanks)
        infected = [(_collect(reader, (path,), "positive"), share, path) for path, share in readings]
        calibration, unknown, lenient = _calibrate(reader, blanks, infected, request, settings.nets)
        with plain_errors(file.path):
            file.stream.write(to_json(calibration))
        file.close()
    except BaseException:
        file.discard()
        raise
    cells = request.cells or _typical(blanks)
    print_lines([*report_lines(calibration, lenient, cells, unknown), f"written: {request.output}"])


def _check_classes(card: Card) -> None:
    if not card.positive or set(card.positive) == set(card.labels):
        raise CalibrationError("this model has no classes to tell suspicious from not: there is nothing to calibrate")


def _check_cells(blanks: list[Slide]) -> None:
    if not sum(len(slide.scores) for slide in blanks):
        raise NoInputError("the blanks hold no cells that count: see with edge-run why (gate, finder)")


Share = tuple[float, int | None]


def _reading(text: str) -> tuple[str, Share | None]:
    """``DIR``, ``DIR=1.4%`` or ``DIR=27/2000``."""
    path, equals, share = text.rpartition("=")
    if not equals or Path(text).exists():
        return text, None
    try:
        seen, slash, of = share.partition("/")
        if slash and of.isdecimal():
            return path, (parse_share(repr(int(seen) / int(of))), int(of))
        return path, (parse_share(share), None)
    except (ValueError, ZeroDivisionError):
        raise NoInputError(f"{text}: after = give what a person has read on the slide: 27/2000 or 1.4%") from None


def _collect(reader: SlideReader, inputs: tuple[str, ...], what: str) -> list[Slide]:
    slides: list[Slide] = []
    for i, text in enumerate(inputs, 1):
        found = reader.slides(text)
        for slide in found:
            number = f"{i} of {len(inputs)}" if len(inputs) > 1 else "slide"
            say(f"{what} {number}: {slide.name}: {len(slide.scores):,} cells in {len(slide.names):,} fields", _PROGRAM)
            for doubt in reader.doubts(slide):
                say(f"note: {slide.name}: {doubt}", _PROGRAM)
        slides += found
    return slides


def _typical(blanks: list[Slide]) -> int:
    return max(round(statistics.median(len(slide.scores) for slide in blanks)), 1)


Infected = tuple[list[Slide], Share | None, str]


def _calibrate(
    reader: SlideReader, blanks: list[Slide], infected: list[Infected], request: CalibrationRequest, nets: NetSettings
) -> tuple[Calibration, list[Slide], Calibration]:
    """Return the calibration, the positive slides that were of no use, and the same blanks at the card's own threshold."""
    card, labels, positive = reader.card, reader.card.labels, reader.card.positive
    known_at, origin, count_error, unknown = _known(card, reader.bound.finder, blanks, infected)
    timed = [slide for slide in blanks if slide.seconds is not None and slide.names]
    fields = sum(len(slide.names) for slide in blanks)
    slides = [slide.plain() for slide in blanks]
    start = Calibration(
        reader.bound,
        positive,
        card.threshold,
        "the card's",
        blanks_at(slides, labels, positive, card.threshold),
        known_origin=origin,
        count_error=count_error,
        unit="tile" if nets.grid else "cell",
        target=request.target,
        rbc_per_ul=request.rbc_per_ul,
        cells_per_field=sum(len(slide.scores) for slide in blanks) / fields if fields else None,
        seconds_per_field=sum(s.seconds or 0 for s in timed) / sum(len(s.names) for s in timed) if timed else None,
        made={"version": installed_version(), "date": datetime.now(UTC).strftime("%Y-%m-%d")},
    )
    # Which overlapping tiles are one hit depends on the threshold they were merged at, so there it is not chosen anew.
    if nets.grid and nets.tile_overlap > 0:
        known = known_at(card.threshold) or ()
        made = replace(start, known=known, threshold_origin="the card's: overlapping tiles were merged at it")
    else:
        cells = request.cells or _typical(blanks)
        made = choose_threshold(
            start, lambda t: blanks_at(slides, labels, positive, t), known_at, cells, request.false_positives
        )
    return made, unknown, start


def _known(
    card: Card, finder: str, blanks: list[Slide], infected: list[Infected]
) -> tuple[KnownAt, str, CountError | None, list[Slide]]:
    """Return the known slides at a threshold, where the sensitivity comes from, the count error, and the slides of no use."""
    labels, positive = card.labels, card.positive
    marked: list[MarkedSlide] = []
    read: list[ReadSlide] = []
    unknown: list[Slide] = []
    for slides, share, path in infected:
        truth = Path(path) / _TRUTH
        if share is not None and len(positive) == 1:
            read += [ReadSlide(slide.plain(), *share) for slide in slides]
        elif share is not None:
            raise NoInputError(
                f"{path}: with several positive classes a share is not enough: mark the cells in {_TRUTH}"
            )
        elif truth.is_file():
            marked += [_marked(slide, truth, labels) for slide in slides]
        else:
            unknown += slides
    if marked or read:
        plain_blanks = [slide.plain() for slide in blanks]

        def from_slides(threshold: float) -> tuple[KnownSlide, ...]:
            out = [slide.at(threshold, labels, positive) for slide in marked]
            if read:
                counted = blanks_at(plain_blanks, labels, positive, threshold)
                false = fit([b.positives[positive[0]] for b in counted], [b.cells for b in counted]).pooled
                out += [slide.at(threshold, labels, positive[0], false) for slide in read]
            return tuple(out)

        n = len(marked) + len(read)
        return from_slides, f"{n} positive slide{'s' * (n != 1)} of this microscope", None, unknown
    table = held_out(card.accuracy)
    own = card.accuracy.get("end_to_end", {})
    if table is None or own.get("finder") != finder:
        return (lambda _: None), "not known", None, unknown
    error = own.get("count_error")
    usable = isinstance(error, dict) and all(isinstance(error.get(key), float) for key in ("bias", "spread"))
    count_error = CountError(error["bias"], error["spread"], table.what) if usable else None
    return (lambda t: table.at(t, positive)), f"the card's ({table.what}; another microscope)", count_error, unknown


def _marked(slide: Slide, path: Path, labels: tuple[str, ...]) -> MarkedSlide:
    """Match the marked cells of a slide (COCO boxes of the model's classes) to the cells found; raises NoInputError."""
    try:
        raw = json.loads(path.read_bytes())
        names = {c["id"]: labels.index(c["name"]) for c in raw["categories"] if c["name"] in labels}
        images = {i["id"]: Path(str(i["file_name"])).name for i in raw["images"]}
        boxes: dict[str, list[tuple[list[float], int]]] = {}
        for a in raw["annotations"]:
            if a["category_id"] in names:
                boxes.setdefault(images[a["image_id"]], []).append((a["bbox"], names[a["category_id"]]))
        parts = []
        for i, field in enumerate(slide.names):
            mine = boxes.get(Path(field).name, [])
            truth = np.array([box for box, _ in mine], np.float64).reshape(-1, 4).round().astype(np.int32)
            here = slide.of == i
            label = np.array([k for _, k in mine], np.int64)
            parts.append(match(slide.name, truth, label, slide.boxes[here], slide.scores[here]))
    except OSError as error:
        raise NoInputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise NoInputError(f"{path}: not COCO JSON with images, categories and boxes") from error
    if not parts:
        raise NoInputError(f"{slide.name}: no field of it counts")
    return joined(slide.name, parts)
