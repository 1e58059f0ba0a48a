"""What a microscope says to a broker, with a broker and a clock of the test's own."""

from __future__ import annotations

import json

import pytest

from edge.network.client import BrokerTrouble
from edge.network.discovery import device_topics
from edge.network.entities import DevicePart
from edge.network.outbox import WINDOW
from edge.network.publisher import STALLED_S
from tests.network.fake_broker import BASE, REFUSED, VOICE, Bench

MICROSCOPE, COMPUTER = (device_topics(VOICE)[part] for part in (DevicePart.MICROSCOPE, DevicePart.COMPUTER))


def test_a_birth_says_everything_and_the_will_says_the_rest() -> None:
    bench = Bench(count=2)
    bench.publisher.say({"state": "counting"})
    bench.run(1)
    topics = [topic for topic, _, _ in bench.broker.log]
    assert topics[:3] == [f"{BASE}/availability", COMPUTER, MICROSCOPE]
    assert bench.broker.kept[f"{BASE}/availability"] == b"online"
    assert bench.broker.kept[f"{BASE}/state/state"] == b"counting"
    assert bench.broker.kept[f"{BASE}/state/temperature"] == b"48"
    about = json.loads(bench.broker.kept[f"{BASE}/about"])
    assert (about["scope"], about["origin"], about["newest"]) == (VOICE.scope, VOICE.origin, 2)
    assert not [1 for topic, _, retain in bench.broker.log if topic.endswith("/journal") and retain]
    will = bench.broker.links[0].will
    assert will is not None
    assert (will.topic, will.payload) == (f"{BASE}/availability", b"offline")
    assert bench.broker.links[0].topics[0] == f"{BASE}/wanted"


def test_entries_go_out_once_in_order_and_from_where_the_last_run_ended() -> None:
    bench = Bench(count=57, acknowledged=30)
    bench.run(2)
    bench.count(10)
    bench.run(2)
    assert bench.broker.numbers == list(range(31, 68))
    bench.end()
    assert bench.journal.acknowledged == 67
    assert bench.lines == []


def test_no_more_entries_are_under_way_than_the_window_holds() -> None:
    bench = Bench(count=100)
    bench.broker.deaf = True
    bench.run(30)
    assert bench.broker.numbers == list(range(1, WINDOW + 1))
    assert bench.journal.acknowledged == 0


def test_a_day_without_a_broker_is_delivered_in_order_afterwards_and_said_twice() -> None:
    bench = Bench()
    bench.broker.away = REFUSED
    for _ in range(24 * 12):
        bench.count(3)
        bench.run(300)
    assert len(bench.broker.links) < 24 * 60 * 3  # it tries once or twice a minute
    bench.broker.away = None
    bench.run(90)
    bench.end()
    assert bench.broker.numbers == list(range(1, 3 * 24 * 12 + 1))
    assert bench.lines == [
        "the broker mqtt://h:1883 is away: connection refused: no broker listens there: 3 entries wait",
        "the broker mqtt://h:1883 is back",
    ]


def test_a_broker_that_dies_gets_all_again_that_it_did_not_acknowledge() -> None:
    bench = Bench(count=30)
    bench.run(1)
    bench.broker.deaf = True
    bench.count(5)
    bench.run(1)
    bench.broker.kill()
    bench.broker.deaf = False
    bench.run(10)
    assert bench.broker.numbers == [*range(1, 36), *range(31, 36)]
    assert bench.broker.kept[f"{BASE}/availability"] == b"online"
    assert set(bench.broker.kept) >= {MICROSCOPE, COMPUTER, f"{BASE}/about", f"{BASE}/state/temperature"}


