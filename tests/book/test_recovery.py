"""Damaged books: never a refusal to start, never a silent new beginning, never a field with fewer cells than it had."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.book.book import Book
from edge.book.care import check, repair
from edge.book.opening import open_book
from edge.book.recovery import is_half_swapped
from edge.errors import OutputError
from tests.book.made import a_book, begun, mixed, rows_of, silent, write

PAGE = 4096
N = 6  # fields of each sample


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of three samples of six fields, one interrupted."""
    path = tmp_path_factory.mktemp("sound") / "book.sqlite"
    with a_book(path) as book:
        for name in ("a", "b", "c"):
            writer = begun(book)
            write(writer, mixed(N, name), interrupted=name == "c")
            writer.close()
    return path


def copy_of(sound: Path, folder: Path) -> Path:
    return Path(shutil.copy(sound, folder / "book.sqlite"))


def spoil(path: Path, page: int, data: bytes) -> None:
    """Write over a page; of the first one what comes after the header, for without that nobody could tell that it is a book."""
    start = 100 if page == 1 and data.strip(b"\0") else 0
    with path.open("r+b") as stream:
        stream.seek((page - 1) * PAGE + start)
        stream.write(data[start:])


def counted(book: Book) -> dict[tuple[object, object], object]:
    """Checksum of each field by sample and number: equal ones are equal in all that was counted."""
    return {(row[0], row[1]): row[-2] for row in rows_of(book)}


def holds_true(path: Path, before: dict[tuple[object, object], object], said: list[str]) -> int:
    """What must hold of a book after any damage; returns how many fields are left."""
    with open_book(path, said.append) as book:
        rows, after = book.samples(), counted(book)
        assert check(book).problems == ()
        known = {uuid for uuid, _ in before}
        assert all(before[key] == value for key, value in after.items() if key[0] in known)
        assert len(set(after.values())) <= len(set(before.values()))
        for row in rows:
            if row.state == "complete":
                assert row.fields == N
                assert row.lost == 0
    return len(after)


def test_any_page_may_be_lost_and_the_rest_is_there(sound: Path, tmp_path: Path) -> None:
    with a_book(sound) as book:
        before = counted(book)
    pages = sound.stat().st_size // PAGE
    left = []
    for page in range(1, pages + 1):
        folder = tmp_path / str(page)
        folder.mkdir()
        path = copy_of(sound, folder)
        spoil(path, page, b"\x55" * PAGE)
        said: list[str] = []
        open_book(path, said.append).close()
        if not said:  # not noticed at once: the page is not where opening looks
            with a_book(path) as book:
                problems = check(book).problems
            assert problems, f"page {page}"
            repair(path, said.append)
        left.append(holds_true(path, before, []))
        (aside,) = folder.glob("book.sqlite.damaged-*")
        assert f"it is {aside} now" in said[0]
        assert sorted(folder.iterdir()) == sorted([path, aside])
    assert sum(n >= 3 * N - 5 for n in left) > 0.8 * pages


