"""``edge review``: how a review stands, what goes out by file and what comes back. Nets are stand-ins, pictures are files."""

from __future__ import annotations

import base64
import csv
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from edge.cli.book_settings import default_book
from edge.cli.review_settings import ReviewKind
from edge.exchange.formats import FORMATS
from tests.cli.resuming import edge, edge_run, paint

NAME = "Jane Roe 1971"
SECRETS = ("Jane Roe", "ward-7", "lens-42", str(Path.home()), "book.sqlite")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A sample of 12 counted cells in three fields that count, three of them suspects, in the book; returns a folder for files."""
    fields = paint(tmp_path / "ward-7", 5, 6, 7, 4)
    assert edge_run(fields, "--sample-id", NAME, "--scope", "lens-42").exit_code == 0
    out = tmp_path / "out"
    out.mkdir()
    return out


def review(*args: object) -> Any:
    return edge("review", NAME, *args)


def facts() -> dict[str, Any]:
    got = review("--json")
    assert got.exit_code == 0, got.output
    made: dict[str, Any] = json.loads(got.stdout)
    return made


def looked() -> dict[str, int]:
    return {part["part"]: part["looked"] for part in facts()["parts"]}


def page_facts(page: Path) -> dict[str, Any]:
    found = re.search(r'(?s)<script type="application/json" id="bundle">(.*?)</script>', page.read_text())
    assert found is not None
    made: dict[str, Any] = json.loads(found[1])
    return made


def answered(page: Path, said: Callable[[int], dict[str, Any]], reader: str = "Dr Ünal") -> Path:
    """A file of answers as the page saves it; ``said`` gives the answer to the i-th picture, empty for none."""
    told = page_facts(page)
    answers = [
        {
            "id": one["id"],
            "uuid": str(uuid4()),
            "stage": "",
            "blind": True,
            "seconds": 1.5,
            "at": "2026-11-30T08:00:00Z",
            **answer,
        }
        for i, one in enumerate(told["cells"])
        if (answer := said(i))
    ]
    path = page.with_name("answers.json")
    top = {"format": "edge-review-answers", "version": 1, "bundle": told["bundle"], "reader": reader}
    path.write_text(json.dumps({**top, "answers": answers}))
    return path


def healthy(_: int) -> dict[str, Any]:
    return {"answer": "class", "label": "uninfected"}


def refused(got: Any, said: str) -> None:
    assert got.exit_code == 14, got.output
    assert re.search(said, got.stderr), got.stderr
    assert got.stderr.count("\n") == 1
    assert "Traceback" not in got.output


def test_before_anybody_looked_it_says_what_there_is_to_look_at(sample: Path) -> None:
    got = review()
    assert got.exit_code == 0, got.output
    assert f"{NAME}: 12 cells" in got.stdout
    assert "  reviewed   not reviewed" in got.stdout
    assert re.search(r"suspects, highest +3 +0", got.stdout)
    assert (facts()["reviewed"], facts()["cells"]) == (None, 12)


def test_a_page_goes_out_and_its_answers_come_back(sample: Path) -> None:
    page = sample / "look.html"
    got = review("--export", page)
    assert got.exit_code == 0, got.output
    assert "12 cells to look at" in got.stdout
    answers = answered(page, lambda i: healthy(i) if i else {"answer": "unsure", "label": ""})
    checked = review("--import", answers, "--check")
    assert "check      nothing was taken" in checked.stdout
    assert sum(looked().values()) == 0
    taken = review("--import", answers)
    assert taken.exit_code == 0, taken.output
    assert re.search(r"13 answers of Dr Ünal: uninfected 12, unsure 1", taken.stdout)
    assert sum(looked().values()) == 12
    assert facts()["readers"] == [{"reader": "Dr Ünal", "answers": 13}]  # one cell was shown twice
    again = review("--import", answers)
    assert "new        0, 13 stood already" in again.stdout
    refused(review("--import", answers, "--reader", "Bob"), "already, as those of Dr Ünal")


def test_a_later_file_of_the_same_reader_changes_answers_and_takes_them_back(sample: Path) -> None:
    page = sample / "look.html"
    review("--export", page)
    review("--import", answered(page, healthy))
    positive = {"answer": "class", "label": "parasitized"}
    withdrawn = {"answer": "withdrawn", "label": ""}
    twice = (1, 12)  # one cell: it comes again at the end
    got = review("--import", answered(page, lambda i: withdrawn if i == 0 else positive if i in twice else {}))
    assert "new        3" in got.stdout
    assert sum(looked().values()) == 11
    assert sum(part["positive"] for part in facts()["parts"]) == 1


def kinds() -> list[str]:
    return sorted(set(ReviewKind))


def test_every_door_has_its_name_on_the_command_line() -> None:
    assert {kind for kind, one in FORMATS.items() if one.write} == set(ReviewKind) - {ReviewKind.HTML}


def bytes_of(path: Path) -> bytes:
    """All there is in a file, a folder or an archive, names included."""
    if path.is_dir():
        return b"".join(one.name.encode() + bytes_of(one) for one in sorted(path.rglob("*")) if one.is_file())
    data = path.read_bytes()
    for picture in re.findall(rb'<script type="text/plain"[^>]*>([^<]*)<', data):
        data = data.replace(picture, b"") + base64.b64decode(picture)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                assert entry.date_time[0] == 1980, "a time in an archive"
                data += entry.filename.encode() + archive.read(entry)
    return data


@pytest.mark.parametrize("kind", kinds())
def test_what_goes_out_carries_no_name_no_place_and_no_time(kind: str, sample: Path) -> None:
    for module in ("roifile", "tifffile"):
        if kind in ("fiji", "ome", "qupath"):
            pytest.importorskip(module, reason="the door's own package is an extra")
    out = sample / "it"
    got = review("--export", out, "--as", kind)
    assert got.exit_code == 0, got.output
    data = bytes_of(out)
    for told in SECRETS:
        assert told.encode() not in data, told
    assert not re.search(rb"20[0-9][0-9]-[01][0-9]-[0-3][0-9][T ]", data), "a time"


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("kind", ["coco", "cvat", "fiji", "qupath", "ome"])
def test_what_comes_back_untouched_is_known_box_by_box(kind: str, named: bool, sample: Path) -> None:
    for module in ("roifile", "tifffile") if kind in ("fiji", "ome", "qupath") else ():
        pytest.importorskip(module, reason="the door's own package is an extra")
    out = sample / "it"
    review("--export", out, "--as", kind, *(["--with-names"] if named else []))
    got = review("--import", out, "--reader", "Ann")
    assert "unchanged  12 came back as they went out" in got.stdout, got.output
    assert (
        "12 answers of Ann: uninfected 9, parasitized 3" in review("--import", out, "--reader", "Ann", "--agree").stdout
    )
    assert sum(looked().values()) == 12


def test_with_names_they_are_in_it_and_it_is_said(sample: Path) -> None:
    got = review("--export", sample / "t.csv", "--with-names")
    assert "it carries names and times" in got.stdout
    assert b"0.png" in (sample / "t.csv").read_bytes()
    review("--export", sample / "p.html", "--with-names")
    assert ["sample", NAME] in page_facts(sample / "p.html")["facts"]


def test_a_table_goes_out_and_comes_back(sample: Path) -> None:
    path = sample / "look.csv"
    assert review("--export", path, "--cells", 6).exit_code == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == 6
    rows[0]["answer"], rows[1]["answer"], rows[2]["answer"] = "x", "ring", "Uninfected"
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    refused(review("--import", path), "does not say who answered: --reader NAME")
    refused(review("--import", path, "--reader", "Ann"), "'ring' means nothing here")
    assert sum(looked().values()) == 0  # all or none
    got = review("--import", path, "--reader", "Ann", "--stages", "ring")
    assert got.exit_code == 0, got.output
    assert sum(looked().values()) == 3


def test_readers_who_differ_on_everything_leave_nothing_decided(sample: Path) -> None:
    path = sample / "look.csv"
    review("--export", path)
    for reader, key in (("Ann", "1"), ("Bob", "n")):
        answer_all(path, reader, key)
    told = facts()
    assert len(told["disputed"]) == sum(part["unclear"] for part in told["parts"]) == 12
    assert told["reviewed"]["confirmed"] == 0
    assert "disputed   12 cells: readers say different things" in review().stdout


def test_what_most_readers_said_and_nobody_changed_is_no_answer(sample: Path) -> None:
    path = sample / "look.csv"
    review("--export", path)
    for reader, key in (("Ann", "n"), ("Bob", "n"), ("Cid", "1")):
        answer_all(path, reader, key)
    told = facts()
    assert edge("export", NAME, "--to", "cvat", "-o", sample / "said.zip").exit_code == 0
    got = review("--import", sample / "said.zip", "--reader", "Dee")
    assert got.exit_code == 0, got.output
    assert "unchanged  12 came back as they went out" in got.stdout
    assert facts()["readers"] == told["readers"]


def answer_all(table: Path, reader: str, key: str) -> None:
    """A table in which a reader gives every cell the same answer, taken into the book."""
    rows = list(csv.DictReader(table.read_text().splitlines()))
    with (table.parent / f"{reader}.csv").open("w", newline="") as stream:
        filled = csv.DictWriter(stream, list(rows[0]))
        filled.writeheader()
        filled.writerows({**row, "answer": key} for row in rows)
    assert review("--import", table.parent / f"{reader}.csv", "--reader", reader).exit_code == 0


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A COCO file as somebody saved it again."""
    made = json.loads(path.read_text())
    change(made)
    path.write_text(json.dumps(made))
    return path


