"""edge scope set-up, show, list and check, and edge-run --scope, as their user meets them. Model and finder are stand-ins here."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from typer.testing import CliRunner

from edge.cli import edge_app, set_up_job
from edge.cli.scope_settings import ScopeCameraSettings
from edge.errors import CameraError
from edge.scope.profile import FILES, Profile, ScopeCamera, path_of
from edge.scope.profile_file import read_profile, write_profile
from edge.types import UInt8Array
from tests.cli.fake_edge_run import fakes
from tests.fakes import COMPARING, FakeFinder
from tests.scope.lit import AS_HELD, CAMERA, SIZE, Lit, Seen, profile_of

BENCH = Lit(corner=0.8, dust=((300, 200, 9, 0.6),))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EDGE_SCOPES", str(tmp_path / "scopes"))
    return tmp_path / "scopes"


def call(*args: object) -> Any:
    with fakes(card=COMPARING):
        return CliRunner().invoke(edge_app(), [str(a) for a in args])


def images(folder: Path, *fields: UInt8Array) -> Path:
    folder.mkdir(parents=True)
    for n, rgb in enumerate(fields):
        cv2.imwrite(str(folder / f"f{n:02}.png"), rgb[..., ::-1])
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return images(tmp_path / "empty", *BENCH.fields(8))


class FakeFrames:
    """A camera that shows what a function gives, and that somebody stops after so many frames."""

    live = True
    camera = CAMERA
    not_held: tuple[str, ...] = ()
    patience = 12

    def __init__(self, field: Callable[[int], UInt8Array], stop_after: int | None = None) -> None:
        self._field = field
        self._stop_after = stop_after
        self._n = 0
        self.closed = False

    def next(self, set_up: object = None) -> Seen:
        del set_up
        self._n += 1
        if self._n == self._stop_after:
            signal.raise_signal(signal.SIGINT)
        return Seen(self._field(self._n), AS_HELD)

    def words(self) -> str:
        return ""

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeFrames], FakeFrames]:
    """Put a camera in place of the real one."""

    def put(frames: FakeFrames) -> FakeFrames:
        def opened(_wanted: ScopeCameraSettings, _profile: Profile | None = None) -> FakeFrames:
            return frames

        monkeypatch.setattr(set_up_job, "open_frames", opened)
        monkeypatch.setattr("edge.cli.scope_job.open_frames", opened)
        monkeypatch.setattr(set_up_job, "finder_maker", lambda _: FakeFinder)
        return frames

    return put


def test_a_profile_of_image_files(empty: Path) -> None:
    got = call(
        "scope", "set-up", "old-1", "--fields", empty, "--objective", "100x", "--skip", "focus", "--skip", "scale"
    )
    assert got.exit_code == 0, got.stderr
    assert "flat field  of 8 empty fields; uneven by" in got.stdout
    assert "dust        1 specks, 1 of them masked" in got.stdout
    made = read_profile("old-1")
    assert (made.camera, made.objective, made.unfinished) == (ScopeCamera(FILES, "", SIZE), "100x", ())
    assert "written     " in got.stdout
    assert "old-1, 100x" in call("scope", "show").stdout
    assert json.loads(call("scope", "show", "old-1", "--json").stdout)["format"] == "edge-scope"


def test_a_camera_step_by_step_where_nobody_sits_at_the_terminal(camera: Callable[[FakeFrames], FakeFrames]) -> None:
    frames = camera(FakeFrames(BENCH.field))
    got = call("scope", "set-up", "bench-3", "--yes", "--operator", "Ada", "--allow-light", "20%")
    assert got.exit_code == 0, got.stderr
    made = read_profile("bench-3")
    assert made.held.controls == {"exposure_us": 8000.0, "analogue_gain": 1.5, "colour_gains": (1.9, 1.4)}
    assert (made.light.light_allowed if made.light else 0, made.operator) == (0.2, "Ada")
    assert made.scale is None
    assert "note: scale is left out: 0 red cells are too few" in got.stderr
    assert frames.closed


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(
    camera: Callable[[FakeFrames], FakeFrames], request: pytest.FixtureRequest
) -> None:
    # A shell starts what runs in the background with SIGINT ignored; the program itself sets its own handler.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    frames = camera(FakeFrames(BENCH.field, stop_after=8))
    got = call("scope", "set-up", "bench-3", "--yes")
    assert got.exit_code == 130, got.stderr
    assert "still to do: white balance, flat field, dust, focus, scale. The same command goes on" in got.stderr
    assert frames.closed
    half = read_profile("bench-3")
    assert half.held.exposure_us == 8000.0
    refused = call("run", "--camera", "--scope", "bench-3")
    assert refused.exit_code == 8
    assert "the set-up of bench-3 is not finished (white balance, flat field" in refused.stderr
    camera(FakeFrames(BENCH.field))
    again = call("scope", "set-up", "bench-3", "--yes")
    assert again.exit_code == 0
    assert "1 of 6" not in again.stderr
    assert read_profile("bench-3").unfinished == ()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        pytest.param(("set-up", "a/b"), 2, "no slashes", id="a name with slashes"),
        pytest.param(("set-up", "x", "--division", "10", "--bar", "5"), 2, "leave one out", id="two scales"),
        pytest.param(("set-up", "x", "--simulate", "--fields", "d"), 2, "leave one out", id="two cameras"),
        pytest.param(("set-up", "x", "--allow-light", "0"), 2, "give a share as 15%", id="no share"),
        pytest.param(
            ("set-up", "x", "--skip", "light", "--fields", "EMPTY"), 8, "no such step to leave out", id="a needed step"
        ),
        pytest.param(("set-up", "x", "--fields", "NOWHERE"), 4, "NOWHERE", id="no folder"),
        pytest.param(
            ("set-up", "old", "--fields", "EMPTY"),
            8,
            "there is a profile of old, of 2026-11-30: --again",
            id="one is there",
        ),
        pytest.param(("show", "gone"), 8, "set it up with edge scope set-up gone", id="none of this name"),
        pytest.param(("check", "old"), 8, "the profile old is of image files: give --fields DIR", id="no camera's"),
        pytest.param(
            ("check", "bench", "--fields", "EMPTY"), 8, "the profile bench is of the virtual", id="a camera's"
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(
    empty: Path, tmp_path: Path, args: tuple[str, ...], code: int, words: str
) -> None:
    write_profile(replace(profile_of(BENCH, "old"), camera=ScopeCamera(FILES, "", SIZE)), path_of("old"))
    write_profile(profile_of(BENCH, "bench"), path_of("bench"))
    got = call("scope", *(str(empty) if a == "EMPTY" else str(tmp_path / a) if a == "NOWHERE" else a for a in args))
    assert got.exit_code == code, got.stderr
    assert words in " ".join(got.stderr.split())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param([Lit(lamp=5).field(n) for n in range(6)], "light: The field is black: is the lamp on", id="black"),
        pytest.param([Lit(lamp=300).field(n) for n in range(6)], "is saturated: turn the lamp down", id="saturated"),
        pytest.param([Lit(cells=60).field(1)] * 12, "Move the stage: this place was taken", id="cells, not moved"),
        pytest.param([Lit(corner=0.3).field(n) for n in range(9)], "centre lamp and condenser first", id="too uneven"),
    ],
)
def test_fields_that_make_no_profile_are_refused(tmp_path: Path, fields: list[UInt8Array], words: str) -> None:
    got = call("scope", "set-up", "x", "--fields", images(tmp_path / "bad", *fields))
    assert got.exit_code == 8, got.stderr
    assert words in got.stderr
    assert not path_of("x").exists()


def test_the_list_names_all_and_says_which_is_damaged(folder: Path) -> None:
    assert "no profile in" in call("scope", "list").stdout
    write_profile(profile_of(BENCH, "a-1"), path_of("a-1"))
    path_of("b-2").write_text("{")
    got = call("scope", "list")
    assert got.exit_code == 8
    assert got.stdout.startswith("a-1  virtual, 480x360, 100x/1.25 oil, 2026-11-30")
    assert "b-2.json: no profile of a microscope" in got.stderr
    assert [one["name"] for one in json.loads(call("scope", "list", "--json").stdout)["scopes"]] == ["a-1"]
    assert "there are several profiles: name one of a-1, b-2" in call("scope", "show").stderr


@pytest.mark.parametrize(
    ("scope", "code", "words"),
    [
        pytest.param(BENCH, 0, "bench-3  nothing differs from the profile of 2026-11-30", id="as it was"),
        pytest.param(replace(BENCH, lamp=180.0), 12, "The lamp is 3", id="a darker lamp"),
        pytest.param(
            replace(BENCH, lamp=(215.0, 215.0, 190.0)), 12, "less blue than on the day of set-up", id="another lamp"
        ),
    ],
)
def test_check_looks_through_the_camera(
    camera: Callable[[FakeFrames], FakeFrames], scope: Lit, code: int, words: str
) -> None:
    write_profile(replace(profile_of(BENCH), camera=replace(CAMERA, kind="pi")), path_of("bench-3"))
    camera(FakeFrames(scope.field))
    got = call("scope", "check", "bench-3")
    assert (got.exit_code, words in got.stdout) == (code, True), got.stdout + got.stderr


def test_another_camera_is_said_by_check(camera: Callable[[FakeFrames], FakeFrames]) -> None:
    write_profile(replace(profile_of(BENCH), camera=replace(CAMERA, kind="pi", mode="8 bit")), path_of("bench-3"))
    camera(FakeFrames(BENCH.field))
    assert "sensor mode 12 bit, in the profile 8 bit" in call("scope", "check").stdout


class TestRun:
    """edge-run on files of a microscope that has a profile."""

    @pytest.fixture
    def old(self, empty: Path) -> str:
        assert call("scope", "set-up", "old-1", "--fields", empty, "--skip", "focus", "--skip", "scale").exit_code == 0
        return "old-1"

    @staticmethod
    def told(tmp_path: Path, scope: str, *fields: UInt8Array) -> list[dict[str, Any]]:
        where = images(tmp_path / "s", *fields)
        got = call("run", where, "--scope", scope, "--json", "--no-gate", "--no-book")
        assert got.exit_code == 0, got.stderr
        return [json.loads(line) for line in got.stdout.splitlines()]

    def test_its_fields_are_corrected_and_checked(self, old: str, tmp_path: Path) -> None:
        *fields, sample = self.told(tmp_path, old, *BENCH.fields(3, 50))
        assert [one["metadata"]["scope"] for one in fields] == ["old-1"] * 3
        assert all(abs(one["metadata"]["scope_light"] - 1) < 0.05 for one in fields)
        assert sample["flag"] == "uncalibrated"

    def test_a_lamp_that_is_darker_makes_the_sample_insufficient(self, old: str, tmp_path: Path) -> None:
        *_, sample = self.told(tmp_path, old, *replace(BENCH, lamp=180.0).fields(3, 50))
        assert sample["flag"] == "insufficient"
        assert any("The lamp is 3" in why and "the profile of old-1 allows 15 %" in why for why in sample["reasons"])

    def test_fields_of_another_size_are_refused(self, old: str, tmp_path: Path) -> None:
        where = images(tmp_path / "s", Lit(size=(320, 240)).field(1))
        got = call("run", where, "--scope", old, "--no-book")
        assert got.exit_code == 8
        assert "is of frames of 480x360 pixels and these have 320x240" in got.stderr

    def test_pictures_of_a_camera_are_left_alone(self, tmp_path: Path) -> None:
        write_profile(profile_of(BENCH), path_of("bench-3"))
        got = call(
            "run", images(tmp_path / "s", *BENCH.fields(2)), "--scope", "bench-3", "--no-gate", "--no-book", "--json"
        )
        assert got.exit_code == 0
        assert "note: bench-3 has the profile of a camera: these files are taken as they are" in got.stderr
        assert "scope_light" not in got.stdout

    def test_a_name_without_a_profile_is_but_a_name(self, tmp_path: Path) -> None:
        got = call("run", images(tmp_path / "s", *BENCH.fields(2)), "--scope", "lab/3", "--no-gate", "--no-book")
        assert got.exit_code == 0, got.stderr

    @pytest.mark.parametrize(
        ("name", "args", "words"),
        [
            pytest.param(
                "old-1", ("--camera",), "the profile old-1 is of image files, and this is a camera", id="files'"
            ),
            pytest.param("bench-3", ("--camera",), "is of the virtual microscope, and this is a camera", id="virtual"),
            pytest.param(
                "pi-3",
                ("--camera", "--device", "simulated"),
                "is of a camera, and this is the virtual",
                id="a camera's",
            ),
        ],
    )
    def test_a_profile_of_something_else_is_refused_before_the_camera_opens(
        self, old: str, monkeypatch: pytest.MonkeyPatch, name: str, args: tuple[str, ...], words: str
    ) -> None:
        del old
        write_profile(profile_of(BENCH), path_of("bench-3"))
        write_profile(replace(profile_of(BENCH, "pi-3"), camera=replace(CAMERA, kind="pi")), path_of("pi-3"))

        def no_camera(_: object) -> None:
            raise CameraError("opened")

        monkeypatch.setattr("edge.cli.camera_control.open_camera", no_camera)
        got = call("run", *args, "--scope", name, "--no-book")
        assert (got.exit_code, words in got.stderr) == (8, True), got.stderr
