"""What goes out: nothing but what an expert needs. What it looks like in a browser is in test_bundle_browser.py."""

from __future__ import annotations

import base64
import html.parser
import json
import re
from dataclasses import replace

import pytest

from edge.review import bundle as module
from edge.review.bundle import BundleFacts, content_policy
from edge.review.records import ReviewPicture
from tests.review.made import MadeSample

SAMPLE = MadeSample()


class Parts(html.parser.HTMLParser):
    """The script elements of a page, by id; tags, and addresses in attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._id: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        self._id = dict(attrs).get("id") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._id is not None:
            self.scripts[self._id] = self.scripts.get(self._id, "") + data


@pytest.fixture(scope="module")
def made() -> tuple[module.Bundle, str]:
    one = SAMPLE.bundle()
    return one, "".join(one.parts(SAMPLE.shown()))


def test_no_byte_says_whose_it_is(made: tuple[module.Bundle, str]) -> None:
    """Neither in the page nor within the pictures, whose camera wrote a name and a time into each."""
    scripts = Parts(made[1]).scripts
    pictures = b"".join(base64.b64decode(data) for name, data in scripts.items() if name[:2] in ("p-", "f-"))
    text = re.sub(r'(?s)<script type="text/plain".*?</script>', "", made[1])
    plan = SAMPLE.plan
    for told in (plan.name, plan.sample, plan.model, "ward-3", "1971", "2026-11", "Jane", ".png"):
        assert told not in text, told
        assert told.encode() not in pictures, told
    assert not re.search(r"\d{4}-\d\d-\d\d[T ]", text), "a time"
    assert not re.search(r'"\d+-\d+"', text), "a place of a cell"


def test_ids_are_new_in_each_bundle_and_mean_something_at_home_alone(made: tuple[module.Bundle, str]) -> None:
    one, text = made
    facts = json.loads(Parts(text).scripts["bundle"])
    assert [cell["id"] for cell in facts["cells"]] == list(one.names)
    assert list(one.names.values()) == [shown.cell.cell for shown in SAMPLE.shown()]
    other = SAMPLE.bundle()
    "".join(other.parts(SAMPLE.shown()))
    assert other.uuid != one.uuid
    assert not set(other.names) & set(one.names)


def test_a_picture_lies_where_its_cell_lies(made: tuple[module.Bundle, str]) -> None:
    facts = json.loads(Parts(made[1]).scripts["bundle"])
    for cell in facts["cells"]:
        x, y, w, h = cell["box"]
        wide = cell["w"] * cell["scale"]
        assert cell["x"] + wide / 2 == pytest.approx(x + w / 2, abs=1)
        assert cell["y"] + wide / 2 == pytest.approx(y + h / 2, abs=1)
        assert wide == pytest.approx(6 * max(w, h), rel=0.01)
        assert facts["fields"][cell["field"]] == {"w": 1280, "h": 960}


def test_the_page_runs_its_own_script_and_loads_nothing(made: tuple[module.Bundle, str]) -> None:
    text = made[1]
    parts = Parts(text)
    assert f'content="{content_policy()}"' in text
    assert "default-src 'none'" in content_policy()
    assert "unsafe" not in content_policy()
    assert "http" not in re.sub(r'http-equiv="', "", content_policy())
    assert parts.addresses == []
    assert not {"link", "iframe", "object", "embed", "base"} & set(parts.tags)


@pytest.mark.parametrize(
    "hostile", ["</script><script>alert(1)</script>", "<!--<script>", "\u2028", "']]>", "a\0b", "\ud800"]
)
def test_words_that_are_not_ours_stay_words(hostile: str) -> None:
    sample = MadeSample(1)
    plan = replace(sample.plan, labels=("healthy", hostile), positive=(hostile,))
    one = module.Bundle(plan, BundleFacts((("flag", hostile),), (hostile,)), sample.bundle()._pictures)
    text = "".join(one.parts(sample.shown(5)))
    text.encode()
    facts = json.loads(Parts(text).scripts["bundle"])
    assert facts["facts"] == [["flag", hostile]]
    assert hostile in [choice["stage"] for choice in facts["choices"]]
    assert Parts(text).tags.count("script") == text.count("<script")


def test_cells_whose_pictures_are_gone_are_left_out_and_counted() -> None:
    sample = MadeSample(lost=frozenset({0, 2}))
    one = sample.bundle()
    text = "".join(one.parts(sample.shown()))
    gone = sum(shown.cell.cell.field in sample.lost for shown in sample.shown())
    assert one.missing == gone > 0
    assert len(one.names) == len(sample.shown()) - gone
    assert {place.field for place in one.names.values()} == {1, 3}
    assert one.fields == 2
    assert len(json.loads(Parts(text).scripts["bundle"])["cells"]) == len(one.names)


def test_whole_fields_go_along_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(_field_of(SAMPLE, 0).jpeg)
    monkeypatch.setattr(module, "FIELD_BYTES", int(size * 2.5))
    one = SAMPLE.bundle()
    facts = json.loads(Parts("".join(one.parts(SAMPLE.shown()))).scripts["bundle"])
    assert one.fields == len(facts["fields"]) == 2
    best = max(facts["cells"], key=lambda cell: float(cell["score"]))
    assert best["field"] in facts["fields"]
    assert None in [cell["field"] for cell in facts["cells"]]


def _field_of(sample: MadeSample, index: int) -> ReviewPicture:
    picture = sample.field_picture(index, 1280)
    assert picture is not None
    return picture
