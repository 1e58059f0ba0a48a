"""Workers that run another version are refused with both versions, before anything is counted and when they join later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from edge.archive.versions import OtherVersionsError, Versions, WorkerCheck, refusal, require, versions_here
from edge.errors import ArchiveError

HERE = Versions("0.1.0 (aa)", "ai-edge-litert 2.3.0", "2.4.6", "5.0.0.93", "1.9.0", "2026.1.1")
OTHER: dict[str, tuple[Versions | BaseException, str]] = {
    "another program": (replace(HERE, program="0.0.9 (bb)"), "this program 0.0.9 (bb) there, 0.1.0 (aa) here"),
    "another runtime": (
        replace(HERE, runtime="tflite-runtime 2.14.0"),
        "the TFLite runtime tflite-runtime 2.14.0 there, ai-edge-litert 2.3.0 here",
    ),
    "another NumPy": (replace(HERE, numpy="1.26.4"), "NumPy 1.26.4 there, 2.4.6 here"),
    "another OpenCV": (replace(HERE, opencv="4.11.0"), "OpenCV 4.11.0 there, 5.0.0.93 here"),
    "no simplejpeg": (replace(HERE, simplejpeg="none"), "simplejpeg none there, 1.9.0 here"),
    "no program": (ModuleNotFoundError("No module named 'edge'"), "this program is not installed there"),
    "a worker that does not answer": (TimeoutError("no answer"), "it could not be asked for its versions"),
}


@pytest.mark.parametrize("case", OTHER)
def test_what_differs_is_said_with_both_versions(case: str) -> None:
    there, words = OTHER[case]
    line = refusal(HERE, {"tcp://a:1": HERE, "tcp://b:2": there})
    assert line is not None
    assert line.startswith("worker tcp://b:2: ")
    assert words in line
    assert "tcp://a:1" not in line
    assert "\n" not in line


def test_many_workers_that_differ_alike_are_one_line() -> None:
    old = replace(HERE, numpy="1.26.4")
    found: dict[str, Versions | BaseException] = {f"tcp://w:{i}": old for i in range(9)}
    found["tcp://x:1"] = replace(HERE, opencv="4")
    line = refusal(HERE, found)
    assert line is not None
    assert line.startswith("workers tcp://w:0, tcp://w:1, tcp://w:2 and 6 more: NumPy 1.26.4 there")
    assert "(1 more differ in another way)" in line


def test_the_same_versions_are_not_refused() -> None:
    assert refusal(HERE, {"tcp://a:1": HERE}) is None


def test_a_task_on_another_version_counts_nothing() -> None:
    require(versions_here())
    with pytest.raises(OtherVersionsError, match=r"NumPy .* there, 0.0.1 here"):
        require(replace(versions_here(), numpy="0.0.1"))


class Cluster:
    """A Dask client as the check uses it."""

    def __init__(self, workers: dict[str, Versions | BaseException]) -> None:
        self.workers = workers
        self.asked: list[str] = []
        self.retired: list[str] = []

    def run(self, _: object, workers: list[str] | None, on_error: str) -> dict[str, Versions | BaseException]:
        chosen = list(self.workers) if workers is None else workers
        self.asked += chosen
        return {one: self.workers[one] for one in chosen}

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": dict(self.workers)}

    def retire_workers(self, workers: Iterable[str], close_workers: bool) -> None:
        for one in workers:
            self.retired.append(one)
            del self.workers[one]


def test_a_cluster_with_one_other_worker_is_refused_before_anything_is_counted() -> None:
    with pytest.raises(ArchiveError, match=r"worker tcp://b:2: NumPy 0 there"):
        WorkerCheck(Cluster({"tcp://a:1": versions_here(), "tcp://b:2": replace(versions_here(), numpy="0")})).first()


def test_one_that_joins_later_is_asked_once_and_sent_away_if_it_differs() -> None:
    cluster = Cluster({"tcp://a:1": versions_here()})
    check = WorkerCheck(cluster)
    check.first()
    assert check.look() == ()
    cluster.workers["tcp://good:2"] = versions_here()
    cluster.workers["tcp://old:3"] = replace(versions_here(), opencv="4.11.0")
    [line] = check.look()
    assert line.startswith("worker tcp://old:3: OpenCV 4.11.0 there")
    assert line.endswith("It was sent away; the others go on")
    assert check.look() == ()
    assert cluster.retired == ["tcp://old:3"]
    assert cluster.asked == ["tcp://a:1", "tcp://good:2", "tcp://old:3"]


def test_one_that_died_while_it_was_asked_is_not_refused() -> None:
    cluster = Cluster({"tcp://a:1": versions_here()})
    check = WorkerCheck(cluster)
    check.first()
    cluster.workers["tcp://dying:2"] = OSError("closed")
    assert check.look() == ()
    assert cluster.retired == []
    later = WorkerCheck(cluster)
    later.first()
    cluster.workers["tcp://dying:2"] = replace(versions_here(), numpy="0")  # it was not dead after all
    assert len(later.look()) == 1


@pytest.mark.filterwarnings("ignore")
def test_a_real_cluster_sends_a_newcomer_of_another_version_away() -> None:
    distributed = pytest.importorskip("distributed", reason="distributed (extra archive) is not installed")
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address=None, silence_logs=50, memory_limit=0
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        check = WorkerCheck(client)
        check.first()
        cluster.scale(1)
        client.wait_for_workers(1, timeout=60)
        assert check.look() == ()
        stricter = WorkerCheck(client)
        stricter.expected = replace(versions_here(), numpy="0.0.1")
        [line] = stricter.look()
        assert "NumPy" in line
        assert "0.0.1 here" in line
        assert client.scheduler_info()["workers"] == {}
        assert stricter.look() == ()
