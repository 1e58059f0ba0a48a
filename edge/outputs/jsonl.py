"""JSON Lines on stdout: one object per event, flushed, nothing else on that stream. Keys: docs/outputs.md."""

from __future__ import annotations

import json
from math import isfinite
from typing import TextIO

from edge.description import ModelLine
from edge.events import FieldEvent, SampleEvent, source_metadata
from edge.sample import class_counts
from edge.streams import stdout_errors
from edge.types import FieldResult, Finding, Interval


class JsonLines:
    """Writes events to ``stream`` as they come. Raises ReaderGoneError when the reader closed the pipe."""

    def __init__(self, stream: TextIO, labels: tuple[str, ...], model: ModelLine) -> None:
        self._stream = stream
        self._labels = labels
        self._model = model

    def field(self, event: FieldEvent) -> None:
        """One ``field`` event; what could not be read has ``kept`` false, no cells and no timings."""
        counts = field_counts(event.result, self._labels)
        self._write(
            {
                "event": "field",
                "sample": event.sample,
                "field": event.index,
                "name": event.name,
                "kept": event.kept,
                "reject_reason": event.reject_reason,
                "cells": sum(counts.values()),
                "counts": counts,
                "overlaps": [{"field": o.field, "cells": o.cells, "shift": list(o.shift)} for o in event.overlaps],
                "ms": field_ms(event.result),
                **({"metadata": told} if (told := source_metadata(event.result)) else {}),
            }
        )

    def sample(self, event: SampleEvent) -> None:
        """One ``sample`` event. Inputs that could not be read are among its rejected fields."""
        self._write(sample_facts(event, self._model))

    def close(self) -> None:
        """Nothing is left to do: every line was flushed."""

    def discard(self) -> None:
        """Nothing to undo: what was written is correct."""

    def _write(self, event: dict[str, object]) -> None:
        # ASCII only: file names need not be valid Unicode, and a line must never be half of one.
        with stdout_errors():
            self._stream.write(json.dumps(event, allow_nan=False) + "\n")
            self._stream.flush()


def sample_facts(event: SampleEvent, model: ModelLine) -> dict[str, object]:
    """A ``sample`` event as JSON; keys: docs/outputs.md."""
    tally, verdict = event.tally, event.verdict
    rejected = sum(tally.rejected.values()) + len(tally.unreadable)
    return {
        "event": "sample",
        "sample": tally.sample,
        "fields": {"kept": tally.kept, "rejected": rejected},
        "cells": tally.cells,
        "counts": dict(tally.counts),
        "share": {label: _share(interval) for label, interval in verdict.share.items()},
        "flag": verdict.flag,
        **({"interrupted": True} if event.interrupted else {}),
        "reasons": list(verdict.reasons),
        **({"notes": list(event.notes)} if event.notes else {}),
        **({"findings": [finding_facts(found) for found in verdict.findings]} if verdict.findings else {}),
        **({"appearance": dict(event.appearance.values)} if event.appearance else {}),
        "model": {"name": model.name, "sha256": model.sha256, "card_sha256": model.card},
    }


def field_counts(result: FieldResult | None, labels: tuple[str, ...]) -> dict[str, int]:
    """Cells per class that a field shows, whether it is kept or not."""
    if result is None:
        return dict.fromkeys(labels, 0)
    return dict(zip(labels, map(int, class_counts(result, len(labels))), strict=True))


def field_ms(result: FieldResult | None) -> dict[str, float]:
    """Milliseconds per stage, 0.01 ms steps."""
    if result is None:
        return dict.fromkeys(("decode", "gate", "find", "crop", "classify"), 0.0)
    return {stage: round(ms, 2) for stage, ms in result.ms._asdict().items()}


def finding_facts(found: Finding) -> dict[str, object]:
    """One positive class's finding as JSON; keys: docs/outputs.md."""
    return {
        "class": found.label,
        "flag": found.flag,
        "count": found.count,
        "limit_of_blank": found.limit_of_blank,
        "limit_of_detection": rounded(found.limit_of_detection),
        "infected": _share(found.infected),
        "estimate": rounded(found.raw),
        "at_most": rounded(found.most),
        "cells_short": found.cells_short,
        "look": str(found.look),
        "level": rounded(found.level),
    }


def rounded(value: float | None) -> float | None:
    """The value with nine decimal places; None for NaN and infinity."""
    return None if value is None or not isfinite(value) else round(value, 9)


def _share(interval: Interval) -> dict[str, float | None]:
    value = interval.value
    return {
        "value": None if value is None else round(value, 9),
        "low": round(interval.low, 9),
        "high": round(interval.high, 9),
    }
