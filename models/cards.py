"""``CARD.md`` of a model, written from the card inside its file (sections after Mitchell et al. 2019).

What a model is for, its limits and the command that made it follow from the card: a net of ``adapt`` says which net it was adapted
from, one of ``train`` which recipe made it. Two recipes of the shelf have words of their own: their nets have pages of figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.modelfile import Card, read_model
from edge.safe_file import write_text
from models.data.folds import CLASSIFIER, FINDER
from models.judge.words import few_groups, scored_lines


@dataclass(frozen=True, slots=True)
class CardWords:
    """Sentences of a card: what the model is for, what limits it has, and the command of ``python -m models`` that wrote it."""

    use: str
    limits: str
    command: str


_SHELF = {
    "classify": CardWords(
        "Tells red cells with a malaria parasite from those without, on crops that a finder cut from Giemsa-stained thin "
        "films. For research and triage: it puts suspicious cells before a trained person. Not for diagnosis, not for "
        "species or stage, not for thick films or other stains.",
        "On a microscope other than those of the data above its false positives are unknown until measured on slides known to "
        "be negative. Stain specks, platelets on a cell and overlapping cells are its usual mistakes.",
        "cards",
    ),
    "find": CardWords(
        "Finds red cells in fields of Giemsa-stained thin films and sets white cells, platelets and other things aside. Not for "
        "thick films, other stains or other organisms (use the classical finder or the grid).",
        "Cells that lie over each other may be found as one. Its training annotations leave out many cells of crowded "
        "regions and of the border. White cells and platelets were learned from two microscopes' annotations, weak labels and "
        "drawn ones, other things (smudges, stain, scale bars, ghosts) from drawn ones alone: their counts are rough. It brings "
        "the field to a scale at which cells are about 16 pixels wide and is unsure of it where fewer than eight cells show.",
        "cards",
    ),
}
"""Nets of the recipes that have folds and pages of figures, by task."""

_OTHERS = {
    "classify": "Tells {labels} apart on crops that a finder cut from fields, or on single cells.",
    "find": "Finds cells in whole fields and sets aside what is none ({labels}).",
}
_OTHERS_USE = (
    "Made with `python -m models {command}` from {images}. For research and triage: it puts suspicious cells "
    "before a trained person. Not for diagnosis."
)
_IMAGES = {"adapt": "the user's own images", "train": "the images that are named under Training"}
_OTHERS_LIMITS = (
    "What it is worth on slides, stains and microscopes other than those it learned from is unknown until measured: "
    "`python -m models evaluate` on annotated fields, `edge calibrate` on slides known to be negative."
)


def words_of(card: Card) -> CardWords:
    """What the card says that the model is for, its limits, and the command that made it."""
    command = "adapt" if "adapted_from" in card.training else "train"
    if command == "train" and card.training.get("recipe", card.name) in (CLASSIFIER, FINDER):
        return _SHELF[card.task]
    use = f"{_OTHERS[card.task]} {_OTHERS_USE}"
    use = use.format(labels=", ".join(card.labels), command=command, images=_IMAGES[command])
    return CardWords(use, _OTHERS_LIMITS, command)


def card_text(card: Card, size: int) -> str:
    """The Markdown of one card; ``size`` is that of the file in bytes."""
    words = words_of(card)
    lines = [
        f"# {card.name}",
        "",
        words.use,
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
        *_figures(card),
        "",
        "## Limits",
        "",
        words.limits,
        "",
        f"Written by `python -m models {words.command}` from the card inside the file.",
        "",
    ]
    return "\n".join(lines)


def _figures(card: Card) -> list[str]:
    held = card.accuracy.get("held_out")
    if isinstance(held, dict) and "set" in held:
        return ["```", *scored_lines(card.name, held), *few_groups(held["groups"]), "```", "", "Intervals are 95 %."]
    elsewhere = "See `docs/figures.md`: every one is of nets that never saw the blocks and slides in question."
    return _rows(card.accuracy) or [elsewhere]


def _threshold(card: Card) -> str:
    if card.finder is not None:
        return ", ".join(
            f"{kind} {value}" for kind, value in zip(card.finder.kinds, card.finder.thresholds, strict=True)
        )
    return f"{card.threshold}"


def _rows(values: Mapping[str, Any]) -> list[str]:
    return [
        f"- {key.replace('_', ' ')}: {_end_to_end(value) if key == 'end_to_end' else _plain(value)}"
        for key, value in values.items()
    ]


def _end_to_end(table: Mapping[str, Any]) -> str:
    """Whole fields, as ``models.judge.card_table`` counted them, at every fourth threshold; the file has them all."""
    found = [f"{sum(row)} at {at}" for at, row in zip(table["thresholds"], table["found"], strict=True)][::4]
    return (
        f"{table['set']}, {table['finder']}: of {sum(table['infected'])} infected cells (lost ones among them) found "
        f"by score: {', '.join(found)}; {_plain({'count error': table['count_error']})}"
    )


def _plain(value: Any) -> str:
    """A value of the card as text: a figure with its interval, a list with commas, a table with semicolons."""
    if isinstance(value, dict):
        if value.keys() == {"value", "low", "high", "n"}:
            bounds = "" if value["low"] is None else f" ({value['low']:.4f} to {value['high']:.4f})"
            return f"{value['value']:.4f}{bounds}, n = {value['n']}"
        return "; ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(v) for v in value) or "none"
    return str(value)


def write_cards(shelf: Path) -> list[Path]:
    """Write ``CARD.md`` beside every model of the shelf; returns the paths."""
    written = []
    for path in sorted(shelf.glob("*/*.tflite")):
        card = read_model(path).card
        if card is None:
            raise ValueError(f"{path}: no card")
        text = path.with_name("CARD.md")
        write_text(text, card_text(card, path.stat().st_size))
        written.append(text)
    return written
