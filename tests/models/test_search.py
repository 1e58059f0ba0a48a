"""The search for the cheapest net: what is kept, what is judged on what, when a net counts as better, what the page says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import records
from benchmarks.arm.errors import ArmError
from benchmarks.arm.roots import CACHE_VARIABLE
from benchmarks.records import Case, Round, Run
from convert.errors import CellsError
from edge.errors import ModelError
from edge.modelfile import Card, read_model, write_model
from models.__main__ import app
from models.cell_train import CellTraining
from models.cells.score import Measured
from models.choose import fold_paths
from models.finder.make import NAME as FINDER
from models.makers import FOLDS, SHELF
from models.search import cost, run
from models.search.candidates import CANDIDATES, LITE, REFERENCE
from models.search.cost import Counts, Time
from models.search.found import Found, Hardest, Row, Scores, frontier
from models.search.judge import Judged, exact, read_judged, unseeing
from models.search.make import Plan, file_of, plan_in
from models.search.page import render
from models.search.sentences import beyond_chance, shelf_sentences, work_sentences

PLAN = Plan(CellTraining(steps=10), ("C1", "C2"), (0, 4))
COUNTED = Counts("cortex-a76", {}, {}, {"numpy": "2"}, 4096)


def judged(auc: float = 0.98, macs: int = 487_440) -> Judged:
    def one(value: float) -> Measured:
        return Measured(value, value - 0.01, value + 0.005, 4000)

    nih = {"accuracy": one(0.95), "AUC": one(auc)}
    nih |= {f"sensitivity at {rate} % false positives": replace(one(0.8), n=2000) for rate in ("1", "0.1")}
    return Judged("ab", macs, nih, 32, exact(95, 110), 9, 7000)


def row(name: str, us: float = 5.0, auc: float = 0.98, macs: int = 487_440, instructions: int | None = None) -> Row:
    candidate = next(one for one in CANDIDATES if one.name == name)
    gain = None if name == REFERENCE else Measured(auc - 0.98, auc - 0.99, auc - 0.97, 4000)
    time = Time(32, us, us / 5, us / 6, us / 4, delegated=True)
    return Row(candidate, 34_000, judged(auc, macs), time, instructions, gain, auc + 0.01, "c0de")


def measured_run(cases: tuple[Case, ...] = ()) -> Run:
    device: dict[str, Any] = {"cpu": "a processor", "machine": "x86_64"}
    return Run("2026-11-21T00:00:00Z", "0.1", {}, False, (), ("it was warm",), device, (), cases)


def found(*rows: Row, **changes: Any) -> Found:
    seeds = (judged(0.981), judged(0.978))
    given = Found((row(REFERENCE), *rows), PLAN, seeds, measured_run(), COUNTED, Hardest("C116", 482, 0.7), ())
    return replace(given, **changes)


def case(name: str, batch: int, us: tuple[float, ...], sha256: str = "ab") -> Case:
    work = cost.workloads({name: Path(f"{name}.tflite")})[cost.BATCHES.index(batch)]
    rounds = tuple(Round(0, 0.0, 1, 1, [int(one * 1000 * batch)], [batch]) for one in us)
    return Case(work, records.MEASURED, facts={"sha256": sha256, "delegated": True}, rounds=rounds)


# what is searched


def test_every_candidate_has_a_name_of_its_own_and_the_shelfs_nets_are_among_them() -> None:
    names = [one.name for one in CANDIDATES]
    assert len(set(names)) == len(names)
    assert {REFERENCE, LITE} <= set(names)


def test_help_shows_an_example() -> None:
    shown = CliRunner().invoke(app, ["search", "--help"]).output
    assert "Example: python -m models search --only" in shown
    assert "130 stopped by Ctrl-C" in " ".join(shown.split())


# the command line


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the real images were there."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("models.reporting.scores.need_images", lambda: None)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--work", str(run.REPOSITORY / "nets")], "in the repository"),
        (["--only", "resnet9", "--work", "/nowhere"], "no such net"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_code_2(options: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["search", "--no-training", *options])
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


@pytest.mark.usefixtures("images")
def test_without_training_the_reference_must_be_kept(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["search", "--no-training", "--work", str(tmp_path)])
    assert done.exit_code == 5
    assert f"{REFERENCE} is not kept" in done.output


def test_without_the_images_the_line_says_where_they_are_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["search", "--no-training", "--work", str(tmp_path / "work")])
    assert done.exit_code == 9
    assert "EDGE_DATA" in done.output
    assert "Traceback" not in done.output


# what is kept


def keep(work: Path, name: str, plan: Plan = PLAN, **changes: Any) -> Path:
    """A sound device file where the search keeps it; its net is the shelf's."""
    shipped = read_model(SHELF / REFERENCE / f"{REFERENCE}.tflite")
    assert shipped.card is not None
    training = {
        "settings": asdict(plan.settings),
        "held_out_slides": list(plan.slides),
        "held_out_blocks": list(plan.blocks),
    }
    path = file_of(work, name)
    path.parent.mkdir(parents=True)
    write_model(path, shipped.flatbuffer, replace(shipped.card, name=name, training=training, **changes))
    return path


