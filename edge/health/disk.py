"""Room, permissions and the book: where counts are kept."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge.book.file import BrokenBookError, check_header, check_owner, connect_to_read, is_new, why
from edge.book.folder import RESERVE
from edge.errors import BookError
from edge.health.records import CheckResult, Health, graded

LEAST_BYTES = 2 * RESERVE
"""Free bytes below which a run is near its end: it stops at ``RESERVE``, before the disk is full."""

FEW_BYTES = 10**9
"""Free bytes below which the end is in sight: some days of suspicious fields' pictures."""

_LEAST_FILES = 1000  # free inodes
_HELD = """
SELECT count(*) AS samples, coalesce(sum(state = 'interrupted'), 0) AS interrupted, coalesce(sum(fields), 0) AS fields,
       coalesce(sum(cells), 0) AS cells FROM sample
"""
_PICTURES = "make room: edge book compact, or move old samples elsewhere (edge book backup)"


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """Room below the data folder, or where it will be made."""

    folder: Path
    name: str = "free space"

    def run(self) -> CheckResult:
        """Look."""
        disk = os.statvfs(_existing(self.folder))
        free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
        facts: dict[str, int] = {"free_bytes": free, "total_bytes": total}
        said = f"{_bytes(free)} free of {_bytes(total)}"
        if disk.f_files and disk.f_favail < _LEAST_FILES:
            facts["free_files"] = disk.f_favail
            return CheckResult(self.name, Health.FAILED, f"room for {disk.f_favail} more files only", _PICTURES, facts)
        failed = "a run would soon stop" if free < LEAST_BYTES else ""
        warned = "the end is in sight" if free < FEW_BYTES else ""
        return graded(self.name, said, facts, _PICTURES, failed=failed, warned=warned)


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Whether counts can be written, and who else can change them."""

    folder: Path
    name: str = "data folder"

    def run(self) -> CheckResult:
        """Look; a file is written and removed where the folder exists."""
        try:
            mode = self.folder.stat().st_mode
        except FileNotFoundError:
            return self._to_be_made(_existing(self.folder))
        except OSError as error:
            return self._refused(error)
        if not stat.S_ISDIR(mode):
            remedy = "rename that file: counts are kept in a folder of this name"
            return CheckResult(self.name, Health.FAILED, f"{self.folder} is a file", remedy)
        try:
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".edge-doctor-") as trial:
                trial.write(b"edge")
                trial.flush()
                os.fsync(trial.fileno())
        except OSError as error:
            return self._refused(error)
        facts = {"writable": True, "open_to_all": bool(mode & stat.S_IWOTH)}
        if mode & stat.S_IWOTH:
            said = f"every user of this machine can change what is in {self.folder}"
            return CheckResult(self.name, Health.WARNING, said, f"chmod o-w {self.folder}", facts)
        return CheckResult(self.name, Health.OK, f"{self.folder} can be written", facts=facts)

    def _to_be_made(self, above: Path) -> CheckResult:
        if os.access(above, os.W_OK | os.X_OK):
            return CheckResult(self.name, Health.OK, f"{self.folder} will be made by the first run")
        said = f"{self.folder} is not there, and {above} cannot be written"
        return CheckResult(
            self.name, Health.FAILED, said, "give edge-run another place: --book FILE", {"writable": False}
        )

    def _refused(self, error: OSError) -> CheckResult:
        if isinstance(error, PermissionError):
            remedy = "look again as its owner: sudo edge doctor for the service's own folder"
            return CheckResult(self.name, Health.UNKNOWN, f"{self.folder} is closed to you", remedy)
        remedy = "look at how the disk is mounted (read-only?), and whether it is full or failing: dmesg"
        said = f"{self.folder} cannot be written: {error.strerror}"
        return CheckResult(self.name, Health.FAILED, said, remedy, {"writable": False})


@dataclass(frozen=True, slots=True)
class BookCheck:
    """Whether the book opens and is whole. It is opened to read only."""

    path: Path
    name: str = "book"

    def run(self) -> CheckResult:
        """Look at every page and at what each row refers to."""
        try:
            self.path.stat()
            return CheckResult(self.name, Health.OK, "it is empty") if is_new(self.path) else self._opened()
        except FileNotFoundError:
            return CheckResult(self.name, Health.NOT_APPLICABLE, "there is none yet: the first run makes it")
        except PermissionError:
            remedy = "look again as its owner: sudo edge doctor for the service's book"
            return CheckResult(self.name, Health.UNKNOWN, f"{self.path} is closed to you", remedy)
        except BookError as error:
            return CheckResult(self.name, Health.FAILED, str(error), "give the book of this program: --book FILE")

    def _opened(self) -> CheckResult:
        try:
            check_header(self.path)
            found, facts = _looked_into(self.path)
        except BrokenBookError as error:
            return self._damaged(str(error))
        except sqlite3.Error as error:
            return CheckResult(self.name, Health.UNKNOWN, f"{self.path}: {why(error)}", "look again: edge book check")
        if found:
            return self._damaged(found)
        held = f"{facts['samples']:,} samples, {facts['cells']:,} cells, {_bytes(facts['bytes'])}"
        return CheckResult(self.name, Health.OK, f"{self.path} is whole: {held}", facts={**facts, "whole": True})

    def _damaged(self, what: str) -> CheckResult:
        remedy = "the next run puts it aside and takes over what can be read; or look now: edge book check"
        return CheckResult(self.name, Health.FAILED, f"{self.path} is damaged: {what}", remedy, {"whole": False})


def _looked_into(path: Path) -> tuple[str, dict[str, int]]:
    """What is wrong inside (empty: nothing), and how much it holds. That each field is as it was written: ``edge book check``."""
    connection = connect_to_read(path)
    try:
        check_owner(connection, path)
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            return " ".join(str(said).split()), {}
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            return "rows without what they belong to", {}
        held = connection.execute(_HELD).fetchone()
        return "", {**dict(zip(held.keys(), held, strict=True)), "bytes": path.stat().st_size}
    except sqlite3.DatabaseError as error:
        if type(error) is sqlite3.DatabaseError:  # damage; locked, full and the like have classes of their own
            return str(error), {}
        raise
    finally:
        connection.close()


def _existing(path: Path) -> Path:
    """The nearest folder on the way that is there."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))


def _bytes(number: float) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= FEW_BYTES else f"{number / 1e6:,.0f} MB"
