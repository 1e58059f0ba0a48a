"""The review as a script of the page meets it: answers go through the desk, and what cannot be is refused in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from edge.review.desk import BookDesk
from edge.review.records import ReaderAnswer, ReviewCell, Stratum
from edge.serve.names import OwnNames
from edge.serve.page import make_page
from edge.serve.review import LEVELS, ReviewParts
from edge.serve.review_orders import LONGEST_READER, MOST_ANSWERS
from edge.serve.review_shown import short_words, verdict_shown
from edge.serve.site import SiteOptions
from edge.types import Interval
from edge.verdict.review_records import NOT_REVIEWED, ReaderRates, ReviewedVerdict
from tests.book.made import a_book, begun, first_version, mixed, write
from tests.serve.asked import Answer, Browser
from tests.serve.fake_desk import MODEL, FakeDesk, slide_plan
from tests.serve.fake_engine import FakeEngine
from tests.serve.slide_book import slide_book

MARKUP = "<img src=x onerror=alert(1)>\"'&{{7*7}}"
HERE = "/api/review/1"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    with a_book(path) as made:
        write(begun(made), mixed(6, "S-0001"))
    return path


PLAN = slide_plan(2)
TOP = PLAN.parts[0].cells
REST = PLAN.parts[3].cells


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(PLAN)


@pytest.fixture
def browser(book: Path, desk: FakeDesk) -> Browser:
    return opened(book, desk)


def opened(book: Path | None, desk: FakeDesk | None, options: SiteOptions | None = None) -> Browser:
    options = options or SiteOptions()
    parts = make_page(
        FakeEngine(), book, OwnNames(8400), options, review=None if desk is None else desk.parts, complain=pytest.fail
    )
    made = Browser(parts.app)
    made.open()
    return made


def answer(cell: ReviewCell, label: str = "uninfected", **more: object) -> dict[str, object]:
    said: dict[str, object] = {"answer": "class", "label": label} if label else {"answer": "unsure"}
    return {"uuid": str(uuid4()), "cell": str(cell.cell), "part": str(cell.stratum), **said, **more}


def ask(*answers: dict[str, object], reader: str = "ann", **more: object) -> dict[str, object]:
    asked = {"reader": reader, "sample": PLAN.sample, "model": MODEL, "queue": True, "answers": list(answers)}
    return {**asked, **more}


def cells(got: Answer) -> list[str]:
    return [one["cell"] for one in got.json["cells"]]


# Pages


def test_the_page_shows_a_button_and_a_key_for_each_answer(browser: Browser) -> None:
    page = browser.get("/samples/1/review")
    assert page.status == 200
    assert re.findall(r"<kbd>(\w)</kbd> <span>([^<]+)</span>", page.text) == [
        ("1", "parasitized"),
        ("N", "uninfected"),
        ("X", "not a cell"),
        ("U", "cannot tell"),
    ]
    assert not re.search(r"<script>|<style|style=|onclick|javascript:|https?://", page.text)
    assert 'href="/samples/1/review"' in browser.get("/review").text
    assert 'href="/samples/1/review"' in browser.get("/samples/1").text


def test_stages_are_answers_too(book: Path, desk: FakeDesk) -> None:
    browser = opened(book, desk, SiteOptions(stages=("ring", "schizont")))
    assert 'data-stage="ring"' in browser.get("/samples/1/review").text
    got = browser.post(HERE, ask(answer(TOP[0], "parasitized", stage="ring")))
    assert got.status == 200
    assert (desk.decisions[0].label, desk.decisions[0].stage) == ("parasitized", "ring")


def test_names_stay_text(book: Path) -> None:
    plan = replace(PLAN, labels=("healthy", MARKUP), positive=(MARKUP,))
    page = opened(book, FakeDesk(plan)).get("/samples/1/review").text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


LOST = {
    "no such sample": "/samples/9/review",
    "no number": "/samples/abc/review",
}


@pytest.mark.parametrize("target", LOST.values(), ids=LOST)
def test_a_sample_that_is_not_there_is_said(target: str, browser: Browser) -> None:
    page = browser.get(target)
    assert page.status == 404
    assert "holds no such sample" in page.text


def test_without_a_book_nothing_is_reviewed() -> None:
    browser = opened(None, None)
    assert "keeps no book" in browser.get("/review").text
    assert browser.get("/samples/1/review").status == 404
    got = browser.post(HERE, ask())
    assert (got.status, got.said) == (404, "this run keeps no book (--no-book).")
    assert browser.get(f"{HERE}/0-1/close").status == 404


# Answers


def test_an_answer_reaches_the_desk_with_reader_part_and_time(browser: Browser, desk: FakeDesk) -> None:
    given = answer(TOP[0], "parasitized", seconds=1.254, blind=True)
    got = browser.post(HERE, ask(given, reader="  ann  "))
    assert got.status == 200
    assert got.json["taken"] == [given["uuid"]]
    (one,) = desk.decisions
    assert (one.uuid, one.cell, one.reader, one.model) == (given["uuid"], TOP[0].cell, "ann", MODEL)
    assert (one.answer, one.label, one.stratum, one.blind, one.seconds) == (
        ReaderAnswer.CLASS,
        "parasitized",
        Stratum.TOP,
        True,
        1.25,
    )
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.at)
    assert one.source == "page"
    assert str(TOP[0].cell) not in cells(got)
    assert got.json["mine"][0]["said"] == {"answer": "class", "label": "parasitized", "stage": ""}
    assert got.json["progress"] == f"1 of {len(TOP)} suspects, 0 others read"


def test_the_same_answer_sent_again_changes_nothing(browser: Browser, desk: FakeDesk) -> None:
    asked = ask(answer(TOP[0]), answer(TOP[1]))
    one, two = browser.post(HERE, asked), browser.post(HERE, asked)
    assert one.json == two.json
    assert len(desk.decisions) == 2


def test_an_answer_that_is_taken_back_brings_the_cell_back(browser: Browser) -> None:
    browser.post(HERE, ask(answer(TOP[0])))
    undo = {**answer(TOP[0], ""), "answer": "withdrawn"}
    assert cells(browser.post(HERE, ask(undo)))[0] == str(TOP[0].cell)


def test_readers_do_not_see_each_other(browser: Browser) -> None:
    browser.post(HERE, ask(answer(TOP[0]), reader="ann"))
    got = browser.post(HERE, ask(reader="ben"))
    assert str(TOP[0].cell) in cells(got)
    assert got.json["mine"] == []
    assert "ann" not in got.text


def test_blind_readers_are_told_nothing_of_what_the_machine_says(browser: Browser) -> None:
    assert "parasitized, score 0." in browser.post(HERE, ask()).text
    blind = browser.post(HERE, ask(answer(TOP[0], "parasitized"), blind=True)).json
    assert {one["words"] for one in [*blind["cells"], *blind["mine"]]} == {""}
    assert "score" not in str(blind["cells"])


def test_readers_who_differ_are_shown_where_both_have_read(browser: Browser) -> None:
    browser.post(HERE, ask(answer(TOP[0], "parasitized"), answer(TOP[1], "parasitized"), answer(TOP[2]), reader="ann"))
    browser.post(HERE, ask(answer(TOP[0]), answer(TOP[1], "parasitized"), reader="ben"))
    got = browser.post(f"{HERE}/differences", ask(reader="ben")).json["cells"]
    assert [(one["cell"], sorted(one["others"])) for one in got] == [
        (str(TOP[0].cell), ["ann: parasitized", "ben: uninfected"])
    ]
    assert browser.post(f"{HERE}/differences", ask(reader="eve")).json["cells"] == []


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], int, str]] = {
    "no reader": (lambda a: a.update(reader=" "), 400, "who reads"),
    "a reader's name without end": (lambda a: a.update(reader="a" * (LONGEST_READER + 1)), 400, "at most 60"),
    "a reader with a line break": (lambda a: a.update(reader="a\nb"), 400, "printable"),
    "a reader that is a number": (lambda a: a.update(reader=7), 400, "not understood"),
    "another sample in this row": (lambda a: a.update(sample="another"), 409, "another sample"),
    "another model": (lambda a: a.update(model="cd" * 32), 409, "another model"),
    "a model that is no hash": (lambda a: a.update(model="../../etc"), 400, "not understood"),
    "a cell that is not there": (lambda a: a["answers"][0].update(cell="77-7"), 409, "no cell 77-7"),
    "a path for a cell": (lambda a: a["answers"][0].update(cell="../../etc/passwd"), 400, "is no cell"),
    "markup for a cell": (lambda a: a["answers"][0].update(cell=MARKUP), 400, "is no cell"),
    "a class that the model has not": (lambda a: a["answers"][0].update(label="cat"), 400, "no answer"),
    "a class with what is no cell": (lambda a: a["answers"][0].update(answer="no cell"), 400, "no answer"),
    "a stage that nobody named": (lambda a: a["answers"][0].update(stage="ring"), 400, "no answer"),
    "an answer that is a list": (lambda a: a["answers"][0].update(answer=[1]), 400, "not understood"),
    "a label that is a dictionary": (lambda a: a["answers"][0].update(label={}), 400, "not understood"),
    "no uuid": (lambda a: a["answers"][0].update(uuid="1"), 400, "not understood"),
    "a third reading": (lambda a: a["answers"][0].update(reading=2), 400, "not understood"),
    "a part that is none": (lambda a: a["answers"][0].update(part="best"), 400, "not understood"),
    "a part that is a list": (lambda a: a["answers"][0].update(part=[]), 400, "not understood"),
    "time that runs backwards": (lambda a: a["answers"][0].update(seconds=-1), 400, "not understood"),
    "answers that are none": (lambda a: a.update(answers=[7]), 400, "not understood"),
    "too many answers": (lambda a: a.update(answers=[0] * (MOST_ANSWERS + 1)), 400, "not understood"),
    "more without end": (lambda a: a.update(more=10**9), 400, "not understood"),
}


@pytest.mark.parametrize(("change", "status", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    change: Callable[[dict[str, Any]], object], status: int, words: str, browser: Browser, desk: FakeDesk
) -> None:
    asked = ask(answer(TOP[0]), answer(TOP[1]))
    change(asked)
    got = browser.post(HERE, asked)
    assert got.status == status, got.text
    assert words in got.said
    assert desk.decisions == []


def test_a_full_disk_is_said_and_the_page_tries_again_later(browser: Browser, desk: FakeDesk) -> None:
    desk.full = True
    asked = ask(answer(TOP[0]))
    got = browser.post(HERE, asked)
    assert (got.status, got.said) == (503, "the book cannot be written: no space left on the device.")
    desk.full = False
    assert browser.post(HERE, asked).status == 200
    assert len(desk.decisions) == 1


def test_answers_need_the_token_and_the_origin_of_this_page(browser: Browser, desk: FakeDesk) -> None:
    asked = ask(answer(TOP[0]))
    assert browser.post(HERE, asked, x_csrf_token="x").status == 403
    assert browser.post(HERE, asked, origin="http://evil.example").status == 403
    stranger = Browser(browser.app)
    stranger.csrf = browser.csrf
    assert stranger.post(HERE, asked).status == 401
    assert stranger.get(f"{HERE}/{TOP[0].cell}/close").status == 401
    assert browser.ask("GET", HERE, {}).status == 405
    assert desk.decisions == []


# Pictures


@pytest.mark.parametrize("level", LEVELS)
def test_a_picture_says_where_the_cell_is_in_it(level: str, browser: Browser) -> None:
    got = browser.get(f"{HERE}/{TOP[0].cell}/{level}")
    assert (got.status, got.headers["content-type"]) == (200, "image/jpeg")
    x, y, w, h = map(float, got.headers["x-box"].split(","))
    side, around = LEVELS[level].side, LEVELS[level].around
    assert max(w, h) == pytest.approx(side / around, abs=0.1)
    assert (x + w / 2, y + h / 2) == pytest.approx((side / 2, side / 2), abs=0.1)


PICTURES = {
    "a picture that is gone": (f"{HERE}/0-1/close", 410),
    "a zoom that there is not": (f"{HERE}/1-1/huge", 404),
    "a cell that is a path": (f"{HERE}/..%2F..%2Fetc/close", 404),
    "another sample": ("/api/review/9/1-1/close", 404),
    "a sample that is no number": ("/api/review/x/1-1/close", 404),
}


@pytest.mark.parametrize(("target", "status"), PICTURES.values(), ids=PICTURES)
def test_a_picture_that_cannot_be_shown_is_said(target: str, status: int, book: Path) -> None:
    got = opened(book, FakeDesk(PLAN, gone=["0-1"])).get(target)
    assert got.status == status
    assert got.said


# The verdict after review


VERDICT = ReviewedVerdict(
    "indeterminate",
    (f"the interval holds the limit {MARKUP}",),
    confirmed=3,
    looked=20,
    share=Interval(0.01, 0.004, 0.02),
    most=0.02,
    next={"near": 4, "rest": 10},
    short=14,
    readers=(ReaderRates("ann", 6, Interval(1.0, 0.6, 1.0), Interval(None, 0.0, 1.0)),),
)
SHORT = {
    "so many more decide it": (VERDICT, "Look at 14 more cells and it is decided."),
    "one more decides it": (replace(VERDICT, short=1), "Look at 1 more cell and it is decided."),
    "no number decides it": (replace(VERDICT, short=None), "Next: 14 cells."),
    "decided": (replace(VERDICT, flag="negative", short=None), "Decided: you may stop here."),
    "nothing is advised": (replace(VERDICT, short=None, next={}), ""),
}


@pytest.mark.parametrize(("verdict", "words"), SHORT.values(), ids=SHORT)
def test_what_is_missing_is_said_in_words(verdict: ReviewedVerdict, words: str) -> None:
    assert short_words(verdict, "cell") == words


def test_the_reviewed_verdict_stands_beside_the_machines(browser: Browser, desk: FakeDesk) -> None:
    desk.verdict = VERDICT
    told = browser.post(HERE, ask()).json
    after = told["verdict"]
    assert (after["flag"], after["machine"]) == ("indeterminate", "uncalibrated")
    assert after["confirmed"] == "3 confirmed of 20 cells looked at"
    assert after["share"] == "1.0\u00a0% positive (95\u00a0% interval 0.40\u00a0% to 2.0\u00a0%)"
    assert after["readers"] == [
        (
            "ann, 6 cells read twice: 100\u00a0% sensitivity (95\u00a0% interval 60\u00a0% to 100\u00a0%),"
            " 0\u00a0% to 100\u00a0% specificity (95\u00a0% interval)"
        )
    ]
    assert [one["part"] for one in told["cells"]].count("rest") == 10


def test_before_anybody_has_looked_no_share_is_shown() -> None:
    shown = verdict_shown(replace(VERDICT, flag=NOT_REVIEWED), "", "cell")
    assert shown is not None
    assert (shown["share"], shown["machine"]) == ("", "none yet")


def test_who_reads_does_not_see_the_verdict_to_which_others_belong_before_the_end(
    browser: Browser, desk: FakeDesk
) -> None:
    desk.verdict = VERDICT
    browser.post(HERE, ask(answer(TOP[0], "parasitized"), reader="ann"))
    for asked, words in ((ask(reader="ben"), "Somebody else has read"), (ask(reader="ann", blind=True), "Blind")):
        told = browser.post(HERE, asked).json
        assert told["verdict"] is None
        assert words in told["hidden"]
        told = browser.post(HERE, {**asked, "done": True}).json
        assert (told["hidden"], told["verdict"]["flag"]) == ("", "indeterminate")
    assert browser.post(HERE, ask(reader="ann")).json["verdict"]["flag"] == "indeterminate"


def test_readers_who_disagree_on_everything_get_a_page_that_ends(browser: Browser) -> None:
    rest = [*REST, *PLAN.parts[2].cells][:120]
    for i in range(0, 120, 20):
        browser.post(HERE, ask(*(answer(one, "parasitized") for one in rest[i : i + 20]), reader="ann", queue=False))
        browser.post(HERE, ask(*(answer(one) for one in rest[i : i + 20]), reader="ben", queue=False))
    got = browser.post(f"{HERE}/differences", ask(reader="ann")).json
    assert (got["n"], len(got["cells"])) == (120, 100)


def test_a_name_is_one_however_it_was_typed(browser: Browser, desk: FakeDesk) -> None:
    for i, name in enumerate(("J\u00fcrgen", "Ju\u0308rgen ")):
        browser.post(HERE, ask(answer(TOP[i]), reader=name))
    assert {one.reader for one in desk.decisions} == {"J\u00fcrgen"}


def test_lists_and_the_samples_page_say_what_was_reviewed(tmp_path: Path) -> None:
    path = slide_book(tmp_path, 2)
    desk = BookDesk(path)
    parts = ReviewParts(desk, lambda row: desk.state(row).verdict)
    made = make_page(FakeEngine(), path, OwnNames(8400), SiteOptions(), review=parts, complain=pytest.fail)
    browser = Browser(made.app)
    browser.open()
    assert "reviewed" not in browser.get("/samples").text
    assert "After review" not in browser.get("/samples/1").text
    plan = desk.plan(1)
    given = [answer(cell, "parasitized") for cell in plan.parts[0].cells[:3]]
    asked = {"reader": "ann", "sample": plan.sample, "model": plan.model, "queue": True, "answers": given}
    told = browser.post(HERE, asked).json
    assert told["verdict"]["confirmed"] == "3 confirmed of 3 cells looked at"
    for target in ("/samples", "/review"):
        assert "3 cells reviewed" in browser.get(target).text
    page = browser.get("/samples/1").text
    assert "After review" in page
    assert "3 confirmed of 3 cells looked at" in page
    assert told["verdict"]["flag"] in page


def test_an_older_book_can_be_looked_at_and_is_upgraded_by_the_first_answer(tmp_path: Path) -> None:
    path = first_version(tmp_path / "book.sqlite")
    desk = BookDesk(path)
    made = make_page(
        FakeEngine(),
        path,
        OwnNames(8400),
        SiteOptions(),
        review=ReviewParts(desk, lambda _: None),
        complain=pytest.fail,
    )
    browser = Browser(made.app)
    browser.open()
    row = browser.get("/review").text.split('href="/samples/')[1].split("/")[0]
    assert browser.get(f"/samples/{row}/review").status == 200
    plan = desk.plan(int(row))
    cell = next(cell for part in plan.parts for cell in part.cells)
    asked = {"reader": "ann", "sample": plan.sample, "model": plan.model, "answers": [answer(cell, plan.labels[0])]}
    assert browser.post(f"/api/review/{row}", asked).status == 200
    assert len(desk.readings(int(row))) == 1
