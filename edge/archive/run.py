"""A recount: an archive listed, cut into tasks, given to a cluster a few at a time, and its samples gathered in the results.

Only a window of tasks is known to the scheduler at any time, and nothing of a field comes back to the client: memory of both is the
same for a thousand fields and for a million.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import monotonic

from edge.archive.cluster import OpenCluster
from edge.archive.large import LargeSamples
from edge.archive.listing import ArchiveListing, FieldsAhead
from edge.archive.pace import RecountPace
from edge.archive.partitions import PartitionLimits, partitions
from edge.archive.poison import Quarantine, given_up
from edge.archive.records import (
    ArchivedSample,
    Partition,
    RecountEnd,
    RecountJob,
    RecountProgress,
    TaskEnd,
)
from edge.archive.results import Results
from edge.archive.slices import SliceError
from edge.archive.storage import open_storage
from edge.archive.storage_words import shown_address
from edge.archive.task import MOST_NAMED, count_partition, decide_sample, try_partition
from edge.archive.under_way import TasksUnderWay
from edge.archive.versions import OtherVersionsError
from edge.errors import ArchiveError, NoInputError

WINDOW = 4
"""Tasks that the scheduler knows per task that is being done: one in work, the others wait on the worker."""

_FEWEST_TASKS = 8  # the same where workers are few, or have not come yet
_WATCH_S = 2.0  # seconds between two looks at which workers are there
_MOST_STRANGERS = 50  # tasks that came to workers of other versions, of all


class Recount:
    """One recount; call ``run`` once.

    Args:
        job: archive, results and what counts.
        results: that are open (``Results.begin``).
        cluster: whose workers have the recipe.
        told: gets the progress a few times a second; None: nobody does.
        limits: of a task.
        clock: seconds that only grow.
        said: gets lines that a person should see at once.
    """

    def __init__(
        self,
        job: RecountJob,
        results: Results,
        cluster: OpenCluster,
        told: Callable[[RecountProgress], None] | None = None,
        *,
        limits: PartitionLimits | None = None,
        clock: Callable[[], float] = monotonic,
        said: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._job = job
        self._results = results
        self._cluster = cluster
        self._told = told
        self._limits = limits
        self._clock = clock
        self._said = said
        self._quarantine = Quarantine()
        self._trial = ""
        self._watched = 0.0
        self._threads = 0
        self._strangers = 0
        self._listing = ArchiveListing(open_storage(job.archive))
        self._ahead = FieldsAhead(open_storage(job.archive))
        self._under_way = TasksUnderWay(cluster.client)
        self._large = LargeSamples(job.fingerprint, set())
        self._counted: dict[str, str] = {}
        self._changed: list[str] = []
        self._named: list[tuple[str, str]] = []
        self._notes: list[str] = []
        self._samples = self._fields = self._cells = self._unreadable = self._before = self._analysed = 0
        self._pace = RecountPace(clock)

    def run(self, stop: threading.Event) -> RecountEnd:
        """Count what is not counted yet.

        Args:
            stop: set it to stop; what is finished stays.

        Raises:
            NoInputError: there is no archive, or no image in it.
            ArchiveError: the cluster is gone.
            EdgeError: a task failed for a reason that others would fail for too.
        """
        for one in self._results.samples():
            self._counted[one.name] = one.digest
            self._before += one.fields
        self._large = LargeSamples(self._job.fingerprint, self._results.slices())
        waiting = partitions(self._new_samples(), self._job.fingerprint, self._limits)
        more = True
        self._ahead.start()
        try:
            if self._cluster.check is not None:
                self._cluster.check.first()
            self._watch(now=True)
            while (more or self._under_way or self._quarantine) and not stop.is_set():
                more = more and self._give(waiting)
                if self._quarantine and not more and not self._under_way:
                    self._try_next()
                self._watch()
                self._take()
                self._tell()
        finally:
            self._ahead.stop()
            self._under_way.let_go()
        if stop.is_set():
            return self._end(stopped=True)
        if not self._listing.fields:
            raise NoInputError(f"{shown_address(self._job.archive)}: no images in it or in its folders")
        self._results.end()
        return self._end(stopped=False)

    def _new_samples(self) -> Iterator[ArchivedSample]:
        """The samples that are not in the results yet."""
        for sample in self._listing:
            digest = self._counted.get(sample.name)
            if digest is None:
                yield sample
            elif digest != sample.digest:
                self._changed.append(sample.name)

    def _give(self, waiting: Iterator[Partition]) -> bool:
        """Submit tasks until the window is full; returns whether there may be more."""
        room = max(_FEWEST_TASKS, WINDOW * self._threads)
        while len(self._under_way) < room:
            partition = next(waiting, None)
            if partition is None:
                return False
            if partition.whole:
                self._submit(partition)
            else:
                self._give_slice(partition)
        return True

    def _give_slice(self, partition: Partition) -> None:
        (part,) = partition.slices
        if self._large.take(part):
            self._analysed += len(part.files)
            self._decide_if_whole(self._large.key(part))
        else:
            self._submit(partition)

    def _decide_if_whole(self, key: str) -> None:
        large = self._large[key]
        if not large.left:
            self._under_way.submit(
                None, key, decide_sample, self._job, large.sample, large.digest, self._large.names(key)
            )

    def _submit(self, partition: Partition) -> None:
        self._under_way.submit(partition, partition.id, count_partition, self._job, partition)

    def _take(self) -> None:
        """Take what has ended; waits a moment where nothing has."""
        for ended in self._under_way.ended():
            if ended.key == self._trial:
                self._tried(ended.error)
            elif ended.end is not None:
                self._add(ended.partition, ended.name, ended.end)
            elif ended.error is not None:
                self._failed(ended.partition, ended.name, ended.error)

    def _add(self, partition: Partition | None, name: str, end: TaskEnd) -> None:
        self._samples += end.samples
        self._fields += end.fields
        self._cells += end.cells
        self._unreadable += end.unreadable
        self._analysed += end.analysed
        self._named += end.named[: MOST_NAMED - len(self._named)]
        self._notes += end.notes[: MOST_NAMED - len(self._notes)]
        if partition is None:
            self._large.forget(name)
        elif not partition.whole:
            (part,) = partition.slices
            self._decide_if_whole(self._large.analysed(part))

    def _failed(self, partition: Partition | None, name: str, error: BaseException) -> None:
        """A task failed: analyse damaged slices again, else end."""
        if isinstance(error, SliceError) and partition is None:
            again = self._large.again(name, self._results.slices())
            if again is not None:
                for one in again:
                    self._submit(one)
                self._decide_if_whole(name)
                return
        if isinstance(error, OtherVersionsError):
            self._refused(error)
            self._again(partition, name)
        elif given_up(error) and partition is not None:
            self._quarantine.add(partition)
        elif given_up(error):
            raise ArchiveError(f"every worker that decided {self._large[name].sample} died: give workers more memory")
        else:
            raise error

    def _refused(self, error: OtherVersionsError) -> None:
        """A task came to a worker of other versions: see to it that it is sent away."""
        self._strangers += 1
        if self._strangers > _MOST_STRANGERS:
            raise error
        self._watch(now=True)

    def _again(self, partition: Partition | None, name: str) -> None:
        if partition is not None:
            self._submit(partition)
        else:
            self._decide_if_whole(name)

    def _try_next(self) -> None:
        """Try the next field of a task that was given up, with nothing else under way."""
        trial = self._quarantine.trial()
        self._trial = self._under_way.submit(None, trial.id, try_partition, self._job, trial)

    def _tried(self, error: BaseException | None) -> None:
        if isinstance(error, OtherVersionsError):
            self._refused(error)  # the same trial comes again
            return
        if error is not None and not given_up(error):
            raise error
        again = self._quarantine.tried(killed=error is not None)
        if again is not None:
            if not again.whole:
                self._large.take(again.slices[0])
            self._submit(again)

    def _watch(self, *, now: bool = False) -> None:
        """Every now and then: how many workers there are, and whether those that have joined are the client's like."""
        if not now and self._clock() - self._watched < _WATCH_S:
            return
        self._watched = self._clock()
        self._threads = self._cluster.threads
        for line in () if self._cluster.check is None else self._cluster.check.look():
            self._said(line)

    def _tell(self) -> None:
        rate = self._pace.rate(self._analysed)
        if self._told is None:
            return
        listed = max(self._listing.fields, self._ahead.fields)
        ended = self._listing.ended or self._ahead.ended
        left = listed - self._before - self._analysed
        seconds = max(0, left) / rate if rate and ended else None
        self._told(
            RecountProgress(
                self._samples,
                self._analysed,
                self._cells,
                self._unreadable,
                listed,
                not ended,
                self._before,
                rate,
                seconds,
                self._threads,
            )
        )

    def _end(self, *, stopped: bool) -> RecountEnd:
        samples = fields = cells = unreadable = 0
        for one in self._results.samples():
            samples, fields, cells = samples + 1, fields + one.fields, cells + one.cells
            unreadable += one.unreadable
        return RecountEnd(
            samples,
            fields,
            cells,
            unreadable,
            tuple(self._named),
            tuple(self._changed),
            stopped,
            tuple(self._listing.left_out),
            self._listing.videos,
            tuple(self._notes),
        )
