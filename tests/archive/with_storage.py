"""Child process: the same things done with each storage, and what went wrong, as JSON.

python -m tests.archive.with_storage PORTS FOLDER        # ports as storage_servers printed them; a folder of its own
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.archive.records import ArchivedFile
from edge.archive.remote import storage_at
from edge.errors import EdgeError


def said(work: Callable[[], object]) -> list[str]:
    """Class and line of the error that comes."""
    try:
        return ["nothing", str(work())]
    except EdgeError as error:
        return [type(error).__name__, str(error)]


def used(address: str, folder: Path, *, writable: bool) -> dict[str, Any]:
    """Write, list, fetch and remove below an address."""
    place = storage_at(address)
    if writable:
        place.write(place.child("kid-1/a.png"), b"12345")
        place.write(place.child("kid-1/a.png"), b"54321")  # over another one
        (folder / "b").write_bytes(b"123")
        place.put(folder / "b", place.child("kid-1/b.png"))
    files = place.folder(place.child("kid-1")).files
    place.fetch(next(file for file in files if file.path.endswith("a.png")), folder / "fetched")
    gone = ArchivedFile(place.child("kid-1/gone.png"), 1, "")
    told = {
        "folders": [place.below(path) for path in place.folder().folders],
        "files": [[place.below(file.path), file.size, bool(file.stamp)] for file in files],
        "fetched": (folder / "fetched").read_text(),
        "gone": said(lambda: place.fetch(gone, folder / "gone")),
        "no folder": said(lambda: place.folder(place.child("kid-2"))),
    }
    if writable:
        place.remove(place.child("kid-1/b.png"))
        place.remove(place.child("kid-1/b.png"))
        told["left"] = [place.below(file.path) for file in place.folder(place.child("kid-1")).files]
    return told


def main() -> None:
    """Print one line of JSON."""
    ports, folder = json.loads(sys.argv[1]), Path(sys.argv[2])

    def s3(port: int, address: str) -> str:
        os.environ.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
        return address

    import s3fs

    s3fs.S3FileSystem(endpoint_url=f"http://127.0.0.1:{ports['s3']}", skip_instance_cache=True).mkdir("bucket")
    sftp, web = f"127.0.0.1:{ports['sftp']}", f"http://127.0.0.1:{ports['web']}"
    web_place = storage_at(f"{web}/kid-1")
    told = {
        "s3": used(s3(ports["s3"], "s3://bucket/2026"), folder, writable=True),
        "sftp": used(f"sftp://me:secret@{sftp}/archive", folder, writable=True),
        "no bucket": said(lambda: storage_at("s3://absent/2026").folder()),
        "forbidden": said(lambda: storage_at(s3(ports["forbidden"], "s3://theirs/2026")).folder()),
        "wrong key": said(lambda: storage_at(s3(ports["wrong_key"], "s3://mine/2026")).folder()),
        "nobody there": said(lambda: storage_at(s3(1, "s3://bucket/2027")).folder()),
        "wrong password": said(lambda: storage_at(f"sftp://me:wrong@{sftp}/archive").folder()),
        "web": [
            said(lambda: web_place.read(f"{web}/archive/kid-1/a.png")),
            said(lambda: web_place.fetch(ArchivedFile(f"{web}/gone.png", -1, ""), folder / "gone")),
            said(lambda: storage_at("http://127.0.0.1:1/a").read("http://127.0.0.1:1/a")),
        ],
        "gs": said(lambda: storage_at("gs://bucket/a")),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
