"""The allow-list: which layers, operations and activations a config may name, and which of their options are taken over.

A class that is not here is refused, and an option that is not here never reaches Keras. Initializers, regularizers and
constraints matter only in training: they are checked, then dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convert.errors import UnsupportedError, UntrustedError
from convert.reading import packages
from convert.reading.graph import table, words

LAYERS = table(
    """
    InputLayer Add Subtract Multiply Average Maximum Minimum Identity TimeDistributed:
    Dense: units activation use_bias
    Conv1D Conv2D: filters kernel_size strides padding data_format dilation_rate groups activation use_bias
    DepthwiseConv2D: kernel_size strides padding depth_multiplier data_format dilation_rate activation use_bias
    SeparableConv2D: filters kernel_size strides padding data_format dilation_rate depth_multiplier activation use_bias
    Conv2DTranspose: filters kernel_size strides padding output_padding data_format dilation_rate activation use_bias
    MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D: pool_size strides padding data_format
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D: data_format keepdims
    BatchNormalization: axis momentum epsilon center scale
    LayerNormalization: axis epsilon center scale
    GroupNormalization: groups axis epsilon center scale
    UnitNormalization Softmax Concatenate: axis
    Activation: activation
    ReLU: max_value negative_slope threshold
    LeakyReLU: negative_slope
    PReLU: shared_axes
    ELU: alpha
    Dropout SpatialDropout1D SpatialDropout2D: rate
    Flatten: data_format
    Reshape: target_shape
    Permute: dims
    RepeatVector: n
    ZeroPadding2D: padding data_format
    Cropping2D: cropping data_format
    UpSampling2D: size data_format interpolation
    Dot: axes normalize
    Rescaling: scale offset
    Resizing: height width interpolation crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value antialias data_format
    CenterCrop: height width data_format
    Normalization: axis mean variance invert
    """
)
"""Class of a layer -> the options that are taken over."""

RANDOM = words(
    "RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomHeight RandomWidth RandomHue "
    "RandomSaturation RandomSharpness RandomShear RandomColorJitter RandomColorDegeneration RandomPosterization RandomGrayscale "
    "RandomInvert RandomPerspective RandomGaussianBlur RandomErasing RandomElasticTransform RandAugment AugMix MixUp CutMix "
    "GaussianNoise GaussianDropout AlphaDropout ActivityRegularization"
)
"""Layers that act in training only: the device file has an Identity in their place."""

OPS = table(
    """
    add subtract multiply divide true_divide negative absolute square sqrt power maximum minimum exp get_item:
    relu relu6 sigmoid silu tanh selu mish softplus hard_sigmoid hard_silu:
    clip: x_min x_max
    mean sum: axis keepdims
    max min: axis keepdims initial
    stack flip concatenate squeeze expand_dims softmax: axis
    resize: size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value
    reshape: newshape
    transpose: axes
    leaky_relu: negative_slope
    elu: alpha
    gelu: approximate
    cast: dtype
    """
)
"""Function of ``keras.ops`` -> the options that are taken over."""

OP_CLASSES = {
    **{"".join(part.title() for part in name.split("_")): name for name in OPS},
    "HardSwish": "hard_silu",
    "Swish": "silu",
}
"""Class of an operation in the file -> function of ``keras.ops``."""

TF_OPS = table(
    """
    math.truediv math.divide: true_divide x y
    math.subtract: subtract x y
    math.add __operators__.add: add x y
    math.multiply: multiply x y
    math.negative: negative x
    math.abs: absolute x
    math.square: square x
    math.sqrt: sqrt x
    math.pow: power x y
    math.maximum: maximum x y
    math.minimum: minimum x y
    __operators__.getitem: get_item tensor slice_spec
    nn.bias_add: add value bias
    math.reduce_mean: mean input_tensor axis keepdims
    math.reduce_max: max input_tensor axis keepdims
    math.reduce_min: min input_tensor axis keepdims
    math.reduce_sum: sum input_tensor axis keepdims
    math.exp: exp x
    math.softplus: softplus features
    math.sigmoid nn.sigmoid: sigmoid x
    math.tanh: tanh x
    nn.relu: relu features
    nn.relu6: relu6 features
    nn.silu: silu features
    nn.leaky_relu: leaky_relu features alpha
    nn.elu: elu features
    nn.selu: selu features
    nn.gelu: gelu features approximate
    nn.softmax: softmax logits axis
    reshape: reshape tensor shape
    expand_dims: expand_dims input axis
    squeeze compat.v1.squeeze: squeeze input axis
    transpose: transpose a perm
    stack: stack values axis
    reverse: flip tensor axis
    image.resize: resize images size method
    concat: concatenate values axis
    clip_by_value: clip t clip_value_min clip_value_max
    cast: cast x dtype
    """
)
"""TensorFlow function that Keras 2 wrote into a functional graph -> function of ``keras.ops``, then the argument names.