def test_a_kept_file_says_by_which_plan_it_was_made(tmp_path: Path) -> None:
    path = keep(tmp_path, REFERENCE)
    assert plan_in(path) == PLAN
    assert plan_in(path) != replace(PLAN, slides=("C1",))
    assert plan_in(path) != replace(PLAN, settings=CellTraining(steps=11))


def test_a_damaged_file_or_one_of_other_crops_is_of_no_plan(tmp_path: Path) -> None:
    path = keep(tmp_path, REFERENCE)
    path.write_bytes(path.read_bytes()[:1000])
    assert plan_in(path) is None
    shipped = read_model(SHELF / REFERENCE / f"{REFERENCE}.tflite").card
    assert shipped is not None
    assert plan_in(keep(tmp_path, "other", crop=replace(shipped.crop, target=100))) is None
    assert plan_in(tmp_path / "none.tflite") is None


def test_figures_come_back_as_they_were_kept_and_those_of_another_version_do_not(tmp_path: Path) -> None:
    note = tmp_path / "judged.json"
    assert read_judged(note) is None
    note.write_text(json.dumps({"version": 1, **asdict(judged())}))
    assert read_judged(note) == judged()
    note.write_text(json.dumps({"version": 0, **asdict(judged())}))
    assert read_judged(note) is None


# what it is judged on


def test_the_finder_is_one_that_never_saw_the_blocks() -> None:
    files = fold_paths(FOLDS, FINDER)
    for path in files:
        card = read_model(path).card
        assert card is not None
        blocks = tuple(card.training["held_out_blocks"])
        assert unseeing(files, blocks).path == path
    with pytest.raises(CellsError, match="no finder"):
        unseeing(files, (0, 1, 2))


def test_lost_cells_are_missed_and_the_interval_is_exact() -> None:
    figure = exact(101, 110)
    assert figure.value == pytest.approx(101 / 110)
    assert figure.low == pytest.approx(0.850, abs=0.002)
    assert figure.high == pytest.approx(0.962, abs=0.002)


def scores() -> Scores:
    """Ten slides of 40 cells; on slide C3 one net is wrong throughout, and a little worse than the other elsewhere."""
    rng = np.random.default_rng(3)
    infected = np.arange(400) % 2 == 0
    slides = np.array([f"C{i // 40}" for i in range(400)])
    good = np.clip(rng.normal(np.where(infected, 0.8, 0.2), 0.1), 0, 1)
    poor = np.clip(rng.normal(np.where(infected, 0.7, 0.3), 0.2), 0, 1)
    poor[slides == "C3"] = 1 - good[slides == "C3"]
    return Scores(infected, slides, {"good": good, "poor": poor, "again": good.copy()})


def test_a_net_gains_nothing_over_itself() -> None:
    assert scores().gain("again", "good") == Measured(0.0, 0.0, 0.0, 400)


def test_a_worse_net_loses_and_the_interval_says_so() -> None:
    gain = scores().gain("poor", "good")
    assert gain.high is not None
    assert gain.value < gain.high < 0


