"""What a worker does: analyse the fields of a partition, decide whole samples, write their part of the tables.

A task done twice writes the same files twice. The recipe comes to a worker once; the analyser is made from it once per thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import overload

from edge.archive.partitions import sample_id
from edge.archive.poison import FIRST_FILE, KILLED_REASON
from edge.archive.records import (
    ArchivedFile,
    CountingAnalyser,
    CountingRecipe,
    DecidedField,
    Partition,
    RecountJob,
    SampleSlice,
    TaskEnd,
    TellingAnalyser,
)
from edge.archive.results import SLICES, Results, slice_name
from edge.archive.slices import SliceError, read_outcomes, write_outcomes
from edge.archive.storage import LocalFiles, open_storage
from edge.archive.tables import PartWriter
from edge.archive.versions import require
from edge.errors import ArchiveError, UnreadableFieldError
from edge.events import AnalysedField, Outcome, Unreadable
from edge.sources.decode import shown

MOST_NAMED = 100
"""Fields that could not be read that one task, and a whole recount, name."""

_MOST_RECIPES = 4  # that a worker keeps: of recounts that share a cluster


class _WorkerMemory:
    """What a worker process keeps between tasks: recipes by fingerprint, and an analyser per thread."""

    def __init__(self) -> None:
        self._recipes: dict[str, CountingRecipe] = {}
        self._own = threading.local()

    def take(self, recipe: CountingRecipe) -> None:
        """Keep a recipe; the oldest goes where there are many."""
        self._recipes[recipe.fingerprint] = recipe
        while len(self._recipes) > _MOST_RECIPES:
            self._recipes.pop(next(iter(self._recipes)))

    def recipe(self, fingerprint: str) -> CountingRecipe:
        try:
            return self._recipes[fingerprint]
        except KeyError:
            raise ArchiveError("this worker was not sent what to count with: call edge recount again") from None

    def analyser(self, fingerprint: str) -> CountingAnalyser:
        """This thread's analyser; the nets of another count are let go of."""
        known: tuple[str, CountingAnalyser] | None = getattr(self._own, "known", None)
        if known is None or known[0] != fingerprint:
            self._own.known = None
            known = self._own.known = (fingerprint, self.recipe(fingerprint).analyser())
        return known[1]


_MEMORY = _WorkerMemory()


def keep_recipe(recipe: CountingRecipe) -> None:
    """Keep what a worker is to count with; called once per worker process."""
    _MEMORY.take(recipe)


def count_partition(job: RecountJob, partition: Partition) -> TaskEnd:
    """Do one task.

    Returns:
        what it did; the tables, or the slice, are written by then.

    Raises:
        EdgeError: a net cannot be loaded, or results cannot be written.
    """
    _require(job)
    analyser = _MEMORY.analyser(job.fingerprint)
    with open_storage(job.archive).opened() as files:
        if partition.whole:
            parts = [(part.sample, part.digest, outcomes_of(analyser, part, files)) for part in partition.slices]
            end = _write_part(job, partition.id, parts)
            return replace(end, analysed=end.fields, notes=_said(analyser))
        (part,) = partition.slices
        with TemporaryDirectory(prefix="edge-recount-") as folder:
            made = Path(folder) / "slice.parquet"
            number, _ = write_outcomes(made, outcomes_of(analyser, part, files))
            name = slice_name(sample_id(job.fingerprint, part.sample, part.digest), part)
            Results(job.results).place.publish(made, f"{SLICES}/{name}.parquet")
    return TaskEnd(partition.id, number, notes=_said(analyser))


def try_partition(job: RecountJob, partition: Partition) -> TaskEnd:
    """Analyse fields and keep nothing: whether a worker lives through it is what is asked (``edge.archive.poison``)."""
    _require(job)
    analyser = _MEMORY.analyser(job.fingerprint)
    with open_storage(job.archive).opened() as files:
        for part in partition.slices:
            for _ in outcomes_of(analyser, part, files):
                pass
    return TaskEnd(partition.id, 0)


def _require(job: RecountJob) -> None:
    """Raise OtherVersionsError where this worker is not what the client is."""
    if job.versions is not None:
        require(job.versions)


def _said(analyser: CountingAnalyser) -> tuple[str, ...]:
    """What the analyser has to say of the files of this task."""
    return analyser.said()[:MOST_NAMED] if isinstance(analyser, TellingAnalyser) else ()


