"""``edge serve`` as its user meets it at the terminal. The engine is drawn: no camera, no model."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from edge.cli import edge_app, serve_job
from edge.cli.run_settings import RunSettings
from edge.cli.serve import stage_words
from edge.cli.serve_job import arguments
from edge.cli.settings import Until
from edge.errors import ScopeError, ServeError
from edge.scope.profile import Profile, ScopeCamera
from tests.serve.served import free

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def running(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free()
    command = [sys.executable, "-m", "tests.serve.fake_serve", str(port), str(folder / "book.sqlite"), *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout
            first = process.stdout.readline()
            assert first == f"Page  http://127.0.0.1:{port}  (on this machine; Ctrl-C ends it)\n", rest(process)
            yield process, port
        finally:
            if process.poll() is None:
                process.kill()


def rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it still says until it ends."""
    assert process.stdout
    assert process.stderr
    said = process.stdout.read(), process.stderr.read()
    process.wait(30)
    return said


def asked(port: int, target: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int, str, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(
            method, target, body or None, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Set-Cookie", "")
    finally:
        connection.close()


def test_it_says_where_the_page_is_and_ends_by_ctrl_c(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        assert asked(port, "/")[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = rest(process)
    assert process.returncode == 0
    assert "PIN" not in out
    assert err == ""


def test_on_a_lan_it_shows_a_code_and_a_pin(tmp_path: Path) -> None:
    with running(tmp_path, "lan") as (process, _):
        process.send_signal(signal.SIGTERM)
        out, _ = rest(process)
    if "no network" not in out:
        assert re.search(r"^LAN +http://[0-9.]+:[0-9]+$", out, re.MULTILINE)
        assert re.search(r"^PIN +[0-9]{4} [0-9]{4} ", out, re.MULTILINE)
        assert "▀" in out


def test_the_exit_code_says_that_a_sample_was_under_way(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        _, page, cookie = asked(port, "/")
        token = re.findall(r'name="csrf" content="([^"]+)"', page)[0]
        host = f"127.0.0.1:{port}"
        told = {"Content_Type": "application/json", "X_CSRF_Token": token, "Origin": f"http://{host}"}
        start = '{"do": "start", "sample": "S-7"}'
        assert asked(port, "/api/command", "POST", start, Cookie=cookie.split(";")[0], **told)[0] == 200
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest(process)
    assert process.returncode == 130


def test_a_port_that_is_taken_is_one_line_with_one_that_is_free(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServeError, match=rf"port {port} is taken.*: --port \d+ is free"):
            serve_job._listen("127.0.0.1", port)


def test_packages_that_are_missing_are_named_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_job, "find_spec", lambda name: None if name == "segno" else object())
    with pytest.raises(ServeError, match=r"\(segno\).*-m pip install 'starlette"):
        serve_job._look_for_packages()


def test_the_engine_is_told_every_option_that_was_given() -> None:
    values = RunSettings().values()
    given = {
        **values, "simulate": True, "gate": False, "max_cells": 5000, "seed": 7, "book": Path("b.sqlite"), "workers": 2,
        "tile_overlap": 0.5, "until": Until.DECIDED, "scope": "bench-3",
    }  # fmt: skip
    got = arguments(RunSettings.of(given))
    assert {"--simulate", "--no-gate", "--scope", "bench-3"} <= set(got)
    assert got[got.index("--until") + 1] == "decided"
    assert got[got.index("--book") + 1] == "b.sqlite"
    assert arguments(RunSettings()) == []


STAGES = {
    "none": ("", ()),
    "some": ("ring, trophozoite,,ring", ("ring", "trophozoite")),
    "more than there are keys for": (",".join("abcdefghi"), None),
    "a word without end": ("a" * 41, None),
    "what cannot be printed": ("ring\x07", None),
}


@pytest.mark.parametrize(("text", "words"), STAGES.values(), ids=STAGES)
def test_stages_are_a_few_short_words(text: str, words: tuple[str, ...] | None) -> None:
    if words is None:
        with pytest.raises(typer.BadParameter):
            stage_words(text)
    else:
        assert stage_words(text) == words


def test_options_for_one_sample_are_refused_at_once() -> None:
    got = CliRunner().invoke(edge_app(), ["serve", "--simulate", "--csv", "out.csv"])
    assert got.exit_code == 2


def test_the_page_tells_the_profile_as_edge_scope_show_does(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile("bench-3", ScopeCamera("usb", "HD cam", (1280, 960)), objective="100x")
    monkeypatch.setattr(serve_job, "find_profile", lambda _: profile)
    told = dict(serve_job._profile_in_words("bench-3"))
    assert told["microscope"] == "bench-3, 100x"
    assert told["camera"] == "usb: HD cam, 1280x960 pixels"
    assert serve_job._profile_in_words(None) == []


def test_a_profile_that_cannot_be_read_is_told_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> Profile:
        raise ScopeError("bench-3: no profile of a microscope")

    monkeypatch.setattr(serve_job, "find_profile", broken)
    assert serve_job._profile_in_words("bench-3") == [("Profile", "bench-3: no profile of a microscope")]
