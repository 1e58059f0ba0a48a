"""``CARD.md`` of a shipped model, written from the card inside its file (sections after Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.modelfile import Card, read_model

_USE = {
    "classify": (
        "Tells red cells with a malaria parasite from those without, on crops that a finder cut from Giemsa-stained thin "
        "films. For research and triage: it puts suspicious cells before a trained person. Not for diagnosis, not for "
        "species or stage, not for thick films or other stains."
    ),
    "find": (
        "Finds red cells in fields of Giemsa-stained thin films and sets white cells, platelets and stain aside. Not for "
        "thick films, other stains or other organisms (use the classical finder or the grid)."
    ),
}
_LIMITS = {
    "classify": (
        "Trained on one microscope's fields, cells of one published set and drawn slides: on another microscope "
        "its false positives are unknown until measured on slides known to be negative. Stain specks, platelets on a cell "
        "and overlapping cells are its usual mistakes."
    ),
    "find": (
        "Cells that lie over each other may be found as one. Its training annotations leave out many cells of crowded "
        "regions and of the border. White cells and platelets were learned from weak labels and drawn slides: their counts are "
        "rough. It brings the field to a scale at which cells are about 20 pixels wide and fails where fewer than eight cells show."
    ),
}


def render(
    card: Card,
    size: int,
    *,
    use: str | None = None,
    limits: str | None = None,
    figures: list[str] | None = None,
    maker: str = "python -m models cards",
) -> str:
    """The Markdown of one card.

    Args:
        card: as in the file.
        size: of the file in bytes.
        use: what it is for, in words; None: what is said of the shelf's models of its task.
        limits: what it is not to be trusted with; None: likewise.
        figures: lines; None: the card's, as they are.
        maker: the command that writes it.
    """
    lines = [
        f"# {card.name}",
        "",
        use or _USE[card.task],
        "",
        "| | |",
        "|---|---|",
        f"| task | {card.task} |",
        f"| classes | {', '.join(card.labels)} |",
        f"| positive | {', '.join(card.positive) or 'none'} |",
        f"| file | {size / 1000:.0f} kB, int8, SHA-256 of the flatbuffer `{card.sha256}` |",
        f"| threshold | {_threshold(card)} |",
        f"| chosen | {card.threshold_origin} |",
        f"| licence | {card.licence} |",
        "",
        "## Training",
        "",
        *_rows(card.training),
        "",
        "## Figures",
        "",
        *(
            figures
            or _rows(card.accuracy)
            or ["See `docs/figures.md`: every one is of nets that never saw the blocks and slides in question."]
        ),
        "",
        "## Limits",
        "",
        limits or _LIMITS[card.task],
        "",
        f"Written by `{maker}` from the card inside the file.",
        "",
    ]
    return "\n".join(lines)


def _threshold(card: Card) -> str:
    if card.finder is not None:
        return ", ".join(
            f"{kind} {value}" for kind, value in zip(card.finder.kinds, card.finder.thresholds, strict=True)
        )
    return f"{card.threshold}"


def _rows(values: Mapping[str, Any]) -> list[str]:
    return [
        f"- {key.replace('_', ' ')}: {_end_to_end(value) if key == 'end_to_end' else _said(value)}"
        for key, value in values.items()
    ]


def _end_to_end(table: Mapping[str, Any]) -> str:
    """Whole fields, as ``models.judge.card_table`` counted them: every fourth threshold; the file has them all."""
    found = [f"{sum(row)} at {at}" for at, row in zip(table["thresholds"], table["found"], strict=True)][::4]
    return (
        f"{table['set']}, {table['finder']}: of {sum(table['infected'])} infected cells (lost ones among them) found "
        f"by score: {', '.join(found)}; {_said({'count error': table['count_error']})}"
    )


def _said(value: Any) -> str:
    if isinstance(value, dict):
        if value.keys() == {"value", "low", "high", "n"}:  # a figure with its interval
            bounds = "" if value["low"] is None else f" ({value['low']:.4f} to {value['high']:.4f})"
            return f"{value['value']:.4f}{bounds}, n = {value['n']}"
        return "; ".join(f"{k} {_said(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_said(v) for v in value) or "none"
    return str(value)


def words(card: Card, size: int) -> str:
    """``CARD.md`` of a model of the shelf, in the words of the command that made it; ``size`` in bytes is that of the file."""
    from models.judge.words import card_text  # noqa: PLC0415 - which builds on this module

    return (card_text if "held_out" in card.accuracy else render)(card, size)


def write_cards(shelf: Path) -> list[Path]:
    """Write ``CARD.md`` beside every model of the shelf; returns the paths."""
    written = []
    for path in sorted(shelf.glob("*/*.tflite")):
        card = read_model(path).card
        if card is None:
            raise ValueError(f"{path}: no card")
        text = path.with_name("CARD.md")
        text.write_text(words(card, path.stat().st_size))
        written.append(text)
    return written