def test_the_slide_that_nets_are_worst_on_is_named_and_can_be_left_out() -> None:
    given = scores()
    hard = given.hardest()
    assert (hard.slide, hard.cells) == ("C3", 40)
    assert hard.right == pytest.approx(2 / 3, abs=0.02)
    assert given.without("poor", hard.slide) > given.without("poor", "C0")


# what it costs


def test_each_net_is_taken_at_its_best_batch_and_held_against_the_reference_round_by_round() -> None:
    cases = (
        case(REFERENCE, 8, (4.0, 8.0, 4.0)),
        case(REFERENCE, 32, (2.0, 4.0, 2.0)),
        case("resnet8", 8, (20.0, 40.0, 22.0)),
        case("resnet8", 32, (30.0, 60.0, 30.0)),
    )
    at = cost.times(measured_run(cases), REFERENCE)
    assert at[REFERENCE].batch == 32
    assert at[REFERENCE].ratio == 1
    assert at["resnet8"] == Time(8, 22.0, 10.0, 10.0, 11.0, delegated=True)


@pytest.fixture
def conducted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Runs that are only pretended; gives the names of the cases of each."""
    seen: list[list[str]] = []

    def conduct(work: Any, *_: Any) -> Run:
        seen.append([one.name for one in work])
        sha = read_model(Path(str(work[0].parameters["model"]))).sha256
        return measured_run(tuple(case(one.group, int(one.parameters["batch"]), (1.0,), sha) for one in work))

    monkeypatch.setattr(cost, "conduct", conduct)
    kept: dict[Path, Run] = {}
    monkeypatch.setattr(records, "write", lambda path, it: (path.write_text("kept"), kept.update({path: it})))
    monkeypatch.setattr(records, "read", lambda path: kept[path])
    return seen


def test_times_are_taken_in_one_run_and_kept_until_a_file_changes(conducted: list[list[str]], tmp_path: Path) -> None:
    files = {name: keep(tmp_path, name) for name in (REFERENCE, LITE)}
    note = tmp_path / "times.json"

    def take(*, again: bool = False) -> Run:
        return cost.timed(files, note, lambda *_: None, lambda: False, again=again)

    take()
    assert conducted == [[f"{name}/b{batch}" for name in files for batch in cost.BATCHES]]
    take()
    assert len(conducted) == 1
    take(again=True)
    assert len(conducted) == 2
    files["residual"] = keep(tmp_path, "residual")
    take()
    assert len(conducted) == 3


def test_a_stopped_run_is_not_kept_and_a_failed_case_is_one_line(
    conducted: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files, note = {REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "times.json"
    with pytest.raises(KeyboardInterrupt):
        cost.timed(files, note, lambda *_: None, lambda: True, again=False)
    assert not note.exists()
    assert conducted
    broken = replace(case(REFERENCE, 8, ()), status=records.FAILED, reason="no runtime")
    monkeypatch.setattr(cost, "conduct", lambda *_: measured_run((broken,)))
    with pytest.raises(ModelError, match="no runtime"):
        cost.timed(files, note, lambda *_: None, lambda: False, again=False)


def test_where_no_arm_root_is_built_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    files = {REFERENCE: keep(tmp_path, REFERENCE)}
    counts = cost.counted(files, tmp_path / "instructions.json", lambda _: None, again=False)
    assert counts.nets == {}
    assert "edge-bench arm" in counts.missing
    assert not (tmp_path / "instructions.json").exists()


def test_only_files_that_were_not_counted_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def count(files: dict[str, Path], hashes: dict[str, str], _: Path) -> Counts:
        asked.append(list(files))
        return replace(COUNTED, nets=dict.fromkeys(files, 7), files=hashes)

    monkeypatch.setattr(cost, "_counted", count)
    files, note = {REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "instructions.json"

    def take() -> Counts:
        return cost.counted(files, note, lambda _: None, again=False)

    take()
    files[LITE] = keep(tmp_path, LITE)
    assert take().nets == {REFERENCE: 7, LITE: 7}
    assert asked == [[REFERENCE], [LITE]]
    assert take().nets == {REFERENCE: 7, LITE: 7}
    assert len(asked) == 2

    def fails(*_: Any) -> Counts:
        raise ArmError("not now")

    monkeypatch.setattr(cost, "_counted", fails)
    files["residual"] = keep(tmp_path, "residual")
    counts = take()
    assert (counts.missing, counts.nets) == ("not now", {REFERENCE: 7, LITE: 7})


# what is said


def test_the_frontier_is_what_no_other_net_beats_in_both() -> None:
    rows = [row("resnet8", 90, 0.99), row("residual", 6, 0.97), row(REFERENCE, 5, 0.98), row(LITE, 2, 0.96)]
    assert [one.name for one in frontier(rows)] == [LITE, REFERENCE, "resnet8"]


def test_a_net_that_beats_the_shelfs_is_named_and_whether_it_may_be_chance() -> None:
    by_seed, by_slide, truly = row("residual", 4, 0.982), row("first-5x5", 4.5, 0.985), row("resnet8", 90, 0.995)
    said = " ".join(shelf_sentences(found(by_seed, by_slide, truly)))
    assert "Less time and a higher AUC than" in said
    assert "`residual` (AUC +0.0020, chance is not excluded; 0.80 times the time)" in said
    assert "`first-5x5` (AUC +0.0050, chance is not excluded; 0.90 times the time)" in said
    assert "`resnet8` (AUC +0.0150, more than seeds and slides explain; 18.00 times the time)" in said
    assert "No net takes less time" not in said
    assert "Without slide C116 the highest AUC is that of `resnet8`, 1.0050, against 0.9900" in said


def test_without_other_seeds_nothing_is_beyond_chance() -> None:
    better = row("resnet8", 90, 0.995)
    assert beyond_chance(found(better), better)
    assert not beyond_chance(found(better, seeds=()), better)


def test_where_no_net_beats_the_shelfs_that_is_said() -> None:
    said = " ".join(shelf_sentences(found(row("residual", 6, 0.97), row(LITE, 2, 0.9702))))
    assert "No net takes less time and has a higher AUC" in said
    assert "No net that takes more time has a higher AUC" in said
    assert f"`{LITE}` keeps 99.00 % of the AUC of `{REFERENCE}`" in said
    assert "in 0.40 of its time" in said


def test_nets_of_the_same_work_are_held_against_each_other_and_others_are_not() -> None:
    same = row("mobilenet-like", 10, macs=480_000, instructions=200_000)
    ours = row(REFERENCE, instructions=80_000)
    said = " ".join(work_sentences(found(same, row("resnet8", 90, macs=12_501_056), rows=(ours, same))))
    assert "`mobilenet-like` 2.00 times the time and 2.50 times its instructions" in said
    assert "takes 2.03 times the time" in said
    assert "2.54 times the instructions" in said
    assert "resnet8" not in said


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
    nih = {**good.judged.nih, "accuracy": Measured(0.53, 0.5, 0.55, 4000)}
    poor = replace(good, judged=replace(good.judged, nih=nih))
    assert "Not learned within these steps: `notebook-2-and-6`" in render(found(poor), "x.svg")
    assert "Not learned" not in render(found(good), "x.svg")


def test_the_plot_names_every_net_and_is_the_same_every_time() -> None:
    pytest.importorskip("matplotlib")
    from models.search.plot import draw

    rows = [row(REFERENCE), row("resnet8", 90, 0.99)]
    assert draw(rows) == draw(rows)
    assert f"1  {REFERENCE}" in draw(rows)
    assert "2  resnet8" in draw(rows)


# with TensorFlow


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., list[str]]:
    """Make a candidate of a few cells; gives what was said."""
    pytest.importorskip("tensorflow", reason="TensorFlow (extra convert)")
    from models.cell_data import CellSet
    from models.cell_sources import Source
    from models.search.make import made as make

    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    crops = rng.integers(60, 220, (120, 36, 36, 3)).astype(np.uint8)
    crops[labels == 1, 14:22, 14:22] //= 3
    cells = CellSet(crops, labels, np.full((120, 3), 140, np.float32))
    source = Source("cells", cells, np.array(["C1", "C2", "C3"] * 40), 1.0)

    def work(name: str, plan: Plan = PLAN, sources: Any = (source,)) -> list[str]:
        lines: list[str] = []
        gathered = [*sources]

        def gather() -> list[Source]:
            lines.append("gathered")
            return gathered

        make(next(one for one in CANDIDATES if one.name == name), plan, gather, tmp_path, lines.append)
        return lines

    return work


build = pytest.mark.build
quietly = pytest.mark.filterwarnings("ignore")


@build
@quietly
@pytest.mark.parametrize("name", [LITE, "mobilenet-like", "notebook-1", "notebook-6-hsv"])
def test_a_candidate_becomes_a_device_file_and_is_not_made_twice(
    made: Callable[..., list[str]], tmp_path: Path, name: str
) -> None:
    from edge.classifier import Classifier

    small = replace(PLAN, settings=CellTraining(steps=2, batch=8))
    assert "gathered" in made(name, small)
    classifier = Classifier(read_model(file_of(tmp_path, name)))
    assert classifier.net.delegated()
    cells = np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), np.uint8)
    together = classifier.scores(cells)
    assert np.allclose(together[3], classifier.scores(cells[3:4])[0], atol=0.02)
    assert made(name, small) == []
    assert "gathered" in made(name, replace(small, settings=CellTraining(steps=3, batch=8)))
    card = classifier.card
    assert isinstance(card, Card)
    assert card.colour == ("hsv" if name.endswith("hsv") else "rgb")
    assert not list(tmp_path.rglob("checkpoint*"))


@build
@quietly
def test_a_stopped_training_goes_on_where_it_was(
    made: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, settings=CellTraining(steps=4, batch=8))

    def stopped(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("models.search.make.save_keras", stopped)
        with pytest.raises(KeyboardInterrupt):
            made(LITE, plan)
    assert any("going on from step 4" in line for line in made(LITE, plan))
    assert plan_in(file_of(tmp_path, LITE)) == plan


@build
@quietly
def test_held_out_slides_are_not_learned_from(made: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    from models.search import make

    seen: list[int] = []

    def stops(sources: list[Any], *_: Any, **__: Any) -> None:
        seen.extend(len(cells) for cells in sources)
        raise KeyboardInterrupt

    monkeypatch.setattr(make, "train", stops)
    with pytest.raises(KeyboardInterrupt):
        made(LITE, PLAN)
    assert seen == [40]  # of C3 alone: C1 and C2 are held out


@build
@quietly
def test_a_net_on_hsv_learns_from_the_bytes_that_the_device_gives_it() -> None:
    keras = pytest.importorskip("keras")
    from edge.crops import to_colour
    from models.search.make import behind_colour

    inputs = keras.Input((32, 32, 3))
    bare = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    cells = np.random.default_rng(2).integers(0, 256, (5, 32, 32, 3), np.uint8)
    out = np.asarray(behind_colour(bare, "hsv")((cells.astype(np.float32) - 128) / 64, training=True))
    assert np.array_equal(np.rint(out * 64 + 128).astype(np.uint8), to_colour(cells, "hsv"))
    assert behind_colour(bare, "rgb") is bare


@build
@quietly
def test_the_notebooks_second_and_sixth_net_are_the_same_graph_at_32() -> None:
    pytest.importorskip("tensorflow")
    from models.search.nets import founding

    def layers(name: str) -> list[tuple[str, Any, list[Any]]]:
        found = [
            (type(layer).__name__, layer.output.shape, [tuple(w.shape) for w in layer.weights])
            for layer in founding(name).layers
        ]
        return [one for one in found if one[0] != "Resizing"]

    assert layers("notebook_2") == layers("notebook_6")
    assert layers("notebook_2") != layers("notebook_3")


@build
@quietly
def test_candidates_give_one_logit_and_those_meant_to_be_alike_are_of_the_same_work() -> None:
    pytest.importorskip("tensorflow")
    from convert.rewrite import count_macs, has_head

    nets = {one.name: one.make() for one in CANDIDATES}
    work = {name: count_macs(net, 32, 32) for name, net in nets.items()}
    for name, net in nets.items():
        assert int(np.prod(net.output.shape[1:])) == 1, name
        assert not has_head(net), name
    for name in ("residual", "first-5x5", "first-7x7-stride-4", "mobilenet-like"):
        assert work[name] == pytest.approx(work[REFERENCE], rel=0.05), name
    assert work["resnet8"] == pytest.approx(12.5e6, rel=0.01)
