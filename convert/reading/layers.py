"""Built-in replacements for custom layers that notebooks define, so that no code of a stranger has to run.

A layer is recognised by its class name alone (``STAND_INS``, first match wins; letters only, lower case). Since a name does
not prove what a class did, every such replacement is named in the notes.

| class name holds | taken as |
|---|---|
| hsv to rgb, hsv2rgb | TensorFlow's float HSV to RGB, all three in 0..1 |
| rgb to hsv, rgb2hsv | TensorFlow's float RGB to HSV |
| bgr to rgb, rgb to bgr | channels reversed |
| layer scale | a factor per channel, with its weights (ConvNeXt) |
| depth to space | this project's own layer: [n, h, w, 4c] to [n, 2h, 2w, c] |
| brightness with random, shift or jitter | nothing; often written so that it is random at inference too |
| hue, saturation, contrast, flip, rotation, zoom, noise, colour, augment with random, shift or jitter | nothing: training only |
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from convert.reading.graph import INPUT, Graph, Layer

HSV_TO_RGB = "edge:HSVToRGB"
RGB_TO_HSV = "edge:RGBToHSV"
FLIP_CHANNELS = "edge:FlipChannels"
DEPTH_TO_SPACE = "edge:DepthToSpace"
LAYER_SCALE = "edge:LayerScale"
_TAKEN = "a custom class, recognised by its name and replaced by the built-in "
_EFFECTS = "hue|saturation|contrast|colou?r|flip|rotation|rotate|zoom|noise|crop|blur"
_BRIGHTNESS = (
    "a custom brightness shift, often random at inference too, so that the same cell gets another score each time: "
    "left out of the device file"
)
STAND_INS: tuple[tuple[str, str, str], ...] = (
    (r"hsv(to|2)?rgb", HSV_TO_RGB, _TAKEN + "HSV to RGB"),
    (r"rgb(to|2)?hsv", RGB_TO_HSV, _TAKEN + "RGB to HSV"),
    (r"bgr(to|2)rgb|rgb(to|2)bgr", FLIP_CHANNELS, _TAKEN + "reversal of channels"),
    (r"^layerscale$", LAYER_SCALE, _TAKEN + "factor per channel"),
    (r"depth(to|2)space", DEPTH_TO_SPACE, "depth to space, this project's own layer"),
    (
        r"(random|shift|jitter|adjust|augment).*brightness|brightness.*(random|shift|jitter|augment)",
        "Identity",
        _BRIGHTNESS,
    ),
    (
        rf"(random|shift|jitter|augment).*({_EFFECTS})|({_EFFECTS}).*(random|shift|jitter|augment)|augmentation$",
        "Identity",
        "a custom augmentation, taken to act in training only: left out of the device file",
    ),
)


def stand_in(name: str) -> tuple[str, str] | None:
    """(kind, note) of the built-in layer for a custom class of that name, or None."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for pattern, kind, note in STAND_INS:
        if re.search(pattern, plain):
            return kind, note
    return None


def fold_round_trips(graph: Graph) -> tuple[Graph, list[str]]:
    """HSV to RGB and back with nothing in between at inference is nothing: both become Identity (int8 would blur hues).

    Looks only along plain chains. Returns the graph and a note for each pair.
    """
    chain = list(_chain(graph, ()))
    folded: set[tuple[str, ...]] = set()
    start: tuple[str, ...] | None = None
    for path, layer in chain:
        if layer.kind == HSV_TO_RGB:
            start = path
        elif layer.kind == RGB_TO_HSV and start is not None:
            folded |= {start, path}
            start = None
        elif layer.kind not in ("Identity", "Dropout", INPUT):
            start = None
    if not folded:
        return graph, []
    note = "HSV to RGB and back to HSV with only training-time layers in between cancel out: both left out"
    return graph.mapped(lambda at, one: replace(one, kind="Identity", params={}) if at in folded else one), [note]


