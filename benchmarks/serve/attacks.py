"""Web checks against a page that is counting: what was sent, what came back, and whether the count noticed.

Only ever against this program's own page on the loopback, which this command has started itself.
"""

from __future__ import annotations

import random
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.serve.mutating import changed, originals
from benchmarks.serve.running import RunningPage, running_page, until
from benchmarks.serve.visitor import Visitor, Watching

_AT_ONCE: Final = 12  # requests under way
_READ_S: Final = 0.5  # seconds that an answer to a mutated request is waited for: many never end
_LORIS: Final = 100  # connections that send a byte now and then
_LORIS_S: Final = 14.0  # seconds that they are watched: each is cut off after ten
_CLIENTS_S: Final = 10.0  # seconds that the fifty clients look
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")

START: Final[Mapping[str, object]] = {"do": "start", "sample": "in"}
"""A post that would begin a sample, if it came through."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check.

    Attributes:
        name: of it.
        sent: requests or connections.
        came: what came back, in words.
        held: whether nothing broke and nobody got in.
    """

    name: str
    sent: int
    came: str
    held: bool


def check(folder: Path, mutations: int, guesses: int, clients: int, seed: int) -> tuple[list[CheckRow], list[str]]:
    """Run all checks against one page; returns them, and what the page complained of."""
    rows = []
    with running_page(folder, ["--book", str(folder / "book.sqlite")]) as page, Visitor(page.port) as person:
        until(lambda: person.status()["view"], "a frame comes")
        person.order({"do": "start", "sample": "checked"})
        until(lambda: _cells(person) > 0, "cells are counted")
        steps: list[Callable[[], CheckRow]] = [
            lambda: _mutated(page, person, mutations, seed),
            lambda: _guessed(person, guesses),
            lambda: _foreign(person),
            lambda: _rebound(person),
            lambda: _slow(page, person),
            lambda: _crowd(page, person, clients),
        ]
        for step in steps:
            before = _cells(person)
            row = step()
            until(lambda least=before: _cells(person) > least, f"cells are counted after: {row.name}")  # type: ignore[misc]
            rows.append(row)
        rows.append(_unharmed(person))
        broken = [line for line in page.complaints if "defect" in line or "Traceback" in line]
    return rows, broken


def _cells(person: Visitor) -> int:
    sample = person.status()["sample"]
    return 0 if sample is None else int(re.sub(r"\D", "", sample["cells"].split()[0]))


def _words(came: Mapping[object, int]) -> str:
    return ", ".join(f"{n:,} x {what}" for what, n in sorted(came.items(), key=str))


def _mutated(page: RunningPage, person: Visitor, most: int, seed: int) -> CheckRow:
    rng = random.Random(seed)
    strange = originals(person.host, "edge=none", "none")
    own = originals(person.host, person.headers["Cookie"], person.csrf)
    requests = [(changed(rng.choice(own if i % 2 else strange), rng), bool(i % 2)) for i in range(most)]

    def send(request: tuple[bytes, bool]) -> tuple[object, bool]:
        status = _status_of(page.port, request[0])
        posted_in = status == 200 and request[0].lstrip().startswith(b"POST") and not request[1]
        return status or "closed", posted_in

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(send, requests))
    came = Counter(status for status, _ in answers)
    broke = sum(n for status, n in came.items() if isinstance(status, int) and status >= 500)
    return CheckRow("mutated requests", most, _words(came), not broke and not any(way_in for _, way_in in answers))


