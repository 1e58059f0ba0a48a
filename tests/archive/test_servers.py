"""Storage over the network against real servers: moto's S3, asyncssh's SFTP, Python's web server (see ``storage_servers``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.programs.install import CACHE, missing

ROOT = Path(__file__).parent.parent.parent
why = missing("storage")
pytestmark = pytest.mark.skipif(bool(why), reason=why or "there")


def environment(**more: str) -> dict[str, str]:
    """With the packages of the set ``storage``, and an account that only moto knows."""
    path = os.pathsep.join([str(ROOT), str(CACHE / "storage")])
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    quick = {"AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**os.environ, "PYTHONPATH": path, **account, **quick, **more}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, int], Path]]:
    folder = tmp_path_factory.mktemp("served")
    command = [sys.executable, "-m", "tests.archive.storage_servers", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as child:
        try:
            assert child.stdout is not None
            yield json.loads(child.stdout.readline()), folder
        finally:
            child.kill()


def said_by(script: str, *arguments: object) -> Any:
    """What a script of this folder prints, with the packages of the set."""
    command = [sys.executable, "-m", f"tests.archive.{script}", *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def told(servers: tuple[dict[str, int], Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return said_by("with_storage", json.dumps(servers[0]), tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="module")
def counts(servers: tuple[dict[str, int], Path]) -> Any:
    return said_by("with_recount", json.dumps(servers[0]), servers[1])


@pytest.mark.parametrize("where", ["s3", "sftp", "web"])
def test_an_archive_elsewhere_is_counted_as_it_is_here(counts: Any, where: str) -> None:
    assert counts[where]["cells"] == counts["here"]["cells"]
    assert len(counts["here"]["cells"]) == 3 + 4 + 5 + 1 + 7 + sum(range(2, 13))
    assert (counts[where]["first"]["fields"], counts[where]["first"]["named"]) == (16, [])
    assert counts[where]["first"]["tasks"] > 1
    assert (counts[where]["second"]["fields"], counts[where]["second"]["tasks"]) == (16, 0)  # it goes on where it was
    assert counts[where]["left"] == []


def test_results_in_a_bucket_are_the_tables_and_what_counted_them(counts: Any) -> None:
    assert counts["objects"] == ["archives/counts/_edge.json"]


def test_an_object_that_vanished_after_it_was_listed_is_named_and_the_others_are_counted(counts: Any) -> None:
    assert counts["vanished"]["first"]["fields"] == 16
    [[name, why]] = counts["vanished"]["first"]["named"]
    assert (name, why) == ("kid-2/1.png", "s3://archives/2026/kid-2/1.png: it is gone since it was listed")


@pytest.mark.parametrize("protocol", ["s3", "sftp"])
def test_files_are_written_listed_and_fetched(told: Any, protocol: str) -> None:
    got = told[protocol]
    assert got["folders"] == ["kid-1"]
    assert sorted(got["files"]) == [["kid-1/a.png", 5, True], ["kid-1/b.png", 3, True]]
    assert got["fetched"] == "54321"
    assert got["left"] == ["kid-1/a.png"]  # and no file under a temporary name


@pytest.mark.parametrize("protocol", ["s3", "sftp"])
def test_what_vanished_is_an_unreadable_field_and_a_missing_folder_is_no_input(told: Any, protocol: str) -> None:
    kind, line = told[protocol]["gone"]
    assert (kind, line.endswith("kid-1/gone.png: it is gone since it was listed")) == ("UnreadableFieldError", True)
    kind, line = told[protocol]["no folder"]
    assert (kind, "there is no such file, folder or bucket" in line) == ("NoInputError", True)


REFUSALS = {
    "no bucket": ("NoInputError", "s3://absent/2026: there is no such file, folder or bucket; check the address"),
    "forbidden": (
        "NoPermissionError",
        "s3://theirs/2026: no permission; ask its owner for it; credentials are looked for in",
    ),
    "wrong key": ("ArchiveError", "s3://mine/2026: no valid credentials; they are looked for in AWS_ACCESS_KEY_ID"),
    "nobody there": ("ArchiveError", "s3://bucket/2027: cannot be reached ("),
    "wrong password": (
        "ArchiveError",
        "sftp://me@127.0.0.1:{sftp}/archive: no valid credentials; they are looked for in a key in ~/.ssh",
    ),
    "gs": ("ArchiveError", "gs://bucket/a: gs:// needs a package that is not installed here: "),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_is_one_plain_line(told: Any, servers: tuple[dict[str, int], Path], case: str) -> None:
    kind, words = REFUSALS[case]
    assert told[case][0] == kind
    assert told[case][1].startswith(words.format(**servers[0]))
    assert "\n" not in told[case][1]
    assert "secret" not in told[case][1] + json.dumps(told["wrong password"])


def test_files_of_a_web_server_are_read_and_those_that_are_gone_are_named(told: Any) -> None:
    read, gone, away = told["web"]
    assert read == ["nothing", "b'54321'"]
    assert gone[0] == "UnreadableFieldError"
    assert gone[1].endswith("/gone.png: it is gone since it was listed")
    assert away[0] == "ArchiveError"
    assert "cannot be reached" in away[1]