@pytest.mark.parametrize(
    ("payloads", "again"),
    [
        pytest.param([b'{"from": 5}'], list(range(5, 31)), id="goes back"),
        pytest.param([b'{"from": 5}'] * 3, list(range(5, 31)), id="goes back once for three who ask at once"),
        pytest.param([b'{"from": 9}', b'{"from": 5}'], list(range(5, 31)), id="further back for the second"),
        pytest.param([b'{"from": 31}'], [], id="the next one comes anyway"),
        pytest.param([b'{"from": 0}'], [], id="no number of an entry"),
        pytest.param([b'{"from": -3}', b'{"from": true}', b'{"from": "5"}', b'{"from": 5.0}'], [], id="no numbers"),
        pytest.param([b"", b"[]", b"[" * 199, b"\xff", b'{"from": 5' + b" " * 300 + b"}"], [], id="no request"),
    ],
)
def test_who_misses_entries_gets_them_again(payloads: list[bytes], again: list[int]) -> None:
    bench = Bench(count=30)
    bench.run(5)
    before = len(bench.broker.numbers)
    for payload in payloads:
        bench.broker.say(f"{BASE}/wanted", payload)
    bench.run(5)
    assert bench.broker.numbers[before:] == again
    bench.end()
    assert bench.journal.acknowledged == 30


def test_a_request_that_the_broker_had_kept_is_no_request() -> None:
    bench = Bench(count=30)
    bench.run(5)
    bench.broker.say(f"{BASE}/wanted", b'{"from": 5}', retained=True)
    bench.run(5)
    assert bench.broker.numbers == list(range(1, 31))


def test_who_has_more_entries_than_the_book_is_said() -> None:
    bench = Bench(count=30)
    bench.run(5)
    for _ in range(3):
        bench.broker.say(f"{BASE}/wanted", b'{"from": 99}')
        bench.run(5)
    (line,) = bench.lines
    assert line.startswith("whoever collects has 98 entries of this book, which holds 30: it is an earlier copy")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        pytest.param("mute", "it accepts connections and does not answer", id="says nothing"),
        pytest.param("deaf", "it takes messages and does not acknowledge them", id="acknowledges nothing"),
    ],
)
def test_a_broker_that_does_not_answer_is_given_up_and_said(how: str, words: str) -> None:
    bench = Bench(count=3)
    setattr(bench.broker, how, True)
    bench.run(STALLED_S + 30)
    assert bench.lines == [f"the broker mqtt://h:1883 is away: {words}: 3 entries wait"]
    assert bench.broker.links[0].ended == "dropped"
    setattr(bench.broker, how, False)
    bench.run(150)
    assert bench.journal.acknowledged == 3


def test_states_are_sent_as_they_change_and_not_oftener_than_anybody_reads() -> None:
    bench = Bench()
    for second in range(60):
        for quarter in range(4):
            bench.publisher.say({"state": "counting", "cells": str(second), "focus": str(4 * second + quarter)})
            bench.run(0.25)
    assert bench.broker.sent(f"{BASE}/state/state") == ["counting"]
    assert 25 <= len(bench.broker.sent(f"{BASE}/state/cells")) <= 31
    assert 5 <= len(bench.broker.sent(f"{BASE}/state/focus")) <= 7
    bench.end()
    assert bench.broker.kept[f"{BASE}/state/cells"] == b"59"
    assert bench.broker.kept[f"{BASE}/state/focus"] == b"239"


def test_a_problem_of_the_computer_or_the_microscope_is_one() -> None:
    bench = Bench()
    bench.publisher.say({"problem": "OFF"})
    bench.run(3)
    assert bench.broker.sent(f"{BASE}/state/problem") == ["OFF"]
    bench.computer["problem"] = "ON"
    bench.run(40)
    bench.publisher.say({"problem": "OFF"})
    bench.run(10)
    assert bench.broker.sent(f"{BASE}/state/problem") == ["OFF", "ON"]


def test_home_assistant_that_is_born_again_is_told_of_the_devices() -> None:
    bench = Bench()
    bench.run(10)
    bench.broker.say("homeassistant/status", b"online", retained=True)  # as it was when we came
    bench.run(10)
    assert len(bench.broker.sent(MICROSCOPE)) == 1
    bench.broker.say("homeassistant/status", b"offline")
    bench.broker.say("homeassistant/status", b"online")
    bench.run(10)
    assert len(bench.broker.sent(MICROSCOPE)) == len(bench.broker.sent(COMPUTER)) == 2


def test_a_last_will_that_comes_late_does_not_stand() -> None:
    bench = Bench()
    bench.run(10)
    bench.broker.say(f"{BASE}/availability", b"offline")
    bench.run(1)
    assert bench.broker.sent(f"{BASE}/availability") == ["online", "online"]