def cut(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut off in the middle": (cut, r"was damaged \(it was cut off\)"),
    "one page left": (
        lambda path: path.write_bytes(path.read_bytes()[:PAGE]),
        "it was cut off.*nothing in it could be read",
    ),
    "some bytes left": (
        lambda path: path.write_bytes(path.read_bytes()[:50]),
        "first page is lost.*nothing in it could be read",
    ),
    "zeros": (zeros, "first page is lost.*nothing in it could be read"),
    "the first page": (
        lambda path: spoil(path, 1, bytes(PAGE)),
        "first page is lost.*3 samples with 18 fields were recovered",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_book_is_put_aside_and_that_is_said(case: str, sound: Path, tmp_path: Path) -> None:
    path = copy_of(sound, tmp_path)
    with a_book(path) as book:
        before = counted(book)
    damage, words = DAMAGE[case]
    damage(path)
    spoilt = path.read_bytes()
    said: list[str] = []
    holds_true(path, before, said)
    assert re.search(words, said[0])
    (aside,) = tmp_path.glob("book.sqlite.damaged-*")
    assert aside.read_bytes() == spoilt
    with a_book(path) as book:
        write(begun(book), mixed(12, "d"))


def test_a_sample_that_lost_fields_is_interrupted_and_says_how_many(sound: Path, tmp_path: Path) -> None:
    path = copy_of(sound, tmp_path)
    with a_book(path) as book:
        book.store.connection.execute(
            f"UPDATE cell SET class = 0, scores = x'0000803F00000000' WHERE field_id = {2 + N} AND kind = 0"
        )
        book.store.connection.execute("UPDATE field SET reason = 'out of focus' WHERE id = 1")
    said: list[str] = []
    repair(path, said.append)
    assert said[1] == f"{path}: a: 1 fields could not be read back; --resume counts those whose files are still there"
    with a_book(path) as book:
        row = book.sample("a")
        assert (row.state, row.flag, row.lost, row.fields) == ("interrupted", None, 1, N - 1)
        assert book.event(row.id) is None
        assert [note.kind for note in book.notes(row.id)] == ["damaged"]
        assert book.sample("b").state == "complete"


def test_going_on_with_a_sample_that_lost_fields(sound: Path, tmp_path: Path) -> None:
    path = copy_of(sound, tmp_path)
    with a_book(path) as book:
        book.store.connection.execute("UPDATE field SET reason = 'out of focus' WHERE id = 1")
    repair(path, silent)
    with a_book(path) as book:
        row = book.sample("a")
        writer = begun(book)
        writer.resume(row.id)
        told = write(writer, list(book.outcomes(row.id)))
        assert book.sample("a").state == "complete"
        assert book.tally(row.id) == told[-1].tally
        assert check(book).problems == ()


def test_a_power_cut_between_the_two_names_loses_nothing(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_of(sound, tmp_path)
    spoil(path, 1, bytes(PAGE))
    rename = Path.rename

    def cut_short(self: Path, target: Path) -> Path:
        if target == path:
            raise OSError(5, "power is gone")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", cut_short)
    with pytest.raises(OutputError, match="power is gone"):
        open_book(path, silent)
    monkeypatch.undo()
    assert is_half_swapped(path)
    said: list[str] = []
    with open_book(path, said.append) as book:
        assert [row.fields for row in book.samples()] == [N, N, N]
    assert "a power cut came" in said[0]


def test_no_room_for_the_new_book_leaves_the_damaged_one_where_it_is(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_of(sound, tmp_path)
    spoil(path, 1, bytes(PAGE))
    spoilt = path.read_bytes()

    def no_room(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("edge.book.copying.Copier.write", no_room)
    with pytest.raises(OutputError, match="the disk is full"):
        open_book(path, silent)
    assert path.read_bytes() == spoilt
    monkeypatch.undo()
    with open_book(path, silent) as book:
        assert [row.fields for row in book.samples()] == [N, N, N]


def test_damage_that_is_met_while_counting_is_one_line_and_recovered_at_the_next_start(
    sound: Path, tmp_path: Path
) -> None:
    path = copy_of(sound, tmp_path)
    book = a_book(path)
    writer = begun(book)
    write(writer, mixed(6, "d"), end=False)
    book.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    root = book.store.rows("SELECT rootpage FROM sqlite_master WHERE name = 'cell'")[0][0]
    spoil(path, root, b"\x55" * PAGE)
    book.store.connection.execute("PRAGMA cache_size = 0")
    with pytest.raises(OutputError, match="it is damaged: edge book check"):
        write(writer, mixed(12, "e"))
    writer.discard()
    book.close()
    said: list[str] = []
    with open_book(path, said.append) as again:
        assert check(again).problems == ()
    assert "was damaged" in said[0]


def test_fields_outlive_the_end_of_the_file_with_what_was_said_at_the_end_of_their_sample(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        writer = begun(book)
        write(writer, mixed(N, "a"))
        book.store.connection.execute("UPDATE sample SET event = event || ?", (" " * 10_000,))
        writer.close()
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - PAGE)
    said: list[str] = []
    with open_book(path, said.append) as book:
        row = book.sample("a")
        assert (row.fields, row.state, row.flag, row.lost) == (N, "interrupted", None, 0)
        assert check(book).problems == ()
    assert f"1 samples with {N} fields were recovered" in said[0]
