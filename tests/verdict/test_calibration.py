from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import CalibrationError
from edge.verdict.calibration import Bound, CountError, to_json
from edge.verdict.choose import SlideScores, blanks_at, choose_threshold, flagged_by_others, outliers, positives
from edge.verdict.known import ReadSlide, held_out, match
from edge.verdict.schema import read_calibration
from edge.verdict.units import parse_share, per_ul, percent
from tests.verdict.made import BOUND, calibration

LABELS = ("uninfected", "parasitized")


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


def test_a_nameless_calibration_is_not_some_named_microscopes() -> None:
    with pytest.raises(CalibrationError, match="names no microscope"):
        BOUND.refuse_other(replace(BOUND, scope="scope-3"))


def test_a_finder_that_counts_too_much_lowers_the_share_found() -> None:
    plain = calibration()
    more = replace(plain, count_error=CountError(0.1, 0.02, "test"))
    assert more.found("parasitized").mean == pytest.approx(plain.found("parasitized").mean / 1.1, rel=0.01)


def slides(rng: np.random.Generator, n: int, cells: int, infected: float = 0.0) -> list[SlideScores]:
    out = []
    for i in range(n):
        logit = np.where(rng.random(cells) < infected, rng.normal(5, 2, cells), rng.normal(-4, 2, cells))
        p = (1 / (1 + np.exp(-logit))).astype(np.float32)
        out.append(SlideScores(f"s{i}", 10, np.stack([1 - p, p], axis=1)))
    return out


def test_a_class_is_counted_by_the_classifiers_own_rule() -> None:
    scores = np.array([[0.4, 0.35, 0.25], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.5, 0.1, 0.4]], np.float32)
    assert positives(scores, [1, 2], 0.5).tolist() == [1, 2]
    assert positives(scores, [1, 2], 0.9).tolist() == [0, 0]


def test_the_threshold_with_the_lowest_limit_is_chosen() -> None:
    rng = np.random.default_rng(1)
    blanks = slides(rng, 6, 4000)
    infected = rng.normal(5, 2, 300)

    def known_at(threshold: float) -> Any:
        from edge.verdict.calibration import KnownSlide

        found = int((1 / (1 + np.exp(-infected)) >= threshold).sum())
        return (KnownSlide("k", {"parasitized": found}, {"parasitized": 300}),)

    from edge.verdict.choose import worst

    def at(t: float) -> Any:
        return blanks_at(blanks, LABELS, LABELS[1:], t)

    start = calibration()
    chosen = choose_threshold(start, at, known_at, 4000, None)
    lowest = worst(chosen, 4000)
    assert lowest is not None
    for threshold in (0.5, 0.9999):
        other = worst(replace(start, threshold=threshold, blanks=at(threshold), known=known_at(threshold)), 4000)
        assert other is None or other >= lowest
    assert 0.5 < chosen.threshold < 0.9999
    budgeted = choose_threshold(start, at, known_at, 4000, 1e-3)
    counted = sum(b.positives["parasitized"] for b in budgeted.blanks)
    assert counted <= 1e-3 * 24_000
    assert "budget" in budgeted.threshold_origin or "within" in budgeted.threshold_origin


def test_a_blank_that_holds_parasites_is_named() -> None:
    found = outliers(calibration([2, 0, 1, 3, 1, 150, 0, 1]))
    assert [outlier.name for outlier in found] == ["blank-5"]
    assert found[0].count == 150 > found[0].usual
    assert [o.name for o in outliers(calibration([0, 0, 0, 0, 0, 0, 5], cells=1500))] == ["blank-6"]
    assert outliers(calibration([2, 0, 1, 3, 1, 4, 0, 1])) == []
    assert outliers(calibration([0, 50])) == []  # two slides accuse each other


def test_blanks_like_each_other_do_not_flag_each_other() -> None:
    assert flagged_by_others(calibration()) <= 1


def test_marked_cells_are_matched_with_what_was_found_and_lost_ones_count() -> None:
    truth = np.array([[10, 10, 20, 20], [50, 50, 20, 20], [90, 90, 20, 20]], np.int32)
    found = np.array([[12, 11, 20, 20], [11, 10, 20, 20], [52, 50, 20, 20]], np.int32)
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], np.float32)
    got = match("s", truth, np.array([1, 1, 1]), found, scores)
    assert got.scores[:, 1].tolist() == pytest.approx([0.8, 0.7, 0.0])  # best overlap; second; lost
    assert got.at(0.75, LABELS, LABELS[1:]).found == {"parasitized": 1}
    assert got.at(0.75, LABELS, LABELS[1:]).infected == {"parasitized": 3}
    assert match("s", truth, np.array([1, 1, 1]), found[:0], scores[:0]).scores.sum() == 0


def test_a_share_read_by_a_person_gives_the_sensitivity_beyond_false_positives() -> None:
    p = np.zeros(1000, np.float32)
    p[:50] = 1
    slide = SlideScores("s", 5, np.stack([1 - p, p], axis=1))
    got = ReadSlide(slide, 0.05, None).at(0.5, LABELS, "parasitized", 0.0)
    assert (got.found["parasitized"], got.infected["parasitized"]) == (50, 50)
    got = ReadSlide(slide, 0.05, None).at(0.5, LABELS, "parasitized", 0.01)
    assert got.found["parasitized"] == 40  # 9.5 of the 50 are false ones
    assert ReadSlide(slide, 0.05, 200).at(0.5, LABELS, "parasitized", 0.0).infected == {"parasitized": 10}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"end_to_end": 3},
        {"end_to_end": {"set": "s", "thresholds": [0.5], "infected": [5], "found": [[6]]}},
        {"end_to_end": {"set": "s", "thresholds": [0.9, 0.5], "infected": [5], "found": [[1], [2]]}},
        {"end_to_end": {"set": "s", "thresholds": [0.5], "infected": [5], "found": [[1, 2]]}},
    ],
)
def test_a_card_without_usable_figures_has_none(raw: dict[str, Any]) -> None:
    assert held_out(raw) is None


def test_the_cards_figures_are_never_taken_above_their_own_threshold() -> None:
    table = held_out(
        {"end_to_end": {"set": "s", "thresholds": [0.5, 0.9], "infected": [10, 0], "found": [[9, 0], [5, 0]]}}
    )
    assert table is not None
    (known,) = table.at(0.6, ("parasitized",)) or ()
    assert (known.found["parasitized"], known.infected["parasitized"]) == (5, 10)
    assert table.at(0.95, ("parasitized",)) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [("0.1%", 0.001), ("0.1 %", 0.001), ("200/uL", 4e-5), ("200/µL", 4e-5), ("0.002", 0.002), ("5e-5", 5e-5)],
)
def test_shares_and_parasites_per_ul(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1%", "1.2.3", "7x", "/uL", "nan", "inf", "1e9/uL"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="share"):
        parse_share(text)


def test_figures_have_two_digits_that_count() -> None:
    assert percent(0.013456) == "1.3 %"
    assert percent(0.0000031) == "0.00031 %"
    assert percent(1.0) == "100 %"
    assert per_ul(0.00081, 5e6) == "4,000/µL"