def test_two_microscopes_of_one_name_are_said_once() -> None:
    bench = Bench()
    bench.run(10)
    other = "edge-microscopy/bench-3/fedcba98/availability"
    for payload in (b"offline", b"online", b"online"):
        bench.broker.say(other, payload)
    bench.broker.say(f"{BASE}/availability", b"online")
    assert bench.lines == [
        "another microscope is named bench-3 too (its book: fedcba98, this one's: 01234567): give one of them another name (--scope)"
    ]


def test_two_programs_that_throw_each_other_out_are_said_in_few_lines() -> None:
    bench = Bench()
    for _ in range(200):
        while not bench.publisher.online:
            bench.run(0.25)
        bench.run(0.5)
        bench.broker.kill()
    assert "another program speaks for this book or a copy of it" in bench.lines[-1]
    assert len(bench.lines) < 5
    bench.run(200)
    assert bench.lines[-1].endswith("is back")


@pytest.mark.parametrize(
    ("away", "waits", "lasts"),
    [
        pytest.param(None, 0, 1.0, id="it is there"),
        pytest.param(REFUSED, 40, 1.0, id="it is away: nobody waits for it"),
    ],
)
def test_the_end_of_a_run(away: BrokerTrouble | None, waits: int, lasts: float) -> None:
    bench = Bench()
    bench.broker.away = away
    bench.run(5)
    bench.count(40)
    began = bench.clock.now
    bench.end(5)
    assert bench.publisher.over
    assert bench.clock.now - began < lasts
    assert bench.publisher.finish(0) == waits
    if away is None:
        assert bench.broker.kept[f"{BASE}/availability"] == b"offline"
        assert json.loads(bench.broker.kept[f"{BASE}/about"])["newest"] == 40
        assert bench.broker.links[-1].ended == "closed"


@pytest.mark.parametrize("how", ["mute", "deaf"])
def test_a_broker_that_hangs_holds_up_the_end_for_some_seconds_only(how: str) -> None:
    bench = Bench()
    bench.run(5)
    bench.broker.deaf = how == "deaf"
    if how == "mute":
        bench.broker.mute = True
        bench.broker.kill()
        bench.run(3)
    bench.count(40)
    began = bench.clock.now
    bench.end(5)
    assert bench.publisher.over
    assert bench.clock.now - began < 9


def test_a_damaged_entry_stops_what_comes_after_it_and_is_said() -> None:
    bench = Bench(count=10)
    bench.journal.damaged.add(4)
    bench.run(60)
    assert bench.broker.numbers == [1, 2, 3]
    assert bench.lines == ["the book cannot be read for the broker: field 4 is damaged"]
    assert bench.broker.kept[f"{BASE}/availability"] == b"online"
    bench.journal.damaged.clear()
    bench.run(20)
    assert bench.broker.numbers == list(range(1, 11))


def test_a_book_that_cannot_be_read_for_a_while_loses_nothing() -> None:
    bench = Bench(count=10)
    bench.run(5)
    bench.journal.closed = "it is locked"
    bench.count(5)
    bench.run(30)
    bench.journal.closed = ""
    bench.run(20)
    assert bench.broker.numbers == list(range(1, 16))
    assert len(bench.lines) == 1


def test_the_book_is_not_written_for_each_acknowledgement() -> None:
    bench = Bench()
    for _ in range(300):
        bench.count()
        bench.run(0.25)
    assert bench.journal.writes <= 76
    bench.end()
    assert bench.journal.acknowledged == 300


def test_a_courier_brings_entries_and_says_nothing_else() -> None:
    bench = Bench(courier=True, count=5)
    bench.publisher.say({"state": "counting"})
    bench.end()
    assert {topic for topic, _, _ in bench.broker.log} == {f"{BASE}/journal", f"{BASE}/about"}
    assert bench.broker.links[0].will is None
    assert bench.publisher.entries == 5


@pytest.mark.parametrize("names", [False, True])
def test_names_are_sent_when_asked_for(names: bool) -> None:
    bench = Bench(count=1, names=names)
    bench.run(1)
    (entry,) = bench.broker.sent(f"{BASE}/journal")
    assert json.loads(entry)["names"] is names
