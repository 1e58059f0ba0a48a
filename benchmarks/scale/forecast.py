"""From what a field costs to what a million or a thousand million cost, and how many cores scheduler, listing and store can feed.

Measured: processor time of a field, of a task in scheduler and client, of a listed file; bytes read and written. Assumed, and
said so: prices, and what a store gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

_MS_PER_HOUR = 3.6e6  # milliseconds
_PER_LISTING = 1000  # names that a store gives per request, at most
_FILES_PER_TASK = 3  # written by a task: a part of each table
SAMPLE_BYTES = 400
"""Of a sample's name and digest in the memory of a client that goes on with an archive, about."""


@dataclass(frozen=True, slots=True)
class AssumedPrices:
    """What is not measured.

    Attributes:
        core_hour: of a rented core, in dollars.
        thousand_reads, thousand_writes: requests to a store, in dollars; listing costs as writing does.
        store_mb_s: bytes that a store gives, in MB per second: of one bucket to all workers.
        busy: share of its time that a scheduler may be busy, so that no worker waits for it.
        as_of: when these were looked up or thought right.
    """

    core_hour: float = 0.04
    thousand_reads: float = 0.0004
    thousand_writes: float = 0.005
    store_mb_s: float = 10_000.0
    busy: float = 0.5
    as_of: str = "2026-11"


@dataclass(frozen=True, slots=True)
class FieldMeasures:
    """Measured costs of a field.

    Attributes:
        worker_ms: processor time in a worker; ``scheduler_ms``, ``client_ms``: of a task.
        listing_ms: processor time of the client per listed field.
        file_bytes, result_bytes: read and written.
        per_sample: fields of a sample.
    """

    worker_ms: float
    scheduler_ms: float
    client_ms: float
    listing_ms: float
    file_bytes: float
    result_bytes: float
    per_sample: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an archive takes.

    Attributes:
        fields, batch: of the archive; of a task, on average.
        core_hours: of workers; ``scheduler_hours``, ``client_hours``: of one core each.
        compute, requests: dollars.
        most_workers: cores that one scheduler feeds; ``listing_workers``: that one client feeds; ``store_workers``: that a store
            feeds.
        days: with as many workers as the least of these allows.
        read_gb, written_gb: of pictures, of tables.
        parts: files of each table.
        client_mb: memory that names of finished samples take in a client that goes on.
    """

    fields: int
    batch: float
    core_hours: float
    scheduler_hours: float
    client_hours: float
    compute: float
    requests: float
    most_workers: int
    listing_workers: int
    store_workers: int
    days: float
    read_gb: float
    written_gb: float
    parts: int
    client_mb: float

    @property
    def workers(self) -> int:
        """Cores that are fed: the least of the three."""
        return max(min(self.most_workers, self.listing_workers, self.store_workers), 1)

    @property
    def limit(self) -> str:
        """What allows no more of them."""
        limits = {"scheduler": self.most_workers, "listing": self.listing_workers, "storage": self.store_workers}
        return min(limits, key=lambda name: limits[name])


def forecast(fields: int, batch: float, cost: FieldMeasures, prices: AssumedPrices) -> Forecast:
    """What so many fields take, ``batch`` to a task on average."""
    tasks = ceil(fields / batch)
    core_hours = fields * cost.worker_ms / _MS_PER_HOUR
    scheduler = prices.busy * cost.worker_ms * batch / cost.scheduler_ms
    listing = prices.busy * cost.worker_ms / (cost.listing_ms + cost.client_ms / batch)
    store = prices.store_mb_s * 1e6 / cost.file_bytes * cost.worker_ms / 1e3
    most, by_listing, by_store = (max(int(one), 1) for one in (scheduler, listing, store))
    reads, writes = fields, tasks * _FILES_PER_TASK + fields / _PER_LISTING
    return Forecast(
        fields,
        batch,
        core_hours,
        tasks * cost.scheduler_ms / _MS_PER_HOUR,
        (tasks * cost.client_ms + fields * cost.listing_ms) / _MS_PER_HOUR,
        core_hours * prices.core_hour,
        (reads * prices.thousand_reads + writes * prices.thousand_writes) / 1000,
        most,
        by_listing,
        by_store,
        core_hours / min(most, by_listing, by_store) / 24,
        fields * cost.file_bytes / 1e9,
        fields * cost.result_bytes / 1e9,
        tasks,
        fields / cost.per_sample * SAMPLE_BYTES / 2**20,
    )


def lost_s(batch: float, cost: FieldMeasures) -> float:
    """Work that is done again when a worker dies, seconds: a task."""
    return batch * cost.worker_ms / 1e3
