"""Whether a device file runs where the oldest supported runtime does: tflite-runtime 2.14, the last one for 32-bit systems."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from convert.net.flatbuffer import unpacked
from edge.modelfile import ModelFile
from edge.runtime import Net, interpreter_class

OLDEST = (2, 14)
"""The oldest supported version of the runtime."""

_PACKAGE = "tflite-runtime"
_CLOSE = 4  # int8 steps by which two runtimes' kernels may differ


def min_runtime(flatbuffer: bytes) -> str | None:
    """The oldest runtime that has all ops of the file in their versions, as the converter wrote it; None: it wrote none."""
    model = unpacked(flatbuffer)
    for entry in model.metadata or ():
        if entry.name == b"min_runtime_version":
            data = model.buffers[entry.buffer].data
            return bytes(bytearray(data)).split(b"\0")[0].decode("ascii", "replace") or None
    return None


def too_new(version: str | None) -> bool:
    """Whether a runtime of that version is newer than tflite-runtime 2.14."""
    try:
        return version is not None and tuple(int(part) for part in version.split(".")[:2]) > OLDEST
    except ValueError:
        return True


def notes(flatbuffer: bytes, version: str | None) -> list[str]:
    """What a user of tflite-runtime must know; empty where all is well.

    Args:
        flatbuffer: the device file.
        version: ``min_runtime`` of it.
    """
    if too_new(version):
        return [f"needs TensorFlow Lite {version}: tflite-runtime 2.14 (32-bit systems) cannot run it"]
    return differs(flatbuffer)


def differs(flatbuffer: bytes) -> list[str]:
    """Run the file in tflite-runtime too, where that is installed beside the runtime in use; says what went wrong."""
    used, package = interpreter_class()
    if package == _PACKAGE:
        return []
    try:
        other = importlib.import_module("tflite_runtime.interpreter").Interpreter
    except ImportError:
        return []
    shape = Net(ModelFile(flatbuffer, None, "", Path("device"))).input_shape
    batch = np.random.default_rng(0).integers(-128, 128, shape)
    try:
        mine, theirs = (_run(cls, flatbuffer, batch) for cls in (used, other))
    except (ValueError, RuntimeError) as error:
        return [f"tflite-runtime, installed here, does not run it: {str(error).strip().splitlines()[-1]}"]
    step = np.abs(mine[0] - theirs[0]).max() / (mine[1] or 1)
    return [f"tflite-runtime, installed here, differs by {step:.0f} steps"] if step > _CLOSE and mine[1] else []


def _run(cls: type, flatbuffer: bytes, batch: np.ndarray) -> tuple[np.ndarray, float]:
    """Raw outputs as float, and their scale (0: they are float)."""
    interpreter = cls(model_content=flatbuffer)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.set_tensor(taken["index"], batch.astype(taken["dtype"]))
    interpreter.invoke()
    scale = float(given["quantization"][0])
    return np.asarray(interpreter.get_tensor(given["index"]), np.float32) * (scale or 1), scale
