"""The profile: stages that add up, tables that compare, and one line where something is missing."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from shutil import which

import cv2
import pytest
from typer.testing import CliRunner

from benchmarks import valgrind
from benchmarks.arm.errors import ArmError
from benchmarks.errors import CaseError, NoInputError
from benchmarks.places import REPOSITORY
from benchmarks.profile import __main__ as command
from benchmarks.profile import counts, older, times, tracing
from benchmarks.profile import figures as profile
from benchmarks.profile.__main__ import app
from benchmarks.profile.figures import counts_table, table
from benchmarks.profile.times import RATIO, TOGETHER, cpu_us, cpu_us_in_child, models, over_fields
from benchmarks.profile.tracing import DECODE, STAGES, TALLY, CpuClock, Pipeline
from edge.virtual_slide import SlideSpec, render_field

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "a.jpg"
    cv2.imwrite(
        str(path), render_field(SlideSpec(3, 640, 480, 33, cells_per_field=40, bad_fields=0.0), 0)[0][..., ::-1]
    )
    return str(path)


def test_every_stage_is_marked_once_per_field_and_the_nets_apart(image: str) -> None:
    seen: list[str] = []
    pipeline = Pipeline(*models(), seen.append)
    result = pipeline(image)
    marks = Counter(seen)
    assert set(marks) >= set(STAGES)
    assert marks[DECODE] == marks["gate"] == marks["crop"] == marks[TALLY] == 1
    assert marks["classify net"] == -(-int((result.classes >= 0).sum()) // 32)


def test_marking_changes_no_result(image: str) -> None:
    silent = Pipeline(*models(), lambda _: None)(image)
    marked = Pipeline(*models(), CpuClock())(image)
    assert (silent.scores == marked.scores).all()
    assert (silent.cells.boxes == marked.cells.boxes).all()


def test_the_tree_that_runs_is_left_as_it_was(image: str) -> None:
    import edge.analysis

    before = vars(edge.analysis)["perf_counter"]
    Pipeline(*models(), lambda _: None)(image)
    assert sys.modules["edge.analysis"] is edge.analysis
    assert vars(edge.analysis)["perf_counter"] is before


def test_a_clock_adds_up_what_it_is_told() -> None:
    clock = CpuClock()
    sum(range(10000))
    clock("a")
    clock("b")
    clock("a")
    assert clock.spent["a"] > clock.spent["b"] >= 0


def test_the_table_sets_before_beside_after() -> None:
    before, after = (
        {"decode": 200.0, "find": find, "crop": 100.0, TOGETHER: find + 100.0, RATIO: ratio}
        for find, ratio in ((200.0, 1.5), (100.0, 1.0))
    )
    lines = table("us", [before, after], 0)
    assert "| find | 200 | 100 | 0.50 |" in lines
    assert "| all | 500 | 400 | 0.80 |" in lines
    assert "| find + crop + classify | 300 | 200 | 0.67 |" in lines
    assert "| (find + crop + classify) / decode | 1.50 | 1.00 | 0.67 |" in lines
    assert table("us", [{"find": 200.0}], 0)[-1] == "| find | 200 |"


def test_times_of_one_field_are_there_for_every_stage(image: str) -> None:
    for figures in (*cpu_us([image], [REPOSITORY], 1), *cpu_us_in_child([image], [REPOSITORY], 1, ENVIRONMENT)):
        assert all(figures[stage] > 0 for stage in STAGES)


def test_a_measuring_process_that_fails_is_one_line(image: str) -> None:
    with pytest.raises(CaseError, match=r"times: .*no such"):
        cpu_us_in_child([image + " no such"], [REPOSITORY], 1, ENVIRONMENT)


def test_processors_stand_side_by_side() -> None:
    sides = [{"find": 2.0}, {"find": 1.0}]
    assert counts_table({"x86": sides, "a72": sides})[-1] == "| find | 2.00 → 1.00 (0.50) | 2.00 → 1.00 (0.50) |"
    assert counts_table({"x86": sides[1:]})[-1] == "| find | 1.00 |"


needs_faults = pytest.mark.skipif(
    "cpuid_fault" not in Path("/proc/cpuinfo").read_text() or which("gcc") is None,
    reason="CPUID cannot fault, or no gcc",
)


@needs_faults
def test_an_older_pc_has_no_avx_512_and_all_the_rest(tmp_path: Path) -> None:
    program = tmp_path / "asks"
    source = tmp_path / "asks.c"
    source.write_text(
        '#include <stdio.h>\nint main(void) { printf("%d %d", !!__builtin_cpu_supports("avx2"), '
        '!!__builtin_cpu_supports("avx512f")); return 0; }\n'
    )
    subprocess.run([str(which("gcc")), str(source), "-o", str(program)], check=True)
    environment = {**os.environ, **older.without_vnni(tmp_path)}
    told = [
        subprocess.run([program], env=env, capture_output=True, text=True, check=True).stdout
        for env in (None, environment)
    ]
    assert told[0].split()[0] == told[1].split()[0]
    assert told[1].split()[1] == "0"


@pytest.mark.parametrize(
    ("machine", "gcc", "said"), [("aarch64", "/usr/bin/gcc", "x86 Linux"), ("x86_64", None, "apt install gcc")]
)
def test_where_it_cannot_be_taken_for_an_older_pc_it_says_why(
    machine: str, gcc: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(older, "which", lambda _: gcc)
    with pytest.raises(NoInputError, match=said):
        older.without_vnni(tmp_path)
    monkeypatch.setattr(profile, "without_vnni", older.without_vnni)
    (line,) = profile._as_an_older_pc([], [REPOSITORY], 1)
    assert said in line


def test_without_emulated_arm_the_counts_of_this_machine_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> dict[str, float]:
        raise ArmError("no qemu")

    monkeypatch.setattr(profile, "on_this_machine", lambda *_: {"find": 1.0})
    monkeypatch.setattr(profile, "on_board", fails)
    lines = profile._instructions(["a.jpg"], [REPOSITORY])
    assert "| find | 1.00 |" in lines
    assert lines[-1] == "ARM: not counted, no qemu"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("FOLDER",), 4, "no JPEG image in it"),
        (("IMAGES", "--against", "FOLDER"), 4, "not a checkout"),
        (("IMAGES", "--fields", "0"), 2, "--fields"),
        ((), 2, "FOLDER"),
    ],
)
def test_what_cannot_be_profiled_is_one_line(
    image: str, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"IMAGES": str(Path(image).parent), "FOLDER": str(tmp_path / "empty")}
    got = CliRunner().invoke(app, [places.get(word, word) for word in arguments])
    assert got.exit_code == code
    assert said in got.stderr.splitlines()[0]


def test_without_valgrind_it_says_what_to_install(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valgrind, "which", lambda _: None)
    with pytest.raises(NoInputError, match="apt install valgrind"):
        counts.on_this_machine([image], REPOSITORY, ENVIRONMENT)


def spent(**us: float) -> Counter[str]:
    """Nanoseconds per stage of one field; stages that are not named take 1 µs."""
    return Counter({stage: int(us.get(stage.replace(" ", "_"), 1.0) * 1000) for stage in STAGES})


def test_figures_are_medians_over_fields_and_the_ratio_is_of_the_same_field() -> None:
    fields = [spent(decode=10, find=20), spent(decode=1000, find=2000), spent(decode=20, find=30)]
    figures = over_fields(fields)
    assert figures[DECODE] == 20
    assert figures["find"] == 30
    assert figures["crop"] == 1
    # (find + find net + crop + classify + classify net) / decode: 24/10, 2004/1000, 34/20
    assert figures["ratio"] == pytest.approx(2.004)


def test_the_least_of_all_rounds_counts_and_the_first_one_is_for_warming_up(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter([1, 500, 300, 400])

    class Turn:
        """A pipeline whose find takes what comes next."""

        mark: CpuClock

        def __init__(self, *_: object) -> None:
            pass

        def __call__(self, _image: str) -> None:
            self.mark.spent.update(spent(find=next(turns)))

    monkeypatch.setattr(times, "Pipeline", Turn)
    (figures,) = cpu_us(["a.jpg"], [REPOSITORY], rounds=3)
    assert figures["find"] == 300


def valgrind_program(folder: Path, dumps: list[int], code: int = 0, labels: str = '["other", "decode", "find"]') -> str:
    """A program that writes callgrind's dumps and prints the marks."""
    program = folder / "valgrind"
    writes = "\n".join(f'echo "summary: {n}" > "$out.{i}"' for i, n in enumerate(dumps, start=1))
    program.write_text(
        f"#!/bin/sh\nfor a; do case $a in --callgrind-out-file=*) out=${{a#*=}};; esac; done\n{writes}\n"
        f"echo noise\necho '{labels}'\necho 'bad luck' >&2\nexit {code}\n"
    )
    program.chmod(0o755)
    return str(program)


