"""What a page says, for programs: JSON inside the page, described by ``report.schema.json`` and in docs/report.md.

A review page finds in it all that it needs to ask a person about a cell: its id, its field, its box, its class and its score.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.near import lowest
from edge.outputs.jsonl import finding_facts, rounded
from edge.report.html import Markup
from edge.report.pictures import AROUND
from edge.report.records import GalleryCell, Report
from edge.review.words import review_facts

FORMAT = "edge-report"
VERSION = 4  # of the data in the page
SCHEMA_FILE = Path(__file__).parent / "report.schema.json"
ELEMENT = "edge-report"
"""Id of the script element that holds it."""


def report_facts(report: Report) -> dict[str, Any]:
    """The page's facts, as JSON types."""
    about, tally, verdict = report.about, report.event.tally, report.event.verdict
    bound, card = about.bound, about.card
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": {"at": report.made, "by": f"edge-microscopy {about.version}"},
        "sample": tally.sample,
        "unit": about.unit,
        "flag": verdict.flag,
        "reasons": list(verdict.reasons),
        "notes": list(report.event.notes),
        "target": rounded(verdict.target),
        "findings": [finding_facts(finding) for finding in verdict.findings],
        "cells": tally.cells,
        "counts": dict(tally.counts),
        "set_aside": dict(tally.set_aside),
        "fields": {"kept": tally.kept, "rejected": dict(tally.rejected), "unreadable": len(tally.unreadable)},
        "model": {"name": about.model.name, "sha256": about.model.sha256, "card_sha256": about.model.card},
        "finder": {"name": bound.finder, "id": bound.finder_id},
        "crops": bound.crops,
        "scope": bound.scope,
        "gate": bound.gate,
        "calibrated": about.calibration is not None,
        "labels": list(card.labels),
        "positive": list(card.positive),
        "threshold": card.threshold,
        "below": {"from": rounded(lowest(card.threshold)), "cells": report.gathered.near} if card.positive else None,
        "picture": {"around": AROUND},
        "reviewed": None if report.reviewed is None else review_facts(report.reviewed),
        "galleries": [
            {"name": g.key, "class": g.label, "of": g.of, "cells": [_cell(cell) for cell in g.cells]}
            for g in report.gathered.galleries
        ],
    }


def _cell(cell: GalleryCell) -> dict[str, Any]:
    return {
        "cell": cell.cell,
        "field": cell.field,
        "name": cell.name,
        "box": list(cell.box),
        "class": cell.label,
        "score": rounded(cell.score),
        "scores": [rounded(score) for score in cell.scores],
    }


def script(report: Report) -> Markup:
    """The element. ASCII, and without a character that HTML could take for the end of it or for a comment."""
    words = json.dumps(report_facts(report), allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        words = words.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{ELEMENT}">{words}</script>')
