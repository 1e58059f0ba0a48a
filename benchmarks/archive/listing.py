"""Child process: the client of a recount of a made-up archive of a million fields, with a cluster that does nothing.

    python -m benchmarks.archive.listing FIELDS PER_SAMPLE

It prints one line of JSON: fields listed, tasks given, seconds, and the most memory that it held (MiB).
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.archive.cluster import OpenCluster
from edge.archive.packages import package
from edge.archive.records import CountsDescription, Partition, RecountJob, TaskEnd
from edge.archive.results import Results
from edge.archive.run import Recount

PROTOCOL = "madeup"
_PER_FOLDER = 100  # samples of a folder
_BYTES = 400_000  # of a field


def register(fields: int, per_sample: int) -> None:
    """Make fsspec know a file system whose folders hold so many fields: ``FOLDER/SAMPLE/FIELD.jpg``."""
    samples = -(-fields // per_sample)

    def entries(_: object, path: str, *, detail: bool = True, **__: object) -> list[Any]:
        parts = [int(part) for part in path.strip("/").split("/")[1:]]
        if not parts:
            found = [("directory", name, 0) for name in range(-(-samples // _PER_FOLDER))]
        elif len(parts) == 1:
            first = parts[0] * _PER_FOLDER
            found = [("directory", name, 0) for name in range(first, min(samples, first + _PER_FOLDER))]
        else:
            here = min(per_sample, fields - parts[1] * per_sample)
            found = [("file", name, _BYTES) for name in range(here)]
        told = [
            {"type": kind, "name": f"{path.rstrip('/')}/{name}{'.jpg' * (kind == 'file')}", "size": size, "mtime": 1.0}
            for kind, name, size in found
        ]
        return told if detail else [one["name"] for one in told]

    system = package("fsspec").AbstractFileSystem
    made = type("MadeUpFiles", (system,), {"protocol": PROTOCOL, "ls": entries, "root_marker": ""})
    package("fsspec").register_implementation(PROTOCOL, made, clobber=True)


@dataclass
class _AtOnce:
    """A future that is done when it is made."""

    key: str
    value: TaskEnd
    status: str = "finished"

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        call(self)

    def result(self) -> TaskEnd:
        return self.value


class _Idle:
    """A Dask client whose cluster says that all is done."""

    status = "running"

    def __init__(self) -> None:
        self.tasks = 0

    def scheduler_info(self, **_: object) -> dict[str, Any]:
        return {"workers": {"tcp://nobody:1": {"nthreads": 4}}}

    def submit(self, _: object, _job: object, *given: Any, key: str, **__: object) -> _AtOnce:
        self.tasks += 1
        partition = given[0]
        if not isinstance(partition, Partition):  # a large sample is decided
            return _AtOnce(key, TaskEnd(str(partition), 0, 1))
        fields = sum(len(part.files) for part in partition.slices)
        samples = len(partition.slices) if partition.whole else 0
        return _AtOnce(key, TaskEnd(partition.id, fields, samples, fields, 100 * fields))

    def cancel(self, *_: object, **__: object) -> None:
        """Nothing runs."""


def main() -> None:
    """Print one line of JSON."""
    fields, per_sample = int(sys.argv[1]), int(sys.argv[2])
    register(fields, per_sample)
    client, listed = _Idle(), 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        told = CountsDescription("f" * 64, {}, "", "model", "0" * 64, "learned", ("healthy", "infected"), ("infected",))
        results = Results(f"{folder}/results")
        results.begin(told)
        job = RecountJob(f"{PROTOCOL}://archive", results.url, told.fingerprint)
        recount = Recount(job, results, OpenCluster(client, "", own=False), lambda now: said.update(listed=now.listed))
        said: dict[str, int] = {}
        recount.run(threading.Event())
        listed = said["listed"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer = {"fields": listed, "tasks": client.tasks, "seconds": time.monotonic() - began, "memory_mb": memory}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
