"""Old words into today's: layer names and options as Keras 1, 2 and 3 wrote them, brought to one form."""

from __future__ import annotations

from typing import Any

_RENAMED = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
}
_SAID_OTHERWISE = {  # option then -> option now
    ("Dense", "output_dim"): "units",
    ("Dense", "bias"): "use_bias",
    ("Conv2D", "nb_filter"): "filters",
    ("Conv2D", "subsample"): "strides",
    ("Conv2D", "border_mode"): "padding",
    ("Conv2D", "bias"): "use_bias",
    ("Conv2D", "dim_ordering"): "data_format",
    ("MaxPooling2D", "border_mode"): "padding",
    ("MaxPooling2D", "dim_ordering"): "data_format",
    ("AveragePooling2D", "border_mode"): "padding",
    ("AveragePooling2D", "dim_ordering"): "data_format",
    ("Dropout", "p"): "rate",
    ("LeakyReLU", "alpha"): "negative_slope",
    ("ReLU", "alpha"): "negative_slope",
    ("ThresholdedReLU", "theta"): "threshold",
    ("UpSampling2D", "dim_ordering"): "data_format",
}
_DIM_ORDERING = {"tf": "channels_last", "th": "channels_first"}
_MODELS = frozenset(("Functional", "Model", "Network", "Sequential"))


def class_name(written: str) -> str:
    """Today's name of a class: without package, old names replaced."""
    bare = written.rsplit(">", maxsplit=1)[-1]
    return _RENAMED.get(bare, bare)


def is_model(name: str) -> bool:
    """Whether a class is a whole net (``Model`` and ``Network`` are what Functional was called before TensorFlow 2.4)."""
    return name in _MODELS


def options(name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class and options in today's words; the config itself stays as it was."""
    new = {_SAID_OTHERWISE.get((name, key), key): untuple(value) for key, value in config.items()}
    if isinstance(new.get("data_format"), str):
        new["data_format"] = _DIM_ORDERING.get(new["data_format"], new["data_format"])
    if name == "Conv2D" and "nb_row" in new and "nb_col" in new:
        new["kernel_size"] = [new.pop("nb_row"), new.pop("nb_col")]
    if (
        name in ("BatchNormalization", "UnitNormalization")
        and isinstance(new.get("axis"), list)
        and len(new["axis"]) == 1
    ):
        new["axis"] = new["axis"][0]
    if name == "BatchNormalization" and "mode" in new:
        new.pop("mode")
    if name == "ThresholdedReLU":
        name = "ReLU"
    if name == "RandomCrop":  # at inference it resizes the middle of the image
        return "Resizing", {**new, "crop_to_aspect_ratio": True, "interpolation": "bilinear"}
    return name, new


def activation(name: str, keras_major: int) -> str:
    """Today's name of an activation function; Keras 2 meant another hard sigmoid by that name than Keras 3 does."""
    if name == "hard_sigmoid" and keras_major < 3:
        return "hard_sigmoid_2"
    return {"swish": "silu", "hard_swish": "hard_silu"}.get(name, name)


def input_shape(config: dict[str, Any]) -> list[Any] | None:
    """The batch shape that a layer's options state under any of its names over the years, or None."""
    for key in ("batch_shape", "batch_input_shape"):
        shape = untuple(config.get(key))
        if isinstance(shape, list) and shape:
            return shape
    for key in ("input_shape", "shape"):
        shape = untuple(config.get(key))
        if isinstance(shape, list) and shape:
            return [None, *shape]
    return None


def untuple(value: Any) -> Any:
    """Tuples as old TensorFlow wrote them, ``{"class_name": "__tuple__", "items": [...]}``, as lists."""
    if (
        isinstance(value, dict)
        and value.get("class_name") in ("__tuple__", "TensorShape")
        and isinstance(value.get("items"), list)
    ):
        return [untuple(item) for item in value["items"]]
    return value
