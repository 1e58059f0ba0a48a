"""``edge models``: what is on the shelf."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from edge.cli.door import door, plain


def models(*, debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    """List the models on the shelf: name, task, classes, size, hash."""
    with door(debug=debug):
        print_shelf()


def print_shelf() -> None:
    """One model per line on stdout; a damaged one is listed as such."""
    from edge import shelf  # noqa: PLC0415 - see the package's docstring
    from edge.errors import ModelError  # noqa: PLC0415
    from edge.outputs.files import stdout_errors  # noqa: PLC0415

    found = shelf.entries()
    lines = [] if found else ["The shelf is empty."]
    width = max((len(entry.name) for entry in found), default=0)
    for entry in found:
        try:
            model = shelf.load(str(entry.path))
        except ModelError as error:
            lines.append(f"{entry.name:<{width}}  refused: {error}")
            continue
        card = model.card
        task = {"classify": "classifier", "find": "finder"}.get(card.task, card.task) if card else "no card"
        names = card.finder.kinds if card and card.finder else card.labels if card else ()
        size = len(model.flatbuffer) / 1000
        lines.append(f"{entry.name:<{width}}  {task:<10}  {model.sha256[:12]}  card {model.card_sha256[:12] or 'no hash':<12}  {size:5.0f} kB  {', '.join(names)}")
    with stdout_errors():
        sys.stdout.writelines(plain(line) + "\n" for line in lines)
        sys.stdout.flush()
