from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from edge.errors import OutputError
from edge.report import output
from edge.report.output import HtmlReport
from tests.fakes import CARD
from tests.report.made import ABOUT, WHEN, ended, field, read

EVENTS = [field([[0.1, 0.9], [0.9, 0.1]], 0)]


def written(folder: Path, *samples: str) -> HtmlReport:
    out = HtmlReport(folder, ABOUT, lambda: WHEN)
    for name in samples:
        for event in EVENTS:
            out.field(event)
        out.sample(ended(EVENTS, CARD, name))
    out.close()
    return out


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_one_sample_is_one_page(tmp_path: Path) -> None:
    written(tmp_path / "new" / "folder", "slide 7")
    (path,) = (tmp_path / "new" / "folder").iterdir()
    assert path.name == "slide_7.html"
    assert read(path.read_text()).facts["sample"] == "slide 7"
    assert path.stat().st_mode & 0o444  # as a plain open would have left it


def test_several_samples_have_a_page_each_and_an_index(tmp_path: Path) -> None:
    written(tmp_path, "a", "b")
    assert names(tmp_path) == {"a.html", "b.html", "index.html"}
    links = read((tmp_path / "index.html").read_text()).of("a")
    assert [link["href"] for link in links] == ["a.html", "b.html"]


def test_a_sample_that_ends_is_written_at_once_and_alone(tmp_path: Path) -> None:
    out = HtmlReport(tmp_path, ABOUT)
    out.field(EVENTS[0])
    assert names(tmp_path) == set()
    out.sample(ended(EVENTS, CARD, "a"))
    assert names(tmp_path) == {"a.html"}
    out.sample(ended([], CARD, "b"))  # nothing of the first is left over
    assert read((tmp_path / "b.html").read_text()).facts["galleries"] == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("../../etc/passwd", "etc_passwd.html"),
        ("/abs", "abs.html"),
        ("two\nlines<b>\x00", "two_lines_b.html"),
        ("a" * 300, "a" * 80 + ".html"),
        ("", "sample.html"),
        ("...", "sample.html"),
        ("\udcff血", "血.html"),
        ("Образец 1", "Образец_1.html"),
        ("nul", "_nul.html"),
        ("index", "index-2.html"),
    ],
)
def test_no_name_leads_out_of_the_folder_or_to_the_index(tmp_path: Path, name: str, file: str) -> None:
    written(tmp_path / "out", name)
    assert names(tmp_path / "out") == {file}
    assert names(tmp_path) == {"out"}


def test_samples_whose_names_look_alike_do_not_overwrite_each_other(tmp_path: Path) -> None:
    samples = ["a b", "a/b", "A_b", "a_b-2", "a" * 300, "a" * 299, "a b"]
    written(tmp_path, *samples)
    pages = {path.name: read(path.read_text()) for path in tmp_path.iterdir()}
    found = [page.facts["sample"] for name, page in pages.items() if name != "index.html"]
    assert sorted(found) == sorted(samples)
    assert len({name.lower() for name in pages}) == len(pages)
    assert [a["href"] for a in pages["index.html"].of("a")][:4] == [
        "a_b.html",
        "a_b-2.html",
        "A_b-3.html",
        "a_b-2-2.html",
    ]


def test_a_page_of_an_earlier_run_is_replaced_and_nothing_else_touched(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("old")
    (tmp_path / "mine.html").write_text("mine")
    written(tmp_path, "a")
    assert read((tmp_path / "a.html").read_text()).facts["sample"] == "a"
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_a_folder_that_cannot_be_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper", tmp_path / ("a" * 300)):
        with pytest.raises(OutputError, match="cannot be written"):
            HtmlReport(folder, ABOUT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_said_before_the_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        HtmlReport(tmp_path, ABOUT)


def test_a_folder_of_the_pages_name_is_one_plain_error(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    with pytest.raises(OutputError, match="not a regular file"):
        written(tmp_path, "a")


def test_a_disk_that_fills_up_leaves_the_earlier_page_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "a")
    before = (tmp_path / "a.html").read_bytes()

    def half(*_: Any) -> Iterable[str]:
        yield "<!DOCTYPE html>"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "page", half)
    with pytest.raises(OutputError, match=r"a\.html: cannot be written: No space left"):
        written(tmp_path, "a")
    assert names(tmp_path) == {"a.html"}
    assert (tmp_path / "a.html").read_bytes() == before


def test_after_a_defect_no_index_claims_to_be_complete(tmp_path: Path) -> None:
    out = HtmlReport(tmp_path, ABOUT)
    out.sample(ended(EVENTS, CARD, "a"))
    out.sample(ended(EVENTS, CARD, "b"))
    out.discard()
    assert names(tmp_path) == {"a.html", "b.html"}