def _status_of(port: int, request: bytes) -> int | None:
    """The status of the first answer; None: the connection was closed without one, or it waits for more."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=_READ_S) as one:
        one.sendall(request)
        found = _STATUS.match(one.recv(64))
        return int(found[1]) if found else None
    return None


def _guessed(person: Visitor, most: int) -> CheckRow:
    token = re.findall(rb'data-token="([^"]+)"', person.ask("GET", "/enter")[1])[0].decode()
    told = {"Content-Type": "application/json", "X-CSRF-Token": token, "Origin": f"http://{person.host}"}
    came: Counter[object] = Counter()
    cookies = 0
    for i in range(most):
        status, _, headers = person.ask("POST", "/api/enter", b'{"pin": "%08d"}' % i, told)
        came[status] += 1
        cookies += "set-cookie" in headers
    return CheckRow("wrong PIN", most, _words(came), set(came) <= {403, 429} and not cookies)


def _foreign(person: Visitor) -> CheckRow:
    origins = (
        "http://evil.example",
        "null",
        "http://localhost:3000",
        f"http://{person.host}.evil.example",
        f"https://{person.host}",
    )
    came = Counter[object](person.order(START, Origin=origin) for origin in origins * 10)
    for site in ("cross-site", "same-site"):
        came[person.order(START, Sec_Fetch_Site=site)] += 1
        came[person.ask("GET", "/api/status", headers={"Sec-Fetch-Site": site})[0]] += 1
    return CheckRow("foreign Origin", came.total(), _words(came), set(came) <= {403, 429})


def _rebound(person: Visitor) -> CheckRow:
    port = person.host.partition(":")[2]
    hosts = (
        f"evil.example:{port}",
        "evil.example",
        f"localhost.evil.example:{port}",
        "127.0.0.1:80",
        f"10.0.0.1:{port}",
        "",
    )
    came: Counter[object] = Counter()
    for host in hosts * 10:
        for target in ("/", "/api/status", "/samples", "/enter"):
            came[person.ask("GET", target, headers={"Host": host})[0]] += 1
        came[person.order(START, Host=host, Origin=f"http://{host}")] += 1
    return CheckRow("DNS-rebinding Host", came.total(), _words(came), set(came) <= {400, 421})


def _slow(page: RunningPage, person: Visitor) -> CheckRow:
    """Connections that send a letter of a header now and then, while a person goes on looking."""
    taken: list[float] = []
    with ExitStack() as held:
        ones = [held.enter_context(socket.create_connection(("127.0.0.1", page.port))) for _ in range(_LORIS)]
        for one in ones:
            one.sendall(f"GET / HTTP/1.1\r\nHost: {person.host}\r\n".encode())
        began, there = time.monotonic(), set(ones)
        while there and time.monotonic() - began < _LORIS_S:
            for one in list(there):
                try:
                    one.sendall(b"X")
                except OSError:
                    there.discard(one)
            at = time.monotonic()
            person.status()
            taken.append(time.monotonic() - at)
            time.sleep(0.5)
    came = f"{_LORIS - len(there)} cut off; a status meanwhile took {median(taken) * 1000:.0f} ms, {max(taken) * 1000:.0f} at most"
    return CheckRow("slow loris", _LORIS, came, not there)


def _crowd(page: RunningPage, person: Visitor, clients: int) -> CheckRow:
    """Fifty pages at once: what is more than is allowed gets 503, and the person's own page still works."""
    with ExitStack() as held:
        ones = [held.enter_context(Watching(page.port)) for _ in range(clients)]
        time.sleep(_CLIENTS_S)
        answered = bool(person.status()["state"])
    frames = sorted(one.frames / _CLIENTS_S for one in ones)
    events = sum(one.events for one in ones)
    came = f"{sum(frames):.0f} pictures/s together, {frames[0]:.1f} to {frames[-1]:.1f} each; {events:,} statuses"
    return CheckRow("clients at once", clients, came, answered)


def _unharmed(person: Visitor) -> CheckRow:
    """The sample goes on, is the only one, and what the page says of it is what the book holds at the end."""
    person.order({"do": "finish"})
    until(lambda: person.status()["sample"]["ended"], "the sample ends")
    sample: dict[str, Any] = person.status()["sample"]
    listed = re.findall(rb'href="/samples/\d+">\s*<strong class="name">([^<]*)</strong>.*?<span>([^<]*)</span>',
                        person.ask("GET", "/samples")[1], re.DOTALL)  # fmt: skip
    book = [f"{name.decode()}: {cells.decode()}" for name, cells in listed]
    held = len(book) == 1 and book[0].startswith(f"checked: {sample['cells']},")
    return CheckRow("the count afterwards", 1, f"on the page {sample['cells']}; in the book {'; '.join(book)}", held)