def _chain(graph: Graph, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Layer]]:
    """Leaves in the order of data, as far as one layer follows the other; stops at the first fork."""
    here = graph.inputs[0].layer if len(graph.inputs) == 1 else None
    by_name = {layer.name: layer for layer in graph.layers}
    followers: dict[str, list[str]] = {}
    for layer in graph.layers:
        for call in layer.calls:
            for ref in call.refs():
                followers.setdefault(ref.layer, []).append(layer.name)
    visited: set[str] = set()
    while here is not None and here not in visited:
        visited.add(here)
        layer = by_name[here]
        if len(layer.calls) > 1 or any(len(call.refs()) > 1 for call in layer.calls):
            return
        if layer.body is not None:
            inside = list(_chain(layer.body, (*path, here)))
            yield from inside
            if not inside or inside[-1][0] != (*path, here, layer.body.outputs[0].layer):
                return
        else:
            yield (*path, here), layer
        after = followers.get(here, [])
        here = after[0] if len(after) == 1 and len(graph.outputs) == 1 else None


@functools.cache
def keras_classes() -> dict[str, Any]:
    """Kind to Keras class, for the kinds ``edge:...``; registered under the package ``edge``. Needs TensorFlow."""
    import keras  # noqa: PLC0415

    ops = keras.ops

    class Same(keras.layers.Layer):  # type: ignore[misc]
        """Output shape = input shape [..., 3]."""

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    class HSVToRGB(Same):
        """Hue, saturation, value in 0..1, float [..., 3], to red, green, blue in 0..1; as tf.image.hsv_to_rgb."""

        def call(self, inputs: Any) -> Any:
            hue, saturation, value = inputs[..., 0:1] * 6.0, inputs[..., 1:2], inputs[..., 2:3]
            red = ops.clip(ops.absolute(hue - 3.0) - 1.0, 0.0, 1.0)
            green = ops.clip(2.0 - ops.absolute(hue - 2.0), 0.0, 1.0)
            blue = ops.clip(2.0 - ops.absolute(hue - 4.0), 0.0, 1.0)
            pure = ops.concatenate([red, green, blue], axis=-1)
            return (1.0 - saturation + saturation * pure) * value

    class RGBToHSV(Same):
        """Red, green, blue in 0..1, float [..., 3], to hue, saturation, value in 0..1; as tf.image.rgb_to_hsv."""

        def call(self, inputs: Any) -> Any:
            red, green, blue = inputs[..., 0:1], inputs[..., 1:2], inputs[..., 2:3]
            value = ops.maximum(ops.maximum(red, green), blue)
            spread = value - ops.minimum(ops.minimum(red, green), blue)
            saturation = ops.where(value > 0, spread / ops.where(value > 0, value, ops.ones_like(value)), 0.0)
            unit = 1.0 / (6.0 * ops.where(spread > 0, spread, ops.ones_like(spread)))
            not_red = ops.where(green == value, unit * (blue - red) + 2.0 / 6, unit * (red - green) + 4.0 / 6)
            hue = ops.where(red == value, unit * (green - blue), not_red)
            hue = ops.where(spread > 0, ops.where(hue < 0, hue + 1.0, hue), 0.0)
            return ops.concatenate([hue, saturation, value], axis=-1)

    class FlipChannels(Same):
        """Channels in reverse order: RGB to BGR and back."""

        def call(self, inputs: Any) -> Any:
            return inputs[..., ::-1]

    class LayerScale(Same):
        """Times a weight per channel, as in ConvNeXt."""

        def build(self, input_shape: Any) -> None:
            self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")

        def call(self, inputs: Any) -> Any:
            return inputs * self.gamma

    class DepthToSpace(keras.layers.Layer):  # type: ignore[misc]
        """[n, h, w, 4c] to [n, 2h, 2w, c]."""

        def call(self, inputs: Any) -> Any:
            import tensorflow as tf  # noqa: PLC0415

            return tf.nn.depth_to_space(inputs, 2)

        def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
            n, h, w, c = input_shape
            return (n, h and h * 2, w and w * 2, c // 4)

    made = (HSVToRGB, RGBToHSV, FlipChannels, LayerScale, DepthToSpace)
    register = keras.saving.register_keras_serializable(package="edge")
    return {f"edge:{cls.__name__}": register(cls) for cls in made}
