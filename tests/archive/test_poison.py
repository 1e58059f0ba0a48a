"""Fields that kill workers: found one at a time, whatever else was blamed with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.archive.poison import Quarantine, given_up
from edge.archive.records import ArchivedFile, Partition, SampleSlice
from edge.errors import ArchiveError


def a_slice(sample: str, names: str, number: int = 0, of: int = 1) -> SampleSlice:
    files = tuple(ArchivedFile(f"/{sample}/{name}.png", 1, "") for name in names)
    first = ArchivedFile(f"/{sample}/first.png", 1, "") if number else files[0]
    return SampleSlice(sample, "digest", number, of, files, first)


def searched(quarantine: Quarantine, kills: Callable[[str], bool]) -> tuple[list[str], list[Partition]]:
    """Fields that were tried, and tasks that came out."""
    tried, out = [], []
    while quarantine:
        [alone] = quarantine.trial().slices
        [file] = alone.files
        tried.append(file.path)
        done = quarantine.tried(killed=kills(file.path))
        if done is not None:
            out.append(done)
    return tried, out


def test_the_field_that_kills_is_found_and_the_others_are_counted() -> None:
    quarantine = Quarantine()
    quarantine.add(Partition("p", (a_slice("kid-1", "ab"), a_slice("kid-2", "abc"))))
    tried, [out] = searched(quarantine, lambda path: path == "/kid-2/b.png")
    assert tried == ["/kid-1/a.png", "/kid-1/b.png", "/kid-2/a.png", "/kid-2/b.png", "/kid-2/c.png"]
    assert [part.killed for part in out.slices] == [(), (1,)]
    assert (out.id, [part.files for part in out.slices]) == (
        "p",
        [a_slice("kid-1", "ab").files, a_slice("kid-2", "abc").files],
    )


def test_a_slice_of_a_large_sample_stays_the_slice_that_it_is() -> None:
    quarantine = Quarantine()
    quarantine.add(Partition("p", (a_slice("kid-1", "abc", 4, 9),)))
    _, [out] = searched(quarantine, lambda path: path.endswith(("a.png", "c.png")))
    [part] = out.slices
    assert (part.number, part.of, part.killed) == (4, 9, (0, 2))


def test_the_first_field_of_a_sample_kills_whoever_looks_at_it_for_the_depth_of_its_pixels() -> None:
    quarantine = Quarantine()
    quarantine.add(Partition("p", (a_slice("kid-1", "ab"),)))
    quarantine.add(Partition("q", (a_slice("kid-1", "cd", 1, 2),)))
    tried, out = searched(quarantine, lambda path: path.endswith(("/a.png", "/first.png")))
    assert tried == [f"/kid-1/{name}.png" for name in ("a", "b", "c", "d", "first")]
    assert [part.killed for one in out for part in one.slices] == [(-1, 0), (-1,)]


def test_a_task_that_was_blamed_for_another_comes_out_as_it_went_in() -> None:
    quarantine = Quarantine()
    guilty, innocent = Partition("p", (a_slice("kid-1", "a"),)), Partition("q", (a_slice("kid-2", "a"),))
    quarantine.add(guilty)
    quarantine.add(innocent)
    _, out = searched(quarantine, lambda path: path == "/kid-1/a.png")
    assert [part.killed for one in out for part in one.slices] == [(-1, 0), ()]
    assert out[1] == innocent


def test_a_known_killer_is_not_tried_again() -> None:
    quarantine = Quarantine()
    quarantine.add(Partition("p", (a_slice("kid-1", "abc"),)))
    _, [out] = searched(quarantine, lambda path: path == "/kid-1/b.png")
    quarantine.add(out)
    tried, [again] = searched(quarantine, lambda path: path == "/kid-1/c.png")
    assert tried == ["/kid-1/a.png", "/kid-1/c.png"]
    assert again.slices[0].killed == (1, 2)


def test_workers_that_die_of_no_field_end_it_with_a_line() -> None:
    quarantine, task = Quarantine(), Partition("p", (a_slice("kid-1", "ab"),))
    for _ in range(5):
        quarantine.add(task)
        searched(quarantine, lambda _: False)
    with pytest.raises(ArchiveError, match=r"again and again of kid-1 \(from /kid-1/a.png on\)"):
        quarantine.add(task)


def test_only_dasks_own_error_is_a_task_given_up() -> None:
    assert given_up(type("KilledWorker", (Exception,), {})())
    assert not given_up(ArchiveError("KilledWorker"))
