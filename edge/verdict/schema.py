"""Reading a calibration back: the file may come from anywhere, so types, ranges and names are checked once, here."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from edge.appearance import MEASURES
from edge.errors import CalibrationError
from edge.verdict.calibration import FORMAT, VERSION, Blank, Bound, Calibration, CountError, KnownSlide

_LONGEST = 2000  # letters
_LARGEST = 16 * 2**20  # bytes; a larger file is not read
_MOST = 10**12  # no count in a calibration is higher


def read_calibration(path: Path) -> Calibration:
    """Read and check a calibration file; raises CalibrationError saying what is wrong."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
        return parse(json.loads(text if len(text) <= _LARGEST else b""))
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # JSON's own errors are ValueErrors
        raise CalibrationError(f"{path}: no calibration: {error}") from error


def parse(raw: Any) -> Calibration:
    """Calibration from its JSON form; raises ValueError saying what makes no sense. Unknown keys are ignored."""
    top = _object(raw, "the file")
    if top.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    if top.get("version") != VERSION:
        raise ValueError(
            f"version {reprlib.repr(top.get('version'))} is not {VERSION}; calibrate anew or update the runner"
        )
    positive = tuple(_text(name, "a class") for name in _list(top.get("positive"), "positive"))
    blanks = tuple(_blank(entry, positive) for entry in _list(top.get("blanks"), "blanks"))
    if not positive or len(set(positive)) < len(positive):
        raise ValueError("its positive classes are missing or named twice")
    if not sum(blank.cells for blank in blanks):
        raise ValueError("its blanks hold no cells")
    made = _object(top.get("made", {}), "made")
    return Calibration(
        bound=_bound(_object(top.get("bound"), "bound")),
        positive=positive,
        threshold=_number(top.get("threshold"), "threshold", 0, 1),
        threshold_origin=_text(top.get("threshold_origin", ""), "threshold_origin"),
        blanks=blanks,
        known=tuple(_known(entry) for entry in _list(top.get("known", []), "known")),
        known_origin=_text(top.get("known_origin", ""), "known_origin"),
        count_error=_count_error(top.get("count_error")),
        unit=_unit(top.get("unit", "cell")),
        target=_maybe(top.get("target"), "target", 1e-9, 1),
        rbc_per_ul=_number(top.get("rbc_per_ul"), "rbc_per_ul", 1e3, 1e8),
        cells_per_field=_maybe(top.get("cells_per_field"), "cells_per_field", 0, 1e9),
        seconds_per_field=_maybe(top.get("seconds_per_field"), "seconds_per_field", 0, 1e6),
        made={_text(k, "made"): _text(v, "made") for k, v in made.items()},
    )


def _bound(raw: Mapping[str, Any]) -> Bound:
    gate = raw.get("gate", True)
    if not isinstance(gate, bool):
        raise ValueError("gate is neither true nor false")  # noqa: TRY004 - the file is wrong, not the caller
    names = ("model", "model_sha256", "finder", "finder_id", "crops", "scope")
    model, sha256, finder, finder_id, crops, scope = (_text(raw.get(name, ""), name) for name in names)
    return Bound(model, sha256, finder, finder_id, crops, scope, gate)


def _blank(raw: Any, positive: tuple[str, ...]) -> Blank:
    entry = _object(raw, "a blank")
    cells = _count(entry.get("cells"), "cells")
    counts = _counts(entry.get("positives"), "positives")
    if not set(positive) <= set(counts) or max(counts.values(), default=0) > cells:
        raise ValueError("a blank lacks a class, or has more positives than cells")
    looks = _object(entry.get("appearance", {}), "appearance")
    appearance = {name: _number(looks[name], name, -1e6, 1e6) for name in MEASURES if name in looks}
    return Blank(
        _text(entry.get("name", ""), "name"), cells, _count(entry.get("fields", 0), "fields"), counts, appearance
    )


def _known(raw: Any) -> KnownSlide:
    entry = _object(raw, "known")
    found, infected = _counts(entry.get("found"), "found"), _counts(entry.get("infected"), "infected")
    if set(found) != set(infected) or any(found[label] > infected[label] for label in found):
        raise ValueError("more infected cells are found than there are")
    return KnownSlide(_text(entry.get("name", ""), "name"), found, infected)


def _count_error(raw: Any) -> CountError | None:
    if raw is None:
        return None
    entry = _object(raw, "count_error")
    bias, spread = _number(entry.get("bias"), "bias", -0.9, 9), _number(entry.get("spread"), "spread", 0, 2)
    return CountError(bias, spread, _text(entry.get("source", ""), "source"))


def _unit(value: Any) -> str:
    if value not in ("cell", "tile"):
        raise ValueError("its unit is neither cell nor tile")
    return str(value)


def _counts(raw: Any, what: str) -> dict[str, int]:
    return {_text(label, what): _count(n, what) for label, n in _object(raw, what).items()}


def _count(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"{what} is not a count")
    return value


def _number(value: Any, what: str, low: float, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not (isfinite(value) and low <= value <= high):
        raise ValueError(f"{what} is not a number from {low:g} to {high:g}")
    return float(value)


def _maybe(value: Any, what: str, low: float, high: float) -> float | None:
    return None if value is None else _number(value, what, low, high)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError(f"{what} is not one line of printable text")
    return value


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is not a JSON object")  # noqa: TRY004 - as above
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is not a list")  # noqa: TRY004 - as above
    return value
