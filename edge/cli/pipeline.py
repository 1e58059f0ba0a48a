"""From settings to the pipeline of a run: classifier, finder, and what a calibration of them is bound to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from edge import shelf
from edge.analysis import Analyser, Merge
from edge.classifier import Classifier
from edge.cli.judging import bound_of, calibrated_card
from edge.cli.scoped import profile_named, settled_in
from edge.cli.settings import CardSettings, NetSettings, ProcessSettings
from edge.door import quiet_native_stderr, say
from edge.errors import ModelError, SettlingError
from edge.finders import Finder
from edge.lines import plain
from edge.modelfile import Card, CropSpec, ModelFile, check_card
from edge.runtime import Net
from edge.scope.file import read_settled
from edge.scope.profile import Profile
from edge.scope.settling import SettledScope, SettledWith
from edge.verdict.calibration import Bound, Calibration
from edge.verdict.fitness import Fitness, ReferenceRanges


@dataclass(frozen=True, slots=True)
class CellPipeline:
    """What finds and classifies cells, once per worker.

    Attributes:
        model: the classifier's file.
        card: the classifier's card at the threshold of this run.
        pairs: a finder and a classifier for each worker.
        bound: what a calibration made with this pipeline is bound to.
        merge: keeps an object that several tiles see from being counted several times; None: cells are counted.
        calibration: what the samples are judged by; None: nothing.
        settled: this microscope, for fields with few cells; None: it is not settled.
        profile: this microscope's; None: it has none, or is not named.
    """

    model: ModelFile
    card: Card
    pairs: tuple[tuple[Finder, Classifier], ...]
    bound: Bound
    merge: Merge | None = None
    calibration: Calibration | None = None
    settled: SettledScope | None = None
    profile: Profile | None = None

    def analysers(self) -> list[Analyser]:
        """One analyser per worker."""
        typical = None if self.settled is None else self.settled.typical
        return [Analyser(finder, classifier, self.merge, settled=typical) for finder, classifier in self.pairs]

    @property
    def settled_with(self) -> SettledWith:
        """What a microscope that is settled with this pipeline is settled with."""
        return SettledWith(self.bound.finder, self.bound.finder_id, self.bound.crops)

    def fitness(self) -> Fitness:
        """Make the check that a sample looks like what classifier, finder and calibration were made for."""
        made = [ReferenceRanges(self.card.name, self.card.reference)]
        finder_card = getattr(self.pairs[0][0], "card", None)
        if isinstance(finder_card, Card):
            made.append(ReferenceRanges(finder_card.name, finder_card.reference))
        if self.calibration is not None:
            made.append(ReferenceRanges("the calibration", self.calibration.ranges(), model=False))
        known = tuple(one for one in made if one.ranges)
        return Fitness(known, colour=self.card.colour != "grey", tiles=self.merge is not None)


def make_pipeline(
    nets: NetSettings,
    process: ProcessSettings,
    card: CardSettings = CardSettings(),  # noqa: B008 - frozen
    calibration: Calibration | None = None,
    *,
    gate: bool,
    scope: str | None,
    profile_of: Callable[[str | None], Profile | None] = profile_named,
) -> CellPipeline:
    """Load the models.

    Args:
        nets: which models.
        process: for how many workers.
        card: what replaces the classifier's card.
        calibration: gives the threshold where there is one.
        gate: whether the gate is on.
        scope: name of the microscope. It and the gate are part of what a calibration is bound to.
        profile_of: gives a microscope's profile by its name.

    Raises:
        ModelError: a model is missing, damaged or of the wrong kind.
        CalibrationError: the calibration is of other classes.
        SettlingError: the settled microscope is another one.
        ScopeError: the microscope's profile is damaged, or not finished.
    """
    profile = profile_of(scope)
    model = shelf.load(shelf.CLASSIFIER if nets.model is None else nets.model)
    with nullcontext() if process.debug else quiet_native_stderr():
        at_threshold = calibrated_card(classifier_card(model, card), calibration)
        make_finder = finder_maker(nets)
        pairs = tuple((make_finder(), Classifier(model, at_threshold)) for _ in range(process.worker_count))
    bound = bound_of(nets, model, at_threshold, pairs[0][0].name, gate=gate, scope=scope)
    if profile is not None:
        light = () if profile.light is None else tuple(profile.light.paper)
        bound = replace(bound, profile=profile.fingerprint, light=light)
    made = CellPipeline(model, at_threshold, pairs, bound, _merge(nets), calibration, profile=profile)
    if nets.settled is not None:
        return replace(made, settled=_settled(nets.settled, made))
    if made.card.crop.normalise != "typical" or nets.grid:
        return made
    return replace(made, settled=settled_in(profile, lambda one: one.refuse_other(made.settled_with, made.bound.scope)))


def _settled(path: Path, made: CellPipeline) -> SettledScope:
    """Read the settled microscope; raises SettlingError where it is not this one or of no use."""
    if made.card.crop.normalise != "typical":
        raise SettlingError(f"{made.card.name} looks at each cell alone: leave --settled out")
    settled = read_settled(path)
    settled.refuse_other(made.settled_with, made.bound.scope)
    return settled


def classifier_card(model: ModelFile, given: CardSettings) -> Card:
    """Return the model's own card, or one from ``--labels``; with ``--threshold`` where given.

    Raises:
        ModelError: there is no card and no ``--labels``, or both, or the options do not make a card.
    """
    card = model.card
    if card is None:
        card = _card_from_labels(model, given.label_names, given.positive_names)
    elif given.label_names:
        raise ModelError(f"{model.path}: this model has a card, which names its classes: leave --labels out")
    if given.threshold is not None:
        card = replace(card, threshold=given.threshold, threshold_origin="command line")
    return card


def _card_from_labels(model: ModelFile, labels: tuple[str, ...], positive: tuple[str, ...]) -> Card:
    if not labels:
        raise ModelError(f"{model.path}: no card: give --labels (and --positive) to run this model all the same")
    if len(set(labels)) < len(labels) or not set(positive) <= set(labels):
        raise ModelError("--labels must be different names, and --positive some of them")
    shape = Net(model).input_shape
    if shape[1] != shape[2] or shape[3] != 3:
        raise ModelError(f"{model.path}: wrong input shape {shape[1:]}: a classifier takes square RGB crops")
    card = Card(plain(model.path.stem), "classify", labels, positive, crop=CropSpec(size=shape[1]))
    try:
        check_card(card)
    except ValueError as error:
        raise ModelError(f"--labels or --positive make no card: {error}") from error
    return card


def finder_maker(nets: NetSettings) -> Callable[[], Finder]:
    """Return what makes one finder per worker. Finders are imported only when used."""
    if nets.grid:
        from edge.finders.grid import GridFinder  # noqa: PLC0415

        return lambda: GridFinder(nets.tile_px, nets.tile_overlap)
    wanted = nets.finder
    if wanted == "auto":
        wanted = "learned" if shelf.has(shelf.FINDER) else "classical"
    if wanted == "classical":
        from edge.finders.classical import ClassicalFinder  # noqa: PLC0415

        return ClassicalFinder
    from edge.finders.learned import LearnedFinder  # noqa: PLC0415

    model = shelf.load(shelf.FINDER if wanted == "learned" else wanted)
    return lambda: LearnedFinder(model)


def _merge(nets: NetSettings) -> Merge | None:
    if not nets.grid:
        return None
    from edge.finders.grid import merge_tiles  # noqa: PLC0415

    return merge_tiles


def warn_of_slow_nets(pair: tuple[Finder, Classifier]) -> None:
    """Say once if the runtime makes this run slower than it could be."""
    nets = [net for part in pair if isinstance(net := getattr(part, "net", None), Net)]
    if any(net.package == "tflite-runtime" for net in nets):
        say("note: tflite-runtime, the fallback, runs int8 models 10 to 18 times slower: pip install ai-edge-litert")
    elif not all(net.delegated() for net in nets):
        say("note: a model does not run wholly in the runtime's fast path (XNNPACK): expect it to be slower")


def warn_of_old_cards(model: ModelFile) -> None:
    """Say so if the model's card has no hash, so that a change of it would go unnoticed."""
    if model.card is not None and not model.card_sha256:
        say(
            f"note: the card of {model.card.name} is under no hash, as earlier versions wrote it: "
            "whether it was changed since cannot be told"
        )
