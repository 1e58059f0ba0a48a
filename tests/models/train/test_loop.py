"""A run that is interrupted goes on where it stopped, with the same data; a checkpoint is whole or not there."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import OutputError
from models.train.loop import Keeping, duration, run


class Variable:
    """What the loop needs of a Keras variable."""

    def __init__(self, value: float) -> None:
        self.value = np.array([value])
        self.shape = (1,)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = np.array(value)


def batches(first: int) -> Generator[tuple[int]]:
    number = first
    while True:
        yield (number,)
        number += 1


def train(weight: Variable, keep: Keeping | None, steps: int = 40, stop_at: int | None = None) -> list[str]:
    said: list[str] = []

    def step(number: int) -> float:
        if number == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        weight.assign(weight.value * 0.9 + number)
        return float(weight.value[0])

    run(step, [weight], batches, steps, said.append, keep=keep)
    return said


@pytest.fixture
def keep(tmp_path: Path) -> Keeping:
    return Keeping(tmp_path / "work" / "checkpoint.npz", "key", seconds=0)


def test_a_run_stopped_by_ctrl_c_finishes_its_step_and_ends_where_an_unbroken_one_does(keep: Keeping) -> None:
    whole, broken, again = Variable(1.0), Variable(1.0), Variable(1.0)
    train(whole, None)
    with pytest.raises(KeyboardInterrupt):
        train(broken, keep, stop_at=17)
    said = train(again, keep)
    assert "going on from step 18" in said[0]
    assert again.value[0] == whole.value[0]


def test_after_a_kill_the_last_checkpoint_is_gone_on_from(keep: Keeping) -> None:
    weight, again, whole = Variable(1.0), Variable(1.0), Variable(1.0)
    train(whole, None)

    class Killed(Exception):  # noqa: N818 - nothing of the loop handles it, as nothing handles kill -9
        pass

    def dies(number: int) -> float:
        if number == 23:
            raise Killed
        weight.assign(weight.value * 0.9 + number)
        return 0.0

    with pytest.raises(Killed):
        run(dies, [weight], batches, 40, lambda _: None, keep=keep)
    train(again, keep)
    assert again.value[0] == whole.value[0]


def test_a_finished_run_is_not_done_again(keep: Keeping) -> None:
    train(Variable(1.0), keep)
    weight = Variable(5.0)
    said = train(weight, keep)
    assert said == ["going on from step 40"]
    assert weight.value[0] != 5.0


def test_a_checkpoint_of_other_data_is_not_gone_on_with(keep: Keeping) -> None:
    train(Variable(1.0), keep)
    said = train(Variable(1.0), Keeping(keep.path, "another", 0))
    assert "other data or settings: starting anew" in said[0]


def test_a_damaged_checkpoint_is_said_and_training_starts_anew(keep: Keeping) -> None:
    train(Variable(1.0), keep)
    keep.path.write_bytes(keep.path.read_bytes()[:100])
    said = train(Variable(1.0), keep)
    assert "cannot be used" in said[0]
    assert said[-1].startswith("step 40/40")


def test_no_half_checkpoint_stays_behind(keep: Keeping) -> None:
    train(Variable(1.0), keep)
    assert [path.name for path in keep.path.parent.iterdir()] == ["checkpoint.npz"]


def test_a_full_disk_is_one_plain_error(keep: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match=r"checkpoint\.npz: cannot be written: No space left on device"):
        train(Variable(1.0), keep)


def test_the_time_left_is_said(keep: Keeping) -> None:
    assert all("left" in line for line in train(Variable(1.0), None))
    assert duration(75) == "1 min 15 s"
    assert duration(7) == "7 s"
