"""The broker that the engine tells, when the book is replaced by another one under its hands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.network.mosquitto import Mosquitto
from edge.book.opening import open_book
from edge.camera.records import CameraState
from edge.cli.book_settings import BookSettings
from edge.cli.engine_broker import EngineBroker
from edge.cli.network_settings import NetworkSettings
from edge.cli.run_settings import RunSettings
from edge.control.board import StatusBoard
from edge.status import CameraStatus, RunState
from tests.network.listener import listening_to, wait_for
from tests.network.mosquitto import broker

__all__ = ["broker"]


def control() -> Any:
    return SimpleNamespace(board=StatusBoard("camera"), progressed=lambda: None)


def settings(book: Path, url: str | None) -> RunSettings:
    made = RunSettings(network=NetworkSettings(mqtt=url), book=BookSettings(book))
    return replace(made, judging=replace(made.judging, scope="bench-3"))


def test_without_a_broker_nothing_happens(tmp_path: Path) -> None:
    with EngineBroker(settings(tmp_path / "book.sqlite", None), "net", control(), "edge engine") as told:
        assert told.current() is None
    assert list(tmp_path.iterdir()) == []


def test_snapshots_are_told_between_samples_and_who_is_told_of_progress_stays_so(
    broker: Mosquitto, tmp_path: Path
) -> None:
    camera = control()
    before = camera.progressed
    with (
        listening_to(broker, "edge-microscopy/#") as got,
        EngineBroker(settings(tmp_path / "book.sqlite", broker.url), "net", camera, "edge engine"),
    ):
        assert camera.progressed is before
        camera.board.change(state=RunState.PAUSED, camera=CameraStatus(CameraState.LOST, "camera"))
        wait_for(lambda: any(topic.endswith("/state/state") and payload == b"paused" for topic, payload in got))
        wait_for(lambda: any(topic.endswith("/state/problem") and payload == b"ON" for topic, payload in got))
    assert camera.progressed is before


def test_another_book_in_its_place_is_told_as_another_one(broker: Mosquitto, tmp_path: Path) -> None:
    book = tmp_path / "book.sqlite"
    with EngineBroker(settings(book, broker.url), "net", control(), "edge engine") as told:
        first = told.current()
        assert first is not None
        assert told.current() is first
        for path in tmp_path.glob("book.sqlite*"):
            path.unlink()
        open_book(book, lambda _: None).close()
        second = told.current()
        assert second is not None
        assert second.voice.origin != first.voice.origin
        assert first.publisher.over
        wait_for(lambda: second.publisher.online)
