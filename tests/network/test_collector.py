"""What a collector makes of what it hears: each entry once, in order; what is missing is asked for; what a person is told."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from edge.network.collected import LONGEST_PATIENCE_S, PATIENCE_S, PRESENCE_S
from edge.network.hearing import part_of
from edge.network.news import STRANGERS_S, NewsKind
from edge.network.records import JournalMessage
from edge.network.topics import ROOT
from tests.network.collecting import UUID, Bench, Speaker, payload_of, whole

OTHER = "cd" * 16


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def scope(bench: Bench) -> Speaker:
    one = Speaker(bench)
    one.is_there()
    one.about(0)
    bench.words()
    return one


def test_entries_come_in_order_whatever_is_doubled_or_disordered(bench: Bench, scope: Speaker) -> None:
    numbers = [n for n in range(1, 60) for _ in range(3)]
    random.Random(3).shuffle(numbers)
    for number in numbers:
        scope.entry(number)
    for _ in range(60):  # the microscope goes back to what is asked for
        if not bench.collector.awaited:
            break
        first = bench.asked[-1][1]
        for number in range(first, 60):
            scope.entry(number)
        bench.wait(LONGEST_PATIENCE_S)
    assert bench.book.entries[scope.origin] == list(range(1, 60))
    assert bench.collector.taken == 59


def test_an_entry_that_comes_too_early_is_asked_for_once_and_again_after_a_while(bench: Bench, scope: Speaker) -> None:
    scope.entry(1)
    for number in (4, 5, 6):
        scope.entry(number)
    assert bench.asked == [(scope.topics.wanted, 2)]
    bench.wait(PATIENCE_S / 2)
    assert len(bench.asked) == 1
    waits = []
    for _ in range(8):
        before, asked = bench.now, len(bench.asked)
        while len(bench.asked) == asked:
            bench.wait(1)
        waits.append(bench.now - before)
    assert waits == [1, 4, 8, 16, 32, 60, 60, 60]


def test_the_loss_of_the_last_entries_is_noticed_by_what_the_microscope_says_of_itself(
    bench: Bench, scope: Speaker
) -> None:
    scope.entry(1)
    scope.about(3)
    bench.wait(PATIENCE_S / 2)
    assert bench.asked == []  # they may still be on their way
    bench.wait(PATIENCE_S / 2)
    assert bench.asked == [(scope.topics.wanted, 2)]
    scope.entry(2)
    scope.entry(3)
    bench.wait(3600)
    assert len(bench.asked) == 1
    assert bench.collector.awaited == ()


def test_entries_that_came_by_a_merge_meanwhile_are_not_asked_for(bench: Bench, scope: Speaker) -> None:
    scope.entry(1)
    bench.book.known[scope.origin] = replace(bench.book.known[scope.origin], next=4)
    scope.about(3)
    scope.entry(2)
    scope.entry(3)
    assert bench.collector.awaited == ()


def test_while_a_microscope_goes_through_what_is_known_it_is_not_asked_again_but_after_a_minute(
    bench: Bench, scope: Speaker
) -> None:
    scope.entry(1)
    scope.entry(3)
    assert len(bench.asked) == 1
    for _ in range(int(LONGEST_PATIENCE_S) - 1):
        scope.entry(1)
        bench.wait(1)
    assert len(bench.asked) == 1
    scope.entry(1)
    bench.wait(1)
    assert len(bench.asked) == 2


def test_a_microscope_that_is_away_is_not_asked(bench: Bench, scope: Speaker) -> None:
    scope.about(5)
    scope.is_there(False)
    bench.wait(3600)
    assert bench.asked == []
    scope.is_there()
    bench.wait(PATIENCE_S)
    assert bench.asked == [(scope.topics.wanted, 1)]


def test_nobody_is_asked_while_the_broker_is_away(bench: Bench, scope: Speaker) -> None:
    scope.about(5)
    bench.collector.broker_away()
    bench.wait(3600)
    assert bench.asked == []
    assert bench.words() == []


def test_a_collector_that_is_started_again_goes_on_where_its_book_is(bench: Bench, scope: Speaker) -> None:
    scope.entry(1)
    again = Bench(bench.book)
    one = Speaker(again)
    one.entry(1)
    one.entry(2)
    assert again.book.entries[one.origin] == [1, 2]
    assert again.collector.known == 1
    assert not any(news.kind is NewsKind.MICROSCOPE for news in again.told)


def test_samples_are_said_when_they_begin_and_when_they_end(bench: Bench, scope: Speaker) -> None:
    scope.entry(1, state="counting")
    scope.entry(2, state="counting")
    scope.entry(3, state="complete", flag="suspicious")
    scope.entry(4, sample=2, state="interrupted")
    assert bench.words() == [
        "bench-3: sample bench-3-s1 is being counted",
        "bench-3: sample bench-3-s1: flag suspicious",
        "bench-3: sample bench-3-s2: interrupted",
    ]


def test_a_new_microscope_is_said(bench: Bench) -> None:
    scope = Speaker(bench)
    scope.is_there()
    scope.about(2)
    assert bench.words() == ["new microscope bench-3 (its book: abababab)"]
    assert bench.book.known[scope.origin].online


def test_silence_names_when_it_was_heard_last_and_what_is_missing(bench: Bench, scope: Speaker) -> None:
    bench.wall = "2026-11-29T09:30:00Z"
    scope.about(2)
    bench.wall = "2026-11-29T12:00:00Z"
    scope.is_there(False)
    assert bench.words() == [
        "bench-3 is silent (heard last at 2026-11-29 09:30 UTC); 2 of its entries are missing here"
    ]
    scope.is_there()
    assert bench.words() == ["bench-3 is there again"]


def test_a_microscope_that_a_broker_without_memory_says_nothing_of_is_silent_after_a_while(
    bench: Bench, scope: Speaker
) -> None:
    bench.collector.broker_away()
    bench.wait(36000)
    assert bench.words() == []  # nobody can be heard
    bench.collector.broker_back(bench.now)
    bench.wait(PRESENCE_S - 1)
    assert bench.words() == []
    bench.wait(1)
    assert bench.words() == ["bench-3 is silent (heard last at 2026-11-29 08:00 UTC)"]
    assert not bench.book.known[scope.origin].online
    bench.wait(36000)
    assert bench.words() == []
    scope.is_there()
    assert bench.words() == ["bench-3 is there again"]


def test_who_is_silent_is_not_said_again_when_the_broker_comes_back(bench: Bench, scope: Speaker) -> None:
    scope.is_there(False)
    bench.words()
    for _ in range(3):
        bench.collector.broker_away()
        scope.about(0, retained=True)
        scope.is_there(False, retained=True)
    assert bench.words() == []
    scope.is_there()
    assert bench.words() == ["bench-3 is there again"]


def test_entries_that_come_before_a_word_about_the_microscope_tell_whose_availability_was_heard(bench: Bench) -> None:
    scope = Speaker(bench)
    scope.is_there()
    scope.entry(2)
    assert bench.asked == [(scope.topics.wanted, 1)]
    bench.wait(LONGEST_PATIENCE_S)
    assert len(bench.asked) == 2
    assert bench.book.known[scope.origin].online


def test_what_the_broker_had_kept_does_not_count_as_heard(bench: Bench, scope: Speaker) -> None:
    scope.entry(1)
    bench.wall = "2027-01-01T00:00:00Z"
    again = Bench(bench.book, wall=bench.wall)
    late = Speaker(again)
    late.about(1, retained=True)
    late.is_there(False, retained=True)
    assert again.book.known[scope.origin].heard == "2026-11-29T08:00:00Z"


def test_a_clock_that_jumps_changes_nothing_but_what_people_read(bench: Bench, scope: Speaker) -> None:
    for number, wall in enumerate(("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2026-11-29T08:00:01Z"), 1):
        bench.wall = wall
        scope.entry(number)
    bench.wait(3600)
    assert bench.book.entries[scope.origin] == [1, 2, 3]
    assert bench.asked == []


def test_two_microscopes_of_one_name_are_said_once(bench: Bench, scope: Speaker) -> None:
    other = Speaker(bench, origin=OTHER)
    other.is_there()
    other.about(0)
    other.about(0)
    assert bench.words() == [
        "new microscope bench-3 (its book: cdcdcdcd)",
        "two microscopes are named bench-3 (their books: cdcdcdcd and abababab): give one of them another name (--scope)",
    ]
    for number in (1, 2):
        scope.entry(number)
        other.entry(number)
    assert bench.book.entries == {scope.origin: [1, 2], OTHER: [1, 2]}


def test_a_new_book_of_a_microscope_whose_old_one_is_away_is_no_namesake(bench: Bench, scope: Speaker) -> None:
    scope.is_there(False)
    other = Speaker(bench, origin=OTHER)
    other.is_there()
    other.about(0)
    assert not any(news.kind is NewsKind.NAMESAKE for news in bench.told)


STRANGE = {
    "no topic of ours": (f"{ROOT}/x", b"online"),
    "a wildcard in it": (f"{ROOT}/+/abababab/journal", b"{}"),
    "an origin that is none": (f"{ROOT}/bench-3/ABABABAB/about", b"{}"),
    "no JSON": (f"{ROOT}/bench-3/abababab/about", b"\xff\x00"),
    "JSON of another kind": (f"{ROOT}/bench-3/abababab/about", b"[1]"),
    "nested very deep": (f"{ROOT}/bench-3/abababab/about", b"[" * 8000),
    "very long": (f"{ROOT}/bench-3/abababab/about", b" " * 9000),
    "of another name": (
        f"{ROOT}/bench-3/abababab/about",
        json.dumps({"scope": "x", "origin": "ab" * 16, "newest": 1}).encode(),
    ),
    "of another origin": (
        f"{ROOT}/bench-3/abababab/about",
        json.dumps({"scope": "bench-3", "origin": OTHER, "newest": 1}).encode(),
    ),
    "a number that no book has": (
        f"{ROOT}/bench-3/abababab/about",
        json.dumps({"scope": "bench-3", "origin": "ab" * 16, "newest": 10**30}).encode(),
    ),
    "a number that is none": (
        f"{ROOT}/bench-3/abababab/about",
        json.dumps({"scope": "bench-3", "origin": "ab" * 16, "newest": True}).encode(),
    ),
    "an availability that is none": (f"{ROOT}/bench-3/abababab/availability", b"perhaps"),
    "an entry that is none": (f"{ROOT}/bench-3/abababab/journal", b"{}"),
    "an entry of another microscope": (
        f"{ROOT}/bench-3/abababab/journal",
        payload_of(JournalMessage(OTHER, "bench-3", 1, {})),
    ),
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_strangers_write_is_counted_and_left_out(bench: Bench, scope: Speaker, case: str) -> None:
    before = bench.collector.scopes
    bench.raw(*STRANGE[case])
    assert bench.collector.strangers == 1
    assert bench.collector.scopes == before
    (said,) = bench.words()
    assert "cannot be read and was left out" in said
    assert "\n" not in said


def test_a_number_that_a_stranger_made_up_is_forgotten_with_the_microscopes_next_word(
    bench: Bench, scope: Speaker
) -> None:
    scope.entry(1)
    scope.about(2**52)
    scope.entry(2**52)
    assert [one.name for one in bench.collector.awaited] == ["bench-3"]
    scope.about(1)
    assert bench.collector.awaited == ()
    assert bench.book.known[scope.origin].newest == 1


def test_a_microscope_that_counts_into_the_collected_book_itself_is_left_out() -> None:
    bench = Bench(own="ab" * 16)
    own, other = Speaker(bench), Speaker(bench, "bench-4", OTHER)
    for one in (own, other):
        one.is_there()
        one.about(1)
        one.entry(1)
    assert bench.book.entries == {OTHER: [1]}
    assert bench.collector.strangers == 0


def test_a_forgotten_microscope_is_no_stranger(bench: Bench, scope: Speaker) -> None:
    bench.raw(scope.topics.about, b"")
    bench.raw(scope.topics.availability, b"")
    assert bench.collector.strangers == 0


def test_a_flood_of_strange_payloads_is_one_line_an_hour(bench: Bench, scope: Speaker) -> None:
    for _ in range(1000):
        bench.raw(scope.topics.journal, b"x")
        bench.wait(1)
    assert len(bench.words()) == 1
    bench.wait(STRANGERS_S)
    assert bench.words() == ["999 messages on our topics cannot be read and were left out"]
    bench.wait(STRANGERS_S)
    assert bench.words() == []


def test_ten_thousand_mutated_payloads_change_nothing_of_a_microscope_that_counts(bench: Bench, scope: Speaker) -> None:
    rng = random.Random(5)
    topics = [scope.topics.journal, scope.topics.about, scope.topics.availability]
    told = {"uuid": UUID.format(1), "name": "s", "state": "counting", "flag": None}
    good = {
        scope.topics.journal: payload_of(JournalMessage(scope.origin, scope.name, 1, whole(told))),
        scope.topics.about: json.dumps({"scope": "bench-3", "origin": scope.origin, "newest": 0}).encode(),
        scope.topics.availability: b"online",
    }
    for _ in range(10_000):
        topic = rng.choice(topics)
        payload = bytearray(good[topic])
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(payload))
            payload[place : place + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
            payload = payload or bytearray(b"{")
        bench.collector.hear(topic, bytes(payload), bench.now)
    bench.collector.settle(bench.now)
    assert len(bench.told) < 50
    assert bench.collector.strangers > 5000
    assert {one.name for one in bench.collector.scopes} == {"bench-3"}


def test_strangers_who_invent_microscopes_fill_no_memory(bench: Bench) -> None:
    bench.collector._scopes |= dict.fromkeys(map(str, range(2000)), bench.collector._scopes.get("x"))  # type: ignore[arg-type]
    Speaker(bench).about(0)
    assert "more than 2,000 microscopes" in bench.words()[0]


def test_entries_that_are_very_large_do_not_wait_for_each_other(
    bench: Bench, scope: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.network.collector.MOST_WAITING", 1000)
    told = {"uuid": UUID.format(1), "name": "s" * 600, "state": "counting", "flag": None}
    for number in (1, 2, 3):
        payload = payload_of(JournalMessage(scope.origin, scope.name, number, whole(told)))
        bench.collector.hear(scope.topics.journal, payload, bench.now)
    assert bench.book.entries[scope.origin] == [1, 2]
    bench.collector.settle(bench.now)
    assert bench.book.entries[scope.origin] == [1, 2, 3]


def test_an_entry_that_the_book_refuses_is_said_once_and_does_not_end_it(bench: Bench, scope: Speaker) -> None:
    bench.book.refuses = lambda message: message.number == 2
    for number in (1, 2, 2, 2):
        scope.entry(number)
    refused = [news.words for news in bench.told if news.kind is NewsKind.REFUSED]
    assert refused == ["bench-3: entry 2 cannot be taken: makes no sense"]
    bench.book.refuses = lambda _: False
    scope.entry(2)
    assert bench.book.entries[scope.origin] == [1, 2]


def test_a_name_that_is_changed_is_said(bench: Bench, scope: Speaker) -> None:
    Speaker(bench, "bench-4").about(0)
    assert bench.words() == ["bench-3 is named bench-4 now"]
    renamed = Speaker(bench, "bench-4")
    renamed.is_there()
    renamed.entry(2)
    assert bench.asked == [(renamed.topics.wanted, 1)]


def test_topics_say_whose_they_are() -> None:
    part = part_of(f"{ROOT}/bench-3/abababab/journal")
    assert (part.base, part.name, part.origin8) == (f"{ROOT}/bench-3/abababab", "bench-3", "abababab")
