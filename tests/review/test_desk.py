"""A book as those who review it see it."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import pytest

from edge.book.book import Book
from edge.book.care import check, repair
from edge.book.reviews import checksum
from edge.errors import BookError, OutputError, ReviewError
from edge.events import AnalysedField
from edge.review import plan
from edge.review.desk import BookDesk
from edge.review.order import draw_key
from edge.review.parts import TOP_SIZE
from edge.review.plan import plan_of
from edge.review.records import CellPlace, ReviewDesk, ReviewPlan, Stratum
from edge.types import Cells, FieldIdentity
from tests.book.answers import counted, decided, marked
from tests.book.made import Counting, a_book, begun, field_of, first_version, mixed, write


def scored(index: int, scores: list[float]) -> AnalysedField:
    """A field with a cell per score, in one row of the picture."""
    made = field_of(index, cells=1)
    n = len(scores)
    boxes = np.array([(i % 600, 7 * (i // 600), 6, 5) for i in range(n)], np.int32).reshape(-1, 4)
    floats = np.array(scores, np.float32)
    cells = Cells(boxes, np.ones(n, np.float32), np.zeros(n, np.int32), made.result.cells.kinds)
    classes = (floats >= 0.5).astype(np.int32)
    result = replace(
        made.result, cells=cells, scores=np.stack([1 - floats, floats], axis=1), classes=classes, region=None
    )
    return AnalysedField(result, seconds=1.0)


def a_sample(path: Path | None, *fields: list[float]) -> Book:
    book = a_book(path)
    write(begun(book), [scored(4 * i, scores) for i, scores in enumerate(fields)])  # each fourth and third are rejected
    return book


def sizes(found: ReviewPlan) -> dict[str, tuple[int, int]]:
    return {str(part.stratum): (part.size, len(part.cells)) for part in found.parts}


def test_every_counted_cell_is_in_one_part_and_the_plan_says_what_it_is() -> None:
    with a_sample(None, [0.9, 0.1, 0.3, 0.6], [0.2, 0.49, 0.5]) as book:
        found = plan_of(book, book.sample("s"))
    assert sizes(found) == {"top": (3, 3), "suspects": (0, 0), "near": (2, 2), "rest": (2, 2)}
    assert [(str(one.cell), one.label, round(one.score, 3)) for one in found.parts[0].cells] == [
        ("0-0", "parasitized", 0.9),
        ("0-3", "parasitized", 0.6),
        ("4-2", "parasitized", 0.5),
    ]
    assert (found.cells, found.labels, found.positive) == (7, ("uninfected", "parasitized"), ("parasitized",))
    assert found.parts[0].cells[1].box == (3, 0, 6, 5)
    assert found.parts[0].cells[1].name == "field-0.png"


def test_a_sample_without_a_suspect_or_without_a_cell_has_a_plan() -> None:
    with a_sample(None, [0.1, 0.2]) as book:
        assert sizes(plan_of(book, book.sample("s"))) == {
            "top": (0, 0),
            "suspects": (0, 0),
            "near": (0, 0),
            "rest": (2, 2),
        }
    with a_sample(None, []) as book:
        found = plan_of(book, book.sample("s"))
        assert (found.cells, [len(part.cells) for part in found.parts]) == (0, [0, 0, 0, 0])


def test_fifty_thousand_suspects_make_a_small_plan_quickly() -> None:
    rng = np.random.default_rng(0)
    with a_sample(None, *(rng.uniform(0.5, 1, 12_500).tolist() for _ in range(4))) as book:
        began = perf_counter()
        found = plan_of(book, book.sample("s"))
        assert perf_counter() - began < 5
    assert found.cells > 45_000, "some overlap"
    others = (found.cells - TOP_SIZE, plan.PART_MOST)
    assert sizes(found) == {"top": (TOP_SIZE, TOP_SIZE), "suspects": others, "near": (0, 0), "rest": (0, 0)}
    keys = [draw_key(one.cell) for one in found.parts[1].cells]
    assert keys == sorted(keys)
    assert min(one.score for one in found.parts[0].cells) >= max(one.score for one in found.parts[1].cells)


def test_the_next_cells_extend_the_sample_that_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_sample(None, np.linspace(0.0, 0.2, 200).tolist()) as book:
        whole = plan_of(book, book.sample("s")).parts[3].cells
        monkeypatch.setattr(plan, "PART_MOST", 40)
        assert plan_of(book, book.sample("s")).parts[3].cells == whole[:40]


def test_the_desk_is_what_the_page_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    a_sample(path, [0.9, 0.1, 0.3, 0.6]).close()
    desk: ReviewDesk = BookDesk(path)
    assert desk.plan(1) == plan_of(a_book(path), a_book(path).sample("s"))
    answer = decided("0-3")
    (kept,) = desk.decide(1, (answer,))
    assert kept == replace(answer, number=1)
    assert desk.decide(1, (answer,)) == (kept,)
    (reading,) = desk.readings(1)
    assert (reading.cell, reading.stratum, reading.decisions) == (CellPlace(0, 3), Stratum.TOP, (kept,))
    (mark,) = desk.add(1, (marked(0),))
    assert mark.number == 1
    with pytest.raises(BookError, match="no sample of number 2"):
        desk.plan(2)


def test_what_is_counted_meanwhile_is_in_the_next_plan(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    desk = BookDesk(path)
    with pytest.raises(BookError, match="there is no book"):
        desk.plan(1)
    with pytest.raises(BookError, match="there is no book"):
        desk.decide(1, (decided("0-0"),))
    with a_book(path) as book:
        writer = begun(book)
        write(writer, [scored(0, [0.9])], end=False)
        assert desk.plan(1).cells == 1
        assert desk.plan(1) is desk.plan(1), "read once while nothing comes"
        counting = Counting()
        counting.event(scored(0, [0.9]))
        writer.field(counting.event(scored(4, [0.1, 0.8])))
        assert desk.plan(1).cells == 3


def test_a_mark_on_a_cell_of_the_machine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    a_sample(path, [0.9, 0.1]).close()
    desk = BookDesk(path)
    with pytest.raises(ReviewError, match=r"the machine has cell 0-1 at \(1, 0, 6, 6\): answer that"):
        desk.add(1, (marked(0, (40, 40, 6, 6)), marked(0, (1, 0, 6, 6))))
    assert desk.additions(1) == ()


def test_all_or_none_of_answers_and_marks(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    a_sample(path, [0.9, 0.1]).close()
    desk = BookDesk(path)
    with pytest.raises(ReviewError, match="not inside"):
        desk.answer(1, (decided("0-0"),), (marked(0, (639, 0, 9, 9)),))
    assert desk.readings(1) == ()


def test_many_threads_at_one_desk(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    a_sample(path, [0.9] * 40).close()
    desk = BookDesk(path)

    def read(name: str) -> None:
        for n in range(10):
            desk.decide(1, (decided(f"0-{n}", reader=name),))
            desk.readings(1)

    threads = [threading.Thread(target=read, args=(f"reader {n}",)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [len(one.decisions) for one in desk.readings(1)] == [4] * 10
    with a_book(path) as book:
        assert check(book).problems == ()


def test_an_answer_brings_a_book_of_version_1_up_to_date_and_reading_does_not(tmp_path: Path) -> None:
    path, said = first_version(tmp_path / "book.sqlite"), list[str]()
    desk = BookDesk(path, said.append)
    sample = 1
    assert (desk.plan(sample).cells, desk.readings(sample), said) == (9, (), [])
    with a_book(first_version(tmp_path / "other.sqlite")) as book:
        cell = counted(book, sample)[0]
    desk.decide(sample, (decided(cell),))
    assert len(desk.readings(sample)) == 1
    assert len(said) == 1
    assert "brought from version 1" in said[0]


def test_a_book_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    with a_sample(path, [0.9, 0.1]) as book:
        monkeypatch.setattr("edge.book.file.BUSY_SECONDS", 0.05)
        book.store.connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match="another program has kept it locked"):
            BookDesk(path).decide(1, (decided("0-0"),))
        book.store.connection.execute("ROLLBACK")
    path.write_text("years of work " * 20)
    with pytest.raises(BookError, match="no book of this program"):
        BookDesk(path).decide(1, (decided("0-0"),))
    with pytest.raises(BookError, match=r"damaged|no book"):
        BookDesk(path).plan(1)


def with_a_file(tmp_path: Path) -> tuple[BookDesk, Path, np.ndarray]:
    """A book whose only field is a file: a dark cell at 100, 60 on grey."""
    rgb = np.full((480, 640, 3), 180, np.uint8)
    rgb[60:80, 100:120] = (40, 0, 90)
    file = tmp_path / "field.png"
    cv2.imwrite(str(file), rgb[..., ::-1])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    made = scored(0, [0.9])
    boxes = np.array([(100, 60, 20, 20)], np.int32)
    result = replace(
        made.result,
        cells=replace(made.result.cells, boxes=boxes),
        identity=FieldIdentity(str(file), file.stat().st_size, digest),
    )
    with a_book(tmp_path / "book.sqlite") as book:
        write(begun(book), [AnalysedField(result)])
    return BookDesk(tmp_path / "book.sqlite"), file, rgb


def decoded(jpeg: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(pixels[..., ::-1])


def test_a_cell_is_shown_in_its_surroundings_from_the_file(tmp_path: Path) -> None:
    desk, file, _ = with_a_file(tmp_path)
    shown = desk.cell_picture(1, CellPlace(0, 0), 200, 4.0)
    assert shown is not None
    assert (shown.width, shown.height) == (200, 200)
    assert shown.box == pytest.approx((75, 75, 50, 50))
    pixels = decoded(shown.jpeg)
    assert pixels.shape == (200, 200, 3)
    assert abs(pixels[100, 100].astype(int) - (40, 0, 90)).max() < 12
    assert abs(pixels[20, 20].astype(int) - 180).max() < 12
    field = desk.field_picture(1, 0, 320)
    assert field is not None
    assert (field.width, field.height, field.box) == (320, 240, None)
    file.write_bytes(file.read_bytes() + b"\0")
    fresh = BookDesk(tmp_path / "book.sqlite")
    assert fresh.field_picture(1, 0, 320) is None, "the file holds something else now"
    assert fresh.cell_picture(1, CellPlace(0, 0), 200, 4.0) is None
    assert fresh.cell_picture(1, CellPlace(0, 7), 200, 4.0) is None


def test_beyond_the_field_a_picture_is_flat_grey(tmp_path: Path) -> None:
    desk, _, _ = with_a_file(tmp_path)
    shown = desk.cell_picture(
        1, CellPlace(0, 0), 200, 20.0
    )  # 400 pixels of the field, half a pixel each: 90 left of it
    assert shown is not None
    pixels = decoded(shown.jpeg).astype(int)
    assert abs(pixels[100, :43] - 128).max() < 6, "left of the field"
    assert abs(pixels[:63, 100] - 128).max() < 6, "above it"
    assert abs(pixels[100, 47:90] - 180).max() < 12, "the field begins at its border"
    assert abs(pixels[67:90, 60] - 180).max() < 12


def test_where_the_file_is_gone_the_kept_picture_is_shown(tmp_path: Path) -> None:
    desk, file, _ = with_a_file(tmp_path)
    kept = cv2.imencode(".jpg", np.full((96, 96, 3), 99, np.uint8))[1].tobytes()
    file.unlink()
    with a_book(tmp_path / "book.sqlite") as book:
        book.store.connection.execute("INSERT INTO crop VALUES (1, 0, ?)", (kept,))
    shown = desk.cell_picture(1, CellPlace(0, 0), 300, 6.0)
    assert shown is not None
    assert (shown.width, shown.height, shown.jpeg) == (96, 96, kept)
    assert shown.box == pytest.approx((16, 16, 64, 64))


def test_answers_about_a_field_that_damage_took_wait_for_it(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed(6))
        cell = counted(book, 1)[-1]
        book.decide(1, [decided(cell)])
        book.store.connection.execute("UPDATE field SET checksum = 1 WHERE number = ?", (int(cell.split("-")[0]),))
    repair(path, lambda _: None)
    with a_book(path) as book:
        assert [str(one.cell) for one in book.decisions(1)] == [cell]
        assert check(book).problems == ()
    assert BookDesk(path).readings(1) == ()
    assert checksum((1, "a")) != checksum((1, "b"))
