"""From options to a run: source, models, one analyser per worker; then the run itself and its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from edge import shelf
from edge.analysis import Analyser, Merge
from edge.classifier import Classifier
from edge.cli.judging import assessor_for, calibrated_card, calibration_for
from edge.cli.outlets import about_run, open_outputs
from edge.door import quiet_native_stderr, report, say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE_INPUTS, ModelError, NoInputError, NothingCountedError
from edge.finders import Finder
from edge.gate import Gate
from edge.heap import keep_freed_memory
from edge.lines import plain
from edge.modelfile import Card, CropSpec, ModelFile, check_card
from edge.outputs import ModelLine
from edge.outputs.watch import CAMERA_PATIENCE, FILES_PATIENCE, Watch
from edge.runtime import Net
from edge.session import Ending, Limits, Placer, Session
from edge.sources import Source
from edge.verdict.calibration import Calibration
from edge.verdict.fitness import Fitness, Made
from edge.workers import Workers

_NAMED = 5  # samples in one line


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, checked and parsed; see ``edge-run --help``. ``size`` is (width, height) in pixels."""

    inputs: tuple[str, ...]
    simulate: bool
    camera: bool
    max_cells: int | None
    max_fields: int | None
    json: bool
    detections: Path | None
    csv: Path | None
    annotate: Path | None
    sample_id: str | None
    sample_per_folder: bool
    every: str | None
    model: str | None
    finder: str
    grid: bool
    tile_px: int | None
    tile_overlap: float
    labels: tuple[str, ...]
    positive: tuple[str, ...]
    threshold: float | None
    workers: int
    gate: bool
    seed: int
    size: tuple[int, int]
    device: str
    interval: float
    debug: bool
    max_seconds: float | None = None
    calibration: Path | None = None
    target: str | None = None
    until_decided: bool = False
    scope: str | None = None
    rbc_per_ul: float | None = None
    report: Path | None = None
    z: int | None = None
    depth: int | None = None
    overlap: bool = True

    @property
    def unit(self) -> str:
        """What is counted."""
        return "tile" if self.grid else "cell"

    @property
    def needs_pixels(self) -> bool:
        """Whether an output shows the fields themselves."""
        return self.annotate is not None or self.report is not None


def count(options: Options) -> int:
    """Run and return the exit code; known failures before the first field are raised."""
    cv2.setNumThreads(1)  # one worker, one core, one field
    keep_freed_memory()
    model = shelf.load(shelf.CLASSIFIER if options.model is None else options.model)
    calibration = calibration_for(options)
    with nullcontext() if options.debug else quiet_native_stderr():
        card = calibrated_card(classifier_card(model, options), calibration)
        pairs = finders_and_classifiers(model, card, options)
    warn_of_slow_nets(pairs[0])
    warn_of_old_cards(model)
    assessor = assessor_for(options, calibration, model, card, pairs[0][0].name)
    merge = merger(options)
    analysers = [Analyser(finder, classifier, merge) for finder, classifier in pairs]
    source = open_fields(options)
    say_what_is_left_out(source)
    workers = None
    try:
        several = _several(options, source)
        limits = Limits(options.max_cells, options.max_fields, several=several, seconds=options.max_seconds)
        line = ModelLine(card.name, model.sha256, pairs[0][0].name, model.card_sha256)
        about = about_run(options, model, card, line, assessor) if options.report else None
        outputs = open_outputs(options, card, line, source.total, about)
        gate, register = gate_of(options), register_of(options)
        doubts = fitness_of(card, pairs[0][0], calibration, options)
        watch = Watch(say, CAMERA_PATIENCE if options.camera else FILES_PATIENCE)
        outlets = [watch, *outputs]
        session = Session(card, outlets, gate, limits, assessor, unit=options.unit, register=register, doubts=doubts)
        try:
            with (
                Workers(source, analysers, keep_pixels=options.needs_pixels) as workers,
                stop_on_signals(workers.stop) as stopped,
            ):
                ending = session.run(workers)
        except BaseException:
            session.discard()
            raise
        return leave(workers, exit_code(ending, watch, options, interrupted=stopped.is_set()))
    finally:
        if workers is None or workers.idle:  # else a driver hangs, and closing under it would crash
            source.close()


