"""An answer of the page, before any web framework sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.errors import BookError

HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: body, status, media type, and headers beside those that every answer has."""

    body: bytes
    status: int = 200
    media: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: object, status: int = 200) -> Reply:
    """A value as JSON."""
    return Reply(json.dumps(value, ensure_ascii=True, allow_nan=False).encode(), status, JSON)


def said(status: int, words: str) -> Reply:
    """One sentence, for a script to show."""
    return as_json({"said": words}, status)


def row_id(text: str) -> int:
    """A row id of a request. Raises BookError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 18):  # as SQLite has it
        raise BookError("the book holds no such sample")
    return int(text)
