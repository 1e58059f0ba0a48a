"""Where an archive lies: folders of this machine, fsspec's file systems, and what their errors become."""

from __future__ import annotations

import errno
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.archive import remote
from edge.archive.records import ArchivedFile, RecountJob
from edge.archive.remote import Storage, storage_at
from edge.archive.results import Results, beginning
from edge.archive.storage_words import TRIES, StorageTrouble, reason, shown_address, trouble
from edge.errors import ArchiveError, EdgeError, NoInputError, UnreadableFieldError
from tests.archive.made import description

fsspec = pytest.importorskip("fsspec", reason="the extra archive is not installed")


def named(name: str, base: type[Exception] = Exception, status: int | None = None) -> Exception:
    """An error of a class of this name, as a package that is not installed here would raise it."""
    error: Exception = type(name, (base,), {} if status is None else {"status": status})(f"{name} happened")
    return error


TROUBLES = {
    "no such file": (FileNotFoundError(errno.ENOENT, "No such file or directory"), StorageTrouble.GONE),
    "s3fs: a bucket that may not be listed": (PermissionError("Access Denied"), StorageTrouble.FORBIDDEN),
    "s3fs: a key that expired in the middle": (
        PermissionError("The provided token has expired."),
        StorageTrouble.CREDENTIALS,
    ),
    "botocore: no key": (named("NoCredentialsError"), StorageTrouble.CREDENTIALS),
    "botocore: a wrong key": (
        PermissionError("The AWS Access Key Id you provided does not exist in our records."),
        StorageTrouble.CREDENTIALS,
    ),
    "paramiko: a wrong password": (named("AuthenticationException"), StorageTrouble.CREDENTIALS),
    "google: no account": (named("DefaultCredentialsError"), StorageTrouble.CREDENTIALS),
    "botocore: nobody there": (named("EndpointConnectionError"), StorageTrouble.AWAY),
    "aiohttp: nobody there": (named("ClientConnectorError", OSError), StorageTrouble.AWAY),
    "paramiko: nobody there": (named("NoValidConnectionsError", OSError), StorageTrouble.AWAY),
    "a server that has a defect": (named("ClientResponseError", status=503), StorageTrouble.AWAY),
    "a server that wants a name": (named("ClientResponseError", status=401), StorageTrouble.FORBIDDEN),
    "a page that is gone": (named("ClientResponseError", status=410), StorageTrouble.GONE),
    "a name that nobody knows": (named("gaierror", OSError), StorageTrouble.AWAY),
    "a closed connection": (OSError("Socket is closed"), StorageTrouble.AWAY),
    "a time-out": (TimeoutError(), StorageTrouble.AWAY),
    "a full disk": (OSError(errno.ENOSPC, "No space left on device"), StorageTrouble.OTHER),
    "a defect": (KeyError("x"), StorageTrouble.OTHER),
}


@pytest.mark.parametrize("case", TROUBLES)
def test_errors_are_told_apart_without_importing_who_raised_them(case: str) -> None:
    error, kind = TROUBLES[case]
    assert trouble(error) is kind
    assert reason(error)
    assert "\n" not in reason(error)


def test_what_raised_an_error_counts_too() -> None:
    outer = OSError(errno.EIO, "it did not work")
    outer.__cause__ = named("NoCredentialsError")
    assert trouble(outer) is StorageTrouble.CREDENTIALS


SHOWN = {
    "s3://bucket/a": "s3://bucket/a",
    "sftp://me:secret@host/a": "sftp://me@host/a",
    "sftp://me:se@cret@host:22/a": "sftp://me@host:22/a",
    "https://host/a.png?token=secret": "https://host/a.png?...",
    "cannot open https://u:secret@host/x?sig=secret now": "cannot open https://u@host/x?... now",
}


@pytest.mark.parametrize("address", SHOWN)
def test_passwords_and_signatures_are_never_shown(address: str) -> None:
    assert shown_address(address) == SHOWN[address]


def test_a_storage_hides_its_password_and_can_be_sent_to_workers() -> None:
    place = Storage("sftp://me:secret@host/a", "sftp", "/a")
    assert "secret" not in repr(place) + place.shown
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - our own


REFUSED = {
    "": (NoInputError, "an input is empty"),
    "nothing://host/a": (ArchiveError, "nothing here speaks nothing://"),
}


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_none_are_refused_in_one_line(address: str) -> None:
    kind, words = REFUSED[address]
    with pytest.raises(kind, match=words) as caught:
        storage_at(address)
    assert "\n" not in str(caught.value)


def test_a_package_that_is_missing_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(ArchiveError, match=r"s3://bucket/a: s3:// needs a package .* pip install s3fs$"):
        storage_at("s3://bucket/a")


def test_a_local_folder_lists_files_and_folders_without_hidden_ones(tmp_path: Path) -> None:
    (tmp_path / "kid-1").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.png").write_bytes(b"12345")
    (tmp_path / ".b.png").write_bytes(b"1")
    place = storage_at(str(tmp_path))
    found = place.folder()
    assert place.local
    assert [place.below(path) for path in found.folders] == ["kid-1"]
    assert [(place.below(file.path), file.size) for file in found.files] == [("a.png", 5)]
    before = found.files[0].stamp
    (tmp_path / "a.png").write_bytes(b"54321")
    assert place.folder().files[0].stamp != before


