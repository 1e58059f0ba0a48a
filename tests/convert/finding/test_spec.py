"""What a finder's config says of its outputs, and what has to be asked."""

from __future__ import annotations

import pytest

from convert.errors import UnsupportedError
from convert.finding.spec import NetOutput, roles_of, shape_of, spec_of
from edge.card import FinderSpec
from tests.convert.finding.nets import HALF, finder, head
from tests.convert.make import called, conv, dense, node

QUARTER = {"strides": [4, 4], "padding": "same"}
LIKE = FinderSpec(("cell", "not-platelet"), (0.4, 0.3), 20.0, 4)


def output(name: str, channels: int, activation: str = "linear") -> NetOutput:
    return NetOutput(name, 60, 80, channels, activation)


def test_stride_and_outputs_are_measured_where_the_size_is_open() -> None:
    net = shape_of(finder(head("heat", 2, "sigmoid"), head("boxes", 4)))
    assert net.size == (192, 256)
    assert net.stride == 4
    assert net.outputs[0] == NetOutput("heat", 48, 64, 2, "sigmoid")
    assert net.outputs[1] == NetOutput("boxes", 48, 64, 4, "linear")
    assert net.macs > 0


def test_a_given_size_is_kept_and_rounded_up_to_what_the_device_feeds() -> None:
    assert shape_of(finder(head("heat", 1), head("boxes", 4), shape=(128, 256, 3))).size == (128, 256)
    assert shape_of(finder(head("heat", 1), head("boxes", 4), shape=(130, 250, 3))).size == (136, 256)


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (lambda: finder(head("heat", 1), head("boxes", 4), shape=(64, 64, 1)), "one RGB image"),
        (lambda: finder(head("heat", 1)), "has 1 such"),
        (
            lambda: finder(
                dense("heat"), dense("boxes", 4), shape=(64, 64, 3),
                layers=(called(conv("one"), "input"), called(node("Flatten"), "one")),
            ),
            "not fully convolutional",
        ),
        (lambda: finder(head("heat", 1), conv("boxes", 4, **HALF)), "one whole stride"),
        (lambda: finder(head("heat", 1), head("boxes", 4), layers=(called(conv("one", strides=[2, 2]), "input"),)), "stride"),
        (
            lambda: finder(
                head("heat", 1), head("boxes", 4),
                layers=(called(conv("a", **QUARTER), "input"), called(conv("b", **QUARTER), "a")),
            ),
            "stride",
        ),
    ],
)  # fmt: skip
def test_a_net_that_the_device_could_not_run_on_any_field_is_refused(graph: object, said: str) -> None:
    with pytest.raises(UnsupportedError, match=said):
        shape_of(graph())  # type: ignore[operator]


@pytest.mark.parametrize(
    ("outputs", "heat", "boxes", "logits"),
    [
        ((output("heat", 4, "sigmoid"), output("boxes", 4)), 0, (1,), False),
        ((output("bbox_regression", 4), output("center_heatmap", 4, "sigmoid")), 1, (0,), False),
        ((output("hm", 1), output("wh", 2), output("offset", 2)), 0, (2, 1), True),
        ((output("conv_7", 2, "sigmoid"), output("conv_8", 4)), 0, (1,), False),
        ((output("conv_7", 4), output("conv_8", 1)), 1, (0,), True),
        ((output("conv_7", 4), output("conv_8", 4, "sigmoid")), 1, (0,), False),
        ((output("conv_7", 4), output("scores", 4, "sigmoid")), 1, (0,), False),
        ((output("conv_7", 1, "sigmoid"), output("size", 2), output("centre_offset", 2)), 0, (2, 1), False),
    ],
)
def test_roles_are_told_by_name_then_by_channels_then_by_activation(
    outputs: tuple[NetOutput, ...], heat: int, boxes: tuple[int, ...], logits: bool
) -> None:
    roles = roles_of(outputs)
    assert (roles.heat, roles.boxes, roles.logits) == (heat, boxes, logits)


@pytest.mark.parametrize(
    "outputs",
    [
        (output("a", 4), output("b", 4)),
        (output("a", 4, "sigmoid"), output("b", 4, "sigmoid")),
        (output("a", 1, "sigmoid"), output("b", 2)),
        (output("heat", 1), output("boxes", 5)),
        (output("heat", 1), output("heat_2", 1), output("boxes", 4)),
        (output("heat", 1), output("size", 2)),
    ],
)
def test_roles_that_stay_open_are_asked_about_and_not_guessed(outputs: tuple[NetOutput, ...]) -> None:
    with pytest.raises(UnsupportedError, match="cannot tell heat from boxes") as caught:
        roles_of(outputs)
    assert outputs[0].name in str(caught.value)


def test_a_finder_like_it_gives_kinds_thresholds_and_scale() -> None:
    assert spec_of(2, 4, (), None, LIKE) == (LIKE, False)


def test_what_is_given_wins_and_thresholds_are_then_open() -> None:
    spec, unsure = spec_of(1, 4, ("cell",), 12, LIKE)
    assert unsure
    assert (spec.kinds, spec.cell_px, len(spec.thresholds)) == (("cell",), 12.0, 1)


def test_one_channel_is_the_cell() -> None:
    spec, unsure = spec_of(1, 8, (), 16, None)
    assert (spec.kinds, spec.stride, unsure) == (("cell",), 8, True)


@pytest.mark.parametrize(
    ("channels", "labels", "given", "said"),
    [
        (3, (), (4, 20, None), "3 channels, nothing says what they are.*--labels.*--like"),
        (3, (), (4, 20, LIKE), r"2 kinds are named \(cell, not-platelet\)"),
        (2, ("cell",), (4, 20, None), "1 kinds are named"),
        (1, (), (4, None, None), "--cell-px"),
        (1, ("ring",), (4, 20, None), "kinds are cell first"),
        (2, (), (8, None, LIKE), "stride is 8"),
    ],
)
def test_what_cannot_be_told_is_asked_for_by_its_option(
    channels: int, labels: tuple[str, ...], given: tuple[int, float | None, FinderSpec | None], said: str
) -> None:
    stride, cell_px, like = given
    with pytest.raises(UnsupportedError, match=said):
        spec_of(channels, stride, labels, cell_px, like)
