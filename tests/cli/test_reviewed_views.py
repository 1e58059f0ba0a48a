"""What people made of a sample, as edge show, samples, report and recount say it. Models are stand-ins here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edge.cli.book_settings import default_book
from edge.review.desk import BookDesk
from edge.review.records import ReaderAnswer, ReaderDecision, Stratum
from tests.book.answers import AT, uuid_of
from tests.cli.resuming import edge, edge_run, paint

UNKNOWN = "<i>Zoë & Co"
"""A reader whose name is text all the same."""


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """Three fields in the book; the stand-in calls the first cell of each positive."""
    folder = paint(tmp_path / "f", 5, 6, 7)
    assert edge_run(folder, "--sample-id", "S").exit_code == 0
    return folder


def answer(label: str = "", reader: str = "Ada", sample: int = 1) -> None:
    """Look at all suspects and the first of the others; ``label``: of the suspects, empty: the positive class."""
    desk = BookDesk(default_book())
    plan = desk.plan(sample)
    for part in plan.parts:
        told = label or plan.positive[0] if part.stratum is Stratum.TOP else plan.labels[0]
        for one in part.cells[: None if part.stratum is Stratum.TOP else 1]:
            uuid = uuid_of(sample, one.cell, told, reader)
            given = (ReaderAnswer.CLASS, told, "", 0, one.stratum)
            desk.decide(sample, (ReaderDecision(uuid, one.cell, reader, AT, plan.model, *given),))


def test_a_sample_that_nobody_looked_at_is_shown_as_before(counted: Path) -> None:
    shown = edge("show", "S").stdout
    assert "reviewed" not in shown
    assert json.loads(edge("show", "S", "--json").stdout)["reviewed"] is None
    assert "reviewed" not in edge("samples").stdout


def test_both_verdicts_stand_side_by_side(counted: Path) -> None:
    before = edge("show", "S").stdout
    answer()
    answer("uninfected", UNKNOWN)
    answer("", UNKNOWN)
    shown = edge("show", "S").stdout
    assert re.search(r"^ +the machine +reviewed$", shown, re.MULTILINE), shown
    assert re.search(r"^  flag +uncalibrated +\w+$", shown, re.MULTILINE), shown
    assert re.search(r"^  positive +2 counted +2 confirmed, 3 looked at$", shown, re.MULTILINE), shown
    assert f"by         {UNKNOWN}, Ada" in shown
    for line in before.splitlines():
        assert line in shown, "the machine's part stays as it was"
    found = json.loads(edge("show", "S", "--json").stdout)
    assert (found["flag"], found["reviewed"]["confirmed"], found["reviewed"]["looked"]) == ("uncalibrated", 2, 3)
    assert [part["name"] for part in found["reviewed"]["parts"]][:1] == ["top"]


def test_the_list_says_which_samples_people_looked_at(counted: Path, tmp_path: Path) -> None:
    edge_run(paint(tmp_path / "g", 9), "--sample-id", "T")
    answer()
    head, newest, first = edge("samples").stdout.splitlines()
    assert "reviewed" in head
    assert "3 looked at" in first
    assert "looked at" not in newest
    assert [one["reviewed"] for one in json.loads(edge("samples", "--json").stdout)["samples"]] == [0, 3]


def test_the_report_has_both_verdicts(counted: Path, tmp_path: Path) -> None:
    assert edge("report", "S", "-o", tmp_path / "before").exit_code == 0
    assert "<h2>Reviewed</h2>" not in (tmp_path / "before" / "S.html").read_text()
    answer(reader=UNKNOWN)
    assert edge("report", "S", "-o", tmp_path / "after").exit_code == 0
    page = (tmp_path / "after" / "S.html").read_text()
    assert "<h2>Reviewed</h2>" in page
    assert "&lt;i&gt;Zoë &amp; Co" in page
    assert "<i>Zo" not in page
    facts = json.loads(re.findall(r'<script type="application/json" id="edge-report">(.*?)</script>', page)[0])
    assert facts["reviewed"]["confirmed"] == 2


def test_answers_stay_with_the_count_they_were_given_for(counted: Path) -> None:
    answer()
    got = edge("recount", "S")
    assert got.exit_code == 0, got.output
    assert (
        "note: 3 cells of count 1 were looked at: answers stay with that count, the new one begins without"
        in got.stderr
    )
    shown = " ".join(edge("show", "S").stdout.split())  # a narrow terminal folds it
    assert "count 1 was reviewed (3 cells looked at): answers stay with the count they were given for" in shown
    assert "the machine" not in shown
    assert "the machine" in edge("show", "S", "--count", "1").stdout
