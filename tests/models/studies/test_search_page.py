"""The page of a search: what it says of nets, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.judge.figures import Measurement
from models.studies.search.candidates import LITE, REFERENCE
from models.studies.search.judge import ACCURACY
from models.studies.search.page import render
from models.studies.search.results import frontier
from models.studies.search.sentences import beyond_chance, shelf_sentences, work_sentence
from tests.models.studies.searching import COUNTED, figures, found, row


def test_the_frontier_is_what_no_other_net_beats_in_both() -> None:
    rows = [row("resnet8", 90, 0.99), row("residual", 6, 0.97), row(REFERENCE, 5, 0.98), row(LITE, 2, 0.96)]
    assert [one.name for one in frontier(rows)] == [LITE, REFERENCE, "resnet8"]


def test_a_net_that_beats_the_shelfs_is_named_and_whether_it_may_be_chance() -> None:
    by_seed, by_slide, truly = row("residual", 4, 0.982), row("first-5x5", 4.5, 0.985), row("resnet8", 90, 0.995)
    said = " ".join(shelf_sentences(found(by_seed, by_slide, truly)))
    assert "A higher AUC than `malaria-thin-32`: `resnet8`" in said
    assert "`residual` (AUC +0.0020, chance is not excluded; 0.80 times the time)" in said
    assert "`first-5x5` (AUC +0.0050, chance is not excluded; 0.90 times the time)" in said
    assert "`resnet8` (AUC +0.0150, more than seeds and slides explain; 18.00 times the time)" in said
    assert "Without slide C116 the highest AUC is that of `resnet8`, 1.0050, against 0.9900" in said


def test_without_other_seeds_nothing_is_beyond_chance() -> None:
    better = row("resnet8", 90, 0.995)
    assert beyond_chance(found(better), better)
    assert not beyond_chance(found(better, seeds=()), better)


def test_where_no_net_beats_the_shelfs_that_is_said() -> None:
    said = " ".join(shelf_sentences(found(row("residual", 6, 0.97), row(LITE, 2, 0.9702))))
    assert "None has a higher AUC than `malaria-thin-32`." in said
    assert f"`{LITE}` keeps 99.00 % of the AUC of `{REFERENCE}`" in said
    assert "in 0.40 of its time" in said


def test_nets_of_the_same_work_are_compared_and_others_are_not() -> None:
    same = row("mobilenet-like", 10, macs=480_000, instructions=200_000)
    ours = row(REFERENCE, instructions=80_000)
    said = work_sentence(found(same, row("resnet8", 90, macs=12_501_056), rows=(ours, same)))
    assert "`mobilenet-like` 2.00 times the time and 2.50 times its instructions" in said
    assert "resnet8" not in said
    assert work_sentence(found(rows=(ours,))).endswith("no other net.")


@pytest.mark.parametrize(("macs", "named"), [(511_000, True), (513_000, False), (464_000, True), (462_000, False)])
def test_the_same_work_is_within_five_percent(macs: int, named: bool) -> None:
    assert ("residual" in work_sentence(found(row("residual", 6, macs=macs)))) is named


@pytest.mark.parametrize(
    ("gain", "beyond"),
    [
        (Measurement(0.004, 0.001, 0.007, 9), True),
        (Measurement(0.003, 0.001, 0.007, 9), False),  # the seeds differ by 0.003
        (Measurement(0.004, 0.0, 0.007, 9), False),
        (Measurement(0.004, None, None, 9), False),
    ],
)
def test_a_gain_counts_only_beyond_the_spread_of_seeds_and_of_slides(gain: Measurement, beyond: bool) -> None:
    better = replace(row("resnet8", 90), gain=gain)
    given = found(better, seeds=(figures(0.983), figures(0.981)))
    assert given.spread == pytest.approx(0.003)
    assert beyond_chance(given, better) is beyond


def test_the_page_says_what_it_rests_on() -> None:
    given = found(row("residual", 6, 0.97, instructions=90_000), lacking=["resnet8"])
    page = " ".join(render(given, "search.svg").split())
    for words in (
        "10 steps of 256 cells",
        "4,000 NIH cells of 32 slides",
        "the finder lost 9 of them, which count as missed",
        "let",
        "Not in the table yet: resnet8",
        "Note: it was warm",
        "AUC 0.9810, 0.9780, against 0.9800 in the table, a spread of 0.0030",
        "C116 with 482 cells",
        "same code (digest `c0de`), which has changed since",
        "(search.svg)",
    ):
        assert words in page
    assert page.index("`malaria-thin-32` | the shelf") < page.index("`residual` | dense")


def test_the_page_says_what_was_not_counted_or_measured_or_not_trained_alike() -> None:
    other = replace(row("residual", 6, 0.97), code="0ther")
    missing = replace(COUNTED, missing="no emulated ARM root is built here")
    page = " ".join(render(found(other, seeds=(), counts=missing), "x.svg").split())
    assert "Instructions were not counted: no emulated ARM root" in page
    assert "What the seed alone changes was not measured" in page
    assert "**Not all rows were trained by the same code**" in page
    assert "learned nothing" not in page
    assert "| - |" in page


def test_a_net_with_a_learning_rate_of_its_own_is_named() -> None:
    page = " ".join(render(found(row("notebook-6-hsv", 26), row("resnet8", 90)), "x.svg").split())
    assert "With their author's own rate: `notebook-6-hsv` (0.001)" in page


def test_a_net_that_did_not_learn_is_named() -> None:
    good = row("notebook-2-and-6", 26)
    nih = {**good.figures.nih, ACCURACY: Measurement(0.53, 0.5, 0.55, 4000)}
    poor = replace(good, figures=replace(good.figures, nih=nih))
    assert "Not learned within these steps: `notebook-2-and-6`" in render(found(poor), "x.svg")
    assert "Not learned" not in render(found(good), "x.svg")


def test_the_plot_names_every_net_and_is_the_same_every_time() -> None:
    pytest.importorskip("matplotlib")
    from models.studies.search.plot import draw

    rows = [row(REFERENCE), row("resnet8", 90, 0.99)]
    assert draw(rows) == draw(rows)
    assert f"1  {REFERENCE}" in draw(rows)
    assert "2  resnet8" in draw(rows)


# with TensorFlow
