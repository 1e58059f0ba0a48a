"""The power is cut before calls that change something, and at random times: what was not synced is gone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic

from benchmarks.faults.kills import follow, moments
from benchmarks.faults.medium import Medium
from benchmarks.faults.nursery import Action, Disturbance, State
from benchmarks.faults.sample import shown_fields
from benchmarks.faults.trial import Bench, Trial, Uninterrupted, last_line, trial_of


def cuts(bench: Bench, medium: Medium, count: int, seed: int, tell: Callable[[str], None]) -> Iterator[Trial]:
    """Trials, one after the other; ``bench`` works on the medium. Three of four at calls, the rest at random times."""
    began = monotonic()
    whole = bench.uninterrupted()
    seconds = monotonic() - began
    rng = random.Random(seed)
    at_calls = count * 3 // 4
    faults = [*moments(at_calls, whole.calls, seconds, seed)]
    faults += [Disturbance(Action.STOP, after_s=rng.uniform(0, seconds)) for _ in range(count - at_calls)]
    rng.shuffle(faults)
    for number, fault in enumerate(faults):
        found = trial(bench, medium, whole, replace(fault, action=Action.STOP))
        follow(found, number, count, tell)
        yield found


def trial(bench: Bench, medium: Medium, whole: Uninterrupted, fault: Disturbance) -> Trial:
    """Cut the power during a run, plug in again, look at what is left, go on."""
    cut = False

    def stopped(_: State) -> bool:
        nonlocal cut
        medium.cut()
        cut = True
        return False

    state = bench.disturb(fault, stopped=stopped)
    if not cut:  # it had ended before: the power goes just then
        medium.cut()
    medium.unplug()
    medium.plug_in()
    screen = bench.job()
    left = bench.left(whole, screen.out)
    bench.place.out.mkdir(exist_ok=True)
    runs, wrong = bench.go_on(whole)
    if not cut and state.code != bench.code:
        wrong = (*wrong, f"said: {last_line(screen.err)}")
    return trial_of(fault, state, len(shown_fields(screen.out)), runs, (*left, *wrong))
