from __future__ import annotations

from edge.sample import Sample
from tests.fakes import LABELS, result


def test_kept_fields_add_up_and_rejected_ones_only_count_as_such() -> None:
    sample = Sample("s", LABELS)
    sample.add(result([0, 0, 1, -1]), None)
    sample.add(result([1, 1, 1]), "out of focus")
    sample.add(result([0, -1], kind=[0, 2]), None)
    sample.add_unreadable("x.png", "truncated")
    tally = sample.tally()
    assert tally.counts == {"uninfected": 3, "parasitized": 1}
    assert tally.cells == sample.cells == 4
    assert tally.set_aside == {"not-red-cell": 1, "not-whole": 1}
    assert (tally.kept, tally.rejected, tally.unreadable) == (2, {"out of focus": 1}, (("x.png", "truncated"),))
    assert sample.fields == 4


def test_every_class_is_in_the_counts_though_none_was_found() -> None:
    assert Sample("s", ("a", "b", "c")).tally().counts == {"a": 0, "b": 0, "c": 0}


def test_a_tally_does_not_change_afterwards() -> None:
    sample = Sample("s", LABELS)
    before = sample.tally()
    sample.add(result([0]), None)
    sample.add(result([0]), "empty")
    assert before.cells == 0
    assert before.rejected == {}