def test_instructions_are_those_up_to_each_mark_divided_by_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = '["other", "decode", "find", "other", "decode", "find"]'
    million = 1_000_000
    program = valgrind_program(
        tmp_path, [9, 100 * million, 30 * million, 900, 300 * million, 50 * million], labels=marks
    )
    monkeypatch.setattr(valgrind, "which", lambda _: program)
    figures = counts.on_this_machine(["a.jpg", "b.jpg"], REPOSITORY, ENVIRONMENT)
    assert (figures[DECODE], figures["find"], figures["crop"], figures[TOGETHER]) == (200, 40, 0, 40)
    assert figures[RATIO] == pytest.approx(80 / 400)


def test_a_mark_that_was_not_heard_is_said() -> None:
    with pytest.raises(CaseError, match="2 marks were set and 1 heard"):
        counts.per_stage(["decode", "find"], [1], 1)


def test_a_valgrind_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = valgrind_program(tmp_path, [], code=1)
    monkeypatch.setattr(valgrind, "which", lambda _: program)
    with pytest.raises(CaseError, match="valgrind: bad luck"):
        counts.on_this_machine(["a.jpg"], REPOSITORY, ENVIRONMENT)


def test_the_start_of_a_run_is_taken_off_and_the_rest_shared_among_the_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_folder: Path, count: int, _root: Path) -> dict[str, float]:
        return {"CPU ms": 500.0 + 20 * count, "page faults": 10_000.0 + 3 * count}

    monkeypatch.setattr(profile, "_run", run)
    assert profile.whole(Path(), 11, REPOSITORY) == pytest.approx({"CPU ms": 20.0, "page faults": 3.0})


