"""What every conversion shares: the record of what is asked, the checks of its paths, the child process, the gate and the files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from convert.child import Progress, run_in_child
from convert.errors import GateError, OutputError
from convert.reading.source import SourceModel
from convert.scratch import scratch
from edge.modelfile import Card, write_model
from edge.safe_file import write_bytes, write_text

REPORT_VERSION = 1
"""Counts changes of the report's form."""

SECONDS = 7200.0
"""Processor time that a conversion or a comparison may take."""

MEMORY_MB = 16384
"""Address space in MiB that it may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionTask:
    """What ``quantize`` is asked, as plain values, so that it reaches the child process as JSON; see the command's help.

    Attributes:
        max_drop: the gate, in points of accuracy (classifiers) or F1 (finders).
    """

    model: str
    out: str
    trust_code: str | None = None
    labels: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    value_range: str | None = None
    logits: bool = False
    max_drop: float = 0.5
    group_by: str | None = None
    seed: int = 0

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """The task as the child process gets it: JSON has lists where the record has tuples."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in payload.items()}
        return cls(**plain)

    @property
    def code(self) -> Path | None:
        """The user's own file of custom classes."""
        return Path(self.trust_code) if self.trust_code else None

    def model_facts(self, source: SourceModel, parameters: int, macs: int, taken: Sequence[int]) -> dict[str, Any]:
        """What the report says of the model; ``taken``: height, width and channels of its input."""
        return {
            "name": Path(self.model).name,
            "sha256": source.sha256,
            "bytes": source.size,
            "parameters": parameters,
            "macs": macs,
            "input": list(taken),
        }


def in_child(function: str, payload: dict[str, Any], *, progress: Progress, verbose: bool) -> dict[str, Any]:
    """The report that ``function`` ("module:name") makes of the payload in a child process."""
    report = run_in_child(function, payload, seconds=SECONDS, memory_mb=MEMORY_MB, progress=progress, verbose=verbose)
    return {"report_version": REPORT_VERSION, **report}


def carry_out(
    function: str,
    task: ConversionTask,
    report_path: Path | None,
    card_of: Callable[[dict[str, Any], str], Card],
    *,
    progress: Progress,
    verbose: bool,
) -> dict[str, Any]:
    """Let the child process work; write the report and, where the gate was passed, the device file with its card.

    Args:
        function: what the child calls, as "module:name"; it leaves a bare flatbuffer at the task's ``out``.
        task: what is asked.
        report_path: where the report goes; None: nowhere.
        card_of: makes the card of (report, name).
        progress: told of every stage.
        verbose: let TensorFlow's log through.

    Returns:
        the report, ``passed`` true or false; where it is false there is no device file.

    Raises:
        EdgeError: anything that kept the file from being made or judged.
    """
    out = Path(task.out)
    with scratch() as folder:
        bare, whole = folder / out.name, folder / "whole.tflite"
        payload = asdict(replace(task, out=str(bare)))
        report = in_child(function, payload, progress=progress, verbose=verbose)
        if report["passed"]:
            card = write_model(whole, bare.read_bytes(), card_of(report, out.stem))
            write_bytes(out, whole.read_bytes())
            report["device_sha256"] = card.sha256
    if report_path is not None:
        write_json(report_path, report)
    return report


def gate(report: dict[str, Any]) -> None:
    """Raise GateError where the report did not pass."""
    if report["passed"]:
        return
    if report.get("task") == "finder":
        raise GateError(
            f"the device file loses {report['drop_points']:.2f} points of F1, {report['max_drop_points']:g} are allowed: "
            "no file was written (more fields to calibrate on help; --max-f1-drop allows more)"
        )
    helps = "; ".join(report["what_helps"])
    if report["way"] is None:
        test = report["chance"]
        low, high = (100 * end for end in test["interval"])
        raise GateError(
            f"the net is at chance on these cells: {test['accuracy']:.1%} ({low:.1f} to {high:.1f}) where guessing gives "
            f"{test['chance']:.1%}: no file was written. What may help: {helps}"
        )
    low, high = report["drop_interval"]
    raise GateError(
        f"the device file ({report['way']}) loses {report['drop_points']:.2f} points of accuracy ({low:.2f} to {high:.2f}), "
        f"{report['max_drop_points']:g} are allowed: no file was written. What may help: {helps}"
    )


def card_parts(report: dict[str, Any], figures: Collection[str], **training: Any) -> dict[str, Any]:
    """What the cards of classifiers and finders take alike from a report.

    Times stay out of a card: the same inputs give the same bytes.

    Args:
        report: of the conversion.
        figures: the names of the figures that a card repeats.
        **training: what else the card says under ``training``.
    """
    judged = report["figures"]
    return {
        "threshold_origin": report["threshold_origin"],
        "source_sha256": report["model"]["sha256"],
        "accuracy": {kind: {k: v for k, v in judged[kind].items() if k in figures} for kind in judged},
        "training": {
            "converted_from": report["model"]["name"],
            "recipe": report["recipe"],
            "value_range": report["value_range"],
            "parameters": report["model"]["parameters"],
            **training,
        },
        "tools": report["tools"],
        "licence": "that of the model it was converted from",
    }


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write a report; raises OutputError."""
    write_text(path, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def check_paths(outputs: Sequence[Path | None], inputs: Sequence[Path | str | None], *, force: bool) -> None:
    """Check before minutes of work, not after them, that the outputs can be written and overwrite nothing that is read.

    No output may be an input, a file in a folder that is read, or another output; ``force`` does not allow that.

    Args:
        outputs: files to be written; None: not asked for.
        inputs: files and folders that are read; None or empty: not given.
        force: existing files may be overwritten.

    Raises:
        OutputError: one of them cannot or may not be written.
    """
    wanted = [path for path in outputs if path]
    taken = [Path(path).resolve() for path in inputs if path]
    for path in wanted:
        here = path.resolve()
        if here in taken or (here.exists() and any(other in here.parents for other in taken)):
            raise OutputError(f"{path}: is read or written by this command already: give another name")
        taken.append(here)
    for path in wanted:
        if path.is_dir():
            raise OutputError(f"{path}: is a folder: give a file name")
        if path.exists() and not force:
            raise OutputError(f"{path}: exists already: --force overwrites it")
        if not path.parent.is_dir():
            raise OutputError(f"{path}: there is no folder {path.parent}")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError(f"{path}: the folder {path.parent} is not writable")