def test_boxes_come_back_moved_drawn_removed_and_left_alone(sample: Path) -> None:
    path = sample / "look.json"
    review("--export", path, "--cells", 8)

    def change(made: dict[str, Any]) -> None:
        first, second = made["annotations"][:2]
        infected, plain = (
            next(one["id"] for one in made["categories"] if one["name"] == name)
            for name in ("parasitized", "uninfected")
        )
        first["category_id"] = plain if first["category_id"] == infected else infected
        del first["attributes"]  # a program that keeps no ids
        first["bbox"][0] += 1
        second["bbox"] = [200, 30, 20, 20]  # drawn anew where the machine has nothing
        del second["attributes"]

    got = review("--import", edited(path, change), "--reader", "Ann")
    assert got.exit_code == 0, got.output
    assert "removed    1 cell without its box: no cell" in got.stdout
    assert "marked     1 cell that the machine has not, 1 of them new" in got.stdout
    assert "unchanged  6 came back as they went out" in got.stdout
    assert sum(looked().values()) == 2
    again = review("--import", path, "--reader", "Ann", "--agree")
    assert "new        6, 2 stood already" in again.stdout
    assert "1 cell that the machine has not, 0 of them new" in again.stdout
    assert (sum(looked().values()), facts()["marked"]) == (8, 1)


