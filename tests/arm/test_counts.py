"""Counts: from marks to instructions per cell, to a table, to what has moved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.arm import instructions, table
from benchmarks.arm.errors import ArmError
from benchmarks.arm.instructions import InstructionCounts, moved, per_unit
from benchmarks.arm.stages import STAGES
from benchmarks.places import REPOSITORY
from edge import shelf
from edge.crops import net_channels
from edge.virtual_slide import SlideSpec, render_field

CONDITIONS = {"cells": 64, "fields": 2, "found": 9, "qemu": "7", "versions": {"numpy": "2"}}


def counts(**a76: int) -> InstructionCounts:
    return InstructionCounts(CONDITIONS, {"cortex-a76": a76})


class TestMarks:
    def test_what_stands_between_two_marks_is_shared_among_its_cells(self) -> None:
        pieces = [("", 0), ("nothing", 1), ("", 0), ("net x", 100)]
        assert per_unit(pieces, [0, 10, 500, 500 + 10 + 7_000]) == {"net x": 70}

    def test_a_stage_that_comes_back_is_added_up(self) -> None:
        pieces = [("", 0), ("nothing", 1), ("", 0), ("gate", 1), ("find", 1), ("", 0), ("gate", 1), ("find", 1)]
        assert per_unit(pieces, [0, 0, 5, 105, 405, 500, 620, 720]) == {"gate": 110, "find": 200}

    def test_what_a_mark_costs_is_taken_off_as_often_as_it_was_set(self) -> None:
        pieces = [("", 0), ("nothing", 1), ("", 0), ("gate", 1), ("", 0), ("gate", 1)]
        assert per_unit(pieces, [0, 10, 20, 20 + 10 + 100, 200, 200 + 10 + 120]) == {"gate": 110}

    @pytest.mark.parametrize(("units", "count"), [(1, 1000), (3, 333), (1000, 1)])
    def test_counts_are_whole_instructions_per_unit(self, units: int, count: int) -> None:
        pieces = [("", 0), ("nothing", 1), ("", 0), ("net x", units)]
        assert per_unit(pieces, [0, 0, 0, 1000]) == {"net x": count}

    def test_a_mark_that_was_not_heard_is_said(self) -> None:
        with pytest.raises(ArmError, match="2 marks were set and 1 heard"):
            per_unit([("", 0), ("nothing", 1)], [0])


class TestMoved:
    def test_the_same_counts_have_not_moved(self) -> None:
        assert moved(counts(gate=1000), counts(gate=1009), 0.01) == []

    @pytest.mark.parametrize("now", [980, 1020])
    def test_more_than_the_tolerance_is_said_with_both_numbers(self, now: int) -> None:
        (line,) = moved(counts(gate=1000), counts(gate=now), 0.01)
        assert f"{now:,}" in line
        assert "1,000" in line

    def test_new_and_lost_pieces_are_said(self) -> None:
        assert len(moved(counts(gate=1), counts(find=1), 0.01)) == 2

    def test_other_conditions_are_said(self) -> None:
        other = InstructionCounts({**CONDITIONS, "qemu": "8"}, {"cortex-a76": {"gate": 1}})
        assert moved(counts(gate=1), other, 0.01) == ["conditions: qemu is 8, was 7"]

    def test_a_core_that_was_not_counted_now_is_no_difference(self) -> None:
        assert moved(counts(gate=1), InstructionCounts(CONDITIONS, {}), 0.01) == []


class TestKept:
    def test_what_is_written_is_read_again(self, tmp_path: Path) -> None:
        counts(gate=1).write(tmp_path / "c.json")
        assert instructions.read(tmp_path / "c.json") == counts(gate=1)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1}'])
    def test_another_file_is_refused_in_one_line(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "c.json").write_text(text)
        with pytest.raises(ArmError, match=r"^[^\n]*c\.json: [^\n]*$"):
            instructions.read(tmp_path / "c.json")

    def test_none_yet_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ArmError, match="count first"):
            instructions.read(tmp_path / "none.json")

    def test_all_three_cores_and_every_stage_are_kept(self) -> None:
        kept = instructions.read()
        assert set(kept.boards) == {"cortex-a53", "cortex-a72", "cortex-a76"}
        for pieces in kept.boards.values():
            assert {*STAGES, "decode", "tally", f"net {shelf.CLASSIFIER}", f"net {shelf.FINDER}"} <= set(pieces)
        assert kept.conditions["cells"] >= 4096


class TestTable:
    def test_the_page_shows_what_is_kept(self) -> None:
        assert table.render(instructions.read()) in table.PAGE.read_text()

    def test_a_time_is_always_called_an_estimate_and_says_what_was_assumed(self) -> None:
        text = table.render(counts(gate=528_000))
        assert "estimate, µs" in text.splitlines()[0]
        assert "| 528,000 | 100 |" in text
        assert "2.2 at 2.4 GHz" in text

    def test_other_assumptions_give_other_times(self) -> None:
        text = table.render(counts(gate=528_000), table.boards_with({"cortex-a76": 1.1}, {}))
        assert "| 528,000 | 200 |" in text

    def test_a_field_is_the_sum_of_its_stages(self) -> None:
        text = table.render(counts(**{"gate": 2, "find": 3, "find classical": 50, "net x": 100}))
        assert "| **whole field** | 5 |" in text

    def test_the_target_is_met_or_missed_by_so_much(self) -> None:
        name = f"net {shelf.CLASSIFIER}"
        assert table.target(counts(**{name: table.TARGET})).endswith("met.")
        assert table.target(counts(**{name: table.TARGET * 3 // 2})).endswith("missed by 50%.")
        assert "not counted" in table.target(counts(gate=1))

    def test_a_page_without_a_place_for_it_is_refused(self) -> None:
        with pytest.raises(ArmError, match="no place"):
            table.with_table("a page", "counts", "a table")


def test_every_stage_is_marked_as_the_runner_goes_through_it(tmp_path: Path) -> None:
    for entry in shelf.entries():
        card = shelf.load(entry.name).card
        assert card is not None
        shape = (64, 32, 32, net_channels(card)) if card.task == "classify" else (1, 240, 320, 3)
        np.save(tmp_path / f"{entry.name}.npy", np.full(shape, 128, np.uint8))
    rgb, _ = render_field(SlideSpec(width=640, height=480, cell_px=33), 0)
    cv2.imwrite(str(tmp_path / "field.jpg"), rgb[..., ::-1])
    command = [sys.executable, "-m", "benchmarks.arm.stages", str(tmp_path), "64", "2"]
    got = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert got.returncode == 0, got.stderr
    told = json.loads(got.stdout)
    done = [name for name, _ in told["pieces"] if name]
    assert done[-2 * len(STAGES) :] == [*STAGES, *STAGES]
    assert {"nothing", "decode", "tally", f"classify {shelf.CLASSIFIER}"} <= set(done)
    assert dict(told["pieces"])[f"net {shelf.CLASSIFIER}"] == 64
    assert told["found"] > 50
