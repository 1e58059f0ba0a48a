"""Large samples, which come in slices: which slices are still to be analysed until the sample can be decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from edge.archive.partitions import sample_id
from edge.archive.records import Partition, SampleSlice
from edge.archive.results import slice_name

_TRIES = 3  # times that a slice is analysed whose file is found damaged


@dataclass(slots=True)
class LargeSample:
    """A sample in slices.

    Attributes:
        sample: name; ``digest``: of its listing.
        of: how many slices it has.
        slices: that have come so far, by their number.
        left: numbers of those that are not analysed yet.
    """

    sample: str
    digest: str
    of: int
    slices: dict[int, SampleSlice] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)
    tries: int = 0


class LargeSamples:
    """Those that are under way, by the name of their part.

    Args:
        fingerprint: of what counts.
        there: names of slices that earlier calls have analysed.
    """

    def __init__(self, fingerprint: str, there: set[str]) -> None:
        self._fingerprint = fingerprint
        self._there = there
        self._known: dict[str, LargeSample] = {}

    def __getitem__(self, key: str) -> LargeSample:
        return self._known[key]

    def key(self, part: SampleSlice) -> str:
        """The name of the part that its sample becomes."""
        return sample_id(self._fingerprint, part.sample, part.digest)

    def take(self, part: SampleSlice) -> bool:
        """Take a slice; again where it is to be analysed otherwise. Returns whether it is analysed already."""
        key = self.key(part)
        large = self._known.get(key)
        if large is None:
            large = self._known[key] = LargeSample(part.sample, part.digest, part.of, left=set(range(part.of)))
        large.slices[part.number] = part
        done = slice_name(key, part) in self._there
        if done:
            large.left.discard(part.number)
        return done

    def names(self, key: str) -> tuple[str, ...]:
        """Names of all slices of a sample, in order; they have all come."""
        large = self._known[key]
        return tuple(slice_name(key, large.slices[number]) for number in range(large.of))

    def analysed(self, part: SampleSlice) -> str:
        """A slice has been analysed. Returns its sample's key."""
        key = self.key(part)
        self._known[key].left.discard(part.number)
        return key

    def forget(self, key: str) -> None:
        """The sample has been decided."""
        del self._known[key]

    def again(self, key: str, there: set[str]) -> Iterator[Partition] | None:
        """What is to be analysed again of a sample of which a slice was damaged.

        Args:
            key: of the sample.
            there: names of its slices that are there now.

        Returns:
            tasks; None: it has been tried often enough.
        """
        large = self._known[key]
        large.tries += 1
        if large.tries >= _TRIES:
            return None
        large.left = {number for number in range(large.of) if slice_name(key, large.slices[number]) not in there}
        return (Partition(f"{key}-{number}", (large.slices[number],)) for number in sorted(large.left))
