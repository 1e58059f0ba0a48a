"""Comparing two sides: one wrong byte anywhere is found and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.arm import inside, operations, suite
from benchmarks.arm.boards import PI_5
from benchmarks.arm.equality import BoardComparison, fail_on_difference, fields_between, nets_between
from benchmarks.arm.errors import DifferenceError
from benchmarks.arm.roots import ARMHF, BOOKWORM
from benchmarks.places import REPOSITORY
from edge.virtual_slide import SlideSpec, render_field


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with the same outputs of one net."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "net.npz", np.arange(8, dtype=np.float32))
        (tmp_path / name / "net.delegated").write_text("True")
    return tmp_path / "here", tmp_path / "there"


class TestNets:
    def test_the_same_bytes_are_equal(self, sides: tuple[Path, Path]) -> None:
        (one,) = nets_between(*sides, PI_5)
        assert one.difference is None
        assert str(one) == "net net on cortex-a76: 8 inputs: equal"
        fail_on_difference([one])

    def test_the_last_bit_of_one_value_is_a_difference(self, sides: tuple[Path, Path]) -> None:
        values = np.arange(8, dtype=np.float32)
        values[3] = np.nextafter(values[3], np.float32(9))
        np.savez(sides[1] / "net.npz", values)
        (one,) = nets_between(*sides, PI_5)
        assert one.difference is not None
        assert one.difference.startswith("1 of 8 values differ")
        with pytest.raises(DifferenceError, match="1 of 1"):
            fail_on_difference([one])

    def test_another_shape_is_a_difference(self, sides: tuple[Path, Path]) -> None:
        np.savez(sides[1] / "net.npz", np.arange(7, dtype=np.float32))
        assert nets_between(*sides, PI_5)[0].difference == "shape (7,) instead of (8,)"

    def test_a_net_outside_the_delegate_is_a_difference(self, sides: tuple[Path, Path]) -> None:
        (sides[1] / "net.delegated").write_text("False")
        assert "delegate" in str(nets_between(*sides, PI_5)[0].difference)


class TestFields:
    def between(self, tmp_path: Path, **changed: Any) -> BoardComparison:
        record = {"decode": "a", "confidence": [0.5, 0.75], "boxes": "b", "counts": {"x": 2, "y": 1}}
        for name, one in (("here", record), ("there", {**record, **changed})):
            (tmp_path / name).mkdir()
            text = json.dumps({"versions": {}, "fields": {"f.png": {"finder net": one}}})
            (tmp_path / name / "fields.json").write_text(text)
        return fields_between(tmp_path / "here", tmp_path / "there", PI_5)[0]

    def test_the_same_records_are_equal(self, tmp_path: Path) -> None:
        assert str(self.between(tmp_path)) == "finder net on cortex-a76: 1 fields, 3 cells: equal"

    def test_what_differs_is_named_with_its_field(self, tmp_path: Path) -> None:
        got = self.between(tmp_path, boxes="c", counts={"x": 1, "y": 2}).difference
        assert got == "1 differ: f.png: boxes, counts"

    def test_the_last_bits_of_a_confidence_do_not_count_but_are_told(self, tmp_path: Path) -> None:
        got = self.between(tmp_path, confidence=[0.5, 0.7501])
        assert got.difference is None
        assert "confidence apart by up to 1e-04" in got.items

    @pytest.mark.parametrize("confidence", [[0.5, 0.76], [0.5]])
    def test_another_confidence_counts(self, tmp_path: Path, confidence: list[float]) -> None:
        assert self.between(tmp_path, confidence=confidence).difference is not None


def test_a_record_knows_every_stage_and_a_single_pixel_changes_it(tmp_path: Path) -> None:
    rgb, _ = render_field(SlideSpec(width=640, height=480, cell_px=33, bad_fields=0), 0)
    other = rgb.copy()
    other[240, 320] ^= 0xFF
    records = []
    for number, picture in enumerate((rgb, rgb, other)):
        folder = tmp_path / str(number)
        folder.mkdir()
        cv2.imwrite(str(folder / "field.png"), picture[..., ::-1])
        inside.fields(folder, folder)
        records.append(json.loads((folder / "fields.json").read_text())["fields"]["field.png"])
    for record in (*records[0].values(), *records[1].values()):
        del record[inside.CONFIDENCE]  # the classical one's last bits differ from run to run
    assert records[0] == records[1]
    first, second = (record["classical malaria-thin-32"] for record in records[1:])
    assert len(first["gate"]) == 7
    assert {stage for stage in first if first[stage] != second[stage]} >= {"decode", "halves", "finder's input"}


class TestSuite:
    def test_a_report_is_read_to_the_last_reason(self, tmp_path: Path) -> None:
        (tmp_path / "tests.xml").write_text(
            "<testsuites><testsuite>"
            '<testcase classname="tests.test_a" name="good"/><testcase classname="tests.test_a" name="fine"/>'
            '<testcase classname="tests.test_a" name="bad"><failure message="no"/></testcase>'
            '<testcase classname="" name="tests.test_b"><error message="import"/></testcase>'
            '<testcase classname="tests.test_a" name="out"><skipped message="no camera"/></testcase>'
            "</testsuite></testsuites>"
        )
        got = suite.outcome("trixie", tmp_path / "tests.xml")
        assert (got.passed, got.failed, got.skipped) == (2, ("tests.test_a::bad", "::tests.test_b"), {"no camera": 1})
        assert got.lines()[0] == "trixie: 2 passed, 2 failed, 1 skipped"
        assert got.lines()[-1] == "trixie: skipped 1: no camera"
        with pytest.raises(DifferenceError, match="2 tests failed"):
            suite.fail_on_failure([got])

    def test_everything_left_out_exists_and_has_a_reason(self) -> None:
        for root in (BOOKWORM, ARMHF):
            for place, reason in suite.left_out(root).items():
                path, _, name = place.partition("::")
                found = REPOSITORY / path
                assert found.exists(), path
                assert reason
                assert not name or f"def {name.split('[')[0]}(" in found.read_text()
        assert all((REPOSITORY / place).exists() for place in suite.QUICK)


class TestOperations:
    def test_the_same_on_the_same_machine(self) -> None:
        first, second = ({name: np.asarray(do()) for name, do in operations.operations().items()} for _ in range(2))
        lines = operations.between(first, second).splitlines()[2:]
        assert len(lines) == len(first)
        # cv2.magnitude takes another way where memory is not aligned, which differs from run to run
        assert [line for line in lines if not line.endswith("| none | — |") and "magnitude" not in line] == []

    def test_what_differs_is_shown_with_its_share_and_size(self) -> None:
        got = operations.between({"x": np.array([1, 2, 3, 250], np.uint8)}, {"x": np.array([1, 2, 3, 251], np.uint8)})
        assert got.splitlines()[-1] == "| x | 0.25 of 1 | 1 |"
