from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import CalibrationError
from edge.verdict.calibration import Blank, Bound, Calibration, CountError, KnownSlide, to_json
from edge.verdict.rates import MISSED_CELLS, fit
from edge.verdict.schema import read_calibration
from tests.verdict.made import BOUND, calibration


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    made = replace(calibration(target=0.001), count_error=CountError(0.02, 0.01, "test"), cells_per_field=107.5)
    path.write_text(to_json(made))
    assert read_calibration(path) == made


def changed(**values: Any) -> str:
    return json.dumps({**json.loads(to_json(calibration())), **values})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"format": "edge-calibration"}',
        changed(format="other"),
        changed(version=2),
        changed(blanks=[]),
        changed(blanks=[{"name": "a", "cells": 5, "fields": 1, "positives": {"parasitized": 6}}]),
        changed(blanks=[{"name": "a", "cells": -5, "fields": 1, "positives": {"parasitized": 0}}]),
        changed(blanks=[{"name": "a\x1b[2J", "cells": 5, "fields": 1, "positives": {"parasitized": 0}}]),
        changed(blanks=[{"name": "a", "cells": True, "fields": 1, "positives": {"parasitized": 0}}]),
        changed(positive=[]),
        changed(positive=["other"]),
        changed(threshold=2),
        changed(threshold=float("nan")),
        changed(known=[{"name": "k", "found": {"parasitized": 3}, "infected": {"parasitized": 2}}]),
        changed(unit="litre"),
        changed(rbc_per_ul=0),
        changed(bound=[]),
        changed(count_error={"bias": -2, "spread": 0, "source": ""}),
    ],
)
def test_a_damaged_or_hostile_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path)
    assert str(caught.value).isprintable()


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(CalibrationError, match="cannot be read"):
            read_calibration(path)


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"model_sha256": "cd" * 32}, "model"),
        ({"finder": "classical"}, "finder"),
        ({"finder_id": "other"}, "finder"),
        ({"crops": "other"}, "cropping"),
        ({"scope": "scope-4"}, "microscope"),
        ({"gate": False}, "gate"),
    ],
)
def test_a_calibration_holds_for_its_own_set_up_only(other: dict[str, Any], word: str) -> None:
    own = Bound("m", "ab" * 32, "finder-thin", "id", "crops", "scope-3")
    own.refuse_other(own)
    own.refuse_other(replace(own, scope=""))  # a run that does not say is taken at its word
    with pytest.raises(CalibrationError, match=word):
        own.refuse_other(replace(own, **other))


@pytest.mark.parametrize(
    ("made", "run", "refused"),
    [
        pytest.param("", "", False, id="neither has a profile"),
        pytest.param("", "ab12", False, id="made before there were profiles"),
        pytest.param("ab12", "", False, id="a run without one is taken at its word"),
        pytest.param("ab12", "ab12", False, id="the same"),
        pytest.param("ab12", "cd34", True, id="set up anew since"),
    ],
)
def test_a_calibration_holds_for_the_profile_it_was_made_with(made: str, run: str, *, refused: bool) -> None:
    own, now = replace(ONE, profile=made), replace(ONE, profile=run)
    if not refused:
        own.refuse_other(now)
        return
    with pytest.raises(CalibrationError, match=r"another profile of scope-3 \(ab12, here cd34\): .* Make it anew"):
        own.refuse_other(now)


def test_a_nameless_calibration_is_not_some_named_microscopes() -> None:
    with pytest.raises(CalibrationError, match="names no microscope"):
        BOUND.refuse_other(replace(BOUND, scope="scope-3"))


def test_a_finder_that_counts_too_much_lowers_the_share_found() -> None:
    plain = calibration()
    more = replace(plain, count_error=CountError(0.1, 0.02, "test"))
    assert more.found("parasitized").mean == pytest.approx(plain.found("parasitized").mean / 1.1, rel=0.01)


ONE = Bound("thin", "ab" * 32, "finder", "id", "crops", "scope-3")


@pytest.mark.parametrize(
    ("name", "own", "run", "text"),
    [
        ("another model", ONE, {"model": "thick"}, "model (thin abababababab, here thick abababababab)"),
        ("another finder", ONE, {"finder": "grid"}, "finder (finder id, here grid id)"),
        ("a finder without settings", replace(ONE, finder_id=""), {"finder": "grid"}, "finder (finder, here grid)"),
        ("another microscope", ONE, {"scope": "scope-4"}, "microscope (scope-3, here scope-4)"),
        ("other crops", ONE, {"crops": "other"}, "cropping (crops, here other)"),
        ("without the gate", ONE, {"gate": False}, "gate (on, here off)"),
        ("with a gate", replace(ONE, gate=False), {"gate": True}, "gate (off, here on)"),
        ("no crops were noted", replace(ONE, crops=""), {"crops": "other"}, "cropping (, here other)"),
    ],
)
def test_what_differs_is_named_with_both_values(name: str, own: Bound, run: dict[str, Any], text: str) -> None:
    own.refuse_other(own)
    with pytest.raises(CalibrationError) as caught:
        own.refuse_other(replace(own, **run))
    assert str(caught.value) == f"the calibration is of another {text}: calibrate this one", name


