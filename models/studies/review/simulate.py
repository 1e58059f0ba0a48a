"""Simulated samples, looked at by simulated readers, judged by ``edge.verdict.reviewed`` as they would be on the device.

A slide has rates of its own: how often the machine takes a negative cell for positive, how many infected ones it finds. Its cells
fall into the parts of a review; people look at some of each as they would on the page, and err; some cells are read by a second one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from edge.types import Verdict
from edge.verdict.assess import Assessor
from edge.verdict.limits import limit_of_blank
from edge.verdict.review_records import PartCounts, ReviewCounts, ReviewedVerdict, Votes
from edge.verdict.reviewed import decide_reviewed
from edge.verdict.table import NEGATIVE, POSITIVE
from edge.verdict.to_look import BATCH, next_to_look
from models.studies.coverage.simulate import World
from models.studies.coverage.until import calibrated

TARGET = 0.001
"""Share of infected cells that a negative must be below."""

TOP = 60
"""Suspects that are looked at in order."""

BLOCK = 50
"""Samples of a case that are simulated together."""

CALIBRATION_SHARED = 5
"""Samples of a block judged by one simulated calibration."""

_NEAR_FALSE, _NEAR_MISSED = (
    3.0,
    0.7,
)  # near misses: for each false suspect, and of the infected cells that are no suspects
_APART = 1.5  # standard deviations between the scores of false and of true suspects


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """Readers of one kind: how many negative cells they imagine positive, and how many positive ones they miss."""

    name: str
    imagined: float
    missed: float


READERS = (
    ReaderKind("never wrong", 0.0, 0.0),
    ReaderKind("careful", 0.005, 0.03),
    ReaderKind("hasty", 0.02, 0.1),
)
"""Readers of the simulation."""


@dataclass(frozen=True, slots=True)
class LookPlan:
    """Cells of each part that are looked at; of the highest suspects all, up to ``TOP``."""

    suspects: int
    near: int
    rest: int


WITH_CALIBRATION, WITHOUT = LookPlan(40, 20, 40), LookPlan(60, 60, 600)
"""How much people look at: the other cells are a check only, or all that is known of them."""


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """One case.

    Attributes:
        blanks: slides of the calibration; 0: there is none.
        cells: counted; ``share`` of the slide's are infected.
        readers: who look.
        reread: cells that are read by a second reader of the same kind too.
        false, spread: false positives of the machine, as in ``World``.
        most: people stop as soon as the flag is decided, or after so many cells; 0: they look at a fixed number.
    """

    blanks: int
    cells: int
    share: float
    readers: ReaderKind
    reread: int
    false: float = 0.001
    spread: float = 0.5
    most: int = 0

    @property
    def key(self) -> str:
        """Names the case in files."""
        world = f"{self.false:g}/{self.spread:g}/{self.blanks}"
        return f"{world} {self.cells} {self.share:g} {self.readers.name} {self.reread} {self.most}"

    @property
    def world(self) -> World:
        """Rates from slide to slide."""
        return World(self.false, self.spread, self.blanks or 5)

    @property
    def plan(self) -> LookPlan:
        """How much people look at."""
        return WITH_CALIBRATION if self.blanks else WITHOUT


@dataclass(frozen=True, slots=True)
class SlideParts:
    """A slide as the machine sorted it: cells and infected ones of each part."""

    top: tuple[int, int]
    suspects: tuple[int, int]
    near: tuple[int, int]
    rest: tuple[int, int]

    @property
    def suspected(self) -> int:
        """All suspects."""
        return self.top[0] + self.suspects[0]


def slide(case: ReviewCase, rng: np.random.Generator) -> SlideParts:
    """A new slide of this case."""
    f, s = case.world.false_rates(rng, 1)[0], case.world.found_rates(rng, 1)[0]
    infected = int(rng.binomial(case.cells, case.share))
    found, false = int(rng.binomial(infected, s)), int(rng.binomial(case.cells - infected, f))
    scores = np.concatenate([rng.normal(_APART, 1, found), rng.normal(0, 1, false)])
    top = np.argsort(-scores, kind="stable")[:TOP]
    true_top = int((top < found).sum())
    near_true = int(rng.binomial(infected - found, _NEAR_MISSED))
    near_false = min(int(rng.binomial(case.cells, min(_NEAR_FALSE * f, 1))), case.cells - infected - false)
    rest_true = infected - found - near_true
    return SlideParts(
        (len(top), true_top),
        (found + false - len(top), found - true_top),
        (near_true + near_false, near_true),
        (case.cells - found - false - near_true - near_false, rest_true),
    )


class Review:
    """People looking at one slide: a cell that was looked at stays so when more are.

    Args:
        case: which readers, and how many cells are read twice.
        of: the slide.
        rng: of the sample.
    """

    def __init__(self, case: ReviewCase, of: SlideParts, rng: np.random.Generator) -> None:
        self._rng = rng
        self._readers = case.readers
        self._left = {"top": of.top, "suspects": of.suspects, "near": of.near, "rest": of.rest}
        self._sizes = {name: part[0] for name, part in self._left.items()}
        self._tally = {name: [0, 0, 0] for name in self._left}  # positive, negative, cannot be told
        self._reread = case.reread
        self.votes: list[Votes] = []

    def look(self, name: str, cells: int) -> None:
        """Look at so many more cells of a part, or at all that are left."""
        size, infected = self._left[name]
        cells = min(cells, size)
        true = int(self._rng.hypergeometric(infected, size - infected, cells)) if cells else 0
        self._left[name] = size - cells, infected - true
        kinds = self._readers
        yes = int(self._rng.binomial(true, 1 - kinds.missed)), int(self._rng.binomial(cells - true, kinds.imagined))
        answers = {  # (infected, called positive) to cells
            (1, 1): yes[0], (1, 0): true - yes[0], (0, 1): yes[1], (0, 0): cells - true - yes[1],
        }  # fmt: skip
        again = self._again(answers, cells, suspect=name in ("top", "suspects"))
        for (infected_, first), n in answers.items():
            chance = 1 - kinds.missed if infected_ else kinds.imagined
            repeated = again[infected_, first]
            second = int(self._rng.binomial(repeated, chance))
            agreed = second if first else repeated - second
            self.votes += [(("first", bool(first)), ("second", bool(first)))] * agreed
            self.votes += [(("first", bool(first)), ("second", not first))] * (repeated - agreed)
            self._tally[name][0 if first else 1] += n - (repeated - agreed)
            self._tally[name][2] += repeated - agreed

    def _again(self, answers: dict[tuple[int, int], int], cells: int, *, suspect: bool) -> dict[tuple[int, int], int]:
        """Which of them a second reader looks at, drawn at random: of the suspects at most half of all that are read twice."""
        wanted = self._reread // 2 if suspect else self._reread
        few = max(min(wanted - (len(self.votes) if suspect else 0), self._reread - len(self.votes), cells), 0)
        drawn = self._rng.multivariate_hypergeometric(list(answers.values()), few) if cells else [0] * len(answers)
        return dict(zip(answers, map(int, drawn), strict=True))

    def counts(self) -> ReviewCounts:
        """The sample as reviewed so far."""
        parts = tuple(
            PartCounts(
                name, self._sizes[name], positive, negative, 0, unsure, ordered=name == "top", suspect=name in ("top", "suspects")
            )
            for name, (positive, negative, unsure) in self._tally.items()
        )  # fmt: skip
        return ReviewCounts(parts, tuple(self.votes))


@dataclass(frozen=True, slots=True)
class ReviewTally:
    """What became of the samples of a case; every number counts samples.

    Attributes:
        samples: simulated.
        covered: the interval shown holds the share.
        too_low, too_high: the whole interval is below it, above it.
        positive, negative: by the reviewed flag.
        before: by the machine's own limit of blank; without a calibration where it has any suspect.
        looked: cells that people looked at, all samples together.
        agree: the flag follows from what is shown with it.
    """

    samples: int = 0
    covered: int = 0
    too_low: int = 0
    too_high: int = 0
    positive: int = 0
    negative: int = 0
    before: int = 0
    looked: int = 0
    agree: int = 0

    def with_one(self, verdict: ReviewedVerdict, share: float, *, before: bool) -> ReviewTally:
        """One more sample."""
        low, high = verdict.share.low, verdict.share.high
        return replace(
            self,
            samples=self.samples + 1,
            covered=self.covered + (low <= share <= high),
            too_low=self.too_low + (high < share),
            too_high=self.too_high + (low > share),
            positive=self.positive + (verdict.flag == POSITIVE),
            negative=self.negative + (verdict.flag == NEGATIVE),
            before=self.before + before,
            looked=self.looked + verdict.looked,
            agree=self.agree + follows(verdict),
        )


def follows(verdict: ReviewedVerdict) -> bool:
    """Whether the flag follows from interval and bound."""
    low, high = verdict.share.low, verdict.share.high
    if not 0 <= low <= high <= 1 or (verdict.flag == POSITIVE and low <= 0):
        return False
    return verdict.flag != NEGATIVE or (high < TARGET and verdict.most < TARGET)


MACHINE = Verdict("indeterminate", (), {}, rbc_per_ul=5e6)
"""A machine's verdict; the reviewed one takes its units only."""


