"""Requests changed at random, from a seed: bytes flipped, cut out, doubled, words of attackers put in."""

from __future__ import annotations

import random
from typing import Final

WORDS: Final = (
    *(
        b"../",
        b"..%2f",
        b"%00",
        b"%0d%0aX: y",
        b"\r\n",
        b"\r\n\r\n",
        b"\0",
        b"\xff\xfe",
        b"{{7*7}}",
        b"<script>",
        b"' OR 1=1--",
    ),
    *(b"A" * 3000, b"9" * 400, b"-1", b"NaN", b"1e999", b"[" * 300, b'{"a":' * 100, b"Transfer-Encoding: chunked\r\n"),
    *(
        b"Content-Length: 99999999999\r\n",
        b"Host: evil.example\r\n",
        b"Cookie: a=b\r\n" * 30,
        b"Expect: 100-continue\r\n",
    ),
    *(
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
        b"HTTP/0.9",
        b"HTTP/2.0",
        b"TRACE",
        b"http://evil.example/",
        b"//",
        b";",
    ),
    *(
        "\u0661".encode(),
        "\u202e".encode(),
        b"file:///etc/passwd",
        b"%s%s%n",
        b"\x1b[2J",
        b"Range: bytes=0-\r\n",
        b"?" * 50,
    ),
)
"""What is put in."""


def originals(host: str, cookie: str, csrf: str) -> list[bytes]:
    """Whole requests to begin with: every kind of address, and posts that change nothing in a run that is not paused."""
    shared = f"Host: {host}\r\nConnection: close\r\nCookie: {cookie}\r\n"
    pages = (
        "/",
        "/samples",
        "/samples?before=5",
        "/samples/1",
        "/samples/1/report",
        "/samples/1/review",
        "/review",
        "/scope",
        "/health",
        "/enter",
        "/tablet",
    )
    scripts = (
        "/api/status",
        "/api/boxes",
        "/api/preview?after=-1",
        "/api/review/1/0-0/close",
        "/static/live.js",
        "/static/serve.css",
    )
    gets = [f"GET {target} HTTP/1.1\r\n{shared}\r\n" for target in (*pages, *scripts)]
    posts = []
    for target, body in (
        ("/api/command", '{"do": "resume"}'),
        ("/api/enter", '{"pin": "12345678"}'),
        ("/api/pin", "{}"),
        ("/api/review/1", '{"reader": "a", "sample": "b", "model": "c", "queue": true, "answers": [{"cell": "0-0"}]}'),
    ):
        told = f"Origin: http://{host}\r\nX-CSRF-Token: {csrf}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        posts.append(f"POST {target} HTTP/1.1\r\n{shared}{told}\r\n{body}")
    return [one.encode() for one in (*gets, *posts, *posts)]


def changed(request: bytes, rng: random.Random) -> bytes:
    """The request with one to four changes."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(request) + 1)
        end = min(len(request), at + rng.randint(1, 40))
        match rng.randrange(5):
            case 0 if at < len(request):
                request = request[:at] + bytes([request[at] ^ (1 << rng.randrange(8))]) + request[at + 1 :]
            case 1:
                request = request[:at] + request[end:]
            case 2:
                request = request[:end] + request[at:end] * rng.randint(1, 5) + request[end:]
            case 3:
                request = request[:at] + rng.choice(WORDS) + request[at:]
            case _:
                lines = request.split(b"\r\n")
                where = rng.randrange(len(lines))
                lines[where:where] = [rng.choice(lines)]
                request = b"\r\n".join(lines)
        request = request or b"\r\n"
    return request
