"""The second reading of the IML cells: which opinion a box gets, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convert.errors import CellsError
from models.data.second_reading import FILE, Opinion, SecondReading, second_reading

HEAD = "image_name,x,y,w,h,annotated,reader_a,reader_b,both\n"
ROWS = (
    "a.jpg,10,10,40,40,red blood cell,infected,infected,infected\n"
    "a.jpg,30,10,40,40,,notred,notred,notred\n"
    "b.jpg,10,10,40,40,ring,infected,unsure,unsure\n"
)


def reading(folder: Path, text: str = HEAD + ROWS) -> Path:
    (folder / FILE).write_text(text)
    return folder


def test_each_image_has_the_opinions_of_both_readers(tmp_path: Path) -> None:
    read = second_reading(reading(tmp_path))
    assert sorted(read) == ["a.jpg", "b.jpg"]
    assert read["a.jpg"].opinions == (Opinion.INFECTED, Opinion.NOT_RED)
    assert read["a.jpg"].annotated == ("red blood cell", "")
    assert read["b.jpg"].boxes.tolist() == [[10, 10, 40, 40]]
    assert read["b.jpg"].boxes.dtype == np.int32


BOXES = {
    "the box that was read": ([10, 10, 40, 40], Opinion.INFECTED),
    "one that overlaps it by more than half": ([12, 12, 40, 40], Opinion.INFECTED),
    "one that overlaps both, the second more": ([26, 10, 40, 40], Opinion.NOT_RED),
    "one that overlaps less than half": ([10, 30, 40, 40], Opinion.NOT_READ),
}


@pytest.mark.parametrize("name", BOXES)
def test_a_box_gets_the_opinion_on_the_find_it_overlaps(name: str, tmp_path: Path) -> None:
    box, wanted = BOXES[name]
    read: SecondReading = second_reading(reading(tmp_path))["a.jpg"]
    assert read.of(np.array([box], np.int32)) == [wanted]


def test_an_opinion_goes_to_one_box_only(tmp_path: Path) -> None:
    read = second_reading(reading(tmp_path))["b.jpg"]
    assert read.of(np.array([[12, 10, 40, 40], [10, 10, 40, 40]], np.int32)) == [Opinion.NOT_READ, Opinion.UNSURE]
    assert read.of(np.zeros((0, 4), np.int32)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        (HEAD + "a.jpg,1,1,4,4,,maybe,maybe,maybe\n", "no second reading: 'maybe'"),
        (HEAD.replace("both", "all") + ROWS, "no second reading: 'both'"),
        (HEAD + "a.jpg,1,1,4,wide,,unsure,unsure,unsure\n", "no second reading"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        reading(tmp_path, text)
    with pytest.raises(CellsError, match=said) as caught:
        second_reading(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.real
def test_what_was_read_of_the_real_finds_is_what_the_readme_of_the_data_says() -> None:
    read = second_reading().values()
    healthy = Counter(
        opinion
        for one in read
        for name, opinion in zip(one.annotated, one.opinions, strict=True)
        if name in ("", "red blood cell")
    )
    assert sum(len(one.opinions) for one in read) == 500
    assert healthy[Opinion.INFECTED] == 68
    assert healthy[Opinion.FREE] == 3
    assert healthy[Opinion.NOT_RED] == 50
    assert healthy[Opinion.UNSURE] == 66
