"""Each frame against the profile, and what a sample's fields say together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.scope.check import DIFFERS, FINGERPRINT, LAMP, LIGHT, SAID, SCOPE, ProfileCheck
from edge.scope.profile import Profile
from edge.scope.watch import AllNotes, LightNotes, LightWatch
from edge.types import HIDDEN
from tests.fakes import result
from tests.scope.lit import AS_HELD, Lit, Seen, profile_of

WORN = Lit(corner=0.75, cells=30, dust=((120, 90, 8, 0.6), (300, 200, 9, 0.6), (60, 300, 7, 0.5)))


@pytest.fixture(scope="module")
def profile() -> Profile:
    return profile_of(WORN)


def byte(factor: float) -> float:
    """The lamp's byte where its linear light is by this factor another (a power of 2.4 is near enough here)."""
    return 215 * float(factor ** (1 / 2.25))


def look(profile: Profile, scope: Lit = WORN, **metadata: object) -> Mapping[str, object]:
    return ProfileCheck(profile).look(Seen(scope.field(41), {**AS_HELD, **metadata}))


def test_a_frame_as_it_should_be_says_only_whose_it_is(profile: Profile) -> None:
    told = look(profile)
    assert (told[SCOPE], told[FINGERPRINT], told[LIGHT]) == ("bench-3", profile.fingerprint, pytest.approx(1, abs=0.04))
    assert SAID not in told
    assert DIFFERS not in told
    assert told[HIDDEN] == tuple(side for box in profile.masked((480, 360)) for side in box)


@pytest.mark.parametrize(
    ("scope", "metadata", "words"),
    [
        pytest.param(
            {"lamp": byte(0.75)}, {}, "the lamp is 2[3-7] % darker than on the day of set-up", id="a darker lamp"
        ),
        pytest.param({"lamp": byte(1.25)}, {}, "the lamp is 2[3-7] % brighter than", id="a brighter lamp"),
        pytest.param({"lamp": (215.0, 215.0, 180.0)}, {}, r"the light has 3\d % less blue than", id="another lamp"),
        pytest.param({}, {"exposure_us": 9000}, "exposure 9,000 µs, in the profile 8,000 µs", id="exposure"),
        pytest.param({}, {"analogue_gain": 2.0}, "gain 2, in the profile 1.5", id="gain"),
        pytest.param(
            {}, {"colour_gains": [2.2, 1.4]}, "white balance 2.2 and 1.4, in the profile 1.9 and 1.4", id="balance"
        ),
        pytest.param(
            {"lamp": byte(0.75)},
            {"exposure_us": 6000},
            "the picture is 2[3-7] % darker .*: the camera's settings moved",
            id="not the lamp",
        ),
    ],
)
def test_what_differs_is_one_line(
    profile: Profile, scope: dict[str, Any], metadata: dict[str, object], words: str
) -> None:
    said = str(look(profile, replace(WORN, **scope), **metadata)[SAID])
    assert re.search(words, said), said


def test_an_exposure_that_makes_up_for_the_lamp_leaves_the_picture_and_tells_of_the_lamp(profile: Profile) -> None:
    told = look(profile, exposure_us=16000)
    assert told[LIGHT] == pytest.approx(1, abs=0.04)
    assert told[LAMP] == pytest.approx(0.5, abs=0.02)


def test_dust_that_moved_is_said_after_some_fields(profile: Profile) -> None:
    check = ProfileCheck(profile)
    other = replace(WORN, cells=10, dust=((400, 90, 8, 0.6), (200, 250, 9, 0.6), (60, 120, 7, 0.5)))
    for n in range(30):
        told = check.look(Seen(other.field(n), AS_HELD))
    assert told[DIFFERS] == "the dust has moved: 3 of 3 deep specks are gone, 3 are new"


def test_dust_that_stayed_is_not_said(profile: Profile) -> None:
    check = ProfileCheck(profile)
    for n in range(31):
        told = check.look(Seen(replace(WORN, cells=10).field(n), AS_HELD))
    assert DIFFERS not in told


def notes(
    *light: float, allowed: float = 0.15, lamp: float | None = None, blue: float = 1.0, **more: object
) -> LightNotes:
    out = LightNotes(lambda *_: None, "the day of calibration")
    for n, factor in enumerate(light):
        told = {
            "scope": "bench-3",
            "scope_light": factor,
            "scope_colour": [1.0, blue],
            "scope_allowed": [allowed, 0.1],
            **more,
        }
        told |= {} if lamp is None else {"scope_lamp": lamp}
        out.add(replace(result([0], name=f"f{n}"), metadata=told))
    return out


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        pytest.param(notes(*[1.0] * 20), (), id="as it should be"),
        pytest.param(notes(), (), id="no fields"),
        pytest.param(
            notes(*[0.82] * 9),
            ("The lamp is 18 % darker than on the day of calibration, and the profile of bench-3 allows 15 %.",),
            id="darker",
        ),
        pytest.param(notes(*[0.82] * 9, allowed=0.2), (), id="within what is allowed"),
        pytest.param(
            notes(*[0.82] * 9, lamp=1.0),
            ("The picture is 18 % darker than on the day of calibration, and the profile of bench-3 allows 15 %.",),
            id="the camera, not the lamp",
        ),
        pytest.param(
            notes(*[1.0] * 9, blue=0.8),
            ("The light has 20 % less blue than on the day of calibration, and the profile of bench-3 allows 10 %.",),
            id="another colour",
        ),
        pytest.param(notes(*[1.0] * 19, 0.3), (), id="a hand before the lamp, once"),
        pytest.param(
            notes(*[1.0] * 16, *[0.6] * 4),
            (
                (
                    "In 4 of 20 fields the light is not that of the day of calibration: 40 % darker in f16, "
                    "and the profile of bench-3 allows 15 %."
                ),
            ),
            id="for a while",
        ),
        pytest.param(
            notes(*np.linspace(1.12, 0.9, 40).tolist()),
            (
                "The light changed while the sample ran: 18 % darker from f0 to f35, and the profile of bench-3 allows 15 %.",
            ),
            id="slowly, within what is allowed on either side",
        ),
    ],
)
def test_whether_a_sample_can_be_judged(taken: LightNotes, words: tuple[str, ...]) -> None:
    assert taken.doubts() == words


def test_what_differs_otherwise_is_noted_and_leaves_the_sample_to_be_judged() -> None:
    taken = notes(1.0, 1.0, 1.0, scope_differs="exposure 9,000 µs, in the profile 8,000 µs")
    assert taken.doubts() == ()
    assert taken.sentences() == (
        "3 of 3 fields differ from the profile of bench-3: exposure 9,000 µs, in the profile 8,000 µs.",
    )


def test_fields_without_a_profile_say_nothing() -> None:
    out = LightNotes(lambda *_: None)
    out.add(result([0]))
    assert (out.doubts(), out.sentences()) == ((), ())


def test_a_person_is_told_once_per_run() -> None:
    lines: list[str] = []
    watch = LightWatch(lines.append)
    for sample in (watch.sample(), watch.sample()):
        both = AllNotes([sample])
        told = {
            "scope_light": 0.8,
            "scope_colour": (1, 1),
            "scope_allowed": (0.15, 0.1),
            "scope_words": "the lamp is 20 % darker",
        }
        both.add(replace(result([0], name="f7"), metadata=told))
        assert len(both.doubts()) == 1
    assert lines == ["f7: the lamp is 20 % darker"]