def test_a_run_of_edge_is_measured_from_outside(image: str) -> None:
    used = profile._run(Path(image).parent, 1, REPOSITORY)
    assert used["CPU ms"] > 10
    assert used["page faults"] > 100


@pytest.mark.parametrize(
    ("against", "instructions", "heads"),
    [
        (False, False, ["| CPU µs per field | now |", "| edge run, per field | now |"]),
        (True, False, ["| CPU µs per field | before | after | after / before |"] * 1),
        (False, False, ["| CPU µs per field, no int8 dot products (AVX2) | now |"]),
        (False, True, ["| 10^6 instructions per field | x86, AVX2 | cortex-a53 | cortex-a72 | cortex-a76 |"]),
    ],
)
def test_every_table_asked_for_is_printed(
    image: str, monkeypatch: pytest.MonkeyPatch, against: bool, instructions: bool, heads: list[str]
) -> None:
    figures = dict.fromkeys(STAGES, 2.0) | {RATIO: 0.5, TOGETHER: 10.0}
    monkeypatch.setattr(profile, "cpu_us", lambda _images, roots, _rounds: [figures] * len(roots))
    monkeypatch.setattr(
        profile, "cpu_us_in_child", lambda _images, roots, _rounds, _environment: [figures] * len(roots)
    )
    monkeypatch.setattr(profile, "without_vnni", lambda _: {})
    monkeypatch.setattr(profile, "on_this_machine", lambda *_: figures)
    monkeypatch.setattr(profile, "on_board", lambda *_: figures)
    monkeypatch.setattr(profile, "whole", lambda *_: {"CPU ms": 20.0})
    arguments = [str(Path(image).parent)]
    arguments += ["--against", str(REPOSITORY)] if against else []
    arguments += ["--instructions"] if instructions else []
    got = CliRunner().invoke(app, arguments)
    assert got.exit_code == 0, got.output
    lines = got.stdout.splitlines()
    assert set(heads) <= set(lines)
    assert any("instructions" in line for line in lines) is instructions
    assert not instructions or "| find | 2.00 | 2.00 | 2.00 | 2.00 |" in lines


def test_the_tables_are_kept_in_the_page_between_their_marks(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "profile.md"
    page.write_text("# Before\n<!-- tables: begin -->\nold\n<!-- tables: end -->\nafter\n")
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(command, "measure", lambda *_, **__: ["| new |"])
    got = CliRunner().invoke(app, [str(Path(image).parent), "--keep"])
    assert got.exit_code == 0, got.output
    assert page.read_text() == "# Before\n<!-- tables: begin -->\n| new |\n<!-- tables: end -->\nafter\n"


def test_the_page_has_a_place_for_the_tables() -> None:
    assert "<!-- tables: begin -->" in command.PAGE.read_text()


def test_run_as_a_file_it_marks_the_second_of_two_rounds(
    image: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    class Silent:
        """A pipeline of two stages."""

        def __init__(self, finder: str, classifier: str, mark: Callable[[str], None]) -> None:
            self.mark = mark

        def __call__(self, path: str) -> None:
            calls.append(path)
            self.mark("decode")
            self.mark("tally")

    monkeypatch.setattr(tracing, "Pipeline", Silent)
    tracing.main(["finder", "classifier", "a.jpg", "b.jpg"])
    assert calls == ["a.jpg", "b.jpg"] * 2
    assert json.loads(capsys.readouterr().out) == ["decode", "tally"] * 2
