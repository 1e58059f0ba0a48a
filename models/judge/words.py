"""Figures as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convert.measure.bootstrap import FEW_GROUPS
from models.judge.figures import END_TO_END, FIGURES, Measurement, NegativeGroup

_WIDEST_MATRIX = 12  # classes; a wider confusion matrix is left out


def measured(raw: Mapping[str, Any] | None) -> Measurement | None:
    """A figure from its plain form; None stays None."""
    return None if raw is None else Measurement(**raw)


def scored_lines(name: str, found: Mapping[str, Any]) -> list[str]:
    """One net's figures, a line each."""
    lines = [f"{name}: {found['cells']:,} cells, {found['set']}"]
    for metric in (*FIGURES, *END_TO_END):
        figure = measured(found.get(metric.key))
        if figure is not None:
            lines.append(row(metric.name, figure, percent=metric.percent))
    if (classes := found.get("classes")) is not None:
        lines += class_lines(classes)
    if (agree := measured(found.get("agreement_with_float"))) is not None:
        lines.append(row("agrees with the float net", agree))
    return lines


def row(name: str, figure: Measurement, *, percent: bool = True) -> str:
    """``name   value (interval)   n``."""
    return f"  {name:36} {figure.text(percent=percent):30} n = {figure.n:,}"


def class_lines(classes: Mapping[str, Any]) -> list[str]:
    """Recall and precision per class, macro F1, and the matrix where it is narrow enough."""
    lines = []
    for key, name in (("accuracy", "right class at the threshold"), ("macro_f1", "macro F1")):
        figure = measured(classes[key])
        if figure is not None:
            unit = "classes" if key == "macro_f1" else "cells"
            lines.append(f"  {name:36} {figure.text():30} {figure.n:,} {unit}")
    for label in classes["labels"]:
        parts = []
        for key in ("recall", "precision"):
            figure = measured(classes[key][label])
            parts.append(f"{key} {figure.text()} of {figure.n:,}" if figure else f"{key} - (there are none)")
        lines.append(f"  {label:20} {'; '.join(parts)}")
    labels, matrix = classes["labels"], classes["confusion"]
    if len(labels) > _WIDEST_MATRIX:
        return lines
    heads = [*labels, "lost"] if any(line[-1] for line in matrix) else list(labels)
    width = max(8, *(len(head) + 2 for head in heads))
    first = max(len(label) for label in labels) + 4
    lines.append("  " + "true \\ called".ljust(first) + "".join(head.rjust(width) for head in heads))
    for label, counts in zip(labels, matrix, strict=True):
        lines.append("  " + label.ljust(first) + "".join(f"{count:,}".rjust(width) for count in counts[: len(heads)]))
    return lines


def known_lines(known: list[NegativeGroup]) -> list[str]:
    """False positives of each group without positive cells, the worst group first."""
    if not known:
        return ["  no group without positive cells: false positives slide by slide are unknown"]
    cells, flagged = sum(one.cells for one in known), sum(one.flagged for one in known)
    lines = [
        f"  {len(known)} groups without a positive cell: {1000 * flagged / cells:.2f} false positives per 1,000 cells"
    ]
    lines += [f"    {one.group:40} {one.per_1000:8.2f} per 1,000 ({one.flagged} of {one.cells:,})" for one in known]
    return lines


def few_groups(groups: int) -> list[str]:
    """A warning where there are so few groups that intervals are drawn over their fields."""
    if groups >= FEW_GROUPS:
        return []
    only = "1 group" if groups == 1 else f"{groups} groups"
    return [
        f"  ! {only} only: intervals are over its fields, where there are any, and narrower than a new film deserves"
    ]


def evaluated_lines(found: Mapping[str, Any]) -> list[str]:
    """The report of ``evaluate`` on one net."""
    cells = ", ".join(f"{count:,} {label}" for label, count in found["classes_of_the_cells"].items())
    lines = scored_lines(found["path"], found)
    lines[0] = f"{found['path']} on {found['set']}: {found['cells']:,} cells in {found['groups']} groups ({cells})"
    lines.insert(1, f"  int8 in {found['runtime']}, threshold {found['threshold']:.4g} ({found['threshold_origin']})")
    if found["lost_by_the_finder"]:
        lines.insert(
            2,
            f"  the finder lost {found['lost_by_the_finder']:,} annotated cells: end to end, and in recall, they count as missed",
        )
    lines += few_groups(found["groups"])
    if "known_negative_groups" in found:
        known = [NegativeGroup(one["group"], one["cells"], one["flagged"]) for one in found["known_negative_groups"]]
        lines += ["  known negatives, at the threshold:", *known_lines(known)]
    return lines


def compared_lines(found: Mapping[str, Any]) -> list[str]:
    """The report of ``compare``."""
    lines = [
        f"{found['set']}: {found['cells']:,} cells in {found['groups']} groups, the same for all; 95 % intervals over groups"
    ]
    lines += [
        f"  {net['path']:40} {net['macs_per_cell'] / 1e6:6.3f} MMAC per cell, {net['flatbuffer_bytes'] / 1000:7.1f} kB, "
        f"threshold {net['threshold']:.4g}"
        for net in found["nets"]
    ]
    lines += few_groups(found["groups"])
    for pair in found["against_the_first"]:
        lines.append(f"{pair['second']} against {found['nets'][0]['path']}:")
        lines += [_difference(one) for one in pair["figures"]]
    return lines


def _difference(one: Mapping[str, Any]) -> str:
    scale, digits = (100, 2) if one["percent"] else (1, 4)
    unit = " %" if one["percent"] else ""
    gain = (one["second"] - one["first"]) * scale
    bounds = "" if one["low"] is None else f" ({one['low'] * scale:+.{digits}f} to {one['high'] * scale:+.{digits}f})"
    values = f"{one['first'] * scale:.{digits}f}{unit} -> {one['second'] * scale:.{digits}f}{unit}"
    return f"  {one['name']:36} {values:24} {gain:+.{digits}f}{bounds}: {one['verdict']}"
