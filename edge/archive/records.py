"""What crosses the walls of this room. All of it can be pickled: it goes from the client to the workers of a cluster and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from edge.archive.versions import Versions
from edge.events import Outcome
from edge.types import FieldIdentity, FieldResult, Overlap, Tally, Verdict


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of an archive, as the listing gives it; nothing of it has been read.

    Attributes:
        path: in its file system, without the protocol.
        size: bytes, or -1 where the listing does not say.
        stamp: changes when the content does: time of change or ETag, as text; empty where the listing does not say.
    """

    path: str
    size: int
    stamp: str


@dataclass(frozen=True, slots=True)
class ArchivedSample:
    """A folder of an archive: one sample, as ``edge-run FOLDER`` takes it.

    Attributes:
        name: of the sample: the folder's path below the archive, with ``/``; the archive's own name where it is the archive itself.
        files: in natural order of their names.
        digest: SHA-256 over names, sizes and stamps: another one is another listing.
    """

    name: str
    files: tuple[ArchivedFile, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class SampleSlice:
    """Files of one sample that one task analyses.

    Attributes:
        sample: name; ``digest``: of the whole sample.
        number: which of its slices, from 0; ``of``: how many there are.
        files: of this slice; ``first``: the first file of the sample, by which the depth of its pixels is told.
        killed: places in ``files`` of those that are not read, because every worker that did so died; -1: ``first``.
    """

    sample: str
    digest: str
    number: int
    of: int
    files: tuple[ArchivedFile, ...]
    first: ArchivedFile
    killed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Partition:
    """What one task does: several whole samples, analysed and decided, or one slice of a large sample, analysed only.

    Attributes:
        id: the same for the same listing and the same settings, so that a task done twice writes the same file twice.
        slices: all with ``of`` 1, or a single one.
    """

    id: str
    slices: tuple[SampleSlice, ...]

    @property
    def whole(self) -> bool:
        """Whether its samples are decided by the same task."""
        return all(one.of == 1 for one in self.slices)


class FailedWhere(StrEnum):
    """At what a field failed."""

    READ = "read"  # gone, forbidden, or no picture
    KILLED = "killed"  # every worker that had it died


@dataclass(frozen=True, slots=True)
class DecidedField:
    """A field as the session decided it.

    Attributes:
        analysed: as the worker gave it, None: it could not be read; ``result``: what counts of it, after overlaps.
        reason: why it does not count; None: it does.
        index, name: its place in the sample, from 0, and its file's name.
        overlaps: earlier fields of the sample that it overlaps.
        identity: the file's; None: its bytes could not be read.
        failed: at what it failed; None: it could be read.
    """

    index: int
    name: str
    analysed: FieldResult | None
    result: FieldResult | None
    reason: str | None
    overlaps: tuple[Overlap, ...] = ()
    identity: FieldIdentity | None = None
    failed: FailedWhere | None = None


@dataclass(frozen=True, slots=True)
class DecidedSample:
    """A sample that was counted: its fields in order, what they add up to, and what is said of it.

    Attributes:
        fields: empty where they were handed over one by one.
    """

    name: str
    fields: tuple[DecidedField, ...]
    tally: Tally
    verdict: Verdict
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountsDescription:
    """What results say of what counted them (``_edge.json``).

    Attributes:
        fingerprint: of the recipe.
        binding: each setting that decides what is counted, in words: what differs can be named.
        config: the settings that differ from the defaults, as a file that ``edge-run --config`` reads.
        model, model_sha256, finder: the nets.
        labels: classes in the model's order; ``positive``: some of them.
        unit: what is counted: ``cell`` or ``tile``.
        version: of this program.
        archive: path or URL of what was counted, as typed; empty: not known.
        made: when the first call began, ISO 8601 in UTC; empty: not yet.
    """

    fingerprint: str
    binding: Mapping[str, str]
    config: str
    model: str
    model_sha256: str
    finder: str
    labels: tuple[str, ...]
    positive: tuple[str, ...]
    unit: str = "cell"
    version: str = "source"
    archive: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class RecountJob:
    """What every task of a recount is told.

    Attributes:
        archive, results: paths or URLs, as a worker opens them.
        fingerprint: of the recipe that the worker was sent.
        versions: that the worker must run; None: it is not asked.
    """

    archive: str = field(repr=False)  # a worker logs what a failed task was given, and there may be a password in it
    results: str = field(repr=False)
    fingerprint: str
    versions: Versions | None = None


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """What a task did.

    Attributes:
        id: of the partition, or of the large sample that was decided.
        analysed: fields of it that were analysed, unreadable ones included; 0 where it decided only.
        samples, fields, cells, unreadable: that are in the tables now.
        named: fields that could not be read, at most a hundred: name and why.
        notes: what of files is not read, a line each, at most a hundred.
    """

    id: str
    analysed: int
    samples: int = 0
    fields: int = 0
    cells: int = 0
    unreadable: int = 0
    named: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class CountingRecipe(Protocol):
    """What counts, made on a worker from settings that were sent there. The command line implements it (``edge.cli``)."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all that decides what is counted: nets, cards, settings; not over workers or places."""
        ...

    @property
    def described(self) -> CountsDescription:
        """What the results say of what counted them."""
        ...

    def analyser(self) -> CountingAnalyser:
        """Load the nets; one is kept per thread of a worker. Raises EdgeError."""
        ...


class CountingAnalyser(Protocol):
    """Analyses files and decides samples exactly as ``edge-run`` does."""

    labels: tuple[str, ...]

    def outcomes(self, part: SampleSlice, local: Sequence[str | None]) -> Iterable[Outcome]:
        """Analyse the fields of a slice in order.

        Args:
            part: of a sample; indices count from 0 within the slice.
            local: a local path for each of its files, and at the end one for ``part.first``; None: it could not be fetched. Each is
                asked for when its turn comes, and is there until the next one is asked for; the last one stays.
        """
        ...

    def decided(
        self, sample: str, outcomes: Iterable[Outcome], take: Callable[[DecidedField], None] | None = None
    ) -> DecidedSample:
        """Take all fields of a sample, in order, through gate, overlap, tally and verdict.

        Args:
            sample: its name.
            outcomes: of all its fields; indices count from 0 within the sample.
            take: gets each field as it is decided, so that a large sample need not be held; None: they are in the result.
        """
        ...


@runtime_checkable
class TellingAnalyser(Protocol):
    """An analyser that has something to say of files beside their fields. **Optional.**"""

    def said(self) -> tuple[str, ...]:
        """What of the files is not read, a line each, since this was asked last."""
        ...


@dataclass(frozen=True, slots=True)
class RecountProgress:
    """How far a recount is.

    Attributes:
        samples, fields, cells: finished; ``unreadable``: fields of these that could not be read.
        listed: fields that the listing has found so far; ``listing``: it goes on.
        before: fields that earlier calls had finished.
        rate: fields per second of late; None: not known yet.
        seconds_left: an estimate; None: not known.
        workers: that are there now.
    """

    samples: int
    fields: int
    cells: int
    unreadable: int
    listed: int
    listing: bool
    before: int
    rate: float | None
    seconds_left: float | None
    workers: int


@dataclass(frozen=True, slots=True)
class RecountEnd:
    """How a recount ended.

    Attributes:
        samples, fields, cells, unreadable: in the results, earlier calls included.
        named: fields that could not be read, at most a hundred: name and why.
        changed: samples whose files are not those that were counted: they stay as they were counted.
        stopped: somebody stopped it; finished partitions stay.
        left_out: folders that could not be listed, and why.
        videos: that the archive holds; they are not counted.
        notes: what of files is not read (further time points, a preview), a line each, at most a hundred.
    """

    samples: int
    fields: int
    cells: int
    unreadable: int
    named: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    stopped: bool = False
    left_out: tuple[tuple[str, str], ...] = ()
    videos: int = 0
    notes: tuple[str, ...] = ()
