"""A workload: one step that is repeated in a process of its own.

A ``Workload`` is plain data, so that it can be sent to the child process and kept in the result file; it names its
set-up function and does not hold it. Everything that ``edge-bench`` times (a net, the whole analysis, what a user would otherwise
write) is a workload.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

Value = str | int | float | bool
Step = Callable[[], "StepResult"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one call of a step did.

    Attributes:
        units: cells, fields or files it dealt with, as the workload's ``unit`` says; at least 1.
        stages: nanoseconds spent in each stage, where the step can tell; else empty.
    """

    units: int
    stages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workload:
    """One case.

    Attributes:
        name: unique in a run, e.g. ``model/malaria-thin-32/litert/b32/t1``.
        group: cases of one group do the same work and may be compared, e.g. ``classify``.
        unit: ``cell``, ``field`` or ``file``: what a step's ``units`` count.
        setup: ``module:function``; called once in the child with ``parameters`` as keywords, it gives the step to repeat.
        parameters: plain values, kept in the result file.
        needs: packages that must be importable; where one is missing the case is left out and that is said.
    """

    name: str
    group: str
    unit: str
    setup: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def prepare(self) -> Step:
        """Import and call ``setup``; only in the child process.

        Raises:
            Exception: whatever the set-up raises; the harness reports it as one line and goes on with the other cases.
        """
        module, _, function = self.setup.partition(":")
        return cast("Step", getattr(importlib.import_module(module), function)(**self.parameters))
