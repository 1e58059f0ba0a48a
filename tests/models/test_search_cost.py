"""What the nets of a search cost: times in one run, instructions once per file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.arm.errors import ArmError
from benchmarks.arm.roots import CACHE_VARIABLE
from benchmarks.record import files as result_files
from benchmarks.record.run import FAILED, Run
from edge.errors import ModelError
from edge.modelfile import read_model
from models.studies.search import cost
from models.studies.search.candidates import LITE, REFERENCE
from models.studies.search.cost import Counts, Time
from tests.models.searching import COUNTED, case, keep, measured_run


def test_each_net_is_taken_at_its_best_batch_and_held_against_the_reference_round_by_round() -> None:
    cases = (
        case(REFERENCE, 8, (4.0, 8.0, 4.0)),
        case(REFERENCE, 32, (2.0, 4.0, 2.0)),
        case("resnet8", 8, (20.0, 40.0, 22.0)),
        case("resnet8", 32, (30.0, 60.0, 30.0)),
    )
    at = cost.times(measured_run(cases), REFERENCE)
    assert at[REFERENCE].batch == 32
    assert at[REFERENCE].ratio == 1
    assert at["resnet8"] == Time(8, 22.0, 10.0, 10.0, 11.0, delegated=True)


@pytest.fixture
def conducted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Runs that are only pretended; gives the names of the cases of each."""
    seen: list[list[str]] = []

    def conduct(work: Any, *_: Any) -> Run:
        seen.append([one.name for one in work])
        sha = read_model(Path(str(work[0].parameters["model"]))).sha256
        return measured_run(tuple(case(one.group, int(one.parameters["batch"]), (1.0,), sha) for one in work))

    monkeypatch.setattr(cost, "conduct", conduct)
    kept: dict[Path, Run] = {}
    monkeypatch.setattr(result_files, "write", lambda path, it: (path.write_text("kept"), kept.update({path: it})))
    monkeypatch.setattr(result_files, "read", lambda path: kept[path])
    return seen


def test_times_are_taken_in_one_run_and_kept_until_a_file_changes(conducted: list[list[str]], tmp_path: Path) -> None:
    files = {name: keep(tmp_path, name) for name in (REFERENCE, LITE)}
    note = tmp_path / "times.json"

    def take(*, again: bool = False) -> Run:
        return cost.timed(files, note, lambda *_: None, lambda: False, again=again)

    take()
    assert conducted == [[f"{name}/b{batch}" for name in files for batch in cost.BATCHES]]
    take()
    assert len(conducted) == 1
    take(again=True)
    assert len(conducted) == 2
    files["residual"] = keep(tmp_path, "residual")
    take()
    assert len(conducted) == 3


def test_a_stopped_run_is_not_kept_and_a_failed_case_is_one_line(
    conducted: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files, note = {REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "times.json"
    with pytest.raises(KeyboardInterrupt):
        cost.timed(files, note, lambda *_: None, lambda: True, again=False)
    assert not note.exists()
    assert conducted
    broken = replace(case(REFERENCE, 8, ()), status=FAILED, reason="no runtime")
    monkeypatch.setattr(cost, "conduct", lambda *_: measured_run((broken,)))
    with pytest.raises(ModelError, match="no runtime"):
        cost.timed(files, note, lambda *_: None, lambda: False, again=False)


def test_where_no_arm_root_is_built_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    files = {REFERENCE: keep(tmp_path, REFERENCE)}
    counts = cost.counted(files, tmp_path / "instructions.json", lambda _: None, again=False)
    assert counts.nets == {}
    assert "edge-bench arm" in counts.missing
    assert not (tmp_path / "instructions.json").exists()


def test_only_files_that_were_not_counted_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def count(files: dict[str, Path], hashes: dict[str, str], _: Path) -> Counts:
        asked.append(list(files))
        return replace(COUNTED, nets=dict.fromkeys(files, 7), files=hashes)

    monkeypatch.setattr(cost, "_counted", count)
    files, note = {REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "instructions.json"

    def take() -> Counts:
        return cost.counted(files, note, lambda _: None, again=False)

    take()
    files[LITE] = keep(tmp_path, LITE)
    assert take().nets == {REFERENCE: 7, LITE: 7}
    assert asked == [[REFERENCE], [LITE]]
    assert take().nets == {REFERENCE: 7, LITE: 7}
    assert len(asked) == 2

    def fails(*_: Any) -> Counts:
        raise ArmError("not now")

    monkeypatch.setattr(cost, "_counted", fails)
    files["residual"] = keep(tmp_path, "residual")
    counts = take()
    assert (counts.missing, counts.nets) == ("not now", {REFERENCE: 7, LITE: 7})


# what is said
