"""What ``quantize --task finder`` was asked; plain values, so that it reaches the child as JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FinderTask:
    """What was asked, as plain values; see the command's help. ``positive``: annotated names that are infected."""

    model: str
    fields: str | None
    out: str
    annotations: str | None = None
    like: str | None = None
    cell_px: float | None = None
    trust_code: str | None = None
    labels: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    value_range: str | None = None
    logits: bool = False
    max_drop: float = 0.5
    group_by: str | None = None
    seed: int = 0
