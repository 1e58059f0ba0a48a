"""Reading a calibration back: the file may come from anywhere, so types, ranges and names are checked once, here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.appearance import MEASURES
from edge.checked_json import count, headed, items, mapping, maybe, number, read_json, text
from edge.errors import CalibrationError
from edge.verdict.calibration import FORMAT, VERSION, Blank, Bound, Calibration, CountError, KnownSlide


def read_calibration(path: Path) -> Calibration:
    """Read and check a calibration file; raises CalibrationError saying what is wrong."""
    try:
        return parse(read_json(path))
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # JSON's own errors are ValueErrors
        raise CalibrationError(f"{path}: no calibration: {error}") from error


def parse(raw: Any) -> Calibration:
    """Calibration from its JSON form; raises ValueError saying what makes no sense. Unknown keys are ignored."""
    top = headed(raw, FORMAT, VERSION, "calibrate anew or update the runner")
    positive = tuple(text(name, "a class") for name in items(top.get("positive"), "positive"))
    blanks = tuple(_blank(entry, positive) for entry in items(top.get("blanks"), "blanks"))
    if not positive or len(set(positive)) < len(positive):
        raise ValueError("its positive classes are missing or named twice")
    if not sum(blank.cells for blank in blanks):
        raise ValueError("its blanks hold no cells")
    made = mapping(top.get("made", {}), "made")
    return Calibration(
        bound=_bound(mapping(top.get("bound"), "bound")),
        positive=positive,
        threshold=number(top.get("threshold"), "threshold", 0, 1),
        threshold_origin=text(top.get("threshold_origin", ""), "threshold_origin"),
        blanks=blanks,
        known=tuple(_known(entry) for entry in items(top.get("known", []), "known")),
        known_origin=text(top.get("known_origin", ""), "known_origin"),
        count_error=_count_error(top.get("count_error")),
        unit=_unit(top.get("unit", "cell")),
        target=maybe(top.get("target"), "target", 1e-9, 1),
        rbc_per_ul=number(top.get("rbc_per_ul"), "rbc_per_ul", 1e3, 1e8),
        cells_per_field=maybe(top.get("cells_per_field"), "cells_per_field", 0, 1e9),
        seconds_per_field=maybe(top.get("seconds_per_field"), "seconds_per_field", 0, 1e6),
        made={text(k, "made"): text(v, "made") for k, v in made.items()},
    )


def _bound(raw: Mapping[str, Any]) -> Bound:
    gate = raw.get("gate", True)
    if not isinstance(gate, bool):
        raise ValueError("gate is neither true nor false")  # noqa: TRY004 - the file is wrong, not the caller
    names = ("model", "model_sha256", "finder", "finder_id", "crops", "scope", "profile")
    model, sha256, finder, finder_id, crops, scope, profile = (text(raw.get(name, ""), name) for name in names)
    light = tuple(number(one, "light", 0, 1) for one in items(raw.get("light", []), "light"))
    return Bound(model, sha256, finder, finder_id, crops, scope, gate, profile, light)


def _blank(raw: Any, positive: tuple[str, ...]) -> Blank:
    entry = mapping(raw, "a blank")
    cells = count(entry.get("cells"), "cells")
    counts = _counts(entry.get("positives"), "positives")
    if not set(positive) <= set(counts) or max(counts.values(), default=0) > cells:
        raise ValueError("a blank lacks a class, or has more positives than cells")
    looks = mapping(entry.get("appearance", {}), "appearance")
    appearance = {name: number(looks[name], name, -1e6, 1e6) for name in MEASURES if name in looks}
    return Blank(
        text(entry.get("name", ""), "name"), cells, count(entry.get("fields", 0), "fields"), counts, appearance
    )


def _known(raw: Any) -> KnownSlide:
    entry = mapping(raw, "known")
    found, infected = _counts(entry.get("found"), "found"), _counts(entry.get("infected"), "infected")
    if set(found) != set(infected) or any(found[label] > infected[label] for label in found):
        raise ValueError("more infected cells are found than there are")
    return KnownSlide(text(entry.get("name", ""), "name"), found, infected)


def _count_error(raw: Any) -> CountError | None:
    if raw is None:
        return None
    entry = mapping(raw, "count_error")
    bias, spread = number(entry.get("bias"), "bias", -0.9, 9), number(entry.get("spread"), "spread", 0, 2)
    return CountError(bias, spread, text(entry.get("source", ""), "source"))


def _unit(value: Any) -> str:
    if value not in ("cell", "tile"):
        raise ValueError("its unit is neither cell nor tile")
    return str(value)


def _counts(raw: Any, what: str) -> dict[str, int]:
    return {text(label, what): count(n, what) for label, n in mapping(raw, what).items()}
