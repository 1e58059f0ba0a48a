from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from edge.report.data import SCHEMA_FILE, VERSION
from edge.report.gather import BELOW_SHOWN, LOWEST_SHOWN, OTHERS, REJECTED_FIELDS, SUSPECTS
from edge.report.gather import FIELDS as FIELDS_SHOWN
from edge.report.html import el, text
from edge.report.page import index, page
from edge.report.pictures import AROUND
from edge.report.series import MOST
from edge.report.words import NOTICE, flat
from edge.types import NOT_WHOLE
from edge.verdict.assess import Assessor
from tests.fakes import CARD
from tests.report.made import ABOUT, THREE, check, field, read, report, seen, unreadable
from tests.verdict.made import calibration

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"><img src=x onerror=alert(1)>' autofocus onfocus=alert(2) x='",
    "../../etc/passwd\n\r\x00\x1b[31m",
    "\u2028\u202e]]>&lt;b&gt;",
    "\udcff\ud800",
    "a" * 300,
    "",
]
FIELDS = [
    field([[0.4, 0.6], [0.9, 0.1]], 0, name="f0.png"),
    field([[0.2, 0.8]] * 3, 1, name="f1.png"),
    field([[0.9, 0.1]], 2, "out of focus", name="f2.png"),
    unreadable(3),
]


