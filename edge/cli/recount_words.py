"""What is said of two counts of one archive: a line a sample, and what all of them add up to; the same as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator

from edge.archive.compare import ComparisonEnd, CountOfSample, SampleComparison
from edge.verdict.paired import ShareChange
from edge.verdict.units import percent, plural

_MOST_FLAGS = 12  # pairs of flags that are listed


def sample_line(one: SampleComparison) -> str:
    """``b: 1.3 % before, 1.6 % after: +0.25 % (-0.47 % to +1.1 %); 4 of 4 fields differ; uncalibrated``."""
    parts = [change_words(one.change), f"{one.change.differ:,} of {plural(one.change.fields, 'field')} differ"]
    if one.unpaired:
        parts.append(f"{plural(one.unpaired, 'field')} in one count alone, left out of the difference")
    before, after = one.before.flag, one.after.flag
    parts.append(f"{before} before, {after} after" if before != after else after)
    return f"{one.name}: {'; '.join(parts)}{'; CHANGED' * one.changed}"


def change_words(change: ShareChange) -> str:
    """``1.3 % before, 1.6 % after: +0.25 % (-0.47 % to +1.1 %)``."""
    shown = f"{_share(change.before)} before, {_share(change.after)} after"
    if change.difference is None:
        return f"{shown}: no difference to tell"
    low, high = _signed(change.low), _signed(change.high)
    if (change.low, change.high) == (-1.0, 1.0):
        return f"{shown}: {_signed(change.difference)}, with too few fields for an interval"
    return f"{shown}: {_signed(change.difference)} ({low} to {high})"


def comparison_lines(end: ComparisonEnd, positive: tuple[tuple[str, ...], tuple[str, ...]]) -> Iterator[str]:
    """What all samples add up to.

    Args:
        end: of the comparison.
        positive: the classes that count as positive, before and after.
    """
    yield f"{plural(end.samples, 'sample')} counted twice, {end.changed:,} changed: another flag, or an interval without 0"
    yield (
        f"cells: {end.before_cells:,} before, {end.after_cells:,} after; "
        f"positive: {end.before_positive:,} before, {end.after_positive:,} after"
    )
    yield f"share of all: {change_words(end.change)}; 95 % interval, by sample"
    yield f"{end.differ:,} of {plural(end.fields, 'field')} differ"
    for before, after, number in end.flags[:_MOST_FLAGS]:
        yield f"  {plural(number, 'sample')}: {before} before, {after} after"
    if end.unpaired:
        yield f"{plural(end.unpaired, 'field')} in one count alone: their names or their content differ"
    if end.only_before:
        yield f"{plural(end.only_before, 'sample')} only in the count before"
    if end.only_after:
        yield f"{plural(end.only_after, 'sample')} only in the count after"
    if positive[0] != positive[1]:
        yield f"positive classes: {_classes(positive[0])} before, {_classes(positive[1])} after"


def sample_facts(one: SampleComparison) -> dict[str, object]:
    """A sample for programs."""
    return {
        "event": "compared",
        "sample": one.name,
        "before": _count_facts(one.before),
        "after": _count_facts(one.after),
        "share": _change_facts(one.change),
        "fields": {"compared": one.change.fields, "differ": one.change.differ, "unpaired": one.unpaired},
        "flag_changed": one.flag_changed,
        "changed": one.changed,
    }


def comparison_facts(end: ComparisonEnd, results: tuple[str, str]) -> dict[str, object]:
    """All samples for programs; ``results``: the folders before and after."""
    return {
        "event": "comparison",
        "samples": end.samples,
        "changed": end.changed,
        "before": {"results": results[0], "cells": end.before_cells, "positive": end.before_positive},
        "after": {"results": results[1], "cells": end.after_cells, "positive": end.after_positive},
        "share": _change_facts(end.change),
        "fields": {"compared": end.fields, "differ": end.differ, "unpaired": end.unpaired},
        "only_before": end.only_before,
        "only_after": end.only_after,
        "flags": [{"before": before, "after": after, "samples": number} for before, after, number in end.flags],
    }


def _count_facts(one: CountOfSample) -> dict[str, object]:
    return {"fields": one.fields, "kept": one.kept, "cells": one.cells, "positive": one.positive, "flag": one.flag}


def _change_facts(change: ShareChange) -> dict[str, object]:
    told = {"before": change.before, "after": change.after, "difference": change.difference}
    return {**told, "low": change.low, "high": change.high}


def _share(share: float | None) -> str:
    return "nothing counted" if share is None else percent(share)


def _signed(difference: float) -> str:
    return f"{'+' * (difference > 0)}{percent(difference)}"


def _classes(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) or "none"