@pytest.mark.parametrize(
    ("name", "run", "text"),
    [
        (
            "a later net",
            {"model_sha256": "cd" * 32},
            "model of the same name (thin abababababab, here thin cdcdcdcdcdcd)",
        ),
        ("a later finder", {"finder_id": "other"}, "finder of the same name (finder id, here finder other)"),
        (
            "a later net, finder and way of cropping: the net is named",
            {"model_sha256": "cd" * 32, "finder_id": "other", "crops": "typical"},
            "model of the same name (thin abababababab, here thin cdcdcdcdcdcd)",
        ),
    ],
)
def test_a_calibration_of_former_nets_says_why_it_is_refused_and_what_to_do(
    name: str, run: dict[str, Any], text: str
) -> None:
    with pytest.raises(CalibrationError) as caught:
        ONE.refuse_other(replace(ONE, **run))
    assert str(caught.value) == (
        f"the calibration was made with another {text}: the nets or their settings have changed since, "
        "and its limits say nothing of these. Make it anew: edge calibrate"
    ), name


def test_a_run_that_does_not_say_its_microscope_or_crops_is_taken_at_its_word() -> None:
    ONE.refuse_other(replace(ONE, scope="", crops=""))
    nameless = replace(ONE, scope="")
    nameless.refuse_other(nameless)
    with pytest.raises(CalibrationError) as caught:
        nameless.refuse_other(ONE)
    assert str(caught.value) == "the calibration names no microscope and this one is scope-3: calibrate it anew"


KNOWN = (KnownSlide("a", {"p": 90, "q": 5}, {"p": 100, "q": 9}), KnownSlide("b", {"p": 30, "q": 0}, {"p": 50, "q": 0}))
MADE = Calibration(
    BOUND, ("p", "q", "r"), 0.5, "t",
    (Blank("x", 1000, 3, {"p": 2, "q": 7, "r": 0}), Blank("y", 3000, 4, {"p": 5, "q": 1, "r": 0})), KNOWN,
)  # fmt: skip


def test_false_positives_are_those_of_the_class_on_the_blanks() -> None:
    for label, events in (("p", [2, 5]), ("q", [7, 1])):
        errors, want = MADE.errors(label), fit(events, [1000, 3000])
        assert errors.pooled == want.pooled
        assert errors.false.values.tolist() == want.next.values.tolist()
        assert errors.false.weights.tolist() == want.next.weights.tolist()
        assert errors.found.mean == MADE.found(label).mean


def test_sensitivity_is_known_where_some_slide_holds_infected_cells_of_the_class() -> None:
    assert [MADE.knows(label) for label in "pqr"] == [True, True, False]
    assert not replace(MADE, known=()).knows("p")


def test_what_is_found_is_one_less_what_is_missed_on_the_slides_that_hold_such_cells() -> None:
    missed = fit([10, 20], [100, 50], MISSED_CELLS).next
    assert MADE.found("p").mean == pytest.approx(1 - missed.mean)
    assert MADE.found("q").mean == pytest.approx(
        1 - fit([4], [9], MISSED_CELLS).next.mean
    )  # the other slide holds none


def test_where_nobody_knows_what_is_found_it_may_be_anything_from_0_to_1() -> None:
    got = MADE.found("r")
    assert got.values.tolist() == pytest.approx([0.025 + 0.05 * i for i in range(20)])
    assert got.weights.tolist() == pytest.approx([0.05] * 20)


@pytest.mark.parametrize(
    ("bias", "spread", "values"),
    [
        (0.0, 0.0, [1.0] * 5),
        (0.25, 0.0, [0.8] * 5),
        # five Gauss-Hermite points: 0, +-1.3556, +-2.8570
        (0.0, 0.1, [1 / (1 + 0.1 * z) for z in (2.85697, 1.35563, 0.0, -1.35563, -2.85697)]),
        (-0.5, 0.2, [1 / max(0.5 + 0.2 * z, 0.2) for z in (2.85697, 1.35563, 0.0, -1.35563, -2.85697)]),
    ],
)
def test_a_count_that_is_off_by_so_much_stands_for_so_many_cells(
    bias: float, spread: float, values: list[float]
) -> None:
    from edge.verdict.calibration import _per_counted

    got = _per_counted(CountError(bias, spread, ""))
    assert got.values.tolist() == pytest.approx(values, rel=1e-4)
    assert got.weights.tolist() == pytest.approx([0.011257, 0.222076, 0.533333, 0.222076, 0.011257], abs=1e-5)
    assert _per_counted(None).values.tolist() == [1.0]


def test_the_file_is_json_that_says_what_it_is_and_ends_its_last_line() -> None:
    text = to_json(replace(MADE, known_origin="é"))
    assert text.endswith("}\n")
    assert text.isascii()
    assert text.startswith('{\n "format": "edge-calibration",\n "version": 1,\n "bound": {\n  "model": "fake",\n')


def test_what_is_wrong_with_a_file_is_told_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(changed(unit="litre"))
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path)
    assert str(caught.value) == f"{path}: no calibration: its unit is neither cell nor tile"
    with pytest.raises(CalibrationError) as missing:
        read_calibration(tmp_path / "none.json")
    assert str(missing.value) == f"{tmp_path / 'none.json'}: cannot be read: No such file or directory"


def test_a_file_of_more_than_16_mib_is_not_read(tmp_path: Path) -> None:
    path, text = tmp_path / "c.json", to_json(MADE)
    path.write_text(text.rjust(16 * 2**20))
    assert read_calibration(path) == MADE
    path.write_text(text.rjust(16 * 2**20 + 1))
    with pytest.raises(CalibrationError, match="no calibration"):
        read_calibration(path)