def harmless(text_: str) -> None:
    """No script but the data, nothing that handles events, nothing from elsewhere."""
    found = read(text_)
    ((attributes, _),) = found.scripts
    assert attributes == {"type": "application/json", "id": "edge-report"}
    allowed = {
        "html", "head", "meta", "title", "style", "body", "p", "h1", "h2", "h3", "section", "ul", "li", "b", "div", "span", "table",
        "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "img", "dl", "dt", "dd", "code", "footer", "script",
        "pre", "details", "summary", "svg", "g", "rect", "circle", "path", "line", "text",
    }  # fmt: skip
    assert {tag for tag, _ in found.elements} <= allowed
    for tag, attributes in found.elements:
        assert not any(name.startswith("on") or name in ("style", "href") for name in attributes), (tag, attributes)
        assert attributes.get("src", "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
    assert "url(" not in found.style
    assert "http" not in text_.replace("http-equiv", "")


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    text_ = "".join(page(report(FIELDS)))
    harmless(text_)
    (policy,) = (m["content"] for m in read(text_).of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(read(text_).style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_outside_are_text_and_nothing_else(name: str) -> None:
    events = [field([[0.4, 0.6], [0.9, 0.1]], 0, name=name), field([[1, 0]], 1, name, name=name), unreadable(2, name)]
    card = replace(
        CARD,
        name=name,
        labels=(f"healthy{name}", f"sick{name}"),
        positive=(f"sick{name}",),
        threshold_origin=name,
        accuracy={name: {name: [name]}},
        training={name: name},
        licence=name,
    )
    about = replace(
        ABOUT,
        model=replace(ABOUT.model, name=name, finder=name),
        bound=replace(ABOUT.bound, scope=name, finder=name),
        settings=((name, name),),
        config=f"labels = {name}\n",
    )
    of = report(events, card, name, about=about)
    text_ = "".join(page(of))
    text_.encode("utf-8")
    harmless(text_)
    facts = read(text_).facts
    check(facts)
    assert facts["sample"] == name
    assert facts["galleries"][0]["cells"][0]["name"] == name


def test_the_settings_of_the_run_are_folded_below_its_settings_in_words() -> None:
    found = seen(report(FIELDS, about=replace(ABOUT, config='seed = 4\ninputs = ["<b>"]\n')))
    assert [len(found.of(tag)) for tag in ("details", "summary", "pre")] == [1, 1, 1]
    assert 'Settings of this run\nseed = 4\ninputs = ["<b>"]\n' in found.text


def test_a_page_whose_settings_are_not_known_has_no_such_part() -> None:
    assert seen(report(FIELDS)).of("details") == []


def test_an_element_escapes_whatever_is_not_markup() -> None:
    assert el("p", "<b>", el("b", "&"), class_='"x"') == '<p class="&quot;x&quot;">&lt;b&gt;<b>&amp;</b></p>'
    assert el("g", stroke_width=1.26, id=None) == '<g stroke-width="1.3"></g>'
    assert text("a\nb\ud800") == "a?b?"


def test_the_facts_follow_the_schema_and_say_what_a_reviewer_needs() -> None:
    facts = seen(report(FIELDS)).facts
    check(facts)
    assert facts["version"] == VERSION
    highest, below = facts["galleries"]
    assert (highest["name"], highest["class"], highest["of"]) == ("highest", "parasitized", 4)
    assert highest["cells"][-1] == {
        "cell": "0-0",
        "field": 0,
        "name": "f0.png",
        "box": [10, 12, 20, 20],
        "class": "parasitized",
        "score": pytest.approx(0.6),
        "scores": pytest.approx([0.4, 0.6]),
    }
    assert (below["name"], below["class"], below["of"]) == ("below", None, 1)
    assert facts["below"] == {"from": 0.25, "cells": 0}
    assert facts["model"] == {"name": "fake", "sha256": "ab" * 32, "card_sha256": ""}
    assert facts["finder"] == {"name": "fake-finder", "id": "1f"}
    assert facts["fields"] == {"kept": 2, "rejected": {"out of focus": 1}, "unreadable": 1}


@pytest.mark.parametrize("change", [{"version": 1}, {"cells": -1}, {"flag": "sick"}, {"galleries": [{"name": "best"}]}])
def test_the_schema_can_refuse(change: dict[str, object]) -> None:
    fastjsonschema = pytest.importorskip("fastjsonschema")
    with pytest.raises(fastjsonschema.JsonSchemaException):
        check(seen(report(FIELDS)).facts | change)


def test_a_calibrated_page_says_the_verdict_its_limits_and_what_it_rests_on() -> None:
    assessor = Assessor(calibration(target=0.01), 0.01)
    found = seen(report(FIELDS, assessor=assessor))
    check(found.facts)
    (finding,) = found.facts["findings"]
    for words in (
        "positive",
        "More parasitized cells than blank slides show",
        f"limit of blank: {finding['limit_of_blank']}",
        "target 1 %",
        "10, 200,000 cells",
        "at 5,000,000 red cells/µL, which is assumed",
        "per million cells",
    ):
        assert words in found.text, words


def test_without_a_calibration_no_judgement_is_made() -> None:
    found = seen(report(FIELDS))
    assert "A count without a judgement" in found.text
    assert "limit of blank" not in found.text
    assert "red cells/µL" not in found.text
    assert found.facts["findings"] == []


def test_it_says_at_top_and_bottom_that_it_is_no_diagnostic_device() -> None:
    text_ = seen(report(FIELDS)).text
    assert text_.count(NOTICE) == 2
    assert "not a diagnostic device" in NOTICE


def test_near_misses_have_a_gallery_a_frame_and_an_entry_in_the_key() -> None:
    found = seen(report([field([[0.4, 0.6], [0.6, 0.4], [0.9, 0.1]], 0)]))
    check(found.facts)
    assert found.facts["below"] == {"from": 0.25, "cells": 1}
    assert [a["class"] for a in found.of("span") if "near" in a.get("class", "")] == ["picture near"]
    assert "Not counted as positive: all 2 cells" in found.text
    assert "1 cell scored just below the threshold (from half of it, 0.25, on)" in found.text
    assert "just below the threshold, not counted as positive" in found.text


def test_without_near_misses_none_are_claimed() -> None:
    found = seen(report(FIELDS))
    assert "No cell scored just below the threshold" in found.text
    assert "just below the threshold, not counted" not in found.text
    assert not [a for a in found.of("span") if "near" in a.get("class", "")]
    without = seen(report([field([[0.1, 0.9]], 0)], replace(CARD, positive=())))
    check(without.facts)
    assert without.facts["below"] is None
    assert "just below" not in without.text


def test_a_page_names_nothing_by_its_inner_name() -> None:
    event = field([[0.4, 0.6], [0.9, 0.1]], 0)
    assert event.result is not None
    kinds = ("cell", "not-white-cell", NOT_WHOLE, "not-new")
    cells = replace(event.result.cells, kinds=kinds, kind=np.array([0, 1], np.int32))
    result = replace(event.result, cells=cells, classes=np.array([1, -1], np.int32))
    found = seen(report([replace(event, result=result)]))
    check(found.facts)
    assert not re.search(r"\bnot-", found.text)
    for words in ("white cell\n", "white cells, set aside", "cells counted in an earlier field, set aside"):
        assert words in found.text
    assert found.facts["set_aside"] == {"not-white-cell": 1, "not-whole": 0, "not-new": 0}


def test_what_was_left_out_is_named_with_its_reason() -> None:
    text_ = seen(report(FIELDS)).text
    assert "2 fields used, 2 left out (out of focus 1, unreadable 1)." in text_
    assert "Field 2, f2.png: rejected: out of focus" in text_
    assert "no image" in text_


def test_every_field_has_its_square_with_what_it_holds() -> None:
    found = seen(report(FIELDS))
    squares = [a["class"] for a in found.of("svg") if a.get("width") == "20"]
    assert squares == ["kept hit h1", "kept hit h3", "rejected", "unread"]
    assert "field 1: f1.png; 3 counted; 3 positive" in found.text


def test_nothing_counted_is_said_and_nothing_is_drawn_of_it() -> None:
    for events in ([], [field([], 0)], [field([[0.1, 0.9]], 0, "empty"), unreadable(1)]):
        found = seen(report(events))
        check(found.facts)
        assert "No cell was counted." in found.text
        assert "Share and limits" not in found.text
        assert found.facts["cells"] == 0
        assert found.facts["galleries"] == []


def test_calibrated_and_nothing_counted_is_insufficient() -> None:
    found = seen(report([field([], 0, "empty")], assessor=Assessor(calibration(), 0.01)))
    check(found.facts)
    assert found.facts["flag"] == "insufficient"
    assert "Nothing can be said either way" in found.text


def test_no_suspects_are_said_to_be_none() -> None:
    assert "No cell was counted as parasitized." in seen(report([field([[0.9, 0.1]], 0)])).text


def test_several_classes_are_each_counted_and_shown() -> None:
    events = [field([[0.1, 0.9, 0], [0, 0.1, 0.9], [1, 0, 0]], 0)]
    found = seen(report(events, THREE))
    check(found.facts)
    assert [g["class"] for g in found.facts["galleries"]] == ["toxoplasma", "trichomonad", None]
    for label in ("toxoplasma: counted", "trichomonad: counted", "trichomonad: all 1, by score"):
        assert label in found.text


def test_a_model_of_very_many_classes_has_a_page_of_bearable_length() -> None:
    labels = tuple(f"class-{i}" for i in range(40))
    row = [0.0] * 40
    found = seen(
        report(
            [field([[*row[:i], 1.0, *row[i + 1 :]] for i in range(40)], 0)],
            replace(CARD, labels=labels, positive=labels),
        )
    )
    check(found.facts)
    assert "Drawn: the first 12 of 40 classes" in found.text
    assert found.text.count(": counted\n") == 12
    assert len(found.facts["galleries"]) == 40


def test_a_model_without_suspicious_classes_has_a_page_too() -> None:
    found = seen(report([field([[0.1, 0.9], [0.8, 0.2]], 0)], replace(CARD, positive=())))
    check(found.facts)
    assert "uninfected: counted" in found.text
    assert "All 2 cells" in found.text


@pytest.mark.parametrize("assessed", [False, True])
def test_a_grid_counts_tiles_and_never_says_cells(assessed: bool) -> None:
    about = replace(ABOUT, unit="tile")
    assessor = Assessor(replace(calibration(), unit="tile"), 0.01) if assessed else None
    for events in (FIELDS, []):
        found = seen(report(events, assessor=assessor, about=about))
        check(found.facts)
        assert found.facts["unit"] == "tile"
        words = found.text.replace("red cells, set aside", "")  # a kind of the stand-in's
        assert not re.search(r"\bcells?\b", words, re.IGNORECASE), re.findall(r".*\bcells?\b.*", words)


def test_a_cards_free_form_is_cut_to_size() -> None:
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"x" * 400: deep, "y": ["z" * 1000] * 1000}
    lines = flat({str(i): deep for i in range(1000)})
    assert len(lines) == 25
    assert all(len(name) <= 300 and len(value) <= 300 for name, value in lines)
    assert flat({"auc": 0.98, "int8": {"auc": 0.97, "cells": [1, 2]}, "none": {}}) == [
        ("auc", "0.98"),
        ("int8", "auc 0.97; cells 1, 2"),
    ]


def test_thousands_of_fields_make_no_larger_page() -> None:
    few, many = (
        "".join(page(report([field([[0.9, 0.1]], i, name=f"f{i}.png") for i in range(n)]))) for n in (500, 3000)
    )
    assert len(many) < 1.2 * len(few)
    assert "fields 0 to 7: 8 kept" in read(many).text


def test_the_index_lists_every_sample_and_links_to_its_page() -> None:
    found = read("".join(index([("<b>", "b.html", "positive", "7 cells"), ("c", "c-2.html", "negative", "1 cell")])))
    assert [a["href"] for a in found.of("a")] == ["b.html", "c-2.html"]
    assert "<b>" in found.text
    assert NOTICE in found.text


def test_the_documentation_says_what_the_code_does() -> None:
    words = (SCHEMA_FILE.parents[2] / "docs" / "report.md").read_text()
    schema = json.loads(SCHEMA_FILE.read_text())
    keys = {*schema["properties"], *schema["definitions"]["cell"]["properties"]}
    assert [key for key in sorted(keys) if f"`{key}`" not in words and f'"{key}"' not in words] == []
    for figure in (
        f"{SUSPECTS} highest scores, and the {LOWEST_SHOWN} lowest that",
        f"a random {OTHERS} of",
        f"{BELOW_SHOWN} highest scores that were not",
        f"above {MOST} fields",
        f"({AROUND:g} times the box)",
    ):
        assert figure in words, figure
    assert (FIELDS_SHOWN, REJECTED_FIELDS) == (4, 2)
    assert "the four with most positives; and the first field rejected for each reason, two at most" in words
    assert NOTICE.split(". ")[0] in words
