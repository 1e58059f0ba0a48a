"""What counts an archive: settings of ``edge-run`` with the files they name, sent to workers once, and the analyser made there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from edge import installed_version, shelf
from edge.analysis import Analyser
from edge.archive.poison import KILLED_REASON
from edge.archive.records import (
    ArchivedFile,
    CountingAnalyser,
    CountsDescription,
    DecidedField,
    DecidedSample,
    FailedWhere,
    SampleSlice,
)
from edge.cli.binding import binding_of
from edge.cli.config import to_toml, with_whole_paths
from edge.cli.counting import CountingParts, load_quietly
from edge.cli.field_source import gate_of, register_of
from edge.cli.run_settings import RunSettings
from edge.cli.sample_notes import notes_of_samples
from edge.errors import ArchiveError, ModelError, UnreadableFieldError
from edge.events import AnalysedField, FieldEvent, Outcome, SampleEvent, Unreadable
from edge.scope.applied import FieldCorrection
from edge.scope.profile import FILES, Profile
from edge.session import Session
from edge.sources.decode import ReadOptions, shown
from edge.sources.files import listed_shots, said_once
from edge.types import Field, FieldIdentity

_NOT_OF_ARCHIVES = frozenset({"source", "max-cells", "max-fields", "max-seconds", "until", "sample-per-folder"})
"""Settings of a run that an archive's samples do not have: all of their fields are counted."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that travels with the recipe: its name without folders, and its content."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ArchiveRecipe:
    """A ``CountingRecipe``.

    Attributes:
        settings: of the run; the files that they name are in ``files``.
        files: by the option that names them: model, finder, calibration, settled.
        profile: of the microscope; None: it has none, or is not named.
        described: what the results say.
    """

    settings: RunSettings
    files: Mapping[str, SentFile]
    profile: Profile | None
    described: CountsDescription

    @property
    def fingerprint(self) -> str:
        """See ``CountingRecipe``."""
        return self.described.fingerprint

    def analyser(self) -> CountingAnalyser:
        """See ``CountingRecipe``.

        Raises:
            EdgeError: a net cannot be loaded, or this worker would count otherwise than the one that sent it.
        """
        with TemporaryDirectory(prefix="edge-recount-") as folder:
            settings = self._placed(Path(folder))
            parts = load_quietly(settings, lambda _: self.profile)
        own = binding(settings, parts)
        if differing := [name for name in own if own[name] != self.described.binding.get(name)]:
            told = ", ".join(f"{name} {own[name]} for {self.described.binding.get(name)}" for name in differing)
            raise ArchiveError(
                f"a worker would count otherwise ({told}): give all workers the same version of this program"
            )
        return ArchiveAnalyser(settings, parts)

    def _placed(self, folder: Path) -> RunSettings:
        """The settings with their files in a folder of the worker's."""
        placed: dict[str, object] = {}
        for option, file in self.files.items():
            path = folder / option / file.name
            path.parent.mkdir()
            path.write_bytes(file.content)
            placed[option] = str(path) if option in ("model", "finder") else path
        return RunSettings.of({**self.settings.values(), **placed})


def recipe_of(settings: RunSettings, parts: CountingParts) -> ArchiveRecipe:
    """The recipe of a recount.

    Args:
        settings: of the run.
        parts: as loaded here.

    Raises:
        ModelError: a file that was there a moment ago cannot be read.
    """
    told = binding(settings, parts)
    card, bound = parts.pipeline.card, parts.pipeline.bound
    described = CountsDescription(
        hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        told,
        to_toml(with_whole_paths(settings)),
        card.name,
        parts.pipeline.model.sha256,
        bound.finder,
        tuple(card.labels),
        tuple(card.positive),
        settings.nets.unit,
        installed_version(),
    )
    return ArchiveRecipe(settings, dict(_sent(settings)), parts.pipeline.profile, described)


def binding(settings: RunSettings, parts: CountingParts) -> dict[str, str]:
    """Each setting that decides what is counted, in words."""
    told = binding_of(settings, parts.pipeline, parts.assessor, "")
    return {name: value for name, value in told.items() if name not in _NOT_OF_ARCHIVES and not name.startswith("_")}


def _sent(settings: RunSettings) -> Iterator[tuple[str, SentFile]]:
    nets = settings.nets
    named: dict[str, Path | None] = {
        "model": shelf.load(nets.model or shelf.CLASSIFIER).path,
        "finder": None if nets.grid else _finder_file(nets.finder),
        "calibration": settings.judging.calibration,
        "settled": nets.settled,
    }
    for option, path in named.items():
        if path is None:
            continue
        try:
            yield option, SentFile(path.name, path.read_bytes())
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


