"""The tables of ``docs/founding.md``: how the nets were trained, what they are worth on the device, which targets they miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.studies.founding.compare import Interval, PairedDifference
from models.studies.founding.convert import ConversionFigures
from models.studies.founding.data import COLLECTIONS, Protocol
from models.studies.founding.nets import NETS
from models.studies.founding.rows import FoundingRow
from models.studies.founding.targets import targets
from models.studies.founding.train import TrainedNet

_WORST = 3  # layers that are named
_WORD = {True: "met", False: "**missed**", None: "-"}


@dataclass(frozen=True, slots=True)
class FoundingResult:
    """A row under one protocol.

    Attributes:
        row: the net and its recipe.
        protocol: how its cells are divided.
        net: None: not trained yet.
        figures: of its conversion; None: not converted yet.
    """

    row: FoundingRow
    protocol: Protocol
    net: TrainedNet | None
    figures: ConversionFigures | None

    @property
    def complete(self) -> bool:
        """Whether it is trained to where its author had it, and converted."""
        return self.net is not None and self.net.complete and self.figures is not None


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """A row that is trained, however far, and converted."""

    row: FoundingRow
    protocol: Protocol
    net: TrainedNet
    figures: ConversionFigures


def measured_rows(results: Sequence[FoundingResult]) -> list[MeasuredRow]:
    """Those of the rows that have figures."""
    return [
        MeasuredRow(one.row, one.protocol, one.net, one.figures)
        for one in results
        if one.net is not None and one.figures is not None
    ]


RESULT_HEAD = (
    "net",
    "protocol",
    "epochs",
    "input",
    "way to 32x32; rescue",
    "accuracy at one half, % (interval; n judged)",
    "AUC",
    "sensitivity at 1 % FP",
    "agreement with the net as trained, %",
    "size, kB",
    "µs per cell",
)
SECOND_HEAD = (
    "net",
    "epochs",
    "reported, %",
    "by the author's labels, %",
    "by the published labels, %",
    "random cells too (n), published labels, %",
)
TARGET_HEAD = (
    "net",
    "protocol",
    "accuracy at one half, points",
    "agreement at one half, %",
    "accuracy at the operating threshold, points",
    "AUC",
    "agreement at the operating threshold, %",
    "all",
    "int8 against float, same graph, %",
)
TRAINING_HEAD = (
    "net",
    "protocol",
    "file",
    "cells",
    "trained on",
    "batch, rate",
    "epochs, seconds",
    "as the notebook reads the same cells, operating threshold",
)
WAYS_HEAD = (
    "net",
    "protocol",
    "way",
    "accuracy of int8 on the cells that choose, %",
    "MMAC",
    "would pass the gate",
    "recipes tried (loss, 1 is tolerable)",
)


def result_line(one: FoundingResult) -> tuple[str, ...]:
    """Float as trained → device; a row without figures has its line too."""
    taken = f"{one.row.side}x{one.row.side} {one.row.colour.upper()}, /255"
    start = (_name(one), one.protocol.value, epochs_told(one), taken)
    if one.net is None or one.figures is None:
        way = "-" if one.net is None else "**not converted yet**"
        return (*start, way, *["-"] * (len(RESULT_HEAD) - len(start) - 1))
    report, pair = one.figures.report, one.figures.paired
    speed = report["us_per_cell"]
    before, after = (report["figures"][which]["accuracy"] for which in ("as_trained", "int8"))
    if pair is None:
        cells = report["figures"]["int8"]["cells"]
        accuracy = f"at the operating threshold: {_percents(before, after)} (n = {cells})"
    else:
        low, high = (100 * value for value in pair.interval)
        accuracy = _percents(pair.accuracy.before, pair.accuracy.after)
        accuracy += f" ({low:.1f} to {high:.1f}; n = {pair.cells})"
    return (
        *start,
        f"{report['way']}; {_rescue(report['recipe'])}{'' if report['passed'] else '; **refused by the gate**'}",
        accuracy,
        "-" if pair is None or pair.auc is None else f"{pair.auc.before:.4f} → {pair.auc.after:.4f}",
        "-" if pair is None or pair.sensitivity is None else "{:.3f} → {:.3f}".format(*pair.sensitivity),
        "-" if pair is None else _share(pair.agreement, pair.agreement_interval),
        f"{report['model']['bytes'] / 1000:.0f} → {report['device_bytes'] / 1000:.0f}",
        f"{speed['float']:.0f} → {speed['int8']:.0f} (÷ {speed['float'] / speed['int8']:.1f})",
    )


def epochs_told(one: FoundingResult | MeasuredRow) -> str:
    """How far a row is trained: ``25 of 25``, ``3 of 25``, ``31, stopped early``."""
    net, most = one.net, "at most " if one.row.patience else ""
    if net is None:
        return f"**not trained yet** (0 of {most}{one.row.epochs})"
    if net.ended:
        return f"{net.epochs}, stopped early"
    told = f"{net.epochs} of {most}{net.wanted} epochs"
    return told if net.complete else f"{told}: **not trained to the end**"


def second_line(one: MeasuredRow) -> tuple[str, ...] | None:
    """Accuracy on the notebook's own test set; None where the row is not judged on it."""
    second, pair = one.figures.second, one.figures.paired
    if second is None or pair is None:
        return None
    return (
        _name(one),
        epochs_told(one),
        "-" if one.row.reported is None else f"{100 * one.row.reported:.2f}",
        f"{_percents(*second.author)} (n = {second.cells})",
        _percents(*second.published),
        f"{_percents(pair.accuracy.before, pair.accuracy.after)} (n = {pair.cells})",
    )


