"""The file behind a book: opening it, and turning what SQLite says into one plain line.

Durability: write-ahead log and ``synchronous = FULL``, so a commit that returned survives a power cut. The log needs memory shared
between processes, which network file systems and FAT do not give: there a rollback journal is used, and that is said.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.book.schema import APPLICATION_ID, VERSION, make_tables, names, shown
from edge.errors import BookError, OutputError
from edge.safe_file import sync_folder, whole_path

BUSY_SECONDS = 10.0  # that another program's transaction is waited for
_LOG_BYTES = 4 * 2**20  # the write-ahead log is cut back to this
_NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "fuse.glusterfs",
)
_FAT = ("vfat", "msdos", "exfat", "fuseblk")
"""File systems as ``/proc/self/mountinfo`` names them."""

_LARGEST_PAGE = 65536  # bytes; SQLite writes it as 1
_MOUNTS = Path("/proc/self/mountinfo")
_HEADER = b"SQLite format 3\x00"

_WHY = {
    "SQLITE_FULL": "the disk is full: make room, then go on with --resume",
    "SQLITE_READONLY": "it is read-only: look at the permissions and at how the disk is mounted",
    "SQLITE_BUSY": "another program has kept it locked for {busy:g} s",
    "SQLITE_LOCKED": "another program has kept it locked for {busy:g} s",
    "SQLITE_CANTOPEN": "it cannot be opened: look at path and permissions",
    "SQLITE_IOERR": "the disk fails ({name}): look at its health and its free space",
    "SQLITE_CORRUPT": "it is damaged: edge book check",
    "SQLITE_NOTADB": "it is damaged: edge book check",
}
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class BrokenBookError(Exception):
    """A book is broken; it is renamed aside and what can be read is recovered (``edge.book.recovery``)."""


def why(error: sqlite3.Error) -> str:
    """What an error of SQLite means, and what to do."""
    name = getattr(error, "sqlite_errorname", "")
    for start, words in _WHY.items():
        if name.startswith(start):
            return words.format(busy=BUSY_SECONDS, name=name)
    return f"{error} {name}".strip()


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is broken."""
    return getattr(error, "sqlite_errorname", "").startswith(_DAMAGED)


@contextmanager
def read_errors(path: Path | None) -> Iterator[None]:
    """Turn what SQLite says while a book is read into one plain BookError."""
    try:
        yield
    except sqlite3.Error as error:
        raise BookError(f"{path or 'book'}: cannot be read: {why(error)}") from error


@contextmanager
def write_errors(path: Path | None) -> Iterator[None]:
    """The same while it is written, as OutputError: what was committed before stays."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(f"{path or 'book'}: the book cannot be written: {why(error)}") from error


def connect(path: Path | None, *, read_only: bool = False, still: bool = False) -> sqlite3.Connection:
    """Open the file as it is; raises sqlite3.Error.

    Args:
        path: None: a throw-away database that fills memory first and a temporary file then.
        read_only: to read.
        still: nobody can write it meanwhile.
    """
    name = (
        "" if path is None else f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}{'&immutable=1' * still}"
    )
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=path is not None)
    connection.row_factory = sqlite3.Row
    connection.text_factory = shown
    for pragma in ("foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a file that cannot be written; raises sqlite3.Error.

    A write-ahead log needs a file beside the book even to be read. Where none can be made, the book is read without, which is
    right as long as the log is empty.
    """
    try:
        connection = connect(path, read_only=True)
        number(connection, "user_version")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise  # somebody writes it: what is read without a lock may be half of two states
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise
        connection = connect(path, read_only=True, still=True)
    return connection


def number(connection: sqlite3.Connection, pragma: str) -> int:
    """The value of a pragma that is a whole number."""
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def journal(connection: sqlite3.Connection, path: Path, say: Callable[[str], None]) -> None:
    """Choose how commits reach the medium; raises sqlite3.Error."""
    system = file_system(path)
    wanted = "TRUNCATE" if system in _NETWORK + _FAT else "WAL"
    got = _set_journal(connection, wanted)
    if got != "wal" and number(connection, "user_version") == 0:  # once, when it is made
        say(
            f"note: {path}: on {'this disk' if system is None else system} the write-ahead log does not work: "
            "the book keeps a rollback journal, a little slower and as safe; never open it from two machines at once"
        )
    if got not in ("wal", "truncate"):
        _set_journal(connection, "TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")


