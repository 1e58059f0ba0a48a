"""What finders find of the annotated cells: ``python -m models evaluate finder-thin classical --fields DIR``.

Boxes match at an intersection over union of one half, points by the distance of the centres. Figures are pooled over all fields and
given for each group, as groups of one film differ more than the intervals say when they are drawn over fields.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convert.errors import CellsError
from convert.finding.judge import drawn_over, figures, judge
from convert.measure.fields import FieldSet, read_fields
from convert.measure.matching import Match, summarise
from convert.measure.reading import Progress
from edge import shelf
from edge.door import quiet_native_stderr
from models.data.classes import make_scheme
from models.data.fieldset import CLASSICAL, finder_of
from models.data.gather import DataOptions


def is_finder(name: str) -> bool:
    """Whether a name on the shelf or a device file is a finder; raises ModelError where there is no such model."""
    if name == CLASSICAL:
        return True
    if Path(name).is_dir() or name.endswith((".keras", ".h5")):
        return False
    with quiet_native_stderr():
        card = shelf.load(name).card
    return card is not None and card.task == "find"


def evaluated_finders(names: Sequence[str], given: DataOptions, tell: Progress) -> list[dict[str, Any]]:
    """The figures of each finder on each folder of annotated fields, plain values.

    Args:
        names: ``classical``, names on the shelf, or paths.
        given: folders of fields, and what is positive in them.
        tell: gets progress.

    Raises:
        CellsError: no fields are given, or they cannot be used.
        ModelError: there is no such finder.
    """
    if not given.fields:
        raise CellsError("a finder is judged on whole fields: give --fields DIR")
    finders, out = {name: finder_of(name) for name in names}, []
    for folder in given.fields:
        fields = read_fields(folder, given.annotations, given.group_by)
        judged = judge(finders, fields, positive_names(fields, given), tell)
        for name in names:
            matches = list(zip(judged.groups, judged.matches[name], strict=True))
            of_groups = {
                group: [match for own, match in matches if own == group] for group in dict.fromkeys(judged.groups)
            }
            row = {
                "finder": name,
                "set": folder.resolve().name,
                "ms_per_field": judged.ms[name],
                "intervals_over": drawn_over(judged.groups),
                "figures": figures(judged, name),
                "groups": {group: _summary(own) for group, own in of_groups.items() if any(one.true for one in own)},
                "skipped": list(judged.skipped),
            }
            out.append(row)
    return out


def positive_names(fields: FieldSet, given: DataOptions) -> tuple[str, ...]:
    """Annotated names that are positive; points have none."""
    if fields.pointed:
        return ()
    counts = Counter(kind for one in fields.fields for kind in one.types)
    plan = make_scheme(counts, given.naming, given.background, given.positive, whole_fields=True, least=1)
    index = dict(zip(fields.types, plan.indices(fields.types).tolist(), strict=True))
    return tuple(name for name, i in index.items() if i >= 0 and plan.suspect[i])


def _summary(matches: list[Match]) -> dict[str, Any]:
    row = asdict(summarise(matches))
    return row if row["infected"] else {**row, "infected_kept": None}  # a share of nothing; NaN would not be JSON


def finder_lines(found: dict[str, Any]) -> list[str]:
    """The figures of one finder on one folder as a plain table, a line per group."""
    head = f"{'':16}{'fields':>7}{'cells':>7}{'F1':>7}{'prec.':>7}{'recall':>7}{'infected kept':>16}{'bias':>8}{'error':>7}"
    lines = [f"{found['finder']} on {found['set']}: {found['ms_per_field']:.1f} ms per field (median)", head]
    for part, row in (*found["groups"].items(), ("all", found["figures"])):
        kept = f"{row['infected_kept']:.3f} of {row['infected']}" if row["infected"] else "-"
        lines.append(
            f"{part:16}{row['fields']:7}{row['cells']:7}{row['f1']:7.3f}{row['precision']:7.3f}"
            f"{row['recall']:7.3f}{kept:>16}{row['count_bias']:+8.3f}{row['count_error']:7.3f}"
        )
    bounds = [
        f"{key.removesuffix('_interval')} {low:.3f} to {high:.3f}"
        for key, (low, high) in ((key, value) for key, value in found["figures"].items() if key.endswith("_interval"))
    ]
    lines.append(f"{'':16}95 % over {found['intervals_over']}: {', '.join(bounds)}")
    return [*lines, *(f"  ! {reason}" for reason in found["skipped"])]


if __name__ == "__main__":
    sys.stderr.write("python -m models.judge.finder is now called: python -m models evaluate classical --fields DIR\n")
    sys.exit(2)
