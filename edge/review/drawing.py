"""Which cells go out to be looked at by file, and in which order they are shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from edge.review.records import CellPlace, ReviewCell, ReviewPlan, Stratum

MOST = 120
"""Cells that go out, unless more or fewer are asked for: some five minutes of reading."""

REPEATED = 8
"""Cells shown a second time, for what a reader says of the same cell twice; at most a tenth."""

_LEAST = 0.2
"""Weight of a part that is not advised, as a share of all that is: a file goes out once, and advice changes as it is followed."""


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell as it is shown; ``reading``: 0, 1 where it is shown the second time."""

    cell: ReviewCell
    reading: int = 0


def drawn(
    plan: ReviewPlan, most: int = MOST, wanted: Mapping[str, int] | None = None, done: Collection[CellPlace] = ()
) -> tuple[ReviewCell, ...]:
    """The cells to look at: the top suspects, and the next of the other parts in their own order, which is random.

    Args:
        plan: of the sample.
        most: cells in all.
        wanted: how many of each part are advised (``ReviewedVerdict.next``): what the top leaves is divided in these proportions,
            and no part goes without (``_LEAST``); else evenly. What a part does not have goes to the others.
        done: cells to leave out.

    Returns:
        Part by part, each in its order.
    """
    left = {part.stratum: [cell for cell in part.cells if cell.cell not in done] for part in plan.parts}
    top = left.pop(Stratum.TOP, [])[:most]
    share = _divided(most - len(top), {part: len(cells) for part, cells in left.items()}, wanted or {})
    return (*top, *(cell for part, cells in left.items() for cell in cells[: share[part]]))


def _divided(room: int, there: Mapping[Stratum, int], wanted: Mapping[str, int]) -> dict[Stratum, int]:
    """So many places for each part, one after the other to the part that is farthest behind its share."""
    given = dict.fromkeys(there, 0)
    advised = {part: max(wanted.get(part, 0), 0) for part in there}
    least = max(_LEAST * sum(advised.values()), 1)
    weight = {part: max(n, least) for part, n in advised.items()}
    for _ in range(room):
        open_ = [part for part in there if given[part] < there[part]]
        if not open_:
            break
        given[min(open_, key=lambda part: (given[part] + 1) / weight[part])] += 1
    return given


def mixed(cells: Sequence[ReviewCell], repeated: int = REPEATED) -> tuple[ShownCell, ...]:
    """In the order in which a reader sees them, who must not guess from it what the machine says.

    All parts are spread evenly over the whole, each in its own order, so that whoever stops half-way has looked at half of each. At
    the end some come once more, suspects and others in turn; a tenth of all at most.
    """
    parts: dict[Stratum, list[ReviewCell]] = {}
    for cell in cells:
        parts.setdefault(cell.stratum, []).append(cell)
    placed = [
        ((i + 0.5) / len(part), rank, cell) for rank, part in enumerate(parts.values()) for i, cell in enumerate(part)
    ]
    order = [ShownCell(cell) for _, _, cell in sorted(placed, key=lambda one: one[:2])]
    suspects = [cell for cell in cells if cell.stratum in (Stratum.TOP, Stratum.SUSPECTS)]
    others = [cell for cell in cells if cell.stratum not in (Stratum.TOP, Stratum.SUSPECTS)]
    again = [cell for pair in zip_longest(suspects, others) for cell in pair if cell is not None]
    return (*order, *(ShownCell(cell, 1) for cell in again[: min(repeated, len(cells) // 10)]))