def decide_sample(job: RecountJob, sample: str, digest: str, slices: Sequence[str]) -> TaskEnd:
    """Decide a large sample whose slices have all been analysed, write its part, and remove the slices.

    Args:
        job: of the recount.
        sample: its name.
        digest: of its listing.
        slices: names of its slices, in order.

    Raises:
        SliceError: a slice is damaged or gone; its file is removed, so that it is analysed again.
    """
    _require(job)
    results, part = Results(job.results), sample_id(job.fingerprint, sample, digest)
    names = [f"{SLICES}/{name}.parquet" for name in slices]
    end = _write_part(job, part, [(sample, digest, _from_slices(results, names, sample))])
    for name in names:
        results.place.remove(name)
    return end


def _from_slices(results: Results, names: Iterable[str], sample: str) -> Iterator[Outcome]:
    for name in names:
        try:
            with results.place.open(name) as file:
                yield from read_outcomes(file, sample)
        except (SliceError, OSError) as error:
            results.place.remove(name)
            raise SliceError(f"{name}: {error}") from error


def _write_part(job: RecountJob, part: str, samples: Iterable[tuple[str, str, Iterable[Outcome]]]) -> TaskEnd:
    """Decide samples in turn and publish their part of the tables."""
    analyser, recipe = _MEMORY.analyser(job.fingerprint), _MEMORY.recipe(job.fingerprint)
    told = recipe.described
    end = TaskEnd(part, 0)
    named: list[tuple[str, str]] = []
    with TemporaryDirectory(prefix="edge-recount-") as folder:
        with PartWriter(Path(folder), told.labels, told.positive) as writer:
            for sample, digest, outcomes in samples:
                taken = _Taken(sample, writer.field, named)
                decided = analyser.decided(sample, _numbered(outcomes), taken)
                writer.sample(decided, digest, taken.fields)
                end = replace(
                    end,
                    samples=end.samples + 1,
                    fields=end.fields + taken.fields,
                    cells=end.cells + decided.tally.cells,
                    unreadable=end.unreadable + len(decided.tally.unreadable),
                )
        Results(job.results).publish(Path(folder), part)
    return replace(end, named=tuple(named))


class _Taken:
    """Hands the fields of a sample on, counts them, and names those that could not be read."""

    def __init__(self, sample: str, take: Callable[[str, DecidedField], None], named: list[tuple[str, str]]) -> None:
        self._sample = sample
        self._take = take
        self._named = named
        self.fields = 0

    def __call__(self, field: DecidedField) -> None:
        self.fields += 1
        self._take(self._sample, field)
        if field.failed is not None and len(self._named) < MOST_NAMED:
            self._named.append((f"{self._sample}/{field.name}", (field.reason or "").removeprefix("unreadable: ")))


def _numbered(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The outcomes with indices that count from 0 within the sample: each slice counts its own."""
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, AnalysedField):
            yield replace(outcome, result=replace(outcome.result, index=index))
        else:
            yield replace(outcome, index=index)


def outcomes_of(analyser: CountingAnalyser, part: SampleSlice, files: LocalFiles) -> Iterator[Outcome]:
    """The outcomes of a slice in order; what could not be fetched is an unreadable field that says why."""
    local = _Local(part, files)
    for outcome in analyser.outcomes(part, local):
        why = local.missing.get(outcome.name) if isinstance(outcome, Unreadable) else None
        yield outcome if why is None or not isinstance(outcome, Unreadable) else replace(outcome, reason=why)


class _Local(Sequence[str | None]):
    """Local paths of a slice's files and, at the end, of the sample's first one; each is fetched when it is asked for."""

    def __init__(self, part: SampleSlice, files: LocalFiles) -> None:
        self._part = part
        self._files = files
        self.missing: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._part.files) + 1

    @overload
    def __getitem__(self, index: int) -> str | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str | None]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str | None] | None:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        first = index == len(self._part.files)
        file = self._part.first if first else self._part.files[index]
        if (FIRST_FILE if first else index) in self._part.killed:
            self._gone(file, f"{shown(file.path)}: {KILLED_REASON}", first=first)
            return None
        try:
            return self._files.path(file, keep=first)
        except UnreadableFieldError as error:
            self._gone(file, str(error), first=first)
        except OSError as error:
            self._gone(file, f"{shown(file.path)}: {error.strerror or error}", first=first)
        return None

    def _gone(self, file: ArchivedFile, why: str, *, first: bool) -> None:
        if not first:
            self.missing[shown(PurePosixPath(file.path).name)] = why
