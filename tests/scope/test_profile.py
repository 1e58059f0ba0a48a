"""The profile's file: what is written is what is read, and what is no profile is said in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.camera.records import CameraFacts
from edge.errors import ScopeError
from edge.scope.profile import PixelScale, Profile, ScaleSource, path_of, scopes_folder
from edge.scope.profile_file import find_profile, profile_facts, read_profile, write_profile
from tests.scope.lit import CAMERA, SIZE, Lit, profile_of

SCOPE = Lit(corner=0.8, dust=((120, 90, 8, 0.15), (300, 200, 9, 0.6)))


@pytest.fixture(scope="module")
def profile() -> Profile:
    scale = PixelScale(0.1136, 0.01, ScaleSource.BAR)
    return replace(profile_of(SCOPE), scale=scale, sharpness=0.4, made_by="edge-microscopy 1")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EDGE_SCOPES", str(tmp_path / "scopes"))
    return tmp_path / "scopes"


def test_what_is_written_is_what_is_read(profile: Profile) -> None:
    write_profile(profile, path_of("bench-3"))
    read = read_profile("bench-3")
    assert json.dumps(profile_facts(read)) == json.dumps(profile_facts(profile))
    assert read.fingerprint == profile.fingerprint
    rgb = SCOPE.field(3)
    assert np.array_equal(read.correction(SIZE)(rgb), profile.correction(SIZE)(rgb))
    assert read.masked(SIZE) == profile.masked(SIZE) != ()


def test_a_person_can_read_it(profile: Profile) -> None:
    write_profile(profile, path_of("bench-3"))
    text = path_of("bench-3").read_text()
    for word in ('"exposure_us": 8000.0', '"objective": "100x/1.25 oil"', '"source": "known bar"', '"operator": "Ada"'):
        assert word in text


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"operator": "Grace"}, True, id="who set it up"),
        pytest.param({"scale": None}, True, id="its scale"),
        pytest.param({"objective": "40x"}, False, id="objective"),
        pytest.param({"flat": None}, False, id="flat field"),
        pytest.param({"dust": ()}, False, id="dust"),
        pytest.param({"camera": replace(CAMERA, mode="8 bit")}, False, id="sensor mode"),
    ],
)
def test_the_fingerprint_is_that_of_all_that_changes_a_picture(
    profile: Profile, change: dict[str, Any], *, same: bool
) -> None:
    assert (replace(profile, **change).fingerprint == profile.fingerprint) is same


def put(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        *way, last = key.split(".")
        for step in way:
            raw = raw[step]
        raw[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            put("version", 2), "version 2 is not 1; update the runner, or set the microscope up anew", id="newer"
        ),
        pytest.param(put("format", "edge-settled"), "its format is not 'edge-scope'", id="another file"),
        pytest.param(put("name", "../x"), "no slashes", id="a name that is a path"),
        pytest.param(put("camera.size", [0, 9]), "size is not a width and a height", id="no size"),
        pytest.param(put("light.paper_linear", [1, 1]), "paper_linear is not three numbers", id="two channels"),
        pytest.param(put("flat.gains_base64", "AAAA"), "the flat field has 3 bytes where", id="half a flat field"),
        pytest.param(put("flat.gains_base64", "*"), "are not base64", id="no base64"),
        pytest.param(put("held.colour_gains", [1]), "colour_gains are not those of red and blue", id="one gain"),
        pytest.param(put("scale.source", "guess"), "source of the scale is none that is known", id="a guess"),
        pytest.param(put("scale.um_per_px", float("nan")), "um_per_px is not a number", id="not a number"),
        pytest.param(put("dust", [{"box": [0.9, 0, 0.5, 0.1]}]), "a speck's box is none", id="dust outside"),
        pytest.param(put("camera", None), "camera is not a JSON object", id="no camera"),
    ],
)
def test_a_damaged_or_newer_file_is_refused_in_one_line(
    profile: Profile, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    raw = json.loads(json.dumps(profile_facts(profile)))
    change(raw)
    path = path_of("bench-3")
    path.parent.mkdir()
    path.write_text(json.dumps(raw))
    with pytest.raises(ScopeError) as said:
        read_profile("bench-3")
    assert words in str(said.value)
    assert str(path) in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", os.urandom(99), b"[" * 9999], ids=["empty", "half", "list", "noise", "deep"]
)
def test_what_is_no_file_of_ours_is_refused(content: bytes) -> None:
    path = path_of("bench-3")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ScopeError, match="no profile of a microscope"):
        read_profile("bench-3")


def test_one_that_is_not_there_says_how_to_make_it() -> None:
    assert find_profile("bench-3") is None
    with pytest.raises(ScopeError, match=r"no profile called bench-3 .*: set it up with edge scope set-up bench-3"):
        read_profile("bench-3")


@pytest.mark.parametrize("name", ["a/b", "../x", ".hidden", "", " x", "a\nb", "a" * 101, "a\\b"])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(ScopeError, match="the name of a microscope"):
        path_of(name)


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        pytest.param({"EDGE_SCOPES": "/a"}, "/a", id="said"),
        pytest.param({"EDGE_SCOPES": "", "XDG_DATA_HOME": "/d"}, "/d/edge/scopes", id="XDG"),
    ],
)
def test_where_profiles_are(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], place: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(scopes_folder()) == place


def test_frames_of_another_size_are_refused(profile: Profile) -> None:
    with pytest.raises(
        ScopeError, match="is of frames of 480x360 pixels and these have 640x480: give --size 480x360, or set it up"
    ):
        profile.correction((640, 480))


FACTS = CameraFacts("virtual", "virtual", SIZE, "BGR888", "12 bit")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        pytest.param(FACTS, "", id="the same"),
        pytest.param(replace(FACTS, model="imx219"), "camera imx219, in the profile virtual", id="another camera"),
        pytest.param(replace(FACTS, mode="8 bit"), "sensor mode 8 bit, in the profile 12 bit", id="sensor mode gone"),
        pytest.param(replace(FACTS, size=(640, 480)), "frame size 640x480, in the profile 480x360", id="another size"),
        pytest.param(replace(FACTS, model=""), "", id="a driver that does not say"),
    ],
)
def test_another_camera_is_named(facts: CameraFacts, words: str) -> None:
    assert CAMERA.differs(facts) == words
