"""kill -9 before every call that changes something, and at random times; half of a writing is done where there is a half."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from time import monotonic

from benchmarks.faults.nursery import Action, Disturbance
from benchmarks.faults.sample import shown_fields
from benchmarks.faults.trial import Bench, Trial, Uninterrupted, trial_of

_STEP = 20  # trials between two lines
_TWICE = 5
"""At every so many moments what goes on is killed as well."""


def moments(count: int, calls: int, seconds: float, seed: int) -> Iterator[Disturbance]:
    """Faults: every call once as far as ``count`` reaches (evenly spread where it does not), the rest at random times."""
    rng = random.Random(seed)
    at_calls = min(count, calls)
    for n in range(at_calls):
        yield Disturbance(Action.KILL, at=1 + n * calls // at_calls)
    for _ in range(count - at_calls):
        yield Disturbance(Action.KILL, after_s=rng.uniform(0, seconds))


def kills(bench: Bench, count: int, seed: int, tell: Callable[[str], None]) -> Iterator[Trial]:
    """Trials, one after the other."""
    began = monotonic()
    whole = bench.uninterrupted()
    seconds = monotonic() - began
    rng = random.Random(seed)
    faults = list(moments(count, whole.calls, seconds, seed))
    rng.shuffle(faults)  # so that a run that is stopped has tried moments of every part
    for number, fault in enumerate(faults):
        again = () if number % _TWICE else (Disturbance(Action.KILL, at=rng.randrange(1, whole.calls)),)
        found = trial(bench, whole, fault, again)
        follow(found, number, count, tell)
        yield found


def follow(found: Trial, number: int, count: int, tell: Callable[[str], None]) -> None:
    """Tell what is wrong at once, and how far it is."""
    if found.wrong:
        tell(f"{found.moment} {found.call}: {'; '.join(found.wrong)}")
    if number % _STEP == _STEP - 1:
        tell(f"{number + 1} of {count}")


def trial(bench: Bench, whole: Uninterrupted, fault: Disturbance, again: tuple[Disturbance, ...] = ()) -> Trial:
    """Kill a run, look at what is left, go on."""
    state = bench.disturb(fault)
    screen = bench.job().out
    left = bench.left(whole, screen)
    runs, wrong = bench.go_on(whole, again)
    return trial_of(fault, state, len(shown_fields(screen)), runs, (*left, *wrong))
