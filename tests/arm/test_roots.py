"""What the roots are made of and what is said where they cannot be made; nothing here needs an emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.arm import build, host
from benchmarks.arm.boards import BOARDS, PI_2, PI_4, PI_5
from benchmarks.arm.cli import app
from benchmarks.arm.enter import Visit
from benchmarks.arm.errors import ArmError
from benchmarks.arm.roots import ARMHF, BOOKWORM, ROOTS, TRIXIE, Root, cache
from benchmarks.places import REPOSITORY


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ARM_CACHE", str(tmp_path / "cache"))


def refuse(*_: Any, **__: Any) -> str:
    raise AssertionError("nothing should be run")


class TestBoards:
    def test_a_board_has_four_cores_that_say_what_they_are(self) -> None:
        for board in (*BOARDS, PI_2):
            assert board.cpuinfo.count("processor\t:") == 4
            assert board.cpuinfo.count(f"CPU part\t: {board.part:#x}\n") == 4

    def test_only_the_pi_5_has_dot_products(self) -> None:
        assert [board for board in BOARDS if "asimddp" in board.cpuinfo.split()] == [PI_5]

    def test_a_time_is_instructions_over_ipc_and_clock(self) -> None:
        assert PI_5.microseconds(2.2 * 2.4e9) == pytest.approx(1e6)

    def test_no_time_is_guessed_where_no_ipc_was_stated(self) -> None:
        assert BOARDS[0].microseconds(1e6) is None


class TestRoots:
    def test_every_wheel_has_exactly_one_version(self) -> None:
        for root in ROOTS:
            assert len(root.pinned()) == len(root.wheels)
            assert all(pin.count("==") == 1 for pin in root.pinned())

    def test_32_bit_takes_the_old_runtime_and_64_bit_the_new_one(self) -> None:
        for root, there, not_there in ((BOOKWORM, "ai-edge-litert", "tflite"), (ARMHF, "tflite-runtime", "ai-edge")):
            names = " ".join(root.pinned())
            assert there in names
            assert not_there not in names

    def test_wheels_lie_where_debians_python_looks(self) -> None:
        assert TRIXIE.site == "usr/local/lib/python3.13/dist-packages"

    def test_the_cache_is_outside_the_repository(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EDGE_ARM_CACHE")
        assert REPOSITORY not in cache().parents
        monkeypatch.setenv("EDGE_ARM_CACHE", "elsewhere")
        assert cache() == Path.cwd() / "elsewhere"

    def test_no_address_of_an_index_or_archive_is_written_down(self) -> None:
        for path in (REPOSITORY / "benchmarks" / "arm").glob("*.*"):
            assert "://" not in path.read_text(), path


class TestBuild:
    @pytest.fixture(autouse=True)
    def _steps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "run", refuse)
        monkeypatch.setattr(host, "require", lambda: None)
        monkeypatch.setattr(build, "_debian", lambda _root, part: (part / "usr").mkdir())
        monkeypatch.setattr(build, "_wheels", lambda _root, _part: None)

    def test_what_is_built_is_not_built_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        place = build.build(BOOKWORM)
        (place / "mine").touch()
        monkeypatch.setattr(build, "_debian", refuse)
        assert build.build(BOOKWORM) == place
        assert (place / "mine").exists()

    def test_what_is_built_from_something_else_is_built_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (build.build(BOOKWORM) / "mine").touch()
        monkeypatch.setattr(Root, "pinned", lambda _self: ["numpy==1"])
        assert not (build.build(BOOKWORM) / "mine").exists()

    def test_an_interrupted_build_is_no_root_and_the_next_one_is_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(_root: Root, part: Path) -> None:
            (part / "half").touch()
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(build, "_wheels", interrupted)
            with pytest.raises(KeyboardInterrupt):
                build.build(BOOKWORM)
        assert not BOOKWORM.place.exists()
        assert not (build.build(BOOKWORM) / "half").exists()

    def test_a_board_has_four_cores_whatever_this_machine_has(self) -> None:
        cores = build.build(BOOKWORM) / "opt/sys/devices/system/cpu/possible"
        assert cores.read_text() == "0-3\n"

    def test_a_cache_that_cannot_be_written_is_one_plain_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("EDGE_ARM_CACHE", str(tmp_path / "file" / "cache"))
        with pytest.raises(ArmError, match="EDGE_ARM_CACHE"):
            build.build(BOOKWORM)

    def test_only_what_apt_planned_is_unpacked(self, tmp_path: Path) -> None:
        for name in ("python3_1_arm64.deb", "old_1_arm64.deb"):
            (tmp_path / name).touch()
        plan = "NOTE: this is a simulation\nInst python3 (1 Debian:12 [arm64])\nConf python3 (1)\n"
        assert [path.name for path in build._planned(plan, tmp_path)] == ["python3_1_arm64.deb"]

    def test_a_package_that_was_not_fetched_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ArmError, match="did not fetch dash"):
            build._planned("Inst dash (1 Debian:12 [arm64])\n", tmp_path)


class TestHost:
    @pytest.mark.parametrize(
        ("absent", "formats", "counting", "packages"),
        [
            ((), True, False, ""),
            (("qemu-aarch64",), True, False, "qemu-user"),
            ((), False, False, "qemu-user-static"),
            (("qemu-aarch64",), False, False, "qemu-user qemu-user-static"),
            (("unshare", "setpriv"), True, False, "util-linux"),
            (("gcc",), True, False, ""),
            (("gcc", "xz"), True, True, "gcc xz-utils"),
        ],
    )
    def test_what_is_missing_is_named_as_the_packages_to_install(
        self,
        *,
        absent: tuple[str, ...],
        formats: bool,
        counting: bool,
        packages: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("shutil.which", lambda tool, path=None: None if tool in absent else f"/{tool}")
        monkeypatch.setattr(host, "_FORMATS", tmp_path)
        if formats:
            (tmp_path / "qemu-aarch64.conf").touch()
        with nullcontext() if not packages else pytest.raises(ArmError, match=f"apt-get install {packages}$"):
            host.require(counting=counting)

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            (None, "the kernel does not know qemu-aarch64: as root, "),
            ("disabled\nflags: PF\n", "the kernel does not know"),
            ("enabled\nflags: P\n", "without the fixed flag: apt-get install qemu-user-static"),
            ("enabled\ninterpreter /F\n", "without the fixed flag"),
            ("enabled\nflags: PF\n", ""),
        ],
    )
    def test_a_kernel_that_does_not_know_qemu_is_said(
        self, entry: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(host, "_BINFMT", tmp_path)
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        if entry is not None:
            (tmp_path / "qemu-aarch64").write_text(entry)
        with pytest.raises(ArmError, match=said) if said else nullcontext():
            host.emulate("qemu-aarch64")

    def test_root_tells_the_kernel_what_debians_file_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kernel, formats = tmp_path / "kernel", tmp_path / "formats"
        kernel.mkdir()
        formats.mkdir()
        (kernel / "register").touch()
        (formats / "qemu-arm.conf").write_text(":qemu-arm:M::\\x7f:\\xff:/usr/bin/qemu-arm:OPF\n")
        for name, place in (("_BINFMT", kernel), ("_FORMATS", formats)):
            monkeypatch.setattr(host, name, place)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(host, "run", refuse)  # no mount, no update-binfmts
        with pytest.raises(ArmError, match="does not know"):  # these files are no kernel
            host.emulate("qemu-arm")
        assert (kernel / "register").read_text() == ":qemu-arm:M::\\x7f:\\xff:/usr/bin/qemu-arm:OPF"
        with pytest.raises(ArmError, match="does not take qemu-aarch64: No such file"):
            host.emulate("qemu-aarch64")

    def test_packages_come_from_where_this_machines_apt_gets_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EDGE_ARM_MIRROR", raising=False)
        listed = "http://a/security main Debian-Security\nhttp://b/debian contrib Debian\nhttp://c/debian main Debian\n"
        monkeypatch.setattr(host, "run", lambda *_: listed)
        assert host.archive()[0] == "http://c/debian"
        monkeypatch.setattr(host, "run", lambda *_: "http://d/ubuntu main Ubuntu\n")
        with pytest.raises(ArmError, match="EDGE_ARM_MIRROR"):
            host.archive()
        monkeypatch.setenv("EDGE_ARM_MIRROR", "http://e/debian")
        assert host.archive()[0] == "http://e/debian"

    def test_a_tool_that_fails_is_one_line_with_its_own_last_words(self) -> None:
        with pytest.raises(ArmError, match=r"^trying failed: no luck$"):
            host.run([sys.executable, "-c", "import sys; sys.exit('much ado\\nno luck')"], "trying")
        with pytest.raises(ArmError, match="No such file"):
            host.run(["/nowhere/to/be/found"], "trying")


class TestEntering:
    def test_mounts_belong_to_the_command_and_end_with_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        cache().mkdir()
        command = Visit(BOOKWORM, PI_4, cache()).command(["/usr/bin/true"])
        assert {"unshare", "--mount", "--kill-child", "private"} <= set(command)
        assert "setarch" not in command
        lines = command[-1].splitlines()
        assert lines[-1].endswith(f"QEMU_CPU=cortex-a72 chroot {BOOKWORM.place} /usr/bin/true || exit $?")
        assert f"mount --bind -o ro {REPOSITORY} {BOOKWORM.place}/repo" in lines

    def test_counts_are_taken_with_fixed_addresses_and_hashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        cache().mkdir()
        command = Visit(BOOKWORM, PI_4, cache(), emulator=cache()).command(["/usr/bin/true"])
        assert command[command.index("setarch") + 1] == "-R"
        assert "PYTHONHASHSEED=0" in command[-1]

    def test_without_root_or_namespaces_the_remedy_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: object) -> str:
            raise ArmError("unshare failed: Operation not permitted")

        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(host, "run", denied)
        with pytest.raises(ArmError, match="sudo"):
            host.namespace()


class TestCommandLine:
    @pytest.mark.parametrize("words", [("build", "bookworm"), ("test", "--quick"), ("count",), ("all", "--quick")])
    def test_where_qemu_is_missing_one_line_says_what_to_install(
        self, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shutil.which", lambda _tool, path=None: None)
        got = CliRunner().invoke(app, list(words))
        assert got.exit_code == 8
        assert got.stdout == ""
        (line,) = got.stderr.splitlines()
        assert line.startswith("edge-bench arm: not installed: apt-get install ")
        assert "qemu-user" in line

    def test_it_is_a_program_of_its_own(self) -> None:
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PATH": "/nowhere"}
        command = [sys.executable, "-m", "benchmarks.arm", "count"]
        got = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert got.returncode == 8
        assert got.stderr.startswith("edge-bench arm: not installed: apt-get install ")

    @pytest.mark.parametrize(
        "words",
        [
            ("build", "buster"),
            ("table", "--ipc", "cortex-a76"),
            ("table", "--ipc", "cortex-a76=0"),
            ("table", "--ghz", "cortex-a1=2"),
            ("check", "--tolerance", "2"),
            ("check", "--cpu", "cortex-m0"),
        ],
    )
    def test_a_wrong_command_line_is_code_2(self, words: tuple[str, ...]) -> None:
        assert CliRunner().invoke(app, list(words)).exit_code == 2

    @pytest.mark.parametrize("command", ["build", "test", "equal", "count", "check", "table", "operations", "all"])
    def test_every_command_says_what_it_does(self, command: str) -> None:
        assert len(CliRunner().invoke(app, [command, "--help"]).stdout.splitlines()) > 5