def _set_journal(connection: sqlite3.Connection, mode: str) -> str:
    try:
        return str(connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0]).lower()
    except sqlite3.OperationalError as error:
        if mode == "WAL" and not is_damage(error):  # a file system that cannot share memory may say so like this
            return "none"
        raise


def file_system(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the file system that holds the path, as Linux names it; None: not known."""
    try:
        place = os.path.realpath(path)
        found: tuple[int, str] | None = None
        for line in mounts.read_text(errors="surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            point = before.split(" ")[4].encode("latin-1", "replace").decode("unicode_escape")
            inside = place == point or place.startswith(point.rstrip("/") + "/")
            if inside and (found is None or len(point) >= found[0]):
                found = (len(point), after.split(" ")[0])
    except (OSError, IndexError, UnicodeError):
        return None
    return None if found is None else found[1]


def is_new(path: Path) -> bool:
    """Whether there is no book yet: no file, or one of 0 bytes. Raises BookError for what cannot be a book."""
    try:
        if not path.exists():
            return True
        if not path.is_file():
            raise BookError(f"{path}: not a file: give --book a file, or none")
        return path.stat().st_size == 0
    except OSError as error:
        raise BookError(f"{path}: cannot be looked at: {error.strerror}") from error


def check_header(path: Path) -> None:
    """Look at the first bytes; raises BookError for another program's file, BrokenBookError for zeros and the like."""
    try:
        with path.open("rb") as stream:
            head = stream.read(100)
    except OSError as error:
        raise BookError(f"{path}: cannot be read: {error.strerror}") from error
    if head.startswith(_HEADER) and len(head) == 100:
        _check_length(path, head)
        return
    if not head.strip(b"\0") or head.startswith(_HEADER):
        raise BrokenBookError("its first page is lost")
    raise BookError(f"{path}: no book of this program: it is left as it is. Give --book another file")


def _check_length(path: Path, head: bytes) -> None:
    """Raise BrokenBookError for a file that was cut off, where no log or journal says that it was being written."""
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    under_way = any(_bytes(path.with_name(path.name + ending)) for ending in ("-wal", "-journal"))
    if not under_way and _bytes(path) < pages * (page if page > 1 else _LARGEST_PAGE):
        raise BrokenBookError("it was cut off")


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def check_tables(connection: sqlite3.Connection, *, whole: bool) -> None:
    """Look at the ends of the tables, where damage is likeliest, or at the whole file; raises BrokenBookError, sqlite3.Error."""
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    wanted = names(number(connection, "user_version"))
    if missing := set(wanted) - there:
        raise BrokenBookError(f"the table {min(missing)} is missing")
    for name in wanted:
        connection.execute(
            f"SELECT * FROM {name} ORDER BY {'field_id' if name == 'cell' else 'rowid'} DESC LIMIT 1"
        ).fetchone()
    if whole:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if found != "ok":
            raise BrokenBookError(found.removeprefix("*** in database main ***\n"))


def check_owner(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables, 0: there are none yet; raises BookError for another program's and a newer version's."""
    owner, version = number(connection, "application_id"), number(connection, "user_version")
    if not owner and not version and not number(connection, "schema_version"):
        return 0
    if owner != APPLICATION_ID:
        raise BookError(f"{path}: no book of this program: it is left as it is. Give --book another file")
    if version > VERSION:
        raise BookError(
            f"{path}: written by a newer version (tables {version}, this one knows {VERSION}): it is left as it is. "
            "Update this program, or give --book another file"
        )
    return version


def make_file(path: Path, say: Callable[[str], None], version: int = VERSION) -> sqlite3.Connection:
    """Make a new book with its folder, of this version or an earlier one; raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise OutputError(f"{path}: the book cannot be made: {error.strerror}") from error
    with write_errors(path):
        connection = connect(path)
        try:
            journal(connection, path, say)
            make_tables(connection, version)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the file alone is a whole book
        except BaseException:
            connection.close()
            raise
    sync_folder(path.parent)
    return connection


def copy_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Copy a book, also one that is being written, to a file that appears whole or not at all; raises OutputError."""
    with write_errors(path), whole_path(path) as temporary, closing(connect(temporary)) as target:
        connection.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # it is one file, without a log beside it
        found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise OutputError(f"{path}: the copy is damaged ({found}): edge book check")
