"""The trained net on the device's input: its own layers and weights replayed on a new graph, with every shape static.

What acts in training only is left out, Flatten and Reshape get sizes that do not depend on the batch (an open batch would
make SHAPE and PACK ops, which no delegate takes), and what the value range needs stands at the head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from convert.errors import UnsupportedError, gist
from convert.net.values import ValueRange
from convert.reading.allow import RANDOM

SIZE = 32
"""Side in pixels of the crops that the device feeds a classifier."""

_NOTHING = RANDOM | {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "Identity"}
_BEND = 0.25  # slope of the leaky ReLU that a PReLU is made of; any slope does, and this one is exact in int8


class ShapeError(UnsupportedError):
    """The net does not work at this input size: its dense layers are tied to another. Take another way to 32 x 32."""


@dataclass(frozen=True, slots=True)
class NetInput:
    """What a net takes: height and width in pixels, channels."""

    height: int
    width: int
    channels: int


def net_input(model: Any) -> NetInput:
    """The input of a Keras model; open sides are 32. Raises UnsupportedError for anything but one image."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        ends = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise UnsupportedError(f"the net has {ends}: a classifier has one of each")
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise UnsupportedError(f"the net's input is {_words(shape)}: an image [height, width, 1 or 3] is needed")
    return NetInput(shape[1] or SIZE, shape[2] or SIZE, shape[3])


def replay(
    model: Any, tensor: Any, seen: list[tuple[Any, Any]] | None = None, instead: Mapping[int, Any] | None = None
) -> Any:
    """Call all layers of a model, nested ones too, on another tensor.

    Args:
        model: as trained.
        tensor: what goes in.
        seen: collects (layer, output).
        instead: by ``id`` of a layer, what to call in its place.

    Raises:
        ShapeError: a layer does not take what reaches it.
    """
    import keras  # noqa: PLC0415

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("training", None)
        layer = (instead or {}).get(id(layer), layer)
        plain = len(args) == 1 and not isinstance(args[0], list | tuple | dict)
        if plain and isinstance(layer, keras.Model):
            return replay(layer, args[0], seen, instead)
        if plain and (made := _static(layer, args[0])) is not None:
            return made
        if not isinstance(layer, keras.layers.Layer):
            return layer(*args, **kwargs)
        result = layer(*args, **kwargs, **_at_inference(layer))
        if seen is not None:
            seen.append((layer, result))
        return result

    try:
        if isinstance(model, keras.Sequential):
            reached = tensor
            for layer in model.layers:
                reached = call(layer, reached)
            return reached
        return run_graph(model, tensor, call)
    except (ValueError, TypeError) as error:
        raise ShapeError(f"the net does not work at {_words(tensor.shape)}: {gist(error)}") from error


def _static(layer: Any, tensor: Any) -> Any:
    """What stands for a layer that is left out or whose shapes would be open; None where it is called as it is."""
    import keras  # noqa: PLC0415

    kind = type(layer).__name__
    if kind in _NOTHING or (kind == "Resizing" and tuple(tensor.shape[1:3]) == (layer.height, layer.width)):
        return tensor
    if kind == "Flatten":
        return keras.ops.reshape(_channels_last(layer, tensor), (-1, prod(tensor.shape[1:])))
    if kind == "PReLU":  # the delegate has no int8 PReLU and no ReLU of its own, but a leaky one and sums
        alpha = keras.ops.expand_dims(keras.ops.convert_to_tensor(layer.alpha), 0)
        bent = (1 - alpha) / (1 - _BEND)
        return keras.ops.leaky_relu(tensor, _BEND) * bent + tensor * (alpha - _BEND * bent)
    pools = kind == "AveragePooling2D" or (kind == "MaxPooling2D" and tuple(layer.pool_size) == (1, 1))
    if pools and layer.padding == "valid" and layer.data_format == "channels_last":
        return _average(tensor, tuple(layer.pool_size), tuple(layer.strides))
    if kind == "Reshape":
        return keras.ops.reshape(tensor, (-1, *layer.compute_output_shape(tuple(tensor.shape))[1:]))
    return None


def _average(tensor: Any, window: tuple[int, int], strides: tuple[int, int]) -> Any:
    """Average pooling as a mean or as a convolution with equal weights: the delegate has no int8 average pooling.

    Nor has it pooling of single pixels, by which ResNetV2 halves its shortcuts; there average and maximum are the same.
    """
    import keras  # noqa: PLC0415

    if tuple(tensor.shape[1:3]) == window and window != (1, 1):
        return keras.ops.mean(tensor, axis=(1, 2), keepdims=True)
    if tensor.shape[1] < window[0] or tensor.shape[2] < window[1]:
        raise ValueError(f"average pooling over {window[0]}x{window[1]} of {_words(tensor.shape)}")
    if strides[0] != strides[1]:  # a depthwise convolution has one stride
        return None
    kernel = keras.ops.full((*window, tensor.shape[3], 1), 1 / prod(window), "float32")
    return keras.ops.depthwise_conv(tensor, kernel, strides=strides[0], padding="valid")


