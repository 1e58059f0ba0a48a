"""What is run in a root and what is made of it, with made-up roots: nothing is emulated here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.arm import cli, counter, equality, host, inputs, instructions, suite
from benchmarks.arm.boards import BOARDS, PI_4, PI_5, Board
from benchmarks.arm.enter import Visit
from benchmarks.arm.equality import BoardComparison
from benchmarks.arm.errors import ArmError, DifferenceError
from benchmarks.arm.instructions import InstructionCounts
from benchmarks.arm.roots import ARMHF, BOOKWORM, TRIXIE, cache
from benchmarks.arm.suite import SuiteResult
from edge import shelf
from edge.crops import net_channels
from edge.types import UInt8Array


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ARM_CACHE", str(tmp_path / "cache"))
    for room in (equality, instructions, suite):
        monkeypatch.setattr(room, "build", lambda root: root.place)


def noted(done: list[Any], what: object, answer: Any) -> Any:
    """Note that something was done, and answer."""
    done.append(what)
    return answer


def arm(*words: str) -> Any:
    return CliRunner().invoke(cli.app, list(words))


class TestSuite:
    @pytest.fixture
    def streamed(self, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
        """The programs that were run; each writes a report of one passed test."""
        seen: list[Sequence[str]] = []

        def stream(visit: Visit, program: Sequence[str], heard: Callable[[str], None]) -> int:
            seen.append(program)
            visit.work.mkdir(parents=True)
            report = '<testsuite><testcase classname="a" name="b"/></testsuite>'
            (visit.work / "tests.xml").write_text(report)
            heard(". [100%]")
            return 0

        monkeypatch.setattr(Visit, "stream", stream)
        return seen

    def test_every_root_is_tested_and_what_is_left_out_there_is_not_run(self, streamed: list[Sequence[str]]) -> None:
        results = suite.run((BOOKWORM, ARMHF))
        assert [(one.root, one.passed, one.failed) for one in results] == [("bookworm", 1, ()), ("armhf", 1, ())]
        for program in streamed:
            assert "/repo/tests/convert" in program[program.index("--ignore") :]
            assert program[-1] == "/repo/tests"
        left_out = [sum("test_a_damaged_flatbuffer" in word for word in program) for program in streamed]
        assert sorted(left_out) == [0, 1]  # on 32 bits alone

    def test_quickly_only_the_files_named_are_run(self, streamed: list[Sequence[str]]) -> None:
        suite.run((BOOKWORM,), ("tests/test_crops.py",))
        assert streamed[0][-1] == "/repo/tests/test_crops.py"

    @pytest.mark.parametrize(
        ("code", "writes", "said"),
        [
            (4, False, "bookworm: the tests do not run: ERROR: no module named cv2 (see "),
            (5, True, "bookworm: the tests do not run: ERROR: no module named cv2 (see "),
        ],
    )
    def test_tests_that_do_not_run_are_an_error_and_no_success(
        self, code: int, writes: bool, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stream(visit: Visit, _program: Sequence[str], heard: Callable[[str], None]) -> int:
            visit.work.mkdir(parents=True)
            if writes:
                (visit.work / "tests.xml").write_text("<testsuite/>")
            heard("ERROR: no module named cv2")
            heard("  ")
            return code

        monkeypatch.setattr(Visit, "stream", stream)
        with pytest.raises(ArmError) as caught:
            suite.run((BOOKWORM,))
        assert str(caught.value).startswith(said)

    @pytest.mark.parametrize(("failed", "fails"), [((), False), (("a::b",), True)])
    def test_a_failed_test_is_a_difference(self, failed: tuple[str, ...], fails: bool) -> None:
        results = [SuiteResult("trixie", 5, (), {}), SuiteResult("bookworm", 5, failed, {})]
        if not fails:
            suite.fail_on_failure(results)
            return
        with pytest.raises(DifferenceError, match="1 tests failed on ARM; first: bookworm: a::b"):
            suite.fail_on_failure(results)


class TestEquality:
    @pytest.fixture
    def sides(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, float]:
        """What each side's net gives; all the same unless a test changes it."""
        values = dict.fromkeys(["here", *(board.cpu for board in BOARDS)], 1.0)

        def write(out: Path, value: float) -> None:
            np.savez(out / "net.npz", np.full(4, value, np.float32))
            (out / "net.delegated").write_text("True")
            (out / "fields.json").write_text(json.dumps({"versions": {}, "fields": {}}))

        def here(command: Sequence[str | Path], _what: str, **_: Any) -> str:
            write(Path(command[-1]), values["here"])
            return ""

        def there(visit: Visit, program: Sequence[str]) -> Any:
            write(cache() / "work" / Path(program[-1]).relative_to("/work"), values[visit.board.cpu])
            return SimpleNamespace(returncode=0, stderr="")

        folder = cache() / "work" / "given"
        folder.mkdir(parents=True)
        monkeypatch.setattr(inputs, "make", lambda _work, few: inputs.Inputs(folder, folder))
        monkeypatch.setattr(host, "run", here)
        monkeypatch.setattr(Visit, "run", there)
        return values

    def test_every_board_is_compared_with_this_machine(self, sides: dict[str, float]) -> None:
        found = equality.compare(fields=False)
        assert [(one.board, one.difference) for one in found] == [(board.cpu, None) for board in BOARDS]

    def test_one_board_that_differs_is_named_and_fails(self, sides: dict[str, float]) -> None:
        sides[PI_4.cpu] = 1.5
        found = equality.compare(fields=False)
        assert [one.board for one in found if one.difference] == [PI_4.cpu]
        with pytest.raises(DifferenceError, match="1 of 3 comparisons differ; first: net net on cortex-a72"):
            equality.fail_on_difference(found)

    def test_a_side_that_fails_is_one_line(self, sides: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
        failing = SimpleNamespace(returncode=139, stderr="a\nb\nc\nd\n")
        monkeypatch.setattr(Visit, "run", lambda *_: failing)
        with pytest.raises(ArmError, match="nets on cortex-a53 ended with code 139: b / c / d"):
            equality.compare(fields=False)

    def test_the_command_ends_with_code_9_where_anything_differs(self, sides: dict[str, float]) -> None:
        same = arm("equal", "--nets")
        assert (same.exit_code, same.stdout.count(": equal")) == (0, 3)
        sides["here"] = 2.0
        assert arm("equal", "--nets").exit_code == 9


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [([], [], 0.0), ([0.5], [0.5], 0.0), ([0.5, 0.2], [0.25, 0.1], 0.25), ([0.5], [], float("inf"))],
)
def test_how_far_confidences_are_apart(first: list[float], second: list[float], apart: float) -> None:
    assert equality._apart(first, second) == apart


