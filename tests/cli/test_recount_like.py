"""``edge recount --like``: settings of earlier counts, the folder beside them, and what another model changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge import shelf
from edge.archive.cluster import OpenCluster
from edge.archive.records import CountingRecipe, CountsDescription
from edge.archive.results import HEAD, Results
from edge.cli import edge_app
from edge.cli.archive_like import results_like, settings_like
from edge.cli.config import to_toml, with_whole_paths
from edge.cli.run_settings import RunSettings
from edge.errors import ArchiveError
from edge.virtual_slide import SlideSpec
from edge.virtual_slide.render import render_field
from tests.archive.made import description
from tests.archive.serial import serial

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
pytest.importorskip("fsspec", reason="fsspec (extra archive) is not installed")


def counts(folder: Path, config: str = "", **changes: object) -> str:
    """A folder of results that nothing was counted in, with these settings."""
    Results(str(folder)).begin(description(config=config, **changes))
    return str(folder)


CONFIG = """
model = "then.tflite"
threshold = 0.7
finder = "classical"
settled = "/scopes/settled.json"
gate = false
z = 2
workers = 7
json = true
"""
THEN = {
    "model": "then.tflite", "threshold": 0.7, "finder": "classical", "settled": Path("/scopes/settled.json"), "gate": False,
    "z": 2,
}  # fmt: skip
LIKE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "nothing typed": ({}, THEN, ""),
    "another model": ({"model": "new.tflite"}, {**THEN, "model": "new.tflite", "threshold": None}, "--threshold"),
    "another model with a threshold": (
        {"model": "new.tflite", "threshold": 0.2},
        {**THEN, "model": "new.tflite", "threshold": 0.2},
        "",
    ),
    "another finder": ({"finder": "learned"}, {**THEN, "finder": "learned", "settled": None}, "--settled"),
    "the gate on again": ({"gate": True}, {**THEN, "gate": True}, ""),
    "own workers": ({"workers": 3}, THEN, ""),
}


@pytest.mark.parametrize("case", LIKE)
def test_settings_are_those_of_the_counts_but_for_what_is_typed(case: str, tmp_path: Path) -> None:
    typed, want, left_out = LIKE[case]
    told: list[str] = []
    values = settings_like(counts(tmp_path / "c", CONFIG), typed, told.append).values()
    assert {name: values[name] for name in want} == want
    assert (values["workers"], values["json"]) == (typed.get("workers"), False)  # of the call, not of the counts
    assert left_out in "".join(told)
    assert bool(told) == bool(left_out)


def test_a_calibration_of_the_nets_before_does_not_come_along(tmp_path: Path) -> None:
    config = 'calibration = "/c.json"\ntarget-parasitaemia = "0.1%"\n'
    told: list[str] = []
    judging = settings_like(counts(tmp_path / "c", config), {"model": "new.tflite"}, told.append).judging
    assert (judging.calibration, judging.target_parasitaemia) == (None, None)
    assert "--calibration, --target-parasitaemia" in told[0]
    kept = settings_like(counts(tmp_path / "d", config), {"gate": False}, told.append).judging
    assert (kept.calibration, kept.target_parasitaemia) == (Path("/c.json"), "0.1%")


@pytest.mark.parametrize("config", ["model = ", "no-such-option = 1", "gate = 3", "z = 0", "x" * 10**5])
def test_settings_that_cannot_be_read_are_refused(config: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as refused:
        settings_like(counts(tmp_path / "c", config), {}, print)
    assert "the settings in it" in str(refused.value)
    assert len(str(refused.value)) < 400


def test_paths_in_the_settings_of_counts_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = RunSettings.of(
        {**RunSettings().values(), "model": "mine.tflite", "calibration": Path("c.json"), "finder": "learned"}
    )
    like = settings_like(counts(tmp_path / "c", to_toml(with_whole_paths(given))), {}, print)
    assert (like.nets.model, like.nets.finder) == (str(tmp_path / "mine.tflite"), "learned")
    assert like.judging.calibration == tmp_path / "c.json"


def model(name: str, fingerprint: str = "a" * 64) -> CountsDescription:
    return description(model=name, fingerprint=fingerprint)


PLACES = {
    "counts.parquet": "counts-new-aaaaaaaa.parquet",
    "there/counts": "there/counts-new-aaaaaaaa",
    "there/counts/": "there/counts-new-aaaaaaaa",
    "/there/a.b/counts.parquet": "/there/a.b/counts-new-aaaaaaaa.parquet",
}


@pytest.mark.parametrize("place", PLACES)
def test_results_go_beside_the_counts(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cli.archive_like.Results", lambda _: Results(str(tmp_path / "c")))
    counts(tmp_path / "c")
    assert results_like(place, model("new")) == PLACES[place]


def test_on_a_store_they_go_beside_the_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cli.archive_like.Results", lambda _: Results(str(tmp_path / "c")))
    counts(tmp_path / "c")
    assert results_like("s3://bucket/counts.parquet", model("a/b c")) == "s3://bucket/counts-b-c-aaaaaaaa.parquet"


def test_the_same_nets_and_settings_have_nothing_to_compare(tmp_path: Path) -> None:
    place = counts(tmp_path / "c")
    with pytest.raises(ArchiveError, match="name what shall differ"):
        results_like(place, description())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shelf.has(shelf.CLASSIFIER):
        pytest.skip(f"the shelf does not hold {shelf.CLASSIFIER} yet")
    root = tmp_path_factory.mktemp("archives") / "archive"
    for name, first in (("s1", 0), ("s2", 3)):
        (root / name).mkdir(parents=True)
        for n in range(first, first + 3):
            picture = render_field(SlideSpec(3, 480, 360, cell_px=40), n)[0]
            cv2.imwrite(str(root / name / f"{n}.png"), np.ascontiguousarray(picture[..., ::-1]))
    return root


@contextmanager
def _in_this_process(recipe: CountingRecipe, **_: object) -> Iterator[OpenCluster]:
    yield serial(recipe)


def recount(*arguments: str) -> tuple[int, str, str]:
    got = CliRunner().invoke(edge_app(), ["recount", *arguments])
    return got.exit_code, got.stdout, got.stderr


def test_what_another_threshold_changes(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cli.archive_job.open_cluster", _in_this_process)
    before = tmp_path / "counts.parquet"
    code, _, said = recount(str(archive), "-o", str(before), "--no-gate")
    assert code == 0, said
    code, out, said = recount(str(archive), "--like", str(before), "--threshold", "0", "--json", "--changed")
    assert code == 0, said
    *samples, end = [json.loads(line) for line in out.splitlines()]
    assert [(one["sample"], one["changed"], one["fields"]["compared"]) for one in samples] == [
        ("s1", True, 3),
        ("s2", True, 3),
    ]
    assert all(one["share"]["low"] > 0 and one["after"]["positive"] == one["after"]["cells"] for one in samples)
    after = Path(end["after"]["results"])
    assert after.parent == tmp_path
    assert "gate = false" in json.loads((after / HEAD).read_text())["description"]["config"]
    code, out, said = recount(str(archive), "--like", str(before), "--threshold", "0")  # nothing is counted again
    assert (code, "s1: " in out, "; CHANGED" in out) == (0, True, True), said


REFUSED = {
    "changed of one count": (("--changed",), 2, "name the earlier one with --like"),
    "changed of one count with a folder": (("-o", "x", "--changed"), 2, "name the earlier one with --like"),
    "no counts": (("--like", "nowhere"), 16, "no results of edge recount"),
    "an option of samples": (("--like", "x", "--csv", "f.csv"), 2, "--csv is of a sample in the book"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused(case: str, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, code, says = REFUSED[case]
    monkeypatch.chdir(archive)
    got, _, said = recount(str(archive), *arguments)
    assert got == code
    assert says in " ".join(said.split())
