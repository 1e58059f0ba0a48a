"""Requests to the application without a network: what a browser of this machine or of another one sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.serve.replies import App

HERE = "127.0.0.1:8400"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def said(self) -> str:
        return str(self.json["said"])


@dataclass
class Browser:
    """Keeps its cookie and the token of the page it loaded, as a browser does."""

    app: App
    client: str = "127.0.0.1"
    reached: str = "127.0.0.1"
    host: str = HERE
    cookie: str = ""
    csrf: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    def get(self, target: str, **headers: str) -> Answer:
        return self.ask("GET", target, headers)

    def post(self, target: str, values: object, **headers: str) -> Answer:
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        sent = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "origin": f"http://{self.host}",
            "x-csrf-token": self.csrf,
            **headers,
        }
        return self.ask("POST", target, sent, body)

    def open(self, target: str = "/") -> Answer:
        answer = self.get(target)
        if 'name="csrf" content="' in answer.text:
            self.csrf = answer.text.split('name="csrf" content="')[1].split('"')[0]
        return answer

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        named = {"host": self.host, **({"cookie": self.cookie} if self.cookie else {}), **self.extra}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in named.items() if value != "(none)"]
        answer = asyncio.run(asgi(self.app, method, target, pairs, body, client=self.client, reached=self.reached))
        for cookie in answer.cookies:
            self.cookie = cookie.partition(";")[0]
        return answer


async def asgi(
    app: App,
    method: str,
    target: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes = b"",
    *,
    client: str,
    reached: str,
) -> Answer:
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": query.encode(errors="replace"),
        "root_path": "",
        "headers": headers,
        "client": (client, 50000),
        "server": (reached, 8400),
        "state": {},
    }
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    got = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], dict(told), got, tuple(value for name, value in told if name == "set-cookie"))