@pytest.mark.parametrize(
    ("confidence", "difference"),
    [([0.5009], None), ([0.4991], None), ([0.5011], "1 differ: confidence, by up to 0.0011")],
)
def test_confidences_may_be_apart_by_a_thousandth(confidence: list[float], difference: str | None) -> None:
    mine = {"f": {"pair": {"confidence": [0.5], "counts": {"a": 1}}}}
    theirs = {"f": {"pair": {"confidence": confidence, "counts": {"a": 1}}}}
    assert equality._pair_between("pair", mine, theirs, PI_5).difference == difference


def test_a_field_that_is_missing_there_is_a_difference() -> None:
    mine = {"f": {"pair": {"confidence": [], "counts": {"a": 1}, "boxes": "x"}}}
    assert equality._pair_between("pair", mine, {}, PI_5).difference == "1 differ: f: counts, boxes"


class TestCounting:
    @pytest.fixture
    def counted(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """What the counting run says; three marks of which the last ends 10 cells."""
        told: dict[str, Any] = {"code": 0, "marks": "100\n150\n1000\n6050\n", "stderr": ""}
        pieces = [("", 0), ("nothing", 1), ("", 0), ("net x", 10)]
        said = {"pieces": pieces, "versions": {}, "cells": 10, "fields": 1, "found": 9}
        folder = cache() / "work" / "given"
        folder.mkdir(parents=True)
        (folder / "1280x960-0-fine.jpg").touch()
        (folder / "nets").mkdir()

        def run(visit: Visit, _program: Sequence[str]) -> Any:
            (visit.work / "marks.txt").write_text(told["marks"])
            out = f"noise\n{json.dumps(said)}\n"
            return SimpleNamespace(returncode=told["code"], stdout=out, stderr=told["stderr"])

        monkeypatch.setattr(inputs, "make", lambda _work: inputs.Inputs(folder, folder / "nets"))
        monkeypatch.setattr(counter, "folder", cache)
        monkeypatch.setattr(counter, "qemu_version", lambda: "7.2")
        monkeypatch.setattr(Visit, "run", run)
        return told

    def test_every_board_is_counted_without_what_marks_cost(self, counted: dict[str, Any]) -> None:
        found = instructions.count([PI_4, PI_5], cells=10, fields=1)
        assert found.boards == {"cortex-a72": {"net x": 500}, "cortex-a76": {"net x": 500}}
        assert found.conditions["qemu"] == "7.2"
        assert found.conditions["root"] == "bookworm"
        assert (found.conditions["cells"], found.conditions["found"]) == (10, 9)

    def test_a_run_that_fails_is_one_line(self, counted: dict[str, Any]) -> None:
        counted.update(code=1, stderr="x\ny\nz\nbroke\n")
        with pytest.raises(ArmError, match="counting on cortex-a76 ended with code 1: y / z / broke"):
            instructions.count([PI_5])

    def test_marks_that_were_lost_are_an_error(self, counted: dict[str, Any]) -> None:
        counted["marks"] = "100\n150\n"
        with pytest.raises(ArmError, match="4 marks were set and 2 heard"):
            instructions.count([PI_5])


class TestCounter:
    @pytest.mark.parametrize(
        ("said", "version"),
        [("qemu-aarch64 version 7.2.22 (Debian 1:7.2)\n", "7.2.22"), ("something else\n", "unknown")],
    )
    def test_the_version_is_read(self, said: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "run", lambda *_: said)
        assert counter.qemu_version() == version

    def test_the_emulator_goes_with_its_libraries_and_their_loader(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("qemu-aarch64", "libc.so.6", "ld-linux-x86-64.so.2"):
            (tmp_path / name).write_text(name)
        listing = (
            f"\tlibc.so.6 => {tmp_path}/libc.so.6 (0x7f)\n\t{tmp_path}/ld-linux-x86-64.so.2 (0x7f)\n\tvdso (0x7f)\n"
        )
        monkeypatch.setattr(host, "run", lambda *_: listing)
        monkeypatch.setattr("shutil.which", lambda _: str(tmp_path / "qemu-aarch64"))
        (tmp_path / "part").mkdir()
        counter._bundle(tmp_path / "part")
        assert {path.name for path in (tmp_path / "part").iterdir()} == {"qemu-aarch64", "libc.so.6", "loader"}

    def test_a_static_emulator_takes_no_plugins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "qemu-aarch64").touch()
        (tmp_path / "part").mkdir()
        monkeypatch.setattr(host, "run", lambda *_: "\tstatically linked\n")
        monkeypatch.setattr("shutil.which", lambda _: str(tmp_path / "qemu-aarch64"))
        with pytest.raises(ArmError, match="not dynamically linked, so it takes no plugins"):
            counter._bundle(tmp_path / "part")

    @pytest.mark.parametrize(
        ("version", "name"),
        [
            ("1:7.2+dfsg-7+deb12u18", "qemu_7.2+dfsg.orig.tar.xz"),
            ("1:10.0.2+ds-2", "qemu_10.0.2+ds.orig.tar.xz"),
            ("8.0-1", "qemu_8.0.orig.tar.xz"),
        ],
    )
    def test_the_upstream_source_is_found_by_debians_version(self, version: str, name: str) -> None:
        assert counter._tarball("qemu", version, Path("/x")) == Path("/x") / name

    def test_the_command_counts_with_the_plugin_and_writes_marks(self) -> None:
        command = counter.counting(["/usr/bin/true"], "cortex-a76", "marks.txt")
        assert command[0] == "/opt/qemu/loader"
        assert command[command.index("-plugin") + 1] == "/opt/qemu/count.so,out=/work/marks.txt"
        assert command[command.index("-cpu") + 1] == "cortex-a76"
        assert command[-1] == "/usr/bin/true"


KEPT = InstructionCounts(
    {"cells": 64, "fields": 2, "found": 9, "qemu": "7", "versions": {}}, {"cortex-a76": {"gate": 1000}}
)


class TestCommands:
    @pytest.mark.parametrize(
        ("gate", "tolerance", "code", "said"),
        [
            (1000, "0.02", 0, "all counts are within 2.0% of those kept"),
            (1020, "0.02", 0, "all counts are within 2.0%"),
            (1021, "0.02", 9, "cortex-a76: gate: 1,021, was 1,000 (+2.1%)"),
            (979, "0.02", 9, "cortex-a76: gate: 979, was 1,000 (-2.1%)"),
            (1021, "0.03", 0, "all counts are within 3.0%"),
        ],
    )
    def test_a_count_that_moved_is_code_9(
        self, gate: int, tolerance: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []

        def count(boards: Sequence[Board], **how: int) -> InstructionCounts:
            asked.append(([board.cpu for board in boards], how))
            return InstructionCounts(KEPT.conditions, {"cortex-a76": {"gate": gate}})

        monkeypatch.setattr(instructions, "read", lambda: KEPT)
        monkeypatch.setattr(instructions, "count", count)
        got = arm("check", "--tolerance", tolerance, "--cpu", "cortex-a76")
        assert got.exit_code == code
        assert said in got.stdout
        assert asked == [(["cortex-a76"], {"cells": 64, "fields": 2})]  # as many as were kept

    def test_all_quick_takes_one_root_and_the_nets_and_says_what_it_leaves_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[Any] = []
        monkeypatch.setattr(equality, "compare", lambda *, fields: noted(done, ("equal", fields), []))
        monkeypatch.setattr(suite, "run", lambda roots, only: noted(done, (roots, only), []))
        got = arm("all", "--quick")
        assert got.exit_code == 0, got.output
        assert done == [("equal", False), ([BOOKWORM], suite.QUICK)]
        assert "left out by --quick: trixie, armhf" in got.stderr

    def test_all_takes_every_root_the_fields_and_the_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done: list[Any] = []
        monkeypatch.setattr(equality, "compare", lambda *, fields: noted(done, ("equal", fields), []))
        monkeypatch.setattr(suite, "run", lambda roots, only: noted(done, (roots, only), []))
        monkeypatch.setattr(instructions, "read", lambda: KEPT)
        monkeypatch.setattr(instructions, "count", lambda boards, **_: noted(done, tuple(boards), KEPT))
        assert arm("all").exit_code == 0
        assert done == [("equal", True), ([BOOKWORM, TRIXIE, ARMHF], ()), BOARDS]

    @pytest.mark.parametrize(
        ("words", "figure"),
        [
            ((), "| 1,000 | 0.2 |"),
            (("--ipc", "cortex-a76=1.1"), "| 1,000 | 0.4 |"),
            (("--ghz", "cortex-a76=1.2"), "| 1,000 | 0.4 |"),
        ],
    )
    def test_the_table_is_shown_under_the_assumptions_given(
        self, words: tuple[str, ...], figure: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(instructions, "read", lambda: KEPT)
        got = arm("table", *words)
        assert got.exit_code == 0, got.output
        assert figure in got.stdout

    def test_what_failed_in_a_root_is_listed_before_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = SuiteResult("bookworm", 7, ("tests.a::b",), {"no camera": 2})
        monkeypatch.setattr(suite, "run", lambda *_: [result])
        got = arm("test", "bookworm")
        assert got.exit_code == 9
        assert got.stdout.splitlines()[:3] == [
            "bookworm: 7 passed, 1 failed, 2 skipped",
            "bookworm: failed: tests.a::b",
            "bookworm: skipped 2: no camera",
        ]
        assert "left out: tests/convert: needs TensorFlow" in got.stdout


class TestInputs:
    def test_where_there_are_too_few_cells_they_are_moved_a_little(self) -> None:
        rng = np.random.default_rng(0)
        rgb = rng.integers(0, 256, (200, 200, 3), np.uint8)
        boxes = np.array([[20 + 30 * i, 60, 24, 24] for i in range(5)], np.int32)
        card: Any = shelf.load(shelf.CLASSIFIER).card
        crops = inputs._crops([(rgb, boxes)], card)
        assert crops.shape == (inputs.CELLS, card.crop.size, card.crop.size, net_channels(card))
        assert len(np.unique(crops[:25].reshape(25, -1), axis=0)) == 25

    def test_fields_for_a_finder_are_those_of_the_commonest_shape(self) -> None:
        wide, high = np.zeros((480, 640, 3), np.uint8), np.zeros((640, 480, 3), np.uint8)
        fields: list[UInt8Array] = [wide, high, wide]
        assert len(inputs._prepared(fields)) == 2

    @pytest.mark.parametrize(("count", "borrowed"), [(0, 0), (2, 2), (3, 3), (12, 3)])
    def test_three_real_fields_of_each_set_are_copied(
        self, count: int, borrowed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EDGE_DATA", str(tmp_path))
        for name in ("a_fields", "cells"):
            (tmp_path / name).mkdir()
            for number in range(count):
                (tmp_path / name / f"{number:02d}.png").touch()
        (tmp_path / "out").mkdir()
        inputs._borrow(tmp_path / "out")
        assert len(list((tmp_path / "out").iterdir())) == borrowed
        assert all(path.name.startswith("real-a_fields-") for path in (tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ID=debian\nVERSION_CODENAME=bookworm\n", "bookworm"),
        ('ID="raspbian"\nVERSION_CODENAME="trixie"\n', "trixie"),
        ("ID=ubuntu\nVERSION_CODENAME=noble\n", None),
        ("ID=debian\n", None),
    ],
)
def test_the_release_is_known_on_debian_only(text: str, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _self: text)
    if name is not None:
        assert host.release() == name
        return
    with pytest.raises(ArmError, match="Debian only"):
        host.release()


def test_a_comparison_reads_as_a_line() -> None:
    assert (
        str(BoardComparison("net x", "cortex-a53", "8 inputs", "1 differs"))
        == "net x on cortex-a53: 8 inputs: 1 differs"
    )