def test_a_link_is_followed_but_not_into_a_circle(tmp_path: Path) -> None:
    (tmp_path / "archive" / "kid-1").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "archive" / "linked").symlink_to(tmp_path / "other")
    (tmp_path / "archive" / "kid-1" / "up").symlink_to(tmp_path / "archive")
    (tmp_path / "archive" / "kid-1" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    place = storage_at(str(tmp_path / "archive"))
    assert {place.below(path) for path in place.folder().folders} == {"kid-1", "linked"}
    inner = place.folder(place.child("kid-1"))
    assert inner.folders == ()
    assert [file.size for file in inner.files] == [-1]  # named as unreadable later, not left out in silence


def test_a_folder_that_is_not_there_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="there is no such file, folder or bucket"):
        storage_at(str(tmp_path / "nothing")).folder()


@pytest.fixture
def memory() -> Iterator[Storage]:
    place = storage_at("memory://bucket/2026")
    yield place
    fsspec.filesystem("memory").store.clear()


def test_an_object_store_writes_lists_and_fetches(memory: Storage, tmp_path: Path) -> None:
    memory.write(memory.child("kid-1/a.png"), b"12345")
    (tmp_path / "local").write_bytes(b"123")
    memory.put(tmp_path / "local", memory.child("kid-1/b.png"))
    [folder] = memory.folder().folders
    files = memory.folder(folder).files
    assert [(memory.below(file.path), file.size) for file in files] == [("kid-1/a.png", 5), ("kid-1/b.png", 3)]
    assert all(file.stamp for file in files)
    memory.fetch(files[0], tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"12345"
    assert memory.read(files[1].path) == b"123"
    memory.remove(files[1].path)
    memory.remove(files[1].path)
    assert not memory.exists(files[1].path)


def test_an_object_that_vanished_since_it_was_listed_is_an_unreadable_field(memory: Storage, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFieldError, match=r"memory://.*/kid-1/a.png: it is gone since it was listed"):
        memory.fetch(ArchivedFile(memory.child("kid-1/a.png"), 5, ""), tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


class Trying:
    """A file system that fails so often with an error."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left = error, times

    def get_file(self, path: str, to: str) -> None:
        Path(to).write_bytes(b"half")
        if self.left:
            self.left -= 1
            raise self.error


FETCHED: dict[str, tuple[Exception, int, type[EdgeError] | None]] = {
    "a connection that breaks twice": (TimeoutError(), 2, None),
    "nobody there, ever": (TimeoutError(), 99, ArchiveError),
    "forbidden": (PermissionError("Access Denied"), 99, UnreadableFieldError),
    "gone": (FileNotFoundError("x"), 99, UnreadableFieldError),
    "a key that expired": (PermissionError("ExpiredToken"), 99, ArchiveError),
    "a full disk here": (OSError(errno.ENOSPC, "No space left on device"), 99, ArchiveError),
}


@pytest.mark.parametrize("case", FETCHED)
def test_only_what_says_something_of_the_field_makes_it_unreadable(
    case: str, memory: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, times, kind = FETCHED[case]
    files, pauses = Trying(error, times), list[float]()
    monkeypatch.setattr(remote, "_opened", _Opened(files))
    monkeypatch.setattr("edge.archive.remote.time.sleep", pauses.append)
    file = ArchivedFile("/bucket/a.png", 5, "")
    if kind is None:
        memory.fetch(file, tmp_path / "a")
        assert (len(pauses), pauses == sorted(pauses)) == (times, True)
        return
    with pytest.raises(kind) as caught:
        memory.fetch(file, tmp_path / "a")
    assert type(caught.value) is kind
    assert not (tmp_path / "a").exists()  # nothing half fetched is left to be counted
    assert len(pauses) == (TRIES - 1 if isinstance(error, TimeoutError) else 0)


class _Opened:
    def __init__(self, files: object) -> None:
        self._files = files

    def __call__(self, *_: object) -> object:
        return self._files

    def cache_clear(self) -> None:
        """Nothing is kept."""


def test_nothing_is_written_to_a_web_server() -> None:
    place = Storage("https://host/results", "https", "https://host/results")
    with pytest.raises(ArchiveError, match="nothing can be written to https"):
        place.write("https://host/results/a", b"")


def test_a_password_in_an_address_is_kept_and_logged_nowhere() -> None:
    archive, results = "sftp://me:secret@host/archive", "s3://bucket/counts"
    told = beginning(description(), archive, "2026-11-30T08:00:00+00:00")
    job = RecountJob(archive, archive, "f" * 64)
    opened = Results("memory://me:secret@host/counts")
    assert told.archive == "sftp://me@host/archive"
    assert "secret" not in repr(told) + repr(job) + opened.url + shown_address(results)