def finders_and_classifiers(model: ModelFile, card: Card, options: Options) -> list[tuple[Finder, Classifier]]:
    """One pair per worker."""
    make_finder = finder_maker(options)
    return [(make_finder(), Classifier(model, card)) for _ in range(options.workers)]


def fitness_of(card: Card, finder: Finder, calibration: Calibration | None, options: Options) -> Fitness:
    """What samples are held against: what classifier, finder and calibration were made for."""
    made = [Made(card.name, card.reference)]
    its = getattr(finder, "card", None)
    if isinstance(its, Card):
        made.append(Made(its.name, its.reference))
    if calibration is not None:
        made.append(Made("the calibration", calibration.ranges(), model=False))
    return Fitness(tuple(one for one in made if one.ranges), colour=card.colour != "grey", tiles=options.grid)


def leave(workers: Workers, code: int) -> int:
    """Return ``code``; where a thread hangs in a driver, end the process here, for Python's own way out may crash."""
    if not workers.idle:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def exit_code(ending: Ending, watch: Watch, options: Options, *, interrupted: bool) -> int:
    """Say how the run ended and turn that into the exit code."""
    if ending.error is not None:
        return report(ending.error, debug=options.debug)
    if interrupted:
        say("stopped: counted up to here")
        return EXIT_INTERRUPTED
    if ending.fields == 0:
        n = ending.unreadable
        raise NoInputError(f"no field could be read: {n} unreadable" if n else "the source gave no field")
    if ending.unreadable:
        say(f"done, but {ending.unreadable} of {ending.fields + ending.unreadable} inputs could not be read")
    if watch.nothing:
        return report(NothingCountedError(nothing_counted(watch)), debug=options.debug)
    return EXIT_UNREADABLE_INPUTS if ending.unreadable else 0


def nothing_counted(watch: Watch) -> str:
    """Which samples no field of counts, and why, in one line."""
    first, more = watch.nothing[:_NAMED], len(watch.nothing) - _NAMED
    if watch.samples == 1:
        return f"nothing was counted: none of {first[0].fields:,} fields counts; {first[0].cause}"
    named = "; ".join(f"{sample.sample} ({sample.fields:,} fields: {sample.cause})" for sample in first)
    others = f"; and {more:,} more" if more > 0 else ""
    return f"nothing was counted in {len(watch.nothing):,} of {watch.samples:,} samples: {named}{others}"


def classifier_card(model: ModelFile, options: Options) -> Card:
    """The model's own card, or one from ``--labels``; with ``--threshold`` where given.

    Raises:
        ModelError: there is no card and no ``--labels``, or both, or the options do not make a card.
    """
    card = model.card
    if card is None:
        if not options.labels:
            raise ModelError(f"{model.path}: no card: give --labels (and --positive) to run this model all the same")
        if len(set(options.labels)) < len(options.labels) or not set(options.positive) <= set(options.labels):
            raise ModelError("--labels must be different names, and --positive some of them")
        shape = Net(model).input_shape
        if shape[1] != shape[2] or shape[3] != 3:
            raise ModelError(f"{model.path}: wrong input shape {shape[1:]}: a classifier takes square RGB crops")
        crop = CropSpec(size=shape[1])
        card = Card(plain(model.path.stem), "classify", options.labels, options.positive, crop=crop)
        try:
            check_card(card)
        except ValueError as error:
            raise ModelError(f"--labels or --positive make no card: {error}") from error
    elif options.labels:
        raise ModelError(f"{model.path}: this model has a card, which names its classes: leave --labels out")
    if options.threshold is not None:
        card = replace(card, threshold=options.threshold, threshold_origin="command line")
    return card


