"""``edge models``: the list of the models on the shelf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edge.door import door
from edge.lines import print_json, print_lines

if TYPE_CHECKING:
    from edge.shelf import ShelfEntry

_TASKS = {"classify": "classifier", "find": "finder"}


def models(
    *,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """List the models on the shelf: name, task, hash, size, classes.

    \b
    Examples:
      edge models
      edge models --json
      EDGE_SHELF=my-shelf edge models              (my-shelf/NAME/NAME.tflite)

    Making and judging models: edge-convert --help, python -m models --help.
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge models"):
        print_shelf(json=json)


def print_shelf(*, json: bool = False) -> None:
    """Print one model per line on stdout; a damaged one is listed with the reason."""
    from edge import shelf  # noqa: PLC0415 - see the package's docstring

    found = [described(entry) for entry in shelf.entries()]
    if json:
        print_json({"models": found})
        return
    width = max((len(str(model["name"])) for model in found), default=0)
    print_lines([_line(model, width) for model in found] or ["The shelf is empty."])


def described(entry: ShelfEntry) -> dict[str, object]:
    """Describe a model in plain values; ``refused`` says why it cannot be used, None if it can."""
    from edge import shelf  # noqa: PLC0415 - see the package's docstring
    from edge.errors import ModelError  # noqa: PLC0415

    known: dict[str, object] = {"name": entry.name, "path": str(entry.path), "refused": None}
    try:
        model = shelf.load(str(entry.path))
    except ModelError as error:
        return known | {"refused": str(error)}
    card = model.card
    kinds = card.finder.kinds if card and card.finder else card.labels if card else ()
    return known | {
        "task": None if card is None else _TASKS.get(card.task, card.task),
        "classes": list(kinds),
        "positive": [] if card is None else list(card.positive),
        "bytes": len(model.flatbuffer),
        "sha256": model.sha256,
        "card_sha256": model.card_sha256 or None,
    }


def _line(model: dict[str, object], width: int) -> str:
    name = f"{model['name']:<{width}}"
    if model["refused"] is not None:
        return f"{name}  refused: {model['refused']}"
    size = int(str(model["bytes"])) / 1000
    classes = model["classes"]
    names = ", ".join(classes) if isinstance(classes, list) else ""
    card = str(model["card_sha256"] or "no hash")[:12]
    hashes = f"{str(model['sha256'])[:12]}  card {card:<12}"
    return f"{name}  {model['task'] or 'no card':<10}  {hashes}  {size:5.0f} kB  {names}"
