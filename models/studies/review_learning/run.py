"""``python -m models review-learning``: every point that is not kept yet, then the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convert.measure.reading import Progress
from edge.safe_file import plain_errors, write_text
from models.adapt.reviewed_net import ReviewedLearner, ReviewedTraining
from models.studies.kept import check_request
from models.studies.review_learning.page import render
from models.studies.review_learning.points import ARMS, StudyBench, point, settings_key
from models.studies.review_learning.scopes import SCOPES, Say, StudyScope, old_of, read_scope, start_of


@dataclass(frozen=True, slots=True)
class ReviewLearningSettings:
    """What a run does.

    Attributes:
        work: keeps cells, nets and points, outside the repository; a second run goes on where the first stopped.
        out: the page.
        only: names of microscopes to work on; empty: all. The others are taken as they were kept.
        training: settings of learning.
    """

    work: Path
    out: Path
    only: tuple[str, ...] = ()
    training: ReviewedTraining = field(default_factory=ReviewedTraining)


def run(settings: ReviewLearningSettings, tell: Progress, say: Say) -> int:
    """Make what is not kept, and write the page after each microscope.

    Returns:
        number of points that are kept.

    Raises:
        ValueError: ``work`` is inside the repository, or a microscope has no such name.
        CellsError, ModelError: images or nets are not there.
    """
    check_request(settings.work, settings.only, [one.name for one in SCOPES])
    with plain_errors(settings.work):
        settings.work.mkdir(parents=True, exist_ok=True)
    for scope in SCOPES:
        if not settings.only or scope.name in settings.only:
            _scope(scope, settings, tell, say)
            _write(settings)
    return _write(settings)


def wanted(scope: StudyScope) -> list[tuple[int, int]]:
    """Draws and arms of a microscope, by their numbers: the first arm of all draws comes first."""
    return [(draw, arm) for arm in range(len(ARMS)) for draw in range(scope.fewer if arm else scope.draws)]


def place_of(scope: StudyScope, draw: int, arm: int, settings: ReviewLearningSettings) -> Path:
    """Where a point is kept."""
    key = hashlib.sha256(json.dumps(settings_key(settings.training)).encode()).hexdigest()[:10]
    return settings.work / f"point-{scope.name}-{ARMS[arm].key}-{draw}-{key}.json"


def _scope(scope: StudyScope, settings: ReviewLearningSettings, tell: Progress, say: Say) -> None:
    left = [(draw, arm) for draw, arm in wanted(scope) if not place_of(scope, draw, arm, settings).is_file()]
    if not left:
        return
    seen = read_scope(scope, settings.work, tell, say)
    start = start_of(scope, seen, settings.work)
    guard, judge = old_of(start, scope, tell, say)
    bench = StudyBench(scope, seen, ReviewedLearner(start, guard, settings.training), judge)
    for draw, arm in left:
        say(f"{scope.name}, draw {draw + 1} of {scope.draws}: {ARMS[arm].name}")
        made = point(bench, ARMS[arm], draw)
        write_text(place_of(scope, draw, arm, settings), json.dumps(made))


def kept(settings: ReviewLearningSettings) -> list[dict[str, Any]]:
    """All points that are kept, in the order of the microscopes."""
    places = [place_of(scope, draw, arm, settings) for scope in SCOPES for draw, arm in wanted(scope)]
    return [json.loads(path.read_text(encoding="utf-8")) for path in places if path.is_file()]


def _write(settings: ReviewLearningSettings) -> int:
    points: Sequence[dict[str, Any]] = kept(settings)
    if points:
        write_text(settings.out, render(points))
    return len(points)