def finder_maker(options: Options) -> Callable[[], Finder]:
    """What makes one finder per worker. Finders are imported only when used."""
    if options.grid:
        from edge.finders.grid import GridFinder  # noqa: PLC0415

        return lambda: GridFinder(options.tile_px, options.tile_overlap)
    wanted = options.finder
    if wanted == "auto":
        wanted = "learned" if shelf.has(shelf.FINDER) else "classical"
    if wanted == "classical":
        from edge.finders.classical import ClassicalFinder  # noqa: PLC0415

        return ClassicalFinder
    from edge.finders.learned import LearnedFinder  # noqa: PLC0415

    model = shelf.load(shelf.FINDER if wanted == "learned" else wanted)
    return lambda: LearnedFinder(model)


def merger(options: Options) -> Merge | None:
    """What keeps an object that several tiles see from being counted several times."""
    if not options.grid:
        return None
    from edge.finders.grid import merge_tiles  # noqa: PLC0415

    return merge_tiles


def gate_of(options: Options) -> Callable[[], Gate] | None:
    """What makes one gate per sample; None lets every field count."""
    if not options.gate:
        return None
    registered = register_of(options) is not None
    return lambda: Gate(registered=registered)


def register_of(options: Options) -> Callable[[], Placer] | None:
    """What makes the register of a sample's fields; None where it is off: tiles of a grid stand the same way in every field."""
    if options.grid or not options.overlap:
        return None
    from edge.overlap import Register  # noqa: PLC0415

    return Register


def open_fields(options: Options) -> Source:
    """The source that was asked for; raises NoInputError or CameraError."""
    if options.simulate:
        from edge.sources.virtual import SlideSpec, VirtualSlide  # noqa: PLC0415

        width, height = options.size
        grown = (
            width * height / (1280 * 960)
        ) ** 0.5  # another camera on the same microscope: the same cells, other pixels
        spec = SlideSpec(options.seed, width, height, cell_px=max(8.0, 66.0 * grown))
        return VirtualSlide(spec, options.sample_id or f"simulated-{options.seed}")
    if options.camera:
        from edge.sources.camera import open_camera  # noqa: PLC0415

        device = int(options.device) if options.device.isdecimal() else options.device
        return open_camera(
            options.sample_id, device=device, interval=options.interval, size=options.size, depth=options.depth
        )
    from edge.sources.decode import Reading  # noqa: PLC0415
    from edge.sources.files import open_source  # noqa: PLC0415
    from edge.sources.video import Every  # noqa: PLC0415

    every = Every.parse(options.every) if options.every else None
    return open_source(
        options.inputs,
        sample_id=options.sample_id,
        sample_per_folder=options.sample_per_folder,
        every=every,
        reading=Reading(options.z, options.depth),
    )


def say_what_is_left_out(source: Source, program: str = "edge-run") -> None:
    """Say what the source passes over or does not read, a line each."""
    for note in getattr(source, "notes", ()):
        say(f"note: {note}", program)


def warn_of_slow_nets(pair: tuple[Finder, Classifier]) -> None:
    """Say once what makes this run slower than it could be."""
    nets = [net for part in pair if isinstance(net := getattr(part, "net", None), Net)]
    if any(net.package == "tflite-runtime" for net in nets):
        say("note: tflite-runtime, the fallback, runs int8 models 10 to 18 times slower: pip install ai-edge-litert")
    elif not all(net.delegated() for net in nets):
        say("note: a model does not run wholly in the runtime's fast path (XNNPACK): expect it to be slower")


def warn_of_old_cards(model: ModelFile) -> None:
    """Say where nobody can tell whether a model's card was changed."""
    if model.card is not None and not model.card_sha256:
        say(
            f"note: the card of {model.card.name} is under no hash, as earlier versions wrote it: "
            "whether it was changed since cannot be told"
        )


def _several(options: Options, source: Source) -> bool:
    """Whether the source may hold more than one sample, so that a full sample must not end the run."""
    one_file = len(options.inputs) == 1 and Path(options.inputs[0]).is_file()
    one = options.simulate or options.camera or options.sample_id is not None or one_file
    return not one and (source.total is not None or len(options.inputs) > 1)
