"""Workers that die, and workers of other versions, as a recount sees them; and a real cluster whose workers die of a field."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from edge.archive.cluster import OpenCluster, open_cluster
from edge.archive.partitions import PartitionLimits
from edge.archive.poison import KILLED_REASON
from edge.archive.records import Partition, RecountEnd, RecountJob, SampleSlice
from edge.archive.results import Results
from edge.archive.run import Recount
from edge.archive.task import keep_recipe
from edge.archive.versions import versions_here
from edge.errors import ArchiveError
from edge.events import Outcome
from tests.archive.made import MadeAnalyser, MadeRecipe, paint
from tests.archive.serial import SerialClient, SerialFuture
from tests.archive.tables import table

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
pytest.importorskip("distributed", reason="distributed (extra archive) is not installed")

LIMITS = PartitionLimits(fields=4)
KilledWorker = type("KilledWorker", (Exception,), {})


class Dying(SerialClient):
    """A client whose workers die of files whose path ends so; ``blamed``: how often an innocent task is given up beside them."""

    def __init__(self, kills: Sequence[str], blamed: int = 0) -> None:
        super().__init__(2)
        self._kills = tuple(kills)
        self._blamed = blamed
        self.trials: list[str] = []

    def submit(self, task: Callable[..., object], *given: Any, key: str, pure: bool) -> SerialFuture:
        partition = given[1]
        if isinstance(partition, Partition):
            read = [f for p in partition.slices for f in (*(f for n, f in enumerate(p.files) if n not in p.killed),)]
            read += [p.first for p in partition.slices if -1 not in p.killed]
            if task.__name__ == "try_partition":
                self.trials.append(partition.slices[0].files[0].path.rpartition("archive/")[2])
            elif self._blamed:
                self._blamed -= 1
                return SerialFuture(key, None, KilledWorker())
            if any(file.path.endswith(self._kills) for file in read):
                return SerialFuture(key, None, KilledWorker())
        return super().submit(task, *given, key=key, pure=pure)


def counted(archive: Path, results: Path, client: SerialClient) -> RecountEnd:
    recipe = MadeRecipe()
    keep_recipe(recipe)
    opened = Results(str(results))
    opened.begin(recipe.described)
    job = RecountJob(str(archive), str(results), recipe.fingerprint, versions_here())
    return Recount(job, opened, OpenCluster(client, "", own=True), limits=LIMITS).run(threading.Event())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    paint(root / "kid-1", 3, 4)
    paint(root / "kid-2", 5, 6, 7)
    paint(root / "large", *range(2, 13))
    return root


KILLERS = {
    "a field of a small sample": (["kid-2/1.png"], 1),
    "a field in the middle of a large sample": (["large/5.png"], 1),
    "the first field of a large sample, which all its slices look at": (["large/0.png"], 1),
    "all fields of a sample": (["kid-1/0.png", "kid-1/1.png"], 2),
}


@pytest.mark.parametrize("case", KILLERS)
def test_a_field_that_kills_workers_is_named_and_all_others_are_counted(
    case: str, archive: Path, tmp_path: Path
) -> None:
    kills, number = KILLERS[case]
    end = counted(archive, tmp_path / "c", Dying(kills))
    assert (end.samples, end.fields, end.unreadable) == (3, 16, number)
    assert sorted(name for name, _ in end.named) == sorted(kills)
    assert all(why.endswith(KILLED_REASON) for _, why in end.named)
    found = [row for row in table(tmp_path / "c", "fields") if row["state"] == "unreadable"]
    assert [f"{row['sample']}/{row['name']}" for row in found] == sorted(kills)


def test_tasks_that_were_blamed_for_others_lose_nothing(archive: Path, tmp_path: Path) -> None:
    undisturbed = counted(archive, tmp_path / "a", Dying([]))
    client = Dying([], blamed=4)
    assert counted(archive, tmp_path / "b", client) == undisturbed
    assert table(tmp_path / "a", "cells") == table(tmp_path / "b", "cells")
    assert len(client.trials) > 4  # each field of those tasks, once


class StrangeTrials(Dying):
    """Every other trial comes to a worker of another version."""

    def submit(self, task: Callable[..., object], *given: Any, key: str, pure: bool) -> SerialFuture:
        if task.__name__ == "try_partition" and len(self.tasks) % 2 == 0:
            given = (replace(given[0], versions=replace(versions_here(), numpy="0")), *given[1:])
            return SerialClient.submit(self, task, *given, key=key, pure=pure)
        return super().submit(task, *given, key=key, pure=pure)


def test_a_trial_that_came_to_another_version_is_made_again(archive: Path, tmp_path: Path) -> None:
    end = counted(archive, tmp_path / "c", StrangeTrials(["kid-2/1.png"]))
    assert (end.fields, [name for name, _ in end.named]) == (16, ["kid-2/1.png"])


class Strangers(SerialClient):
    """Every other task comes to a worker of another version."""

    def submit(self, task: Callable[..., object], *given: Any, key: str, pure: bool) -> SerialFuture:
        if len(self.tasks) % 2 == 0:
            given = (replace(given[0], versions=replace(versions_here(), numpy="0")), *given[1:])
        return super().submit(task, *given, key=key, pure=pure)


def test_a_task_that_came_to_another_version_is_done_by_another_worker(archive: Path, tmp_path: Path) -> None:
    end = counted(archive, tmp_path / "c", Strangers(2))
    assert (end.samples, end.fields, end.unreadable) == (3, 16, 0)


class OnlyStrangers(SerialClient):
    def submit(self, task: Callable[..., object], *given: Any, key: str, pure: bool) -> SerialFuture:
        given = (replace(given[0], versions=replace(versions_here(), numpy="0")), *given[1:])
        return super().submit(task, *given, key=key, pure=pure)


def test_a_cluster_of_nothing_but_other_versions_is_refused_with_both(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"NumPy .* there, 0 here"):
        counted(archive, tmp_path / "c", OnlyStrangers(2))
    assert not list((tmp_path / "c").glob("samples/*"))


@dataclass(frozen=True)
class DeadlyRecipe(MadeRecipe):
    """Fields called 1.png end the process that reads them."""

    def analyser(self) -> MadeAnalyser:
        return DeadlyAnalyser()


class DeadlyAnalyser(MadeAnalyser):
    def outcomes(self, part: SampleSlice, local: Sequence[str | None]) -> Iterator[Outcome]:
        for index, file in enumerate(part.files):
            if file.path.endswith("kid-2/1.png") and local[index] is not None:
                os.kill(os.getpid(), signal.SIGKILL)
        yield from super().outcomes(part, local)


@pytest.mark.filterwarnings("ignore")
def test_workers_of_a_real_cluster_die_of_a_field_and_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.archive.cluster._ALLOWED_DEATHS", 0)  # one death is enough: a new worker takes a second
    archive = tmp_path / "archive"
    paint(archive / "kid-1", 3, 4)
    paint(archive / "kid-2", 5, 6)
    recipe = DeadlyRecipe()
    opened = Results(str(tmp_path / "c"))
    opened.begin(recipe.described)
    job = RecountJob(str(archive), str(tmp_path / "c"), recipe.fingerprint, versions_here())
    with open_cluster(recipe, on=None, workers=1) as cluster:
        end = Recount(job, opened, cluster, limits=PartitionLimits(fields=2)).run(threading.Event())
    assert (end.samples, end.fields, end.unreadable) == (2, 4, 1)
    assert [name for name, _ in end.named] == ["kid-2/1.png"]
