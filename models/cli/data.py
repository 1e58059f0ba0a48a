"""``python -m models data``: which sets of images there are, and what may learn from them."""

from __future__ import annotations

from typing import Any

import typer

from models.cli.options import EXIT_CODES, Debug, JsonFlag, entered, write_json, write_lines
from models.data import sets


def data(*, json: JsonFlag = False, debug: Debug = False) -> None:
    """List the data sets: what they hold, their licence and groups, and whether weights that ship may learn from them."""
    with entered(debug=debug):
        found = [_about(sets.get(name)) for name in sorted(sets.every())]
        if json:
            write_json({"report_version": 1, "sets": found})
        else:
            write_lines([line for one in found for line in _lines(one)])


def _about(one: Any) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": one.name,
        "kind": one.kind.value,
        "source": one.source,
        "licence": one.licence,
        "groups": one.groups,
        "complete": one.complete,
        "may_teach": one.may_teach,
        "reason": one.reason,
        "classes": dict(one.classes),
        "here": one.present,
    }
    if one.present:
        counts, groups, images = one.counts()
        about |= {"counts": dict(counts), "known_groups": groups, "images": images}
    return about


def _lines(one: dict[str, Any]) -> list[str]:
    teaches = "may" if one["may_teach"] else "may not"
    if one["here"]:
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(one["counts"].items()))
        holds = f"{one['images']:,} images in {one['known_groups']:,} known groups: {counts}"
    else:
        holds = f"not on this machine; classes: {', '.join(one['classes'])}"
    return [
        f"{one['name']}: {one['kind']}{'' if one['complete'] else ', not all annotated'}",
        f"  {holds}",
        f"  source: {one['source']}; licence: {one['licence']}",
        f"  groups: {one['groups']}",
        f"  weights that ship {teaches} learn from it: {one['reason']}",
    ]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: python -m models data --json\n\n{EXIT_CODES}")(data)
