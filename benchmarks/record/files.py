"""The JSON that a run is kept in: written whole, checked against ``result.schema.json`` when it is read.

The history of the schema's versions is in docs/benchmarking.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from benchmarks.errors import MissingPackageError, ResultError
from benchmarks.record.run import CaseRecord, ProcessStart, Round, Run
from benchmarks.record.summary import summarise
from benchmarks.workload import Value, Workload
from edge.extras import how_to_install
from edge.safe_file import write_text

FORMAT: Final = "edge-bench"
"""What a result file says it is."""

SCHEMA: Final = 1
"""Version of the schema; a file of another version is refused."""

SCHEMA_FILE: Final = Path(__file__).parents[1] / "result.schema.json"
MAX_BYTES: Final = 256 * 2**20
"""A larger file is no result: the standard set makes 2 MB."""


def to_json(run: Run) -> dict[str, Any]:
    """Plain values; ``units`` that are all the same are kept as one number. ``summary`` is for people: readers recompute it."""
    cases = []
    for case in run.cases:
        plain = asdict(case)
        plain["workload"]["parameters"] = {k: portable(v) for k, v in case.workload.parameters.items()}
        for one in plain["rounds"]:
            if len(set(one["units"])) == 1:
                one["units"] = one["units"][0]
        plain["summary"] = asdict(summarise(case)) if case.rounds else None
        cases.append(plain)
    return {"format": FORMAT, "schema": SCHEMA, **asdict(replace(run, cases=())), "cases": cases}


def portable(value: Value) -> Value:
    """A parameter as it may leave this machine: of a path, the last part."""
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~", ".")) else value


def from_json(plain: Mapping[str, Any]) -> Run:
    """The records of a checked result; ``summary`` is not read."""
    cases = []
    for one in plain["cases"]:
        work = one["workload"]
        rounds = tuple(
            Round(**{**r, "units": r["units"] if isinstance(r["units"], list) else [r["units"]] * len(r["ns"])})
            for r in one["rounds"]
        )
        kept = {key: one[key] for key in ("status", "reason", "facts", "loops", "peak_rss", "peak_pss")}
        starts = tuple(ProcessStart(**start) for start in one["starts"])
        workload = Workload(**{**work, "needs": tuple(work["needs"])})
        cases.append(CaseRecord(workload=workload, starts=starts, rounds=rounds, **kept))
    return Run(
        created=plain["created"],
        version=plain["version"],
        plan=plain["plan"],
        partial=plain["partial"],
        invalid=tuple(plain["invalid"]),
        notes=tuple(plain["notes"]),
        device=plain["device"],
        states=tuple(plain["states"]),
        cases=tuple(cases),
    )


def write(path: Path, run: Run) -> None:
    """Write a result: temporary name, then rename; raises OutputError."""
    write_text(
        path,
        json.dumps(to_json(run), separators=(",", ":"), allow_nan=False).replace('{"workload"', '\n{"workload"') + "\n",
    )


def read(path: Path) -> Run:
    """Read and check a result file.

    Raises:
        ResultError: it is missing, empty, foreign, damaged or of another schema version; one line says which.
    """
    plain = _plain(path)
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ResultError(f"{path}: not a result of edge-bench")
    if plain.get("schema") != SCHEMA:
        raise ResultError(
            f"{path}: schema version {str(plain.get('schema'))[:20]}, this program reads version {SCHEMA}"
        )
    check(plain, str(path))
    run = from_json(plain)
    for case in run.cases:
        for one in case.rounds:
            if any(len(values) != len(one.ns) for values in (one.units, *one.stages.values())):
                raise ResultError(f"{path}: case {case.name}: samples, units and stages are not equally many")
    return run


def _plain(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ResultError(f"{path}: larger than {MAX_BYTES >> 20} MB: not a result of edge-bench")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ResultError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ResultError(f"{path}: not a result of edge-bench (it is not text)") from error
    if not text.strip():
        raise ResultError(f"{path}: the file is empty")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path}: no valid JSON: damaged, cut off, or not a result of edge-bench") from error


def _no_constant(name: str) -> None:
    raise ValueError(name)


def check(plain: Mapping[str, Any], where: str) -> None:
    """Hold plain values against the schema; raises ResultError naming the place, MissingPackageError without the checker."""
    validate, error_class = _validator()
    try:
        validate(plain)
    except error_class as error:
        raise ResultError(f"{where}: does not follow the schema: {str(error)[:200]}") from error


@lru_cache(maxsize=1)
def _validator() -> tuple[Any, type[Exception]]:
    try:
        import fastjsonschema  # noqa: PLC0415 - only where results are read
    except ImportError as error:
        raise MissingPackageError(
            f"fastjsonschema is not installed, results cannot be checked: {how_to_install('bench')}"
        ) from error
    return fastjsonschema.compile(json.loads(SCHEMA_FILE.read_text())), fastjsonschema.JsonSchemaException
