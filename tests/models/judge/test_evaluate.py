"""What ``evaluate`` and ``compare`` say of nets on the same cells: what nets never saw, notes, costs, and which net is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from convert.errors import CellsError
from edge.classifier import Classifier
from edge.errors import ModelError
from edge.modelfile import Card, CropSpec, ModelFile
from edge.types import FloatArray, UInt8Array
from models.data.cells import LabelledCells
from models.data.classes import ClassScheme
from models.data.folder import CellFolder
from models.data.gather import OpenData
from models.judge.evaluate import (
    DeviceNet,
    FigureDifference,
    compared,
    differences,
    evaluated,
    open_nets,
    score_all,
    unseen_groups,
)
from tests.test_classifier import MODEL

LABELS = ("clear", "ill")
PLAN = ClassScheme(LABELS, "clear", ("ill",))
THREE = ("clear", "early", "late")


@dataclass
class RedClassifier:
    """Stands for ``Classifier``: the suspicion of a cell is its red channel, 0 to 1, times ``gain``."""

    card: Card
    gain: float = 1.0

    def scores(self, crops: UInt8Array) -> FloatArray:
        red = self.gain * crops[:, 0, 0, 0].astype(np.float32) / 255
        rest = [red] if len(self.card.labels) == 2 else [red * 0.75, red * 0.25]
        return np.stack([1 - red, *rest], axis=1)


@dataclass
class CellsInMemory:
    """Stands for a folder: groups ``a`` to ``d`` of ten cells; in ``c`` and ``d`` half are ill. One ill cell of ``d`` is lost."""

    name: str = "cells"
    asked: list[CropSpec] = field(default_factory=list)

    def read(
        self, plan: ClassScheme, spec: CropSpec, progress: Callable[[str, float], None], *, learn: bool = False
    ) -> tuple[LabelledCells, list[str]]:
        assert not learn
        progress(f"reading {self.name}", 0.0)
        self.asked.append(spec)
        groups = np.repeat([f"{self.name}/{group}" for group in "abcd"], 10)
        truth = np.array([int(i >= 20 and i % 2) for i in range(40)], np.int32)
        red = np.where(truth, 200, 40) + np.arange(40)
        red[[0, 1, 10]] = 180  # two false positives in a and one in b
        crops = np.repeat(red.astype(np.uint8), 3).reshape(40, 1, 1, 3)
        fields = np.arange(40, dtype=np.int32) // 2
        lost = np.array([len(plan.labels) - 1], np.int32)
        return LabelledCells(
            crops,
            truth,
            plan.labels,
            groups,
            fields,
            np.zeros(40, np.int8),
            lost,
            groups[-1:],
            fields[-1:],
        ), ["one image is torn"]


def net(name: str, gain: float = 1.0, *, labels: tuple[str, ...] = LABELS, **change: Any) -> DeviceNet:
    """A net that calls what is redder than one half positive; ``change`` of its card."""
    given = {"threshold": 0.5, "threshold_origin": "as asked", "positive": labels[1:], **change}
    card = Card(name, "classify", labels, **given)
    file = ModelFile(MODEL.flatbuffer, card, f"sha of {name}", Path(name))
    return DeviceNet(f"{name}.tflite", file, cast("Classifier", RedClassifier(card, gain)))


def data(*names: str, plan: ClassScheme = PLAN) -> OpenData:
    return OpenData(tuple(cast("CellFolder", CellsInMemory(name)) for name in names or ("cells",)), plan)


def silent(_doing: str, _share: float) -> None:
    """Progress that nobody sees."""


def held(*groups: str) -> dict[str, Any]:
    return {"training": {"held_out_groups": [f"cells/{group}" for group in groups]}}


@pytest.mark.parametrize(
    ("cards", "groups", "said"),
    [
        pytest.param([held("a", "b", "c")], "abc", [], id="one net: what it held out"),
        pytest.param([held("a", "b", "c"), held("b", "c", "d")], "bc", [], id="several: what all of them held out"),
        pytest.param([held("a"), held("b")], "", [], id="nothing in common"),
        pytest.param([{}, held("a", "b")], "ab", ["0"], id="a card that is silent is told and does not count"),
        pytest.param([held(), held("a")], "a", ["0"], id="a card that names none is silent"),
    ],
)
def test_unseen_is_what_every_net_held_out(cards: list[dict[str, Any]], groups: str, said: list[str]) -> None:
    heard: list[str] = []
    nets = [net(str(number), **card) for number, card in enumerate(cards)]
    assert unseen_groups(nets, heard.append) == {f"cells/{group}" for group in groups}
    assert heard == [
        f"the card of {name}.tflite does not name groups that it held out: whether it saw these is not known"
        for name in said
    ]


def test_unseen_is_refused_where_no_card_says_what_was_held_out() -> None:
    with pytest.raises(CellsError, match=r"^--unseen: no card says which groups were held out$"):
        unseen_groups([net("one"), net("two")], lambda _: None)


def test_unseen_judges_only_the_groups_that_all_nets_held_out_and_their_lost_cells() -> None:
    nets = [net("one", **held("a", "c", "d")), net("two", **held("b", "d"))]
    for scored in score_all(nets, data(), silent, lambda _: None, unseen=True):
        assert set(scored.cells.groups) == {"cells/d"}
        assert scored.cells.lost_groups.tolist() == ["cells/d"]
        assert scored.scores.shape == (10, 2)
    (scored,) = score_all([net("one", **held("a", "c"))], data(), silent, lambda _: None, unseen=True)
    assert len(scored.cells.lost_truth) == 0


def test_nets_that_held_out_nothing_in_common_are_not_judged_on_what_one_of_them_saw() -> None:
    nets = [net("one", **held("a")), net("two", **held("b"))]
    with pytest.raises(CellsError, match=r"^--unseen: the nets held out no group in common that is in these folders$"):
        score_all(nets, data(), silent, lambda _: None, unseen=True)


@pytest.mark.parametrize(
    ("learned", "unseen", "said"),
    [
        (["cells", "others", "more"], False, "cells, more"),
        (["others"], False, None),
        (["cells"], True, None),
    ],
)
def test_a_net_that_learned_from_the_folder_is_told(learned: list[str], said: str | None, *, unseen: bool) -> None:
    heard: list[str] = []
    one = net("one", training={"data": learned, "held_out_groups": ["cells/a"]})
    score_all([net("new", **held("a")), one], data("cells", "more"), silent, heard.append, unseen=unseen)
    lines = [line for line in heard if "torn" not in line]
    assert lines == (
        [f"one.tflite learned from {said}, its card says: --unseen keeps to the groups it held out"] if said else []
    )


def test_cells_are_read_once_per_way_of_cutting_and_what_is_noticed_is_told_once() -> None:
    heard: list[str] = []
    told: list[tuple[str, float]] = []
    opened, wide = data(), CropSpec(margin=1.5)
    nets = [net("one"), net("two", crop=wide), net("three")]
    score_all(nets, opened, lambda *progress: told.append(progress), heard.append)
    (folder,) = opened.sources
    assert folder.asked == [CropSpec(), wide]  # type: ignore[union-attr]
    assert heard == ["one image is torn"]
    reading = ("reading cells", 0.0)
    scoring = [(f"scoring with {name}", -1) for name in ("one", "two", "three")]
    assert told == [reading, scoring[0], reading, scoring[1], scoring[2]]


def test_the_report_on_a_net_says_what_it_was_judged_on_and_by_which_threshold() -> None:
    heard: list[str] = []
    (found,) = evaluated([net("one")], data("cells", "more"), silent, heard.append)
    assert {key: found[key] for key in ("model", "path", "sha256", "set", "cells", "lost_by_the_finder", "groups")} == {
        "model": "one",
        "path": "one.tflite",
        "sha256": "sha of one",
        "set": "cells, more",
        "cells": 80,
        "lost_by_the_finder": 2,
        "groups": 8,
    }
    assert found["classes_of_the_cells"] == {"clear": 60, "ill": 20}
    assert (found["threshold"], found["threshold_origin"]) == (0.5, "as asked")
    assert found["runtime"]
    assert found["notes"] == ["one image is torn"] * 2
    assert heard == ["! one image is torn"] * 2
    assert found["sensitivity"]["value"] == 1
    assert found["found"]["value"] == pytest.approx(20 / 22)
    assert found["false_positive_rate"]["value"] == pytest.approx(6 / 60)
    assert "classes" not in found
    assert found["known_negative_groups"] == [
        {"group": "cells/a", "cells": 10, "flagged": 2, "per_1000": 200},
        {"group": "more/a", "cells": 10, "flagged": 2, "per_1000": 200},
        {"group": "cells/b", "cells": 10, "flagged": 1, "per_1000": 100},
        {"group": "more/b", "cells": 10, "flagged": 1, "per_1000": 100},
    ]


@pytest.mark.parametrize(
    ("labels", "change", "classes", "known"),
    [
        pytest.param(LABELS, {}, False, True, id="two classes, one of them positive"),
        pytest.param(LABELS, {"positive": ()}, True, False, id="two classes, none positive"),
        pytest.param(THREE, {}, True, True, id="three classes, two of them positive"),
    ],
)
def test_classes_are_told_where_there_is_more_to_tell_than_positive_or_not(
    labels: tuple[str, ...], change: dict[str, Any], *, classes: bool, known: bool
) -> None:
    opened = data(plan=ClassScheme(labels, "clear", labels[1:]))
    (found,) = evaluated([net("one", labels=labels, **change)], opened, silent, lambda _: None)
    assert ("classes" in found) == classes
    assert ("known_negative_groups" in found) == known


def test_each_net_is_held_against_the_first_and_its_costs_are_told() -> None:
    heard: list[str] = []
    nets = [net("one"), net("dim", 0.5, threshold=0.4), net("same")]
    found = compared(nets, data(), silent, heard.append)
    assert (found["set"], found["cells"], found["lost_by_the_finder"], found["groups"]) == ("cells", 40, 1, 4)
    assert found["notes"] == ["one image is torn"]
    assert heard == ["! one image is torn"]
    assert found["nets"][1] == {
        "model": "dim",
        "path": "dim.tflite",
        "sha256": "sha of dim",
        "macs_per_cell": 9,
        "flatbuffer_bytes": len(MODEL.flatbuffer),
        "threshold": 0.4,
    }
    assert [pair["second"] for pair in found["against_the_first"]] == ["dim.tflite", "same.tflite"]
    dim, same = ({one["key"]: one for one in pair["figures"]} for pair in found["against_the_first"])
    assert (dim["false_positive_rate"]["first"], dim["false_positive_rate"]["second"]) == (0.1, 0)
    assert dim["false_positive_rate"]["name"] == "false positives at the threshold"
    assert {one["verdict"] for one in same.values()} == {"no real difference shown"}
    assert not dim["auc"]["percent"]
    assert dim["sensitivity"]["percent"]


def test_compare_keeps_to_the_unseen_groups_where_asked() -> None:
    nets = [net("one", **held("a", "c")), net("two", **held("c", "d"))]
    assert compared(nets, data(), silent, lambda _: None, unseen=True)["cells"] == 10
    assert [one["cells"] for one in evaluated(nets, data(), silent, lambda _: None, unseen=True)] == [10, 10]


def difference(key: str, first: DeviceNet, second: DeviceNet, plan: ClassScheme = PLAN) -> FigureDifference:
    one, two = score_all([first, second], data(plan=plan), silent, lambda _: None)
    return {found.key: found for found in differences(one, two)}[key]


def test_a_difference_is_the_second_net_minus_the_first_over_the_same_groups() -> None:
    found = difference("accuracy", net("one"), net("dim", 0.5))  # dim calls nothing positive
    assert found.first == pytest.approx(37 / 40)
    assert found.second == pytest.approx(30 / 40)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.second - found.first < found.high
    back = difference("accuracy", net("dim", 0.5), net("one"))
    assert back.low == pytest.approx(-found.high)
    assert back.high == pytest.approx(-found.low)


def test_classes_are_compared_between_nets_that_tell_the_same_more_than_two_apart() -> None:
    plan = ClassScheme(THREE, "clear", THREE[1:])
    one, dim = net("one", labels=THREE), net("dim", 0.5, labels=THREE)
    right = difference("class_accuracy", one, dim, plan)
    assert right.name == "right class at the threshold"
    assert right.first == pytest.approx(37 / 41)  # the lost one counts
    assert right.second == pytest.approx(30 / 41)
    assert right.low is not None
    assert right.high is not None
    assert right.low < right.second - right.first < right.high
    macro = difference("macro_f1", one, dim, plan)
    assert macro.name == "macro F1"
    assert macro.first > macro.second
    assert macro.low is not None
    assert macro.low < 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(net("one"), net("two"), id="two classes, one of them positive"),
        pytest.param(net("one"), net("two", labels=("clear", "sick")), id="other classes"),
    ],
)
def test_nets_without_shared_classes_are_not_compared_by_class(first: DeviceNet, second: DeviceNet) -> None:
    one, two = score_all([first, second], data(), silent, lambda _: None)
    assert not {found.key for found in differences(one, two)} & {"class_accuracy", "macro_f1"}


@pytest.mark.parametrize(
    ("key", "first", "second", "low", "high", "verdict"),
    [
        ("auc", 0.9, 0.95, 0.01, 0.09, "better"),
        ("auc", 0.95, 0.9, -0.09, -0.01, "worse"),
        ("auc", 0.9, 0.95, 0.0, 0.09, "no real difference shown"),
        ("auc", 0.95, 0.9, -0.09, 0.0, "no real difference shown"),
        ("auc", 0.9, 0.95, None, None, "one group only: cannot be told from chance"),
        ("false_positive_rate", 0.01, 0.02, 0.005, 0.02, "worse"),
        ("false_positive_rate", 0.02, 0.01, -0.02, -0.005, "better"),
    ],
)
def test_a_difference_is_real_only_where_its_interval_leaves_zero_out(
    key: str, first: float, second: float, low: float | None, high: float | None, *, verdict: str
) -> None:
    assert FigureDifference(key, "", first, second, low, high).verdict == verdict


def test_one_group_cannot_be_told_from_chance() -> None:
    one, two = score_all([net("one"), net("dim", 0.9)], data(), silent, lambda _: None)
    single = np.flatnonzero(one.cells.groups == "cells/c")
    fewer = [
        replace(
            scored,
            cells=replace(scored.cells.of_groups(frozenset({"cells/c"})), fields=np.zeros(10, np.int32)),
            scores=scored.scores[single],
        )
        for scored in (one, two)
    ]
    found = differences(*fewer)
    assert found
    assert {each.verdict for each in found} == {"one group only: cannot be told from chance"}


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_only_device_files_are_judged(name: str) -> None:
    with pytest.raises(ModelError, match=rf"^{name}: device files \(.tflite\) are judged, in the device's own runtime"):
        open_nets([name])


def test_a_folder_stands_for_the_device_file_that_training_leaves_in_it(tmp_path: Path) -> None:
    source = open_nets(["malaria-thin-32"])[0]
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.tflite").write_bytes(source.file.path.read_bytes())
    nets: Sequence[DeviceNet] = open_nets([str(folder), "malaria-thin-32"])
    assert [one.name for one in nets] == [str(folder / "mine.tflite"), "malaria-thin-32"]
    assert nets[0].file.sha256 == nets[1].file.sha256
    assert nets[0].classifier.card.name == "malaria-thin-32"