def judged(counts: ReviewCounts, assessor: Assessor | None, *, advise: bool = False) -> ReviewedVerdict:
    """As on the device."""
    return decide_reviewed(counts, MACHINE, assessor, target=TARGET, advise=advise)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCalibration:
    """A calibration of a world, and the count above which the machine alone calls a sample of so many cells positive."""

    assessor: Assessor
    limit: int


@lru_cache(maxsize=64)
def calibrations(world: World, cells: int, seed: int) -> tuple[SimulatedCalibration, ...]:
    """As many as one block of samples needs; all cases of a world share them."""
    rng = np.random.default_rng([seed, 0])
    out = []
    for _ in range(BLOCK // CALIBRATION_SHARED):
        assessor = Assessor(calibrated(world, rng), TARGET)
        false = assessor.calibration.errors(assessor.calibration.positive[0]).false
        out.append(SimulatedCalibration(assessor, limit_of_blank(false, cells)))
    return tuple(out)


def block(case: ReviewCase, seed: int, samples: int = BLOCK) -> ReviewTally:
    """Simulate samples of a case; ``seed`` numbers the block, and each case draws others."""
    digest = blake2b(case.key.encode(), digest_size=4).digest()
    rng = np.random.default_rng([seed, int.from_bytes(digest, "big")])
    known = calibrations(case.world, case.cells, seed) if case.blanks else ()
    out = ReviewTally()
    for i in range(samples):
        mine = known[i // CALIBRATION_SHARED] if known else None
        assessor = mine.assessor if mine else None
        parts = slide(case, rng)
        review = Review(case, parts, rng)
        verdict = _advised(review, assessor, case.most) if case.most else _planned(review, assessor, case.plan)
        out = out.with_one(verdict, case.share, before=parts.suspected > (mine.limit if mine else 0))
    return out


def _planned(review: Review, assessor: Assessor | None, plan: LookPlan) -> ReviewedVerdict:
    """A fixed number of cells of each part is looked at."""
    for name, cells in (("top", TOP), ("suspects", plan.suspects), ("near", plan.near), ("rest", plan.rest)):
        review.look(name, cells)
    return judged(review.counts(), assessor)


_STEP = 10  # highest suspects between two looks at the flag


def _advised(review: Review, assessor: Assessor | None, most: int) -> ReviewedVerdict:
    """As advised, batch after batch, until the flag is positive or negative or ``most`` cells were looked at."""
    review.look("top", _STEP)
    while True:
        counts = review.counts()
        verdict = judged(counts, assessor)
        if verdict.flag in (POSITIVE, NEGATIVE) or verdict.looked >= most:
            return verdict
        advice = next_to_look(
            counts, calibrated=verdict.rests_on == "calibration", batch=max(verdict.looked // 4, BATCH)
        )
        if not advice:
            return verdict
        top = advice.get("top", 0)
        for name, cells in {"top": min(top, _STEP)}.items() if top else advice.items():
            review.look(name, cells)
