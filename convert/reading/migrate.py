"""Layer names and options as Keras 1, 2 and 3 wrote them, brought to today's form."""

from __future__ import annotations

from typing import Any

from convert.reading.graph import table, words

_POOLINGS = {"Max": "Max", "Avg": "Average", "GlobalAvg": "GlobalAverage", "GlobalMax": "GlobalMax"}
_RENAMED = {
    **{f"{kind}Pool{axes}": f"{full}Pooling{axes}" for kind, full in _POOLINGS.items() for axes in ("1D", "2D")},
    **{f"{kind}Convolution2D": f"{kind}Conv2D" for kind in ("", "Separable", "Depthwise")},
    "Convolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    **dict.fromkeys(("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"), "BatchNormalization"),
}
_RENAMED_OPTIONS = table(
    """
    Dense: output_dim=units bias=use_bias
    Conv2D SeparableConv2D DepthwiseConv2D Conv2DTranspose: nb_filter=filters subsample=strides border_mode=padding \
dim_ordering=data_format bias=use_bias atrous_rate=dilation_rate
    Conv1D: nb_filter=filters filter_length=kernel_size subsample_length=strides border_mode=padding bias=use_bias \
atrous_rate=dilation_rate
    MaxPooling2D AveragePooling2D: border_mode=padding dim_ordering=data_format
    GlobalMaxPooling2D GlobalAveragePooling2D ZeroPadding2D Cropping2D: dim_ordering=data_format
    Dropout: p=rate
    LeakyReLU ReLU: alpha=negative_slope
    ThresholdedReLU: theta=threshold
    UpSampling2D: dim_ordering=data_format
    """
)
"""Class of a layer -> old and new names of its options."""

_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}
_DIM_ORDERING = {"tf": "channels_last", "th": "channels_first"}
_MODELS = words("Functional Model Network Sequential")


def class_name(written: str) -> str:
    """Today's name of a class: without package, old names replaced."""
    bare = written.rsplit(">", maxsplit=1)[-1]
    return _RENAMED.get(bare, bare)


def is_model(name: str) -> bool:
    """Whether a class is a whole net (``Model`` and ``Network`` are what Functional was called before TensorFlow 2.4)."""
    return name in _MODELS


def options(name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class and options under today's names; the config itself is not changed."""
    renamed = dict(pair.split("=") for pair in _RENAMED_OPTIONS.get(name, ()))
    new = {renamed.get(key, key): untuple(value) for key, value in config.items()}
    if isinstance(new.get("data_format"), str):
        new["data_format"] = _DIM_ORDERING.get(new["data_format"], new["data_format"])
    if name.endswith(("Conv2D", "Conv2DTranspose")) and "nb_row" in new and "nb_col" in new:
        new["kernel_size"] = [new.pop("nb_row"), new.pop("nb_col")]
    axis = new.get("axis")
    if name in ("BatchNormalization", "UnitNormalization") and isinstance(axis, list) and len(axis) == 1:
        new["axis"] = axis[0]
    if name == "BatchNormalization":
        new.pop("mode", None)
    if name == "ThresholdedReLU":
        name = "ReLU"
    if name == "Merge" and new.get("mode") in _MERGES:  # Keras 1
        return _MERGES[new["mode"]], {"axis": new.get("concat_axis", -1)} if new["mode"] == "concat" else {}
    if name == "RandomCrop":  # at inference it resizes the middle of the image
        return "Resizing", {**new, "crop_to_aspect_ratio": True, "interpolation": "bilinear"}
    return name, new


def activation(name: str, keras_major: int) -> str:
    """Today's name of an activation function; Keras 2 meant another hard sigmoid by that name than Keras 3 does.

    CELU by its name alone has an alpha of 1, and then is ELU, which int8 has a kernel for.
    """
    if name == "hard_sigmoid" and keras_major < 3:
        return "hard_sigmoid_2"
    return {"swish": "silu", "hard_swish": "hard_silu", "celu": "elu"}.get(name, name)


def input_shape(config: dict[str, Any]) -> list[Any] | None:
    """The batch shape that a layer's options state under any of its names over the years, or None."""
    for key in ("batch_shape", "batch_input_shape", "input_shape", "shape"):
        shape = untuple(config.get(key))
        if isinstance(shape, list) and shape:
            return shape if key.startswith("batch") else [None, *shape]
    return None


def untuple(value: Any) -> Any:
    """Tuples as old TensorFlow wrote them, ``{"class_name": "__tuple__", "items": [...]}``, as lists; NumPy numbers as numbers."""
    if isinstance(value, dict) and value.keys() == {
        "type",
        "value",
    }:  # Keras 2.0 to 2.2, as {"type": "ndarray", "value": 0.3}
        return value["value"]
    if isinstance(value, dict) and value.get("class_name") in ("__tuple__", "TensorShape"):
        items = value.get("items")
        return [untuple(item) for item in items] if isinstance(items, list) else value
    return value
