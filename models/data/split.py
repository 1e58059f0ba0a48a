"""Which groups (slides, blocks of fields) are held out: whole ones, so that about the wanted share of every class is among them."""

from __future__ import annotations

import numpy as np

from convert.errors import CellsError
from models.data.streams import RandomStream

_DRAWS = 400
"""Random choices that the best is taken of."""

_LACKING = 10.0
"""What a class that is missing on one side weighs, against the difference of shares (0 to 1)."""


def choose_groups(groups: np.ndarray, truth: np.ndarray, share: float, seed: int) -> frozenset[str]:
    """Names of the groups to hold out.

    Of many random draws that which comes nearest to ``share`` of each class, and leaves no class without cells on
    either side where it has cells in several groups.

    Args:
        groups: str [n], group of each cell.
        truth: int [n], class of each cell.
        share: of the cells, 0 to 1; 0: none is held out.
        seed: of the draws.

    Raises:
        CellsError: all cells are of one group, or every draw takes all groups.
    """
    if share <= 0:
        return frozenset()
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise CellsError(
            f"all cells are of one slide or block ({names[0]}): nothing is left to check on (--all trains without a check)"
        )
    classes = int(truth.max()) + 1
    table = np.zeros((len(names), classes))
    np.add.at(table, (member, truth), 1)
    present = table.sum(axis=0) > 0
    spread = ((table > 0).sum(axis=0) > 1)[present]
    table = table[:, present]
    sizes, total = table.sum(axis=1), table.sum()
    rng = np.random.default_rng([seed, RandomStream.HELD_OUT_GROUPS])
    best, chosen = np.inf, np.zeros(len(names), bool)
    for _ in range(_DRAWS):
        held = np.zeros(len(names), bool)
        taken = 0.0
        for i in rng.permutation(len(names)):
            if not taken or abs(taken + sizes[i] - share * total) < abs(taken - share * total):
                held[i] = True
                taken += sizes[i]
        if held.all():
            continue
        got = table[held].sum(axis=0) / table.sum(axis=0)
        lacking = (((got == 0) | (got == 1)) & spread).sum()
        away = float(np.abs(got - share).mean() + _LACKING * lacking)
        if away < best:
            best, chosen = away, held
    if not chosen.any():
        raise CellsError(
            f"{share:g} of the cells cannot be held out of {len(names)} slides or blocks: a smaller share, or more of them"
        )
    return frozenset(str(name) for name in names[chosen])