def _name(one: FoundingResult | MeasuredRow) -> str:
    return one.row.name.replace("_", " ")


def _percents(before: float, after: float) -> str:
    return f"{100 * before:.2f} → {100 * after:.2f}"


def _rescue(recipe: str) -> str:
    return "none needed" if recipe == "int8" else recipe


def _share(value: float, interval: Interval) -> str:
    return f"{value * 100:.2f} ({interval[0] * 100:.2f} to {interval[1] * 100:.2f})"


def target_line(one: MeasuredRow) -> tuple[str, ...]:
    """Which targets a row keeps within."""
    pair, got = one.figures.paired, targets(one.figures)
    same_graph = f"{one.figures.report['agreement']['int8_with_float'] * 100:.2f}: {_WORD[got.same_graph]}"
    if pair is None:
        drop = f"{-one.figures.report['drop_points']:+.2f}: {_WORD[False]}"
        return (_name(one), one.protocol.value, "-", "-", drop, "-", "-", f"{_WORD[False]}: no device file", same_graph)
    return (
        _name(one),
        one.protocol.value,
        f"{_signed(pair.accuracy, 100, 2)}: {_WORD[got.accuracy]}",
        f"{100 * pair.agreement_at_half:.2f}",
        f"{_signed(pair.operating, 100, 2)}: {_WORD[got.operating]}",
        "-" if pair.auc is None else f"{_signed(pair.auc, 1, 4)}: {_WORD[got.auc]}",
        f"{_share(pair.agreement, pair.agreement_interval)}: {_WORD[got.agreement]}",
        _WORD[got.met],
        same_graph,
    )


def _signed(difference: PairedDifference, factor: int, digits: int) -> str:
    low, high = (f"{factor * value:+.{digits}f}" for value in difference.interval)
    return f"{factor * difference.value:+.{digits}f} ({low} to {high})"


def tally(measured: Sequence[MeasuredRow]) -> str:
    """How many rows keep within all targets."""
    all_met = [one for one in measured if targets(one.figures).met]
    graph = [one for one in measured if targets(one.figures).same_graph]
    return (
        f"{len(all_met)} of {len(measured)} rows keep within all targets against the net as trained; "
        f"{len(graph)} of {len(measured)} agree with the float file of their own graph."
    )


def worst_layers(measured: Sequence[MeasuredRow]) -> list[str]:
    """The layers with the largest errors of the rows where int8 itself loses too much."""
    lines = []
    for one in measured:
        layers = one.figures.report["layers"][:_WORST]
        if not targets(one.figures).same_graph and layers:
            listed = ", ".join(f"{layer['op']} {layer['ratio']:.2f}" for layer in layers)
            lines.append(f"- {_name(one)}, {one.protocol}, {one.figures.report['way']}: {listed}")
    if not lines:
        return []
    healthy = measured[0].figures.report["healthy_layer"]
    head = f"\nWhere int8 loses too much against its own graph, the largest errors of layers in steps ({healthy:.3f} is healthy):\n"
    return [head, *lines]


def training_line(one: MeasuredRow) -> tuple[str, ...]:
    """How a row was trained."""
    net, kind = one.net, NETS[one.row.net]
    part = f"; the frozen part ({net.frozen / 1e6:.1f} of {net.parameters / 1e6:.1f} M parameters) stays random"
    frozen = part if net.frozen else ""
    own = one.figures.own_reading
    return (
        _name(one),
        one.protocol.value,
        kind.ending,
        COLLECTIONS[one.row.cells].what,
        f"{net.cells} images of {net.slides} {COLLECTIONS[one.row.cells].unit}{frozen}",
        f"{one.row.batch}, {one.row.rate:g}",
        f"{epochs_told(one)}, {net.seconds:.0f} s",
        "-" if own is None else f"accuracy {own[0] * 100:.2f} %, agreement {own[1] * 100:.2f} %",
    )


def way_lines(one: MeasuredRow) -> list[tuple[str, ...]]:
    """The ways to 32x32 that were tried for a row, and those that failed."""
    report, name = one.figures.report, _name(one)
    tried = [
        (
            name,
            one.protocol.value,
            way["way"],
            f"{way['accuracy'] * 100:.2f}",
            f"{way['macs'] / 1e6:.1f}",
            "yes" if way["passed"] else "no",
            "; ".join(f"{step['recipe']} ({step['loss']:.2f})" for step in way["tried"]),
        )
        for way in report["ways"]
    ]
    failed = [text for text in report["warnings"] if " does not apply" in text or " failed: " in text]
    return tried + [
        (name, one.protocol.value, text.split()[0], "-", "-", "no", text.split(": ", 1)[-1]) for text in failed
    ]


def code_states(measured: Sequence[MeasuredRow]) -> str:
    """By which states of the code the rows were converted."""
    codes = sorted({one.figures.code for one in measured})
    if len(codes) == 1:
        return f"All rows were converted by the same code (digest `{codes[0]}`)."
    listed = ", ".join(f"{_name(one)} ({one.protocol}) `{one.figures.code}`" for one in measured)
    return f"Rows were converted by different states of the code (digests): {listed}."
