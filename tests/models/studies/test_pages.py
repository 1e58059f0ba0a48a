"""The kept pages say what their commands would write now: words that do not depend on figures are the same."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from models.places import DOCS, REPOSITORY
from models.report.markdown import paragraph, table
from models.studies.appearance import job
from models.studies.coverage import page as coverage
from models.studies.founding import page as founding
from models.studies.founding import table as tables
from models.studies.kept import check_request, default_work
from models.studies.review import page as review
from models.studies.search.page import render
from models.studies.triage import page as triage
from tests.models.studies.searching import found, row


def read(name: str) -> str:
    return (DOCS / name).read_text()


def fixed_lines(text: str) -> list[str]:
    """Headings and heads of tables, their numbers and slides aside."""
    lines = text.splitlines()
    heads = [one for one, below in pairwise(lines) if below.startswith("|---")]
    return [re.sub(r"C?\d[\d.,]*", "#", one) for one in lines if one.startswith("#") or one in heads]


def test_the_founding_page_begins_with_the_words_of_its_command_and_has_its_tables() -> None:
    page = read("founding.md")
    assert page.startswith(founding._INTRODUCTION)
    for head in (tables.RESULT_HEAD, tables.TARGET_HEAD, tables.TRAINING_HEAD, tables.WAYS_HEAD):
        assert table(head, [])[0] in page


def test_the_page_of_the_simulation_has_the_words_and_tables_of_its_command() -> None:
    page = read("verdict-simulation.md")
    assert coverage._WHY in page
    for head in (coverage._FIXED_HEAD, coverage._STOPPED_HEAD, ("promise", "target", "simulated", "")):
        assert "\n".join(table(head, [])) in page


def test_the_page_of_the_search_has_the_headings_and_the_table_of_its_command() -> None:
    assert fixed_lines(read("search.md")) == fixed_lines(render(found(row("residual", 6, 0.97)), "search.svg"))
    words = " ".join(read("search.md").split())
    for text in ("may be compared with each other only", "The table has the intervals.", "They are not times: see"):
        assert text in words
        assert text in " ".join(render(found(), "search.svg").split())


def test_the_page_of_reviewed_samples_has_the_words_and_tables_of_its_command() -> None:
    page = read("review-statistics.md")
    assert review._WHY in page
    for head in (review._BEFORE_HEAD, review._STOPPED_HEAD, review._COVER_HEAD):
        assert "\n".join(table(head, [])) in page


def test_the_page_of_the_triage_has_the_words_and_tables_of_its_command() -> None:
    page = read("triage.md")
    words = " ".join(page.split())
    assert all(text in words for text in (triage._INTRODUCTION, triage._BEST, triage._FIXED, triage._LABELS))
    assert table(triage._HEAD, [])[0] in page


def test_the_page_of_appearance_has_the_words_of_its_command() -> None:
    page = read("appearance.md")
    counts = job.RefusalCounts((0, 1200), (4082, 4257))
    assert "\n".join(job.refusal_sentences(counts)) in page
    assert "\n".join(job._calibration_lines({3: {"x": (0, 1)}, 5: {"x": (0, 1)}})).partition("| x |")[0] in page


# Markdown


def test_a_table_has_a_line_of_dashes_as_wide_as_its_head() -> None:
    assert table(("a", "b"), [("1", "2")]) == ["| a | b |", "|---|---|", "| 1 | 2 |"]


def test_a_paragraph_keeps_its_words_and_an_item_is_indented() -> None:
    text = "word " * 60
    assert " ".join(paragraph(text)).split() == text.split()
    first, *rest = paragraph(text, bullet=True)
    assert first.startswith("- word")
    assert all(line.startswith("  word") for line in rest)
    assert max(map(len, [first, *rest])) <= 124


# where work is kept


def test_work_is_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_work("search") == tmp_path / "edge-microscopy" / "search"


@pytest.mark.parametrize(
    ("work", "only", "said"),
    [
        (REPOSITORY / "build", (), "in the repository"),
        (REPOSITORY, (), "in the repository"),
        (Path("/nowhere"), ("c", "a"), "--only c: no such row, there are a, b"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(work: Path, only: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        check_request(work, only, ("a", "b"))


def test_a_request_outside_the_repository_for_known_rows_is_accepted(tmp_path: Path) -> None:
    check_request(tmp_path, ("a",), ("a", "b"))
