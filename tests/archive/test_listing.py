"""Which folders of an archive are samples, which files are their fields, and how they are cut into tasks."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep

import pytest

from edge.archive.listing import ArchiveListing, FieldsAhead
from edge.archive.partitions import PartitionLimits, partitions
from edge.archive.records import ArchivedFile, ArchivedSample, Partition
from edge.archive.storage import LocalStorage, open_storage
from edge.errors import NoInputError


def made(root: Path, *files: str) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))
    return root


def listed(root: Path) -> dict[str, list[str]]:
    found = ArchiveListing(LocalStorage(str(root)))
    return {sample.name: [Path(file.path).name for file in sample.files] for sample in found}


LISTED = {
    "each folder with images is a sample, named by its path": (
        ["a/1.png", "b/c/1.jpg", "b/c/d/2.tif"],
        {"a": ["1.png"], "b/c": ["1.jpg"], "b/c/d": ["2.tif"]},
    ),
    "the archive's own images are a sample of its name": (["1.png", "a/2.png"], {"arch": ["1.png"], "a": ["2.png"]}),
    "files and folders come in natural order": (
        ["s10/f10.png", "s10/f9.png", "s9/f1.png"],
        {"s9": ["f1.png"], "s10": ["f9.png", "f10.png"]},
    ),
    "hidden files and folders are passed over": ([".x/1.png", "a/.2.png", "a/3.png"], {"a": ["3.png"]}),
    "what is no field is passed over, what cannot be decoded here is a field": (
        ["a/notes.txt", "a/1.png", "a/2.webp", "b/truth.json"],
        {"a": ["1.png", "2.webp"]},
    ),
}


@pytest.mark.parametrize("case", LISTED)
def test_the_samples_of_an_archive(case: str, tmp_path: Path) -> None:
    files, expected = LISTED[case]
    got = listed(made(tmp_path / "arch", *files))
    assert got == expected
    assert list(got) == list(expected)


def test_videos_are_counted_and_left_out(tmp_path: Path) -> None:
    found = ArchiveListing(LocalStorage(str(made(tmp_path, "a/1.png", "a/film.mp4", "b/film.avi"))))
    assert len(list(found)) == 1
    assert (found.videos, found.fields, found.ended) == (2, 1, True)


def test_links_are_followed_but_nothing_is_listed_twice(tmp_path: Path) -> None:
    root, other = made(tmp_path / "arch", "a/1.png"), made(tmp_path / "other", "x/5.png")
    (root / "a" / "2.png").symlink_to("1.png")
    (root / "a" / "gone.png").symlink_to("nowhere.png")
    (root / "again").symlink_to(root / "a")
    (root / "loop").symlink_to(root)
    (root / "there").symlink_to(other)
    (other / "back").symlink_to(other)
    (root / "there2").symlink_to(other)
    assert listed(root) == {"a": ["1.png", "gone.png"], "there/x": ["5.png"]}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_named(tmp_path: Path) -> None:
    root = made(tmp_path, "a/1.png", "b/1.png")
    (root / "a").chmod(0)
    found = ArchiveListing(LocalStorage(str(root)))
    assert [sample.name for sample in found] == ["b"]
    assert found.left_out == [("a", "Permission denied")]
    (root / "a").chmod(0o700)


def test_two_names_that_look_the_same_are_two_samples(tmp_path: Path) -> None:
    names = listed(made(tmp_path, "s\udc80/1.png", "s\udc81/1.png"))
    assert len(names) == 2
    assert all(name.startswith("s?~") for name in names)


def test_fields_are_counted_ahead(tmp_path: Path) -> None:
    root = made(tmp_path, "a/1.png", "a/2.png", "b/c/1.tif", "b/notes.txt")
    ahead = FieldsAhead(LocalStorage(str(root)))
    ahead.start()
    until = monotonic() + 10
    while not ahead.ended and monotonic() < until:
        sleep(0.01)
    ahead.stop()
    assert (ahead.fields, ahead.ended) == (3, True)


def test_what_cannot_be_counted_ahead_is_no_failure(tmp_path: Path) -> None:
    ahead = FieldsAhead(LocalStorage(str(tmp_path / "gone")))
    ahead.start()
    ahead.stop()
    assert (ahead.fields, ahead.ended) == (0, False)


@pytest.mark.parametrize("what", ["missing", "a file"])
def test_no_archive_is_refused_in_one_line(what: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if what == "a file":
        path.write_text("")
    with pytest.raises(NoInputError, match=r"^[^\n]*x: .*(check|give)"):
        open_storage(str(path)).check()


def test_another_size_or_time_is_another_digest(tmp_path: Path) -> None:
    root = made(tmp_path, "a/1.png")
    (first,) = ArchiveListing(LocalStorage(str(root)))
    assert first.digest == next(iter(ArchiveListing(LocalStorage(str(root))))).digest
    os.utime(root / "a/1.png", ns=(0, 5))
    assert first.digest != next(iter(ArchiveListing(LocalStorage(str(root))))).digest


def sample(name: str, *sizes: int) -> ArchivedSample:
    files = tuple(ArchivedFile(f"{name}/{n}.png", size, "t") for n, size in enumerate(sizes))
    return ArchivedSample(name, files, f"digest of {name}")


def shape(tasks: list[Partition]) -> list[list[tuple[str, int, int, int]]]:
    return [[(part.sample, part.number, part.of, len(part.files)) for part in task.slices] for task in tasks]


CUT = {
    "small samples share a task": ([sample("a", 1, 1), sample("b", 1)], [[("a", 0, 1, 2), ("b", 0, 1, 1)]]),
    "a task has no more fields than allowed": (
        [sample("a", 1, 1, 1), sample("b", 1, 1)],
        [[("a", 0, 1, 3)], [("b", 0, 1, 2)]],
    ),
    "and no more bytes": ([sample("a", 60), sample("b", 60)], [[("a", 0, 1, 1)], [("b", 0, 1, 1)]]),
    "a large sample is cut": (
        [sample("a", 1), sample("b", 1, 1, 1, 1, 1, 1), sample("c", 1)],
        [[("b", 0, 2, 4)], [("b", 1, 2, 2)], [("a", 0, 1, 1), ("c", 0, 1, 1)]],
    ),
    "a field that is larger than a task is one": ([sample("a", 500, 500)], [[("a", 0, 2, 1)], [("a", 1, 2, 1)]]),
    "a size that is not known counts as a field's": ([sample("a", -1, -1)], [[("a", 0, 2, 1)], [("a", 1, 2, 1)]]),
}


@pytest.mark.parametrize("case", CUT)
def test_samples_are_cut_into_tasks(case: str) -> None:
    samples, expected = CUT[case]
    tasks = list(partitions(samples, "f", PartitionLimits(fields=4, bytes=100)))
    assert shape(tasks) == expected
    assert len({task.id for task in tasks}) == len(tasks)
    assert all(part.first.path == f"{part.sample}/0.png" for task in tasks for part in task.slices)


def test_ids_are_those_of_listing_and_settings() -> None:
    def ids(fingerprint: str, *sizes: int) -> list[str]:
        return [task.id for task in partitions([sample("a", *sizes)], fingerprint)]

    assert ids("f", 1) == ids("f", 1)
    assert ids("f", 1) != ids("g", 1)
