"""What one task does: small samples in bundles, large ones in slices.

A task costs the scheduler about a millisecond whatever is in it, so it holds many fields; it is done as a whole or not at all, so it
does not hold too many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from edge.archive.records import ArchivedFile, ArchivedSample, Partition, SampleSlice

_UNKNOWN_BYTES = 2_000_000
"""Of a file whose size the listing does not say: about a field of two megapixels."""

_ID_DIGITS = 24
"""Hexadecimal digits of a partition's id: 96 bits, so that no two of 10^9 are the same."""


@dataclass(frozen=True, slots=True)
class PartitionLimits:
    """Where a task ends.

    Attributes:
        fields: files of it at most.
        bytes: of them at most, unless a single one is larger.
    """

    fields: int = 64
    bytes: int = 64_000_000


def partitions(
    samples: Iterable[ArchivedSample], fingerprint: str, limits: PartitionLimits | None = None
) -> Iterator[Partition]:
    """Cut the samples of an archive into tasks, as they come.

    Args:
        samples: of the archive.
        fingerprint: of what counts: another one gives other ids.
        limits: where a task ends.
    """
    limits = limits or PartitionLimits()
    bundle: list[SampleSlice] = []
    fields = size = 0
    for sample in samples:
        parts = list(slices_of(sample, limits))
        if len(parts) > 1:
            yield from (Partition(_id(fingerprint, [part]), (part,)) for part in parts)
            continue
        weight = sum(map(_bytes, sample.files))
        if bundle and (fields + len(sample.files) > limits.fields or size + weight > limits.bytes):
            yield Partition(_id(fingerprint, bundle), tuple(bundle))
            bundle, fields, size = [], 0, 0
        bundle += parts
        fields, size = fields + len(sample.files), size + weight
    if bundle:
        yield Partition(_id(fingerprint, bundle), tuple(bundle))


def slices_of(sample: ArchivedSample, limits: PartitionLimits) -> Iterator[SampleSlice]:
    """Cut one sample; a single slice is the whole of it."""
    cuts: list[list[ArchivedFile]] = [[]]
    size = 0
    for file in sample.files:
        if cuts[-1] and (len(cuts[-1]) == limits.fields or size + _bytes(file) > limits.bytes):
            cuts.append([])
            size = 0
        cuts[-1].append(file)
        size += _bytes(file)
    for number, files in enumerate(cuts):
        yield SampleSlice(sample.name, sample.digest, number, len(cuts), tuple(files), sample.files[0])


def sample_id(fingerprint: str, sample: str, digest: str) -> str:
    """What a large sample's part of the tables is called: the same for the same listing and the same settings."""
    return _hash(fingerprint, sample, digest)


def slice_hash(part: SampleSlice) -> str:
    """Where a slice begins and ends, as hexadecimal digits."""
    return _hash(f"{part.number}/{part.of}", PurePosixPath(part.files[0].path).name, str(len(part.files)))


def _id(fingerprint: str, parts: list[SampleSlice]) -> str:
    told = []
    for part in parts:
        told += [part.sample, part.digest, slice_hash(part)]
    return _hash(fingerprint, *told)


def _hash(*texts: str) -> str:
    data = "\0".join(texts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()[:_ID_DIGITS]


def _bytes(file: ArchivedFile) -> int:
    return file.size if file.size >= 0 else _UNKNOWN_BYTES
