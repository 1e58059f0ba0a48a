"""A page: one HTML file that needs nothing but itself, runs no script and may load nothing (Content-Security-Policy)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from edge.report import sections
from edge.report.data import script
from edge.report.galleries import galleries, views
from edge.report.html import Markup, el, table, void
from edge.report.records import Report
from edge.report.reviewed import reviewed
from edge.report.words import NOTICE

STYLE_FILE = Path(__file__).parent / "report.css"
NOTHING = Markup("")


def page(report: Report, above: Markup = NOTHING) -> Iterator[str]:
    """The file's text, part by part: a page is some megabytes and is not put together in memory.

    ``above`` stands at its top: a way back, where the page is served.
    """
    yield from _top(f"{report.event.tally.sample}: {report.event.verdict.flag}")
    yield above
    yield el("p", NOTICE, class_="notice")
    for part in (
        sections.head,
        reviewed,
        sections.interval,
        galleries,
        sections.counts,
        sections.fields,
        views,
        sections.quality,
        sections.calibration,
        sections.model,
        sections.settings,
    ):
        yield part(report)
        yield "\n"
    yield el("footer", NOTICE)
    yield script(report)
    yield "\n</body></html>\n"


def index(samples: list[tuple[str, str, str, str]]) -> Iterator[str]:
    """The page that lists the others, from (sample, file name, flag, what was counted) each."""
    yield from _top("Samples")
    yield el("h1", "Samples")
    rows: list[tuple[object, ...]] = [
        (el("a", sample, href=file), el("b", flag), counted) for sample, file, flag, counted in samples
    ]
    yield table(("sample", "flag", "counted"), rows, "words")
    yield el("footer", NOTICE)
    yield "\n</body></html>\n"


def content_policy() -> str:
    """The page's Content-Security-Policy: it may run nothing and load nothing; its one style is named by its hash."""
    style = STYLE_FILE.read_bytes()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _top(title: str) -> Iterator[str]:
    style = STYLE_FILE.read_text(encoding="utf-8")
    policy = content_policy()
    yield '<!DOCTYPE html>\n<html lang="en"><head>'
    yield void("meta", charset="utf-8")
    yield void("meta", http_equiv="Content-Security-Policy", content=policy)
    yield void("meta", name="viewport", content="width=device-width, initial-scale=1")
    yield void("meta", name="referrer", content="no-referrer")
    yield void("meta", name="color-scheme", content="light dark")
    yield el("title", title)
    yield el("style", Markup(style))
    yield "</head>\n<body>\n"
