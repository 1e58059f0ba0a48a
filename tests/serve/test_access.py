"""No one gets in who does not belong: host, origin, session, token, PIN, sizes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.control.records import Pause
from edge.serve.limits import MOST_BODY, POSTS_AT_ONCE
from edge.serve.names import OwnNames
from edge.serve.page import PageParts, make_page
from edge.serve.sessions import IDLE_S, MOST_SESSIONS, TRIES_ALL, TRIES_EACH, WAIT_S, PinDoor, PinSaid, WebSessions
from edge.serve.site import SiteOptions
from tests.serve.asked import HERE, Answer, Browser
from tests.serve.fake_engine import FakeEngine

LAN = "192.168.1.7"
NAMES = OwnNames(8400, frozenset({"bench-3", "bench-3.local"}))
PAGES = ("/", "/samples", "/samples/1", "/samples/1/report", "/samples/1/review", "/review", "/scope", "/health")
READS = ("/api/status", "/api/boxes", "/api/preview", "/api/health", "/api/events", "/api/review/1/0-1/close")
PAUSE = {"do": "pause"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Made:
    engine: FakeEngine
    parts: PageParts
    clock: Clock
    complaints: list[str] = field(default_factory=list)

    def local(self) -> Browser:
        browser = Browser(self.parts.app)
        browser.open()
        return browser

    def tablet(self, client: str = "192.168.1.20") -> Browser:
        return Browser(self.parts.app, client, LAN, f"{LAN}:8400")

    def entered(self, client: str = "192.168.1.20") -> Browser:
        tablet = self.tablet(client)
        assert enter(tablet, self.parts.pins.pin).status == 200
        tablet.open()
        return tablet


def enter(tablet: Browser, pin: object) -> Answer:
    token = tablet.get("/enter").text.split('data-token="')[1].split('"')[0]
    return tablet.post("/api/enter", {"pin": pin}, x_csrf_token=token)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path, lan=True)


def make(folder: Path, *, lan: bool) -> Made:
    clock, complaints, engine = Clock(), list[str](), FakeEngine()
    book = folder / "book.sqlite"
    parts = make_page(engine, book, NAMES, SiteOptions(lan=lan), complain=complaints.append, clock=clock)
    return Made(engine, parts, clock, complaints)


# Names: DNS rebinding and foreign pages

HOSTS = {
    "the address of the loopback": (HERE, "127.0.0.1", True),
    "localhost": ("localhost:8400", "127.0.0.1", True),
    "Localhost with a dot": ("LOCALHOST.:8400", "127.0.0.1", True),
    "the loopback of IPv6": ("[::1]:8400", "::1", True),
    "the address that was reached": (f"{LAN}:8400", LAN, True),
    "the same inside IPv6": (f"{LAN}:8400", f"::ffff:{LAN}", True),
    "this machine's name": ("bench-3.local:8400", LAN, True),
    "a name that an attacker points at 127.0.0.1": ("evil.example:8400", "127.0.0.1", False),
    "the same without a port": ("evil.example", "127.0.0.1", False),
    "a name that begins like ours": ("localhost.evil.example:8400", "127.0.0.1", False),
    "localhost from afar": ("localhost:8400", LAN, False),
    "another address than was reached": ("10.0.0.1:8400", LAN, False),
    "another port": ("127.0.0.1:80", "127.0.0.1", False),
    "no port": ("127.0.0.1", "127.0.0.1", False),
    "no host": ("(none)", "127.0.0.1", False),
    "an empty host": ("", "127.0.0.1", False),
    "a user before it": ("me@127.0.0.1:8400", "127.0.0.1", False),
    "a path behind it": ("127.0.0.1:8400/", "127.0.0.1", False),
    "a number as address": ("2130706433:8400", "127.0.0.1", False),
    "a port of letters": ("127.0.0.1:84oo", "127.0.0.1", False),
    "brackets without an address": ("[evil]:8400", "::1", False),
    "a line break": ("127.0.0.1:8400\r\nx: y", "127.0.0.1", False),
    "a name without end": ("a" * 5000, "127.0.0.1", False),
}


@pytest.mark.parametrize("case", HOSTS)
def test_the_page_answers_only_to_its_own_names(case: str, made: Made) -> None:
    host, reached, own = HOSTS[case]
    client = "127.0.0.1" if reached in ("127.0.0.1", "::1") else "192.168.1.20"
    answer = Browser(made.parts.app, client, reached, host).get("/enter")
    assert (answer.status == 200) is own
    if not own:
        assert answer.status == 421
        assert not answer.cookies


ORIGINS = {
    "its own": (f"http://{HERE}", 200),
    "none": ("(none)", 403),
    "null, as of a sandboxed frame": ("null", 403),
    "another site": ("http://evil.example", 403),
    "another port of this machine": ("http://127.0.0.1:3000", 403),
    "the same by another name": ("http://localhost:8400", 403),
    "https": (f"https://{HERE}", 403),
    "one that begins like it": (f"http://{HERE}.evil.example", 403),
}


@pytest.mark.parametrize("case", ORIGINS)
def test_only_the_page_itself_can_post(case: str, made: Made) -> None:
    origin, status = ORIGINS[case]
    assert made.local().post("/api/command", PAUSE, origin=origin).status == status
    assert made.engine.sent == ([Pause()] if status == 200 else [])


POSTS = {
    "no token": ({"x_csrf_token": "(none)"}, 403),
    "an empty token": ({"x_csrf_token": ""}, 403),
    "a made-up token": ({"x_csrf_token": "A" * 43}, 403),
    "a token with letters beyond ASCII": ({"x_csrf_token": "é" * 43}, 403),
    "no cookie": ({"cookie": "(none)"}, 401),
    "a made-up cookie": ({"cookie": "edge_8400=" + "A" * 43}, 401),
    "a cookie of another port": ({"cookie": "edge_8401=" + "A" * 43}, 401),
    "a cookie without end": ({"cookie": "edge_8400=" + "A" * 9000}, 401),
    "a form of an old browser": ({"content_type": "application/x-www-form-urlencoded"}, 415),
    "plain text, which needs no leave of the browser": ({"content_type": "text/plain"}, 415),
    "no length": ({"content_length": "(none)"}, 411),
    "a length that is no number": ({"content_length": "-1"}, 411),
    "a length beyond all bounds": ({"content_length": "9" * 400}, 413),
    "one byte too long": ({"content_length": str(MOST_BODY + 1)}, 413),
    "the browser says: another site": ({"sec_fetch_site": "cross-site"}, 403),
    "the browser says: another port of this site": ({"sec_fetch_site": "same-site"}, 403),
}


@pytest.mark.parametrize("case", POSTS)
def test_a_post_without_all_its_papers_is_refused(case: str, made: Made) -> None:
    headers, status = POSTS[case]
    answer = made.local().post("/api/command", PAUSE, **headers)
    assert answer.status == status
    assert answer.said.endswith(".")
    assert made.engine.sent == []


def test_a_body_longer_than_its_header_said_is_dropped(made: Made) -> None:
    answer = made.local().post("/api/command", b" " * (MOST_BODY + 1), content_length="10")
    assert answer.status == 413
    assert made.engine.sent == []


def test_one_post_after_another_is_slowed_down_and_heard_again_later(made: Made) -> None:
    browser = made.local()
    statuses = [browser.post("/api/command", PAUSE).status for _ in range(int(POSTS_AT_ONCE) + 5)]
    assert statuses.count(200) == POSTS_AT_ONCE
    assert set(statuses) == {200, 429}
    made.clock.now += 1
    assert browser.post("/api/command", PAUSE).status == 200


HEADS = {
    "a method that writes": ("PUT", "/", {}, 405),
    "a method that deletes": ("DELETE", "/samples/1", {}, 405),
    "a method of scanners": ("TRACE", "/", {}, 405),
    "an address without end": ("GET", "/" + "a" * 600, {}, 414),
    "a query without end": ("GET", "/samples?before=" + "1" * 600, {}, 414),
    "headers without end": ("GET", "/", {f"x-{i}": "1" for i in range(80)}, 400),
    "a post to a page": ("POST", "/", {"content-length": "2", "content-type": "application/json"}, 403),
}


@pytest.mark.parametrize("case", HEADS)
def test_requests_that_make_no_sense_end_at_the_door(case: str, made: Made) -> None:
    method, target, headers, status = HEADS[case]
    assert made.local().ask(method, target, headers).status == status
    assert made.complaints == []


FILES = (
    *(
        "/static/../site.py",
        "/static/%2e%2e/site.py",
        "/static/..%2fsite.py",
        "/static//etc/passwd",
        "/../../etc/passwd",
    ),
    *("/static/serve.css/..", "/static/", "/samples/../../etc/passwd", "/samples/..%2f..%2fetc%2fpasswd/report"),
    *(
        "/samples/1%00/report",
        "/samples/-1",
        "/samples/1e3",
        "/samples/\u0661",
        "/samples/99999999999999999999",
        "/.git/config",
    ),
    *("/static/live.html", "/book.sqlite", "/static/con", "/samples/1/report/../../..", "//evil.example/"),
)


@pytest.mark.parametrize("target", FILES)
def test_no_path_opens_a_file(target: str, made: Made) -> None:
    answer = made.local().get(target)
    assert answer.status == 404
    assert b"root:" not in answer.body
    assert made.complaints == []


# Sessions


@pytest.mark.parametrize("target", [*PAGES, *READS])
def test_other_machines_see_nothing_before_they_gave_the_pin(target: str, made: Made) -> None:
    answer = made.tablet().get(target)
    assert answer.status == (401 if target.startswith("/api/") else 303)
    assert answer.headers.get("location") == (None if target.startswith("/api/") else "/enter")
    assert not answer.cookies


@pytest.mark.parametrize("target", READS[:4])
def test_scripts_of_foreign_pages_read_nothing(target: str, made: Made) -> None:
    for site in ("cross-site", "same-site"):
        assert made.local().get(target, sec_fetch_site=site).status == 403
    assert "access-control-allow-origin" not in made.local().get(target).headers


def test_a_link_on_a_foreign_page_begins_no_session(made: Made) -> None:
    answer = Browser(made.parts.app).get("/", sec_fetch_site="cross-site")
    assert answer.status == 403
    assert not answer.cookies


def test_without_lan_other_machines_are_refused_even_if_they_got_here(tmp_path: Path) -> None:
    assert make(tmp_path, lan=False).tablet().get("/enter").status == 403


def test_the_cookie_is_kept_from_scripts_and_foreign_pages(made: Made) -> None:
    (cookie,) = Browser(made.parts.app).get("/").cookies
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


def test_a_cookie_of_this_machine_is_worth_nothing_elsewhere(made: Made) -> None:
    local, tablet = made.local(), made.tablet()
    tablet.cookie, tablet.csrf = local.cookie, local.csrf
    assert tablet.post("/api/command", PAUSE).status == 401


def test_a_session_ends_when_nobody_used_it_for_a_working_day(made: Made) -> None:
    tablet = made.entered()
    made.clock.now += IDLE_S - 1
    assert tablet.get("/api/status").status == 200
    made.clock.now += IDLE_S + 1
    assert tablet.get("/api/status").status == 401


def test_sessions_are_bounded_and_the_longest_unused_makes_room() -> None:
    sessions = WebSessions(Clock())
    first, second, *_ = (sessions.begin(local=True)[0] for _ in range(MOST_SESSIONS))
    assert sessions.find(first, local=True)
    sessions.begin(local=True)
    assert len(sessions) == MOST_SESSIONS
    assert sessions.find(first, local=True)
    assert sessions.find(second, local=True) is None


# PIN


def test_a_pin_lets_one_tablet_in_and_is_new_then(made: Made) -> None:
    pin = made.parts.pins.pin
    tablet = made.entered()
    assert tablet.post("/api/command", PAUSE).status == 200
    assert made.parts.pins.pin != pin
    assert enter(made.tablet("192.168.1.21"), pin).status == 403


def test_a_tablet_that_leaves_and_returns_is_still_in(made: Made) -> None:
    tablet = made.entered()
    made.clock.now += 3600
    returned = made.tablet("192.168.1.99")  # the network gave it another address
    returned.cookie = tablet.cookie
    assert returned.open().status == 200
    assert returned.post("/api/command", PAUSE).status == 200


def test_pin_and_code_are_shown_on_this_machine_only(made: Made) -> None:
    parts = make_page(
        FakeEngine(), None, NAMES, SiteOptions(lan=True, addresses=(f"http://{LAN}:8400",)), complain=lambda _: None
    )
    local = Browser(parts.app)
    local.open()
    page = local.get("/tablet").text
    assert parts.pins.pin in page.replace(" ", "")
    assert "data:image/svg+xml" in page
    tablet = made.entered()
    assert tablet.get("/tablet").status == 403
    assert tablet.post("/api/pin", {}).status == 403
    pin = parts.pins.pin
    assert local.post("/api/pin", {}).status == 200
    assert parts.pins.pin != pin


GIVEN = {
    "wrong": ("00000000", 403),
    "empty": ("", 403),
    "without end": ("1" * 7000, 403),
    "letters": ("ä" * 8, 403),
    "no text": (12345678, 400),
    "a list": (["1"], 400),
    "nothing": (None, 400),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_is_not_the_pin_lets_nobody_in(case: str, made: Made) -> None:
    given, status = GIVEN[case]
    answer = enter(made.tablet(), given)
    assert answer.status == status
    assert not answer.cookies
    assert made.complaints == []


def test_a_pin_may_be_typed_as_it_is_read() -> None:
    door = PinDoor(Clock())
    assert door.attempt("tablet", f" {door.pin[:4]}-{door.pin[4:]} ") is PinSaid.RIGHT


def test_the_form_of_the_pin_needs_its_own_token(made: Made) -> None:
    tablet, other = made.tablet(), made.tablet("192.168.1.66")
    token = other.get("/enter").text.split('data-token="')[1].split('"')[0]
    for stolen in (token, "", "x"):
        assert tablet.post("/api/enter", {"pin": made.parts.pins.pin}, x_csrf_token=stolen).status == 403


def test_who_guesses_is_locked_out_alone(made: Made) -> None:
    guesser, other = made.tablet("192.168.1.66"), made.tablet("192.168.1.20")
    statuses = [enter(guesser, "00000000").status for _ in range(TRIES_EACH + 3)]
    assert statuses == [403] * TRIES_EACH + [429] * 3
    assert enter(guesser, made.parts.pins.pin).status == 429
    assert enter(other, made.parts.pins.pin).status == 200
    made.clock.now += WAIT_S + 1
    assert enter(guesser, made.parts.pins.pin).status == 200


def test_many_guessers_together_withdraw_the_pin_and_close_the_door_for_a_while() -> None:
    clock, told = Clock(), list[str]()
    door = PinDoor(clock, told.append)
    first = door.pin
    said = [door.attempt(f"client {i}", "00000000") for i in range(TRIES_ALL + 5)]
    assert said.count(PinSaid.WRONG) == TRIES_ALL
    assert door.pin != first
    assert told == [door.pin]
    assert door.attempt("a new client", door.pin) is PinSaid.WAIT
    clock.now += WAIT_S + 1
    assert door.attempt("a new client", first) is PinSaid.WRONG
    assert door.attempt("a new client", door.pin) is PinSaid.RIGHT


def test_a_thousand_guesses_are_a_chance_of_one_in_a_million() -> None:
    clock = Clock()
    door = PinDoor(clock)
    looked_at = 0
    for i in range(1000):
        looked_at += door.attempt(f"client {i % 300}", "x") is PinSaid.WRONG
        clock.now += 1
    assert looked_at <= 4 * TRIES_ALL
    assert len(door.pin) == 8


# What everybody gets


@pytest.mark.parametrize("target", ["/", "/samples", "/health", "/static/live.js", "/api/status", "/api/none", "/none"])
def test_every_answer_says_what_browsers_must_not_do(target: str, made: Made) -> None:
    headers = made.local().get(target).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


def test_what_breaks_is_told_at_the_terminal_and_nowhere_else(made: Made) -> None:
    browser = made.local()

    def broken(_: object) -> str:
        raise RuntimeError("secret of /home/me")

    made.engine.refuse = broken
    answer = browser.post("/api/command", PAUSE)
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert len(made.complaints) == 1
    assert "secret" in made.complaints[0]


def test_websockets_are_closed(made: Made) -> None:
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        sent.append(message)

    asyncio.run(made.parts.app({"type": "websocket"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
