"""Fields that kill the worker that reads them: found, named, and left out of the count, which goes on.

Dask gives a task to another worker when one dies, and gives it up after three deaths. It blames every task that a dead worker had
before it, the innocent ones that waited there too. So a task that was given up says nothing of its fields yet. It is set aside
until all other work is done; then its fields are tried one at a time, with nothing else on the cluster. A field that is given up
then has killed three workers by itself. The task is done once more without it, and the field is in the results as one that could
not be read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from edge.archive.records import Partition, SampleSlice
from edge.errors import ArchiveError

KILLED_REASON = "every worker that read it died"
"""What is said of such a field."""

FIRST_FILE = -1
"""The place of a sample's first file, which each of its slices reads for the depth of its pixels."""

_ROUNDS = 5  # times that the fields of a task are tried, where each alone is harmless and the task is given up again


def given_up(error: BaseException) -> bool:
    """Whether Dask gave a task up because its workers died."""
    return type(error).__name__ == "KilledWorker"


@dataclass(slots=True)
class _Suspect:
    """A task that was given up, the places of its fields that are still to be tried, and those that kill."""

    partition: Partition
    left: deque[tuple[int, int]]
    killing: set[tuple[int, int]] = field(default_factory=set)


class Quarantine:
    """Tasks that were given up, and the trials of their fields, one at a time: do what ``trial`` says, tell ``tried`` how it went."""

    def __init__(self) -> None:
        self._suspects: deque[_Suspect] = deque()
        self._rounds: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._suspects)

    def add(self, partition: Partition) -> None:
        """Set a task aside; raises ArchiveError where its fields were found harmless several times."""
        rounds = self._rounds[partition.id] = self._rounds.get(partition.id, 0) + 1
        if rounds > _ROUNDS:
            first = partition.slices[0]
            raise ArchiveError(
                f"workers die again and again of {first.sample} (from {first.files[0].path} on), though each of its fields alone is "
                "harmless: give workers more memory; what is finished stays"
            )
        self._suspects.append(_Suspect(partition, deque(_places(partition))))

    def trial(self) -> Partition:
        """A task of the next field alone. Its results are not wanted."""
        suspect = self._suspects[0]
        number, index = suspect.left[0]
        part = suspect.partition.slices[number]
        file = part.first if index == FIRST_FILE else part.files[index]
        alone = replace(part, files=(file,), first=file, killed=())
        return Partition(f"{suspect.partition.id}-trial-{number}-{index}", (alone,))

    def tried(self, *, killed: bool) -> Partition | None:
        """How the last trial went. Returns the task without the fields that kill when all of its fields have been tried."""
        suspect = self._suspects[0]
        place = suspect.left.popleft()
        if killed:
            suspect.killing.add(place)
        if suspect.left:
            return None
        self._suspects.popleft()
        slices = tuple(_without(part, number, suspect) for number, part in enumerate(suspect.partition.slices))
        return Partition(suspect.partition.id, slices)


def _places(partition: Partition) -> Iterator[tuple[int, int]]:
    """The fields of a task that are not known to kill: number of the slice, and place in it."""
    for number, part in enumerate(partition.slices):
        places = [*range(len(part.files)), *([] if part.first in part.files else [FIRST_FILE])]
        yield from ((number, index) for index in places if index not in part.killed)


def _without(part: SampleSlice, number: int, suspect: _Suspect) -> SampleSlice:
    found = {index for of, index in suspect.killing if of == number}
    if any(part.files[index] == part.first for index in found if index != FIRST_FILE):
        found.add(FIRST_FILE)
    return replace(part, killed=tuple(sorted({*part.killed, *found})))
