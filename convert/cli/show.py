"""Reports on screen: what went in, what came out, and what was lost, side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from convert.child import Progress as Report
from edge.outputs.console import NOTICE, Screen
from edge.streams import stdout_errors

_WIDTH = 120
_LAYERS = 5
_ROWS = (
    ("accuracy at the threshold", "accuracy", "accuracy_interval"),
    ("AUC", "auc", "auc_interval"),
    ("sensitivity at 1 % FP", "sensitivity_at_1_percent_fp", "sensitivity_at_1_percent_fp_interval"),
    ("sensitivity at 0.1 % FP", "sensitivity_at_0.1_percent_fp", "sensitivity_at_0.1_percent_fp_interval"),
    ("sensitivity at the threshold", "sensitivity", None),
    ("false positives at the threshold", "false_positive_rate", None),
)
_COLUMNS = {
    "as_trained": "float, as trained",
    "float": "float, 32x32",
    "int8": "int8, device",
    "int8_on_paper": "int8, on paper",
    "int8_on_black": "int8, on black",
}


@contextmanager
def live() -> Iterator[Report]:
    """A progress line on stderr where that is a terminal; elsewhere one plain line per stage."""
    console = Screen(stderr=True)
    if not console.is_terminal:
        last = ""

        def tell(doing: str, _at: float) -> None:
            nonlocal last
            if doing != last:
                last = doing
                sys.stderr.write(f"edge-convert: {doing}\n")
                sys.stderr.flush()

        yield tell
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def update(doing: str, at: float) -> None:
            bars.update(task, description=doing, total=None if at < 0 else 1.0, completed=max(0.0, at))

        yield update


@contextmanager
def screen() -> Iterator[Screen]:
    """A console on stdout whose errors are known ones."""
    with stdout_errors():
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH
        yield Screen(width=width, highlight=False, emoji=False, markup=False)
        sys.stdout.flush()


def show_quantized(report: dict[str, Any], out: str) -> None:
    """The report of ``quantize``."""
    with screen() as console:
        console.print(_facts(report))
        if report["figures"]:
            console.print(figures_table(report["figures"], report["cells"]))
        if len(report["ways"]) > 1:
            console.print(_ways(report))
        worst = worst_groups(report)
        if worst:
            console.print(f"Worst groups, int8: {worst}")
        worst_layers(console, report)
        if report["figures"]:
            _promises(console, report)
        ending(console, report, out)


def ending(console: Screen, report: dict[str, Any], out: str) -> None:
    """Warnings, and what was written where the gate was passed."""
    for warning in report["warnings"]:
        console.print(f"  ! {warning}", soft_wrap=True)
    if report["passed"]:
        console.print(f"\nwritten: {out} ({report['recipe']})", soft_wrap=True)
    console.print(NOTICE)


def _promises(console: Screen, report: dict[str, Any]) -> None:
    """How the threshold was chosen, which rung of the ladder was needed, and what is promised of int8."""
    console.print(f"Threshold {report['threshold']:g}: {report['threshold_origin']}", soft_wrap=True)
    if halves := report["accuracy_from_one_half"]:
        shares = ", ".join(f"{_COLUMNS[name]} {share:.2%}" for name, share in halves.items())
        console.print(f"Accuracy from one half (what the gate compares): {shares}", soft_wrap=True)
    way = next(one for one in report["ways"] if one["way"] == report["way"])
    if len(way["tried"]) > 1:
        steps = ", ".join(f"{one['recipe']} {one['loss']:.2f}" for one in way["tried"])
        console.print(f"Tried (largest loss; 1 is tolerable): {steps}", soft_wrap=True)
    for one in report["targets"]:
        verdict = "met" if one["met"] else "MISSED"
        console.print(f"Target {verdict}: {one['target']} {one['wanted']:.4g}: {one['reached']:.4g}", soft_wrap=True)


def show_evaluated(report: dict[str, Any]) -> None:
    """The report of ``evaluate``."""
    with screen() as console:
        console.print(f"{report['model']} in {report['runtime']}, threshold {report['threshold']:g}", soft_wrap=True)
        console.print(figures_table(report["figures"], report["cells"]))
        if worst := worst_groups(report):
            console.print(f"Worst groups: {worst}")
        for warning in report["warnings"]:
            console.print(f"  ! {warning}", soft_wrap=True)
        console.print(NOTICE)


def show_compared(report: dict[str, Any], sheet: str | None) -> None:
    """The report of ``compare``."""
    with screen() as console:
        count = report["cells"]["check"]
        console.print(
            f"agreement {report['agreement']:.2%}: {len(report['disagree'])} of {count} cells get another class; "
            f"largest difference of a score {report['largest_difference']:.3f}",
            soft_wrap=True,
        )
        console.print(figures_table(report["figures"], report["cells"]))
        worst_layers(console, report)
        for warning in report["warnings"]:
            console.print(f"  ! {warning}", soft_wrap=True)
        if sheet:
            console.print(f"written: {sheet}", soft_wrap=True)


def figures_table(figures: dict[str, dict[str, Any]], cells: dict[str, Any]) -> Table:
    """Accuracy, AUC and sensitivity, a column each for the nets that were judged."""
    title = f"{cells['check']} cells of {cells['check_groups']} groups, 95 % intervals over groups"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    for name in figures:
        table.add_column(_COLUMNS.get(name, name), justify="right")
    for label, key, interval in _ROWS:
        if any(key in found for found in figures.values()):
            table.add_row(label, *(interval_cell(found, key, interval) for found in figures.values()))
    for label in next(iter(figures.values())).get("recall", {}):
        table.add_row(f"recall {label}", *(f"{found['recall'][label]:.2%}" for found in figures.values()))
    return table


def amount(count: float) -> str:
    """A number with its unit prefix: 1,234,567 is 1.23 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} "


