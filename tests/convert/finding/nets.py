"""Configs of finders' nets, and annotated fields, made on the fly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet
from convert.reading.graph import Graph
from convert.reading.parse import admit
from tests.convert.make import JSON, called, conv, functional, opened

HALF = {"strides": [2, 2], "padding": "same"}


def finder(
    *outputs: JSON, shape: tuple[int | None, ...] = (None, None, 3), layers: tuple[JSON, ...] | None = None
) -> Graph:
    """A net of stride 4 (unless ``layers`` say otherwise) with those output layers."""
    if layers is None:
        layers = (called(conv("one", **HALF), "input"), called(conv("two", **HALF), "one"))
    last = layers[-1]["config"]["name"]
    net = functional(*layers, *(called(output, last) for output in outputs), output="x", shape=shape)
    net["config"]["output_layers"] = [[output["config"]["name"], 0, 0] for output in outputs]
    return admit(opened(net)).graph


def head(name: str, channels: int, activation: str = "linear") -> JSON:
    return conv(name, channels, kernel_size=[1, 1], activation=activation)


def field(name: str, boxes: list[list[int]] | None = None, types: tuple[str, ...] = (), **more: Any) -> AnnotatedField:
    rows = np.array(boxes or [], np.int32).reshape(-1, 4)
    return AnnotatedField(Path(name), rows, types or ("cell",) * len(rows), **more)


def fields(groups: str, infected: str = "") -> FieldSet:
    """A field per letter of ``groups``, which is its group; letters in ``infected`` have a ring."""
    made = tuple(
        field(f"{n}.png", [[9, 9, 9, 9]], ("ring" if g in infected else "cell",)) for n, g in enumerate(groups)
    )
    return FieldSet(made, tuple(groups), grouped=True)
