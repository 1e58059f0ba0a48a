"""Child process: one archive counted from this machine, S3, SFTP and a web server, with results there too; its rows as JSON.

python -m tests.archive.with_recount PORTS FOLDER        # ports and folder of storage_servers
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.archive.partitions import PartitionLimits
from edge.archive.records import RecountJob
from edge.archive.remote import storage_at
from edge.archive.results import Results
from edge.archive.run import Recount
from tests.archive.made import MadeRecipe, paint
from tests.archive.serial import serial


def counted(archive: str, results: str, before: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Count an archive; a second call finds nothing left to do."""
    recipe, told = MadeRecipe(), dict[str, Any]()
    for call in ("first", "second"):
        opened = Results(results)
        opened.begin(recipe.described)
        cluster = serial(recipe, before=before)
        job = RecountJob(archive, results, recipe.fingerprint)
        end = Recount(job, opened, cluster, limits=PartitionLimits(fields=4)).run(threading.Event())
        told[call] = {"fields": end.fields, "named": end.named, "tasks": len(cluster.client.tasks)}
    told["cells"], told["left"] = rows(opened, "cells"), opened.place.names("_slices")
    return told


def rows(results: Results, table: str) -> list[list[Any]]:
    """Rows of a table, in order."""
    from pyarrow import parquet

    found = []
    for name in results.place.names(table):
        with results.place.open(f"{table}/{name}") as file:
            found += parquet.read_table(file).to_pylist()
    keep = ("sample", "field", "cell", "class", "score", "x", "y", "w", "h")
    return sorted([row["sample"].rpartition("/")[2], *(row[name] for name in keep[1:])] for row in found)


def main() -> None:
    """Print one line of JSON."""
    ports, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
    os.environ.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{ports['s3']}")
    archive = folder / "counted"
    for sample, cells in {"kid-1": (3, 4), "kid-2": (5, 1, 7), "large": range(2, 13)}.items():
        paint(archive / sample, *cells)

    import s3fs

    system = s3fs.S3FileSystem(skip_instance_cache=True)
    system.mkdir("archives")
    system.put(str(archive), "archives/2026", recursive=True)

    def remove_one(task: int) -> None:
        if task == 1:  # all has been listed by then
            system.rm_file("archives/2026/kid-2/1.png")

    with tempfile.TemporaryDirectory() as here:
        web = f"http://127.0.0.1:{ports['web']}/counted"
        files = sorted(path.relative_to(archive).as_posix() for path in archive.rglob("*.png"))
        addresses = Path(here, "fields.txt")
        addresses.write_text("".join(f"{web}/{file}\n" for file in files))
        sftp = f"sftp://me:secret@127.0.0.1:{ports['sftp']}"
        told: dict[str, Any] = {
            "here": counted(str(archive), f"{here}/results"),
            "s3": counted("s3://archives/2026", "s3://archives/counts"),
            "sftp": counted(f"{sftp}/counted", f"{sftp}/counts"),
            "web": counted(str(addresses), f"{here}/web"),
            "vanished": counted("s3://archives/2026", "s3://archives/counts-2", remove_one),
        }
        told["objects"] = [place.path for place in storage_at("s3://archives/counts").folder().files]
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
