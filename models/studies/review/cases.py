"""Which cases are simulated, and the file that keeps what is done: a run that was broken off goes on where it stood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path

from edge.safe_file import plain_errors
from edge.verdict import beta, calibration, limits, rates, readers, reviewed, sampled, to_look
from models.studies.review import simulate as simulation
from models.studies.review.simulate import BLOCK, READERS, ReviewCase, ReviewTally, block

_MADE_BY = (beta, calibration, limits, rates, readers, reviewed, sampled, to_look, simulation)

SHARES = (0.0, 0.001, 0.01, 0.05)
"""Shares of infected cells."""

CELLS = (2000, 20_000)
"""Sizes of the samples."""

REREAD = (0, 40)
"""Cells read by a second reader."""

MOST = 1500
"""Cells after which people who look until it is decided give up."""


def grid() -> list[ReviewCase]:
    """A fixed number of cells is looked at."""
    return [
        ReviewCase(blanks, cells, share, readers, reread)
        for blanks in (20, 5, 0)
        for cells in CELLS
        for readers in READERS
        for reread in REREAD
        for share in SHARES
    ]


def noisy() -> list[ReviewCase]:
    """A microscope with ten times as many false positives, which differ more from slide to slide."""
    return [
        ReviewCase(20, cells, share, READERS[1], 40, false=0.01, spread=1.0) for cells in CELLS for share in SHARES[:3]
    ]


def stopping() -> list[ReviewCase]:
    """People look until it is decided."""
    return [
        ReviewCase(blanks, 20_000, share, readers, reread, most=MOST)
        for readers, blanks in ((READERS[1], 20), (READERS[2], 20), (READERS[1], 0))
        for reread in REREAD
        for share in SHARES[:3]
    ]


def every() -> list[ReviewCase]:
    """All cases of the page."""
    return [*grid(), *noisy(), *stopping()]


def simulate(
    cases: Iterable[ReviewCase], samples: int, work: Path, say: Callable[[str], None]
) -> Mapping[ReviewCase, ReviewTally]:
    """Simulate what is not kept yet, a block of every case after the other.

    Args:
        cases: to simulate.
        samples: of each, rounded up to whole blocks.
        work: folder of the file; another state of the code begins another file.
        say: gets a line for each round.

    Returns:
        Each case with all its samples.
    """
    chosen = list(cases)
    work.mkdir(parents=True, exist_ok=True)
    file = work / f"{_code()}.jsonl"
    kept = _kept(file)
    blocks = -(-samples // BLOCK)
    for number in range(blocks):
        for case in chosen:
            if (case.key, number) not in kept:
                kept[case.key, number] = block(case, number)
                line = {"case": case.key, "block": number, **asdict(kept[case.key, number])}
                with plain_errors(file), file.open("a") as out:
                    out.write(json.dumps(line) + "\n")
        say(f"{(number + 1) * BLOCK} samples of each of {len(chosen)} cases")
    return {case: together(kept[case.key, number] for number in range(blocks)) for case in chosen}


def _code() -> str:
    """The state of the modules that the figures come from."""
    whole = hashlib.sha256()
    for module in _MADE_BY:
        whole.update(Path(str(module.__file__)).read_bytes())
    return whole.hexdigest()[:12]


def _kept(file: Path) -> dict[tuple[str, int], ReviewTally]:
    out = {}
    for line in file.read_text().splitlines() if file.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:  # the last line of a run that was cut off
            continue
        key = row.pop("case"), row.pop("block")
        out[key] = ReviewTally(**row)
    return out


def together(tallies: Iterable[ReviewTally]) -> ReviewTally:
    """All samples."""
    known = list(tallies)
    return ReviewTally(**{f.name: sum(getattr(one, f.name) for one in known) for f in fields(ReviewTally)})
