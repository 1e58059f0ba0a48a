"""The TFLite interpreter behind one small wrapper: ai-edge-litert where it has wheels, tflite-runtime otherwise."""

from __future__ import annotations

import importlib
import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.modelfile import ModelFile

_RUNTIMES = (("ai_edge_litert.interpreter", "ai-edge-litert"), ("tflite_runtime.interpreter", "tflite-runtime"))
log = logging.getLogger(__name__)


def interpreter_class() -> tuple[type[Any], str]:
    """The Interpreter class and the name of the package it is from; raises ModelError where no runtime is installed."""
    for module, package in _RUNTIMES:
        try:
            return importlib.import_module(module).Interpreter, package
        except ImportError as error:
            log.debug("%s: %s", package, error)
    raise ModelError("no TFLite runtime is installed: pip install ai-edge-litert (on 32-bit: tflite-runtime)")


def runtime_version() -> str:
    """Name and version of the runtime in use, for reports."""
    package = interpreter_class()[1]
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


class _Reading(NamedTuple):
    """How an output is read: value = (raw - zero) x scale; scale 0: as it is."""

    place: int
    scale: np.float32
    zero: np.float32
    finite: bool

    @classmethod
    def of(cls, detail: dict[str, Any]) -> Self:
        """Make it from the interpreter's description of the output."""
        scale, zero = detail["quantization"]
        return cls(detail["index"], np.float32(scale), np.float32(zero), bool(np.isfinite(np.float32(scale))))


class Net:
    """One interpreter with one uint8 image input; built once per worker, not to be shared between threads.

    Int8 inputs are fed as the byte with its top bit flipped (value - 128): the converter folds the training's value range
    into the input's quantisation, so that this is exact. Outputs come back dequantised to float32.

    Args:
        model: a checked model file.
        threads: interpreter threads; one, since a worker owns one core.

    Raises:
        ModelError: the runtime refuses the model, or its input is not uint8/int8/float32 [n, h, w, c].
    """

    def __init__(self, model: ModelFile, threads: int = 1) -> None:
        cls, self.package = interpreter_class()
        self._path = model.path
        try:
            self._interpreter = cls(model_content=model.flatbuffer, num_threads=threads)
            self._interpreter.allocate_tensors()
            self._inputs = self._interpreter.get_input_details()
            self._outputs = sorted(self._interpreter.get_output_details(), key=lambda d: str(d["name"]))
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{model.path}: the runtime refuses this model: {_last_line(error)}") from error
        if len(self._inputs) != 1 or len(self._inputs[0]["shape"]) != 4:
            raise ModelError(
                f"{model.path}: wrong input shape: the model must take one image batch [n, height, width, channels]"
            )
        self._input = self._inputs[0]
        self._shape: tuple[int, ...] = tuple(int(n) for n in self._input["shape"])
        self._dtype = np.dtype(self._input["dtype"])
        if self._dtype not in (np.uint8, np.int8, np.float32):
            raise ModelError(f"{model.path}: input type {self._dtype} is not supported: use int8, uint8 or float32")
        if not self._outputs or not all(len(d["shape"]) for d in self._outputs):
            raise ModelError(f"{model.path}: wrong output shape: the model must give one row per image")
        self._readings = [_Reading.of(detail) for detail in self._outputs]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(n, height, width, channels) as allocated now."""
        return self._shape

    @property
    def output_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the outputs, in the order ``run`` returns them (sorted by tensor name)."""
        return [tuple(int(n) for n in d["shape"]) for d in self._outputs]

    def delegated(self) -> bool:
        """Whether the whole graph runs in the delegate (read from the op list, where the runtime shows it)."""
        details = getattr(self._interpreter, "_get_ops_details", None)
        if details is None:
            return False
        names = [str(op["op_name"]) for op in details()]
        # Ops taken over by the delegate stay in the list; the plan then ends in the DELEGATE nodes that replace them.
        return names.count("DELEGATE") == 1

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Run one batch.

        Args:
            images: uint8 [n, h, w, c]; the interpreter is resized when the shape changes.

        Returns:
            the outputs as float32, sorted by tensor name, first axis n; all of them finite.

        Raises:
            ModelError: the model cannot run on this shape, or gives NaN or infinity.
        """
        self._invoke(images)
        return [self._read(self._interpreter.get_tensor(reading.place), reading) for reading in self._readings]

    def values_of_bytes(self) -> NDArray[np.float32] | None:
        """What each byte of the first output stands for, float32 [256]; None where the output is not one of bytes."""
        reading, detail = self._readings[0], self._outputs[0]
        if np.dtype(detail["dtype"]).itemsize > 1 or reading.scale == 0:
            return None
        return self._read(np.arange(256, dtype=np.uint8).view(detail["dtype"]), reading)

    def run_to_bytes(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As ``run``, but the first output alone and as it is, a byte per value (see ``values_of_bytes``): uint8 [n, ...]."""
        self._invoke(images)
        return np.asarray(self._interpreter.get_tensor(self._readings[0].place).view(np.uint8), np.uint8)

    def _invoke(self, images: NDArray[np.uint8]) -> None:
        try:
            if images.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input["index"], images.shape, strict=False)
                self._interpreter.allocate_tensors()
                self._shape = images.shape
            self._feed(images)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            size = "x".join(str(n) for n in images.shape)
            raise ModelError(
                f"{self._path}: this model cannot run on a batch of {size}: {_last_line(error)}"
            ) from error

    def _feed(self, images: NDArray[np.uint8]) -> None:
        index = self._input["index"]
        if self._dtype == np.int8:
            # Straight into the interpreter's own memory; the view must be gone before it is invoked, and is.
            np.bitwise_xor(images, np.uint8(0x80), out=self._interpreter.tensor(index)().view(np.uint8))
        else:
            self._interpreter.set_tensor(index, images.astype(self._dtype, copy=False))

    def _read(self, raw: NDArray[Any], reading: _Reading) -> NDArray[np.float32]:
        if raw.dtype == np.float32 or reading.scale == 0:
            output = np.asarray(raw, np.float32)
        else:
            output = np.subtract(raw, reading.zero, dtype=np.float32)
            output *= reading.scale
        # A byte times a finite scale is finite: such outputs need no look.
        if (raw.itemsize > 1 or not reading.finite) and not np.isfinite(output).all():
            raise ModelError(f"{self._path}: the model's output is not a number: it is damaged or badly converted")
        return output


def _last_line(error: Exception) -> str:
    """The last line of the runtime's message: the lines before it say where the error happened."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
