"""A microscope is settled on fields of any samples, and later fields are held against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.errors import SettlingError
from edge.scope.settling import MEASURES, field_for_settling, misfit_in_words
from tests.scope.made import USED, field, settled


def test_paper_and_cell_are_the_medians_of_the_fields() -> None:
    made = settled(field(light=200), field(light=220), field(light=221), field(light=230), field(light=60))
    assert made.typical.papers.tolist() == [[220, 220, 220]]
    assert (made.typical.cells == round(220 * np.exp(-0.5))).all()
    assert made.density == pytest.approx([0.5] * 3, abs=0.01)
    assert (made.fields, made.cells) == (5, 200)
    assert set(made.looks) == set(MEASURES)


@pytest.mark.parametrize(("finds", "counts"), [(0, False), (1, False), (8, False), (9, True), (200, True)])
def test_fields_with_fewer_than_nine_cells_settle_nothing(finds: int, *, counts: bool) -> None:
    assert (field_for_settling(field(finds=finds)) is not None) == counts
    if not counts:
        with pytest.raises(SettlingError, match="no field that counts holds 9 cells or more"):
            settled(field(finds=finds))


def test_what_was_settled_fits_all_the_fields_it_was_settled_on() -> None:
    fields = [field(light=200 + 5 * n, density=0.3 + n / 20) for n in range(8)]
    assert all(settled(*fields).misfits(one) == {} for one in fields)


MISFITS: dict[str, tuple[dict[str, Any], str]] = {  # a later field, and what is said of it
    "of the same kind": ({}, ""),
    "a little darker, as another slide may be": ({"light": 190}, ""),
    "a much darker lamp": ({"light": 150}, "the paper is 32 % darker"),
    "a little brighter": ({"light": 254}, ""),
    "a redder lamp": ({"red": 1.15}, "the paper has 15 % more red"),
    "a bluer one": ({"red": 0.8}, "the paper has 20 % less red"),
    "another stain": ({"density": 1.6}, "the cells are 223 % denser"),
    "cells hardly stained": ({"density": 0.2}, "the cells are 60 % paler"),
    "another objective": ({"size": 60}, "the cells are 50 % wider"),
    "of few cells, which may be anything: only the paper is looked at": ({"finds": 4, "density": 1.6, "size": 90}, ""),
    "of few cells, on dark paper": ({"finds": 4, "light": 100}, "the paper is 54 % darker"),
    "without cells, on dark paper": ({"finds": 0, "light": 100}, "the paper is 54 % darker"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_named_with_its_number(name: str) -> None:
    changes, text = MISFITS[name]
    found = settled().misfits(field(**changes))
    said = [misfit_in_words(measure, factor) for measure, factor in found.items()]
    assert said == ([text] if text else [])


OTHERS = {  # what differs, and what is said of it; the run may not name its microscope
    "nothing": ({}, "scope-3", ""),
    "the run names no microscope": ({}, "", ""),
    "another microscope": ({}, "scope-4", "scope-3 was settled, and this microscope is scope-4"),
    "another finder": (
        {"finder": "classical", "finder_id": ""},
        "",
        "another finder (finder-thin f1, here classical)",
    ),
    "a later finder": ({"finder_id": "f2"}, "", "another finder (finder-thin f1, here finder-thin f2)"),
    "another way of cropping": ({"crops": "c2"}, "", "another way of cropping (c1, here c2)"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_was_settled_holds_for_its_own_finder_crops_and_microscope(name: str) -> None:
    changes, scope, text = OTHERS[name]
    made = settled(scope="scope-3")
    if not text:
        made.refuse_other(replace(USED, **changes), scope)
        return
    with pytest.raises(SettlingError) as caught:
        made.refuse_other(replace(USED, **changes), scope)
    assert text in str(caught.value)
    assert "settle it anew: edge scope settle" in str(caught.value)
