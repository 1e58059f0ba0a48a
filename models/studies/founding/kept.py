"""Rows that are finished, kept in the repository: a machine without the nets, which took hours, goes on with the other rows.

A file a row and protocol, ``kept/NAME-PROTOCOL.json``: how the net was trained and the figures of its conversion. Nets are not kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from edge.safe_file import write_text
from models.studies.founding.convert import from_json
from models.studies.founding.data import Protocol
from models.studies.founding.nets import NETS
from models.studies.founding.rows import FoundingRow, row_key
from models.studies.founding.table import FoundingResult
from models.studies.founding.train import TrainedNet

KEPT = Path(__file__).parent / "kept"
"""The folder of the repository's files."""


def keep_row(result: FoundingResult, folder: Path = KEPT) -> None:
    """Write a finished row's file; raises OutputError where it cannot be written, ValueError where the row is not finished."""
    if result.net is None or result.figures is None or not result.complete:
        raise ValueError(f"{row_key(result.row, result.protocol)}: not trained to the end and converted")
    folder.mkdir(parents=True, exist_ok=True)
    net = {key: value for key, value in asdict(result.net).items() if key != "path"}
    told = {"net": net, "figures": asdict(result.figures)}
    write_text(_file(result.row, result.protocol, folder), json.dumps(told, indent=1) + "\n")


def kept_row(row: FoundingRow, protocol: Protocol, folder: Path = KEPT) -> FoundingResult | None:
    """A finished row as the repository keeps it; the net's path is its file's name alone. None: it is not finished."""
    file = _file(row, protocol, folder)
    if not file.exists():
        return None
    told = json.loads(file.read_text())
    net = TrainedNet(Path(f"{row_key(row, protocol)}{NETS[row.net].ending}"), **told["net"])
    return FoundingResult(row, protocol, net, from_json(told["figures"]))


def _file(row: FoundingRow, protocol: Protocol, folder: Path) -> Path:
    return folder / f"{row_key(row, protocol)}.json"