def _finder_file(wanted: str) -> Path | None:
    if wanted == "auto":
        wanted = "learned" if shelf.has(shelf.FINDER) else "classical"
    return None if wanted == "classical" else shelf.load(shelf.FINDER if wanted == "learned" else wanted).path


class ArchiveAnalyser:
    """A ``CountingAnalyser``: analyses and decides as ``edge-run`` does.

    Args:
        settings: of the run.
        parts: loaded for one worker.
    """

    def __init__(self, settings: RunSettings, parts: CountingParts) -> None:
        self.labels: tuple[str, ...] = tuple(parts.pipeline.card.labels)
        self._settings = settings
        self._parts = parts
        self._analyse: Analyser = parts.pipeline.analysers()[0]
        self._reading = ReadOptions(settings.fields.z, settings.fields.depth)
        self._said: list[str] = []
        profile = parts.pipeline.profile
        corrected = profile is not None and profile.camera.kind == FILES
        self._correct = FieldCorrection(profile) if profile is not None and corrected else None

    def outcomes(self, part: SampleSlice, local: Sequence[str | None]) -> Iterator[Outcome]:
        """See ``CountingAnalyser``."""
        at: list[tuple[str, ArchivedFile]] = []

        def files() -> Iterator[tuple[str, Path | None]]:
            for number, file in enumerate(part.files):
                path = local[number]
                at[:] = [(path or "", file)]
                yield shown(PurePosixPath(file.path).name), None if path is None else Path(path)

        def first() -> Path | None:
            path = local[len(part.files)]
            return None if path is None else Path(path)

        unread: dict[str, list[str]] = {}
        for shot in listed_shots(part.sample, files(), self._reading, first, unread):
            yield self._outcome(shot.load, Unreadable(shot.index, shot.sample, shot.name, ""), *at[0])
        self._said += (f"{part.sample}/{line}" for line in said_once(unread))

    def said(self) -> tuple[str, ...]:
        """See ``TellingAnalyser``."""
        said, self._said = tuple(self._said), []
        return said

    def _outcome(self, load: Callable[[], Field], unread: Unreadable, path: str, file: ArchivedFile) -> Outcome:
        """One field; what is said of it names its place in the archive, wherever it was fetched to."""
        try:
            field = load()
            field = field if self._correct is None else self._correct(field)
            return AnalysedField(self._analyse(replace(field, identity=_in_archive(field.identity, path, file))))
        except UnreadableFieldError as error:
            why = str(error).replace(shown(path), shown(file.path)) if path else str(error)
            return replace(unread, reason=why, identity=_in_archive(error.identity, path, file))

    def decided(
        self, sample: str, outcomes: Iterable[Outcome], take: Callable[[DecidedField], None] | None = None
    ) -> DecidedSample:
        """See ``CountingAnalyser``."""
        settings, pipeline = self._settings, self._parts.pipeline
        fields: list[DecidedField] = []
        told = _Told(fields.append if take is None else take)
        session = Session(
            pipeline.card,
            [told],
            gate_of(settings.fields, settings.nets),
            None,
            self._parts.assessor,
            unit=settings.nets.unit,
            register=register_of(settings.fields, settings.nets),
            doubts=pipeline.fitness(),
            notes=notes_of_samples(settings.nets, pipeline, self._parts.assessor, _nobody),
        )
        session.replay(outcomes)
        session.end()
        if told.end is None:
            raise ArchiveError(f"{sample}: it has no fields")
        end = told.end
        return DecidedSample(sample, tuple(fields), replace(end.tally, sample=sample), end.verdict, end.notes)


class _Told:
    """The output of a sample's session.

    Attributes:
        end: of the sample; None: it has not ended.
    """

    def __init__(self, take: Callable[[DecidedField], None]) -> None:
        self._take = take
        self.end: SampleEvent | None = None

    def field(self, event: FieldEvent) -> None:
        failed = None
        if event.result is None:
            failed = FailedWhere.KILLED if (event.reject_reason or "").endswith(KILLED_REASON) else FailedWhere.READ
        self._take(
            DecidedField(
                event.index,
                event.name,
                event.analysed,
                event.result,
                event.reject_reason,
                event.overlaps,
                event.identity,
                failed,
            )
        )

    def sample(self, event: SampleEvent) -> None:
        self.end = event

    def close(self) -> None:
        """Nothing is open."""

    discard = close


def _nobody(_line: str) -> None:
    """What is said of a sample is in its notes."""


def _in_archive(identity: FieldIdentity | None, path: str, file: ArchivedFile) -> FieldIdentity | None:
    if identity is None or not path or not identity.path.startswith(path):
        return identity
    return replace(identity, path=file.path + identity.path[len(path) :])