def count_macs(model: Any, height: int, width: int) -> int:
    """Multiply-accumulates per image at that size, convolutions and dense layers."""
    import keras  # noqa: PLC0415

    seen: list[tuple[Any, Any]] = []
    replay(model, keras.Input(batch_shape=(1, height, width, net_input(model).channels)), seen)
    total = 0
    for layer, result in seen:
        shape = getattr(result, "shape", None)
        if shape is None or not hasattr(layer, "kernel") or layer.kernel is None:
            continue
        total += prod(shape[1:]) * prod(layer.kernel.shape) // shape[-1]
    return total


def device_model(
    model: Any,
    size: int,
    values: ValueRange,
    *,
    resize_to: tuple[int, int] | None = None,
    batch: int | None = 1,
    from_bytes: bool = False,
    bare: bool = False,
) -> Any:
    """The net as it is written into the file.

    Args:
        model: as trained.
        size: side of the device's crop in pixels.
        values: what the graph's input means.
        resize_to: height and width to which the crop is enlarged in the graph; None: the net takes it as it is.
        batch: images per call; None: any number, for scoring.
        from_bytes: the input is 0..255 and the graph makes the values, for files whose input is not int8.
        bare: without the sigmoid or softmax at the end, where there is one (``has_head``): logits come out.

    Returns:
        keras.Model, float32 [batch, size, size, c] to [batch, k].
    """
    import keras  # noqa: PLC0415

    inputs = keras.Input(batch_shape=(batch, size, size, int(model.inputs[0].shape[-1])), name="cell")
    tensor = inputs
    if from_bytes and values.limits != (0.0, 255.0):
        # Rescaling, since Keras takes a product with a plain number for a sparse tensor
        tensor = keras.layers.Rescaling(values.scale, values.offset, name="edge_values")(tensor)
    if resize_to is not None and resize_to != (size, size):
        tensor = keras.layers.Resizing(*resize_to, interpolation="bilinear", name="edge_enlarge")(tensor)
    if values.per_image:
        tensor = _standardised(tensor, keras.ops)
    elif any(d != 1 for d in values.deviation):
        offset = [-m / d for m, d in zip(values.mean, values.deviation, strict=True)]
        tensor = keras.layers.Rescaling([1 / d for d in values.deviation], offset, name="edge_deviation")(tensor)
    elif values.mean:
        tensor = tensor - keras.ops.reshape(keras.ops.convert_to_tensor(values.mean, "float32"), (1, 1, 1, 3))
    outputs = replay(model, tensor, instead=_bare_end(model) if bare else None)
    if len(outputs.shape) != 2 and prod(outputs.shape[1:-1]) != 1:
        raise UnsupportedError(f"the net's output is {_words(outputs.shape)}: one row of scores per image is needed")
    return keras.Model(inputs, outputs)


def _standardised(tensor: Any, ops: Any) -> Any:
    """Each image minus its mean, over its deviation: bytes [n, h, w, c], as ``tf.image.per_image_standardization``."""
    centred = tensor - ops.mean(tensor, axis=(1, 2, 3), keepdims=True)
    variance = ops.mean(ops.square(centred), axis=(1, 2, 3), keepdims=True)
    return centred * ops.rsqrt(ops.maximum(variance, 1 / prod(tensor.shape[1:])))


def has_head(model: Any) -> bool:
    """Whether the net ends in a sigmoid or softmax."""
    return bool(_bare_end(model))


def _bare_end(model: Any) -> dict[int, Any]:
    """The layer that ends in a sigmoid or softmax, by its ``id``, and one with the same weights that does not."""
    import keras  # noqa: PLC0415

    end = model
    while isinstance(end, keras.Model):
        end = end.layers[-1] if isinstance(end, keras.Sequential) else end.outputs[0]._keras_history.operation  # noqa: SLF001
    kind = type(end).__name__
    if kind == "Softmax":
        return {id(end): keras.layers.Identity()}
    if getattr(getattr(end, "activation", None), "__name__", "") not in ("sigmoid", "softmax"):
        return {}
    if kind == "Activation":
        return {id(end): keras.layers.Identity()}
    if kind not in ("Dense", "Conv2D") or not end.built:
        return {}
    config = {**end.get_config(), "activation": "linear"}
    copy = type(end).from_config(config)
    copy.build(end.input.shape)
    copy.set_weights(end.get_weights())
    return {id(end): copy}


def run_graph(model: Any, tensor: Any, call: Callable[..., Any]) -> Any:
    """Put a tensor through a functional model, where ``call(operation, ...)`` does each operation. Keras itself does the walk."""
    given = [tensor] if isinstance(model.input, list) else tensor
    outputs = model._run_through_graph(given, operation_fn=lambda layer: layer, call_fn=call)  # noqa: SLF001
    return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs


def _at_inference(layer: Any) -> dict[str, Any]:
    return {"training": False} if getattr(layer, "_call_has_training_arg", False) else {}


def _channels_last(layer: Any, tensor: Any) -> Any:
    import keras  # noqa: PLC0415

    if layer.data_format == "channels_first" and len(tensor.shape) == 4:
        return keras.ops.transpose(tensor, (0, 2, 3, 1))
    return tensor


def _words(shape: Any) -> str:
    return "x".join("?" if dim is None else str(dim) for dim in tuple(shape)[1:])