The last arguments are the options of that function in ``OPS``, in the same order.
"""

GRAPH_OPS = dict(
    pair.split("=")
    for pair in words(
        """
    RealDiv=math.truediv Sub=math.subtract Mul=math.multiply Add=math.add AddV2=math.add BiasAdd=nn.bias_add Pow=math.pow
    Maximum=math.maximum Minimum=math.minimum Neg=math.negative Abs=math.abs Square=math.square Sqrt=math.sqrt Exp=math.exp
    Sigmoid=math.sigmoid Tanh=math.tanh Softplus=math.softplus Relu=nn.relu Relu6=nn.relu6 Softmax=nn.softmax
    Mean=math.reduce_mean Max=math.reduce_max Reshape=reshape
    """
    )
)
"""Operation of a ``TensorFlowOpLayer`` (TensorFlow 1.14 to 2.3) -> TensorFlow function, with its arguments in the same order."""

ACTIVATIONS = words(
    "linear relu relu6 leaky_relu elu selu celu gelu sigmoid hard_sigmoid silu swish hard_silu hard_swish softmax softplus "
    "softsign tanh exponential mish log_softmax log_sigmoid hard_tanh"
)
ACTIVATION_LAYERS = words("ReLU LeakyReLU PReLU ELU Softmax")
_TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint", "_init")
_MODULE_ROOTS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "builtins")
CODE = words("__lambda__ Lambda TFSMLayer TorchModuleWrapper JaxLayer FlaxLayer")
TF_DEFAULTS: dict[str, dict[str, Any]] = {"nn.gelu": {"approximate": False}, "concat": {"axis": 0}}
"""Where TensorFlow's default is not that of keras.ops."""
UNSUPPORTED = words(
    "MultiHeadAttention GroupQueryAttention Attention AdditiveAttention Conv3D Conv3DTranspose Conv1DTranspose SeparableConv1D "
    "DepthwiseConv1D MaxPooling3D AveragePooling3D GlobalAveragePooling3D GlobalMaxPooling3D LocallyConnected1D LocallyConnected2D "
    "EinsumDense SpectralNormalization SpatialDropout3D ZeroPadding1D ZeroPadding3D Cropping1D Cropping3D UpSampling1D UpSampling3D "
    "Masking Hashing Discretization CategoryEncoding StringLookup IntegerLookup TextVectorization HashedCrossing MelSpectrogram "
    "STFTSpectrogram FeatureSpace Pipeline RMSNormalization StackedRNNCells GRUCell LSTMCell SimpleRNNCell Maxout Highway Merge"
)
"""Keras's own layers that are not taken; old files do not say whose a class is."""
RECURRENT = words("RNN LSTM GRU SimpleRNN ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional Embedding")
MAX_DEPTH = 24
"""How deep nets may be nested."""


def check_objects(value: Any, layer: str, trusted: frozenset[str]) -> None:
    """Refuse code and foreign classes anywhere inside a layer's options, whatever the key; names the layer."""
    for item in walk(value):
        if "function_type" in item or ("func_name" in item and "globals" in item):
            raise _code(layer)
        name = item.get("class_name")
        if name is None:
            continue
        if not isinstance(name, str):
            raise UntrustedError(f"layer {layer!r}: a class name that is no text: refused")
        check_class(name, item, layer, trusted)


def check_class(name: str, item: dict[str, Any], layer: str, trusted: frozenset[str]) -> None:
    """Refuse a class that carries code or comes from a module outside Keras, unless it is in the trusted file."""
    bare = name.rsplit(">", maxsplit=1)[-1]
    if bare in CODE:
        raise _code(layer, bare)
    if bare in trusted:
        return
    module = item.get("module")
    if module is not None and not is_keras_module(module):
        raise UntrustedError(
            f"layer {layer!r} needs the class {bare[:60]} of module {str(module)[:60]!r}, which is not part of Keras: "
            + packages.advice(name, item)
        )
    if bare == "function" and isinstance(item.get("config"), str) and module is None:
        raise unknown(bare, layer, item)


def is_keras_module(module: object) -> bool:
    """Whether this is the name of a module of Keras, under any of the names that Keras has had."""
    return isinstance(module, str) and any(module == root or module.startswith(f"{root}.") for root in _MODULE_ROOTS)


def unknown(name: str, layer: str, node: Mapping[str, Any]) -> UntrustedError:
    """The refusal of a class that is not on the list; ``node``: as the config has it."""
    what = f"layer {layer!r} is of the class {name[:60]}, which is not known here: "
    return UntrustedError(what + packages.advice(name, node))


def unsupported(name: str, layer: str) -> UnsupportedError:
    """The refusal of a Keras class with no place in a cell classifier."""
    why = "recurrent and text layers have" if name in RECURRENT else f"{name[:60]} has"
    return UnsupportedError(f"layer {layer!r} ({name[:60]}): {why} no place in an image classifier for the device")


def dropped(key: str) -> bool:
    """Whether an option concerns training alone."""
    return key.endswith(_TRAINING_ONLY)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """All dictionaries in a JSON value, outermost first."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _code(layer: str, kind: str = "Lambda") -> UntrustedError:
    what = "Python code (Lambda)" if kind in ("Lambda", "__lambda__") else f"foreign code ({kind})"
    return UntrustedError(
        f"layer {layer!r} holds {what}, which is never run: replace it by a built-in layer "
        "(Rescaling, Resizing, Normalization ...) and save the model again"
    )