def _facts(report: dict[str, Any]) -> Table:
    model, speed = report["model"], report["us_per_cell"]
    height, width, channels = model["input"]
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("", "before", "after"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("input", f"{height}x{width}x{channels}", f"32x32x{channels} ({report['way']})")
    table.add_row("size", f"{amount(model['bytes'])}B", f"{amount(report['device_bytes'])}B")
    table.add_row("multiply-accumulates", amount(model["macs"]), amount(report["device_macs"]))
    table.add_row("parameters", amount(model["parameters"]), "")
    graph = (
        "float" if report["way"] == "native" else f"float, {report['way']}"
    )  # the same graph, not the net as trained
    table.add_row(
        "one cell, here", f"{speed['float']:.1f} µs ({graph})", f"{speed['int8']:.1f} µs ({report['speed_ratio']:.2f}x)"
    )
    agree = report["agreement"]
    table.add_row("agreement", "", f"{agree['int8_with_float']:.2%} with {graph}, at {report['threshold']:g}")
    if report["way"] != "native" and "int8_with_as_trained" in agree:
        table.add_row("", "", f"{agree['int8_with_as_trained']:.2%} with the net as trained")
    table.add_row("preprocessing", "", f"{report['colour']}, {report['value_range']}")
    return table


def interval_cell(found: dict[str, Any], key: str, interval: str | None) -> str:
    """A figure with its interval."""
    if key not in found:
        return ""
    text = f"{found[key]:.4f}" if key == "auc" else f"{found[key]:.2%}"
    if interval and interval in found:
        low, high = found[interval]
        text += f" ({low:.3f}-{high:.3f})" if key == "auc" else f" ({low * 100:.1f}-{high * 100:.1f})"
    return text


def _ways(report: dict[str, Any]) -> Table:
    table = Table(title="Ways to 32x32", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("way", "made as", "accuracy", "size", "MACs", "gate"):
        table.add_column(heading, justify="left" if heading in ("way", "made as", "gate") else "right")
    for way in report["ways"]:
        accuracy = "" if way["accuracy"] is None else f"{way['accuracy']:.2%}"
        size, macs = f"{amount(way['bytes'])}B", amount(way["macs"])
        table.add_row(way["way"], way["recipe"], accuracy, size, macs, "passed" if way["passed"] else "not passed")
    return table


def worst_groups(report: dict[str, Any]) -> str:
    """The three groups with the lowest int8 figure, as text."""
    groups = report["groups"].get("int8", {})
    worst = sorted(groups.items(), key=lambda item: item[1])[:3]
    return ", ".join(f"{name} {value:.1%}" for name, value in worst)


def worst_layers(console: Screen, report: dict[str, Any]) -> None:
    """The layers that rounding hurts most."""
    if not report["layers"]:
        return
    table = Table(
        title=f"Worst layers: error in steps of their scale ({report['healthy_layer']:.3f} is rounding alone)",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("op", "output", "RMSE/scale"):
        table.add_column(heading, justify="right" if heading == "RMSE/scale" else "left", overflow="fold")
    for layer in report["layers"][:_LAYERS]:
        table.add_row(layer["op"], layer["tensor"].split(";")[0][-60:], f"{layer['ratio']:.3f}")
    console.print(table)
