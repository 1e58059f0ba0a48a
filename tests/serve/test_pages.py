"""The pages that show the book, the scope and health; names in them are not ours."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edge.book.inbox import Inbox
from edge.health.records import CheckResult, Health, HealthReport
from edge.report.words import NOTICE
from edge.serve.bookreading import PAGE_ROWS
from edge.serve.names import OwnNames
from edge.serve.page import make_page
from edge.serve.site import SiteOptions
from tests.book.made import HOSTILE, a_book, begun, field_of, mixed, write
from tests.serve.asked import Browser
from tests.serve.fake_engine import IDLE, FakeEngine

MARKUP = "<img src=x onerror=alert(1)>\"'&{{7*7}}"
REPORT = HealthReport(
    (
        CheckResult("free space", Health.OK, "12 GB"),
        CheckResult("camera", Health.FAILED, f"none {MARKUP}", "plug one in", {"cameras": 0}),
    )
)


def opened(book: Path | None, options: SiteOptions | None = None, engine: FakeEngine | None = None) -> Browser:
    parts = make_page(engine or FakeEngine(), book, OwnNames(8400), options or SiteOptions(), complain=pytest.fail)
    browser = Browser(parts.app)
    browser.open()
    return browser


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    with a_book(path) as made:
        writer = begun(made)
        write(writer, mixed(6, "S-0001"))
        write(writer, [field_of(0, MARKUP), field_of(1, MARKUP)])
        write(writer, [field_of(0, "cut off")], end=False)
        made.note(2, "note", f"a person wrote {MARKUP}")
    return path


def inert(text: str) -> bool:
    """Whether nothing of the names became markup, a template or a script."""
    return "<img src=x" not in text and "&lt;img src=x onerror=alert(1)&gt;" in text and "{{7*7}}" in text


def test_the_list_shows_the_newest_first_and_escapes_names(book: Path) -> None:
    page = opened(book).get("/samples")
    assert page.status == 200
    assert re.findall(r'href="/samples/(\d+)"', page.text) == ["3", "2", "1"]
    assert inert(page.text)


def test_the_list_shows_the_microscopes_that_a_book_has_collected_from(tmp_path: Path) -> None:
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.heard(MARKUP, "ab" * 16, online=False, newest=12, at="2026-11-29T09:30:00Z")
        inbox.heard("bench-4", "cd" * 16, online=True, newest=0, at="2026-11-29T09:31:00Z")
    page = opened(tmp_path / "district.sqlite").get("/samples")
    assert "silent, heard last at 2026-11-29 09:30 UTC; 12 of its entries are not here" in page.text
    assert "connected, heard last at 2026-11-29 09:31 UTC" in page.text
    assert inert(page.text)


def test_a_sample_shows_its_history(book: Path) -> None:
    page = opened(book).get("/samples/2")
    assert page.status == 200
    assert inert(page.text)
    assert "a person wrote" in page.text
    assert 'href="/samples/2/report"' in page.text


@pytest.mark.parametrize("sample", [1, 2, 3])
def test_the_report_is_the_one_that_edge_report_writes_and_runs_nothing(sample: int, book: Path) -> None:
    page = opened(book).get(f"/samples/{sample}/report")
    assert page.status == 200
    policy = page.headers["content-security-policy"]
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert 'href="/samples"' in page.text
    assert NOTICE in page.text
    if sample == 2:
        assert "<img src=x" not in page.text
    assert HOSTILE not in page.text


def test_the_book_is_read_and_never_written(book: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in book.parent.glob("book.sqlite")}
    browser = opened(book)
    for target in ("/samples", "/samples/1", "/samples/1/report"):
        assert browser.get(target).status == 200
    assert {path.name: path.stat().st_mtime_ns for path in book.parent.glob("book.sqlite")} == before


LOST = ("/samples/4", "/samples/0/report", "/samples/abc", "/samples/abc/report", "/nothing")


@pytest.mark.parametrize("target", LOST)
def test_what_is_not_there_is_said(target: str, book: Path) -> None:
    page = opened(book).get(target)
    assert page.status == 404
    assert "Not here" in page.text


def test_many_samples_come_page_by_page(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as made:
        writer = begun(made)
        write(writer, [field_of(0, "first", cells=1)])
        columns = [row["name"] for row in made.store.rows("PRAGMA table_info(sample)")]
        copied = ", ".join(
            {"id": "NULL", "uuid": "uuid || :i", "name": "'s' || :i"}.get(name, name) for name in columns
        )
        insert = f"INSERT INTO sample ({', '.join(columns)}) SELECT {copied} FROM sample WHERE id = 1"  # noqa: S608 - names of our own columns
        with made.store.writing() as connection:
            connection.executemany(insert, [{"i": i} for i in range(PAGE_ROWS + 5)])
    browser = opened(path)
    first = browser.get("/samples").text
    assert len(re.findall(r'href="/samples/\d+"', first)) == PAGE_ROWS
    (more,) = re.findall(r'href="(/samples\?before=\d+)"', first)
    assert len(re.findall(r'href="/samples/\d+"', browser.get(more).text)) == 6
    assert browser.get("/samples?before=x").status == 200


BOOKS = {
    "no book is kept": None,
    "nothing was counted yet": b"",
    "another program's file": b"SQLite format 3\0" + b"\1" * 4000,
    "no database at all": b"hello" * 1000,
}


@pytest.mark.parametrize("case", BOOKS)
def test_a_book_that_cannot_be_read_is_one_sentence(case: str, tmp_path: Path) -> None:
    content, path = BOOKS[case], tmp_path / "book.sqlite"
    if content:
        path.write_bytes(content)
    browser = opened(None if content is None else path)
    page = browser.get("/samples")
    assert page.status == 200
    assert ("holds no sample yet" if content == b"" else 'role="alert"') in page.text
    assert browser.get("/samples/1").status == 404
    assert browser.get("/samples/1/report").status == 404


def test_the_scope_shows_its_profile_or_how_to_make_one() -> None:
    assert "edge scope set-up" in opened(None).get("/scope").text
    engine = FakeEngine(replace(IDLE, scope=MARKUP, scope_words="the lamp is 18 % darker"))
    page = opened(None, SiteOptions(scope=(("objective", MARKUP),)), engine).get("/scope").text
    assert inert(page)
    assert "18 % darker" in page


def test_health_shows_the_checks_of_the_doctor() -> None:
    asked = []

    def look() -> HealthReport:
        asked.append(1)
        return REPORT

    browser = opened(None, SiteOptions(health=look))
    assert browser.get("/health").status == 200
    found = browser.get("/api/health").json
    assert found["words"] == "Not fit to count before that is mended."
    assert [check["health"] for check in found["checks"]] == ["ok", "failed"]
    assert found["checks"][1]["says"] == f"none {MARKUP}"
    browser.get("/api/health")
    assert len(asked) == 1  # what they said is good for a while


def test_every_page_says_what_it_is_not_for() -> None:
    browser = opened(None, SiteOptions(simulated=True))
    for target in ("/", "/samples", "/review", "/scope", "/health", "/nothing"):
        page = browser.get(target).text
        assert "For research and triage. Not a diagnostic device." in page
        assert "Simulated microscope" in page
        assert not re.search(r"<script>|<style|style=|onclick|javascript:|https?://", page)


def test_the_live_page_offers_the_virtual_microscope_only_where_it_is_one() -> None:
    assert 'id="simulated"' not in opened(None).get("/").text
    page = opened(None, SiteOptions(simulated=True, faults=("hang", MARKUP))).get("/").text
    assert 'id="simulated"' in page
    assert inert(page)
