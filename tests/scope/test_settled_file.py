"""A settled microscope is kept as JSON and read back; what makes no sense is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.errors import SettlingError
from edge.scope.file import facts, parse, read_settled
from tests.scope.made import settled


def changed(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(json.dumps(facts(settled())))
    for key, value in changes.items():
        where = raw
        *path, last = key.split("__")
        for step in path:
            where = where[step]
        where[last] = value
    return raw


def test_a_file_gives_back_what_was_kept(tmp_path: Path) -> None:
    made = settled(scope="scope-3")
    path = tmp_path / "settled.json"
    path.write_text(json.dumps(facts(made)))
    got = read_settled(path)
    assert (got.typical.cells == made.typical.cells).all()
    assert (got.typical.papers == made.typical.papers).all()
    assert (got.used, got.fields, got.cells, got.scope) == (made.used, made.fields, made.cells, "scope-3")
    for name, look in made.looks.items():
        assert got.looks[name] == pytest.approx(look, abs=1e-4)
    assert facts(got) == facts(made)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"format": "edge-calibration"}, "its format is not 'edge-settled'"),
        ({"version": 2}, "version 2 is not 1; settle anew or update the runner"),
        ({"paper": [1, 2]}, "paper is not a colour"),
        ({"paper": [1, 2, 256]}, "paper is not a colour"),
        ({"paper": [1, 2, -3]}, "paper is not a count"),
        ({"paper": "white"}, "paper is not a list"),
        ({"used": None}, "used is not a JSON object"),
        ({"used__finder": "a\nb"}, "finder is not one line"),
        ({"fields": -1}, "fields is not a count"),
        ({"cell__size": 4}, "the cell has no size or no pixels"),
        ({"cell__size": 100_000}, "the cell has no size or no pixels"),
        ({"cell__size": 16}, "3,072 bytes, which are not 16 x 16 pixels"),
        ({"cell__rgb_base64": 7}, "the cell has no size or no pixels"),
        ({"cell__rgb_base64": "no base64!"}, "the cell's pixels are not base64"),
        ({"looks__light__low": "dark"}, "low is not a number"),
        ({"looks__light__high": float("inf")}, "high is not a number"),
        ({"looks__light": 3}, "light is not a JSON object"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse(changed(**changes))


@pytest.mark.parametrize("raw", [None, [], "text", 7, {"format": "edge-settled"}])
def test_another_file_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse(raw)


def test_what_cannot_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text("{")
    for path, text in ((tmp_path / "torn.json", "no settled microscope"), (tmp_path / "none.json", "cannot be read")):
        with pytest.raises(SettlingError, match=f"^{path}: {text}: "):
            read_settled(path)