BAD_FILES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "scaled to half": (lambda made: made["images"][0].update(width=160, height=32), r"scaled by 0\.5"),
    "of another model": (lambda made: made["info"]["model"].update(sha256="cd" * 32), "another model"),
    "of a field that is not there": (
        lambda made: made["images"][0].update(field=99, file_name=""),
        "no field of this sample",
    ),
    "HTML in a class": (lambda made: made["categories"][0].update(name="<script>alert(1)</script>"), "markup"),
}


@pytest.mark.parametrize(("change", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_does_not_fit_is_refused_and_nothing_is_taken(
    change: Callable[[dict[str, Any]], None], said: str, sample: Path
) -> None:
    path = sample / "look.json"
    review("--export", path)
    refused(review("--import", edited(path, change), "--reader", "Ann", "--agree"), said)
    assert sum(looked().values()) == 0


@pytest.mark.parametrize(
    "data", [b"", b"[" * 100_000, b"\x89PNG", b"PK\3\4nothing", b'{"a": 1}', b"cell,answer\n../../etc,1\n"]
)
def test_a_hostile_file_is_refused_in_one_line(data: bytes, sample: Path) -> None:
    path = sample / "x"
    path.write_bytes(data)
    refused(review("--import", path, "--reader", "Ann"), "x: ")


def test_answers_about_another_sample_are_sent_to_it(sample: Path, tmp_path: Path) -> None:
    edge_run(paint(tmp_path / "other", 5, first=9), "--sample-id", "Other")
    edge("review", "Other", "--export", sample / "o.html")
    answers = answered(sample / "o.html", healthy)
    refused(review("--import", answers), "about another sample: edge review Other --import")
    told = json.loads(answers.read_text())
    answers.write_text(json.dumps({**told, "bundle": str(uuid4())}))
    refused(review("--import", answers), "did not send out")


def test_cells_whose_pictures_are_gone_do_not_go_out(sample: Path, tmp_path: Path) -> None:
    for one in (tmp_path / "ward-7").glob("[012].png"):
        one.unlink()
    review("--export", sample / "p.html")
    assert len(page_facts(sample / "p.html")["cells"]) == 13, "what the book keeps of them is shown"
    with closing(sqlite3.connect(default_book())) as book, book:
        book.execute("DELETE FROM crop")
    got = review("--export", sample / "p.html")
    kept = len(page_facts(sample / "p.html")["cells"])
    assert got.exit_code == 0, got.output
    assert 0 < kept < 12
    assert f"missing    {12 - kept} cell" in got.stdout


def test_only_what_nobody_answered_goes_out(sample: Path) -> None:
    review("--export", sample / "p.html", "--cells", 7)
    review("--import", answered(sample / "p.html", healthy))
    got = review("--export", sample / "q.html", "--open")
    assert "5 cells to look at" in got.stdout
    review("--import", answered(sample / "q.html", healthy))
    refused(review("--export", sample / "r.html", "--open"), "nothing is left to look at")
    assert not (sample / "r.html").exists()


def test_a_kind_that_is_not_said_is_asked_for(sample: Path) -> None:
    refused(review("--export", sample / "look.xyz"), r"--as html, csv, coco")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(("--export", "a.html", "--import", "b.json"), "give one of them", id="out and in at once"),
        pytest.param(("--import", "b.json", "--reader", "\n"), "printable", id="a reader without a name"),
        pytest.param(("--export", "a.html", "--stages", "ring,,"), "words with commas", id="a stage without a name"),
    ],
)
def test_what_cannot_be_meant_is_refused(args: tuple[str, ...], said: str, sample: Path) -> None:
    got = review(*args)
    assert got.exit_code == 2
    assert said in got.stderr


def test_an_import_writes_nothing_into_a_book_that_cannot_be_written(sample: Path) -> None:
    review("--export", sample / "p.html")
    answers = answered(sample / "p.html", healthy)
    assert review("--import", answers, "--check").exit_code == 0
    assert default_book().exists()
    assert sum(looked().values()) == 0
