"""The shelf's classifier as somebody else would run it. Each function gives a ``benchmarks.peers.cells.Net``.

What the net wants is ``(byte - zero) x scale``, read off the ``.tflite`` once; every float peer converts inside its step, since
its user would have to.
"""

from __future__ import annotations

import hashlib
import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import CaseError
from benchmarks.nets import RUNTIMES
from benchmarks.peers.cells import Net, cells
from benchmarks.peers.layers import read_keras, write_ncnn, write_onnx
from benchmarks.places import cache
from benchmarks.workload import Step, StepResult
from edge import shelf
from edge.runtime import interpreter_class
from edge.types import FloatArray, UInt8Array

CALIBRATION = 256
"""Cells on which ONNX Runtime chooses its int8 scales."""


def interpreter(model: str, *, batch: int, threads: int = 1, runtime: str = "litert") -> Net:
    """The TFLite interpreter as its documentation has it; with ``batch`` 1 that is one invoke per cell in a loop."""
    package = importlib.import_module(f"{RUNTIMES[runtime]}.interpreter")
    net = package.Interpreter(model_content=shelf.load(model).flatbuffer, num_threads=threads)
    given, taken = net.get_input_details()[0], net.get_output_details()[0]
    if int(given["shape"][0]) != batch:
        net.resize_tensor_input(given["index"], [batch, *given["shape"][1:]], strict=False)
    net.allocate_tensors()
    scale, zero = taken["quantization"]

    def run(crops: UInt8Array) -> FloatArray:
        rows = []
        for first in range(0, len(crops), batch):
            net.set_tensor(given["index"], (crops[first : first + batch] ^ np.uint8(0x80)).view(np.int8))
            net.invoke()
            rows.append(net.get_tensor(taken["index"]).reshape(batch, -1))
        return (np.concatenate(rows).astype(np.float32) - np.float32(zero)) * np.float32(scale)

    return run


def keras_predict(model: str, *, batch: int) -> Net:
    """``keras.Model.predict`` of the float net."""
    import keras  # noqa: PLC0415 - half a minute to import

    net = keras.models.load_model(keras_file(model), compile=False)
    to_float = value_range(model)

    def run(crops: UInt8Array) -> FloatArray:
        return np.asarray(net.predict(to_float(crops), batch_size=batch, verbose=0)).reshape(len(crops), -1)

    return run


def onnx(model: str, *, batch: int, int8: bool, fields: str = "") -> Net:
    """ONNX Runtime on the processor, one thread; int8 is quantised statically (QDQ, per channel) on our own cells."""
    import onnxruntime  # noqa: PLC0415 - optional

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = exported(model, ".int8.onnx" if int8 else ".onnx", lambda path: _write(model, path, fields, int8=int8))
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    to_float = value_range(model)

    def run(crops: UInt8Array) -> FloatArray:
        parts = (crops[first : first + batch] for first in range(0, len(crops), batch))
        return np.concatenate([session.run(None, {"image": to_float(part)})[0] for part in parts])

    return run


def _write(model: str, path: Path, fields: str, *, int8: bool) -> None:
    if not int8:
        write_onnx(*read_keras(keras_file(model)), path)
        return
    from onnxruntime import quantization as q  # noqa: PLC0415 - optional

    plain = exported(model, ".onnx", lambda to: _write(model, to, fields, int8=False))
    ready = path.with_suffix(".prepared")
    q.shape_inference.quant_pre_process(str(plain), str(ready))
    to_float = value_range(model)
    batches = iter([{"image": to_float(cells(model, fields, CALIBRATION))}])

    class Reader(q.CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> Any:
            return next(batches, None)

    q.quantize_static(str(ready), str(path), Reader(), quant_format=q.QuantFormat.QDQ, per_channel=True)


def ncnn(model: str) -> Net:
    """ncnn, one thread, one cell at a time, as its interface has it."""
    import ncnn as library  # noqa: PLC0415 - optional

    path = exported(model, ".param", lambda path: write_ncnn(*read_keras(keras_file(model)), path))
    net = library.Net()
    net.opt.num_threads = 1
    if net.load_param(str(path)) or net.load_model(str(path.with_suffix(".bin"))):
        raise CaseError("ncnn refuses the converted net")
    last = f"x{len(path.read_text().splitlines()) - 3}"
    to_float = value_range(model)

    def run(crops: UInt8Array) -> FloatArray:
        rows = []
        for image in np.ascontiguousarray(to_float(crops).transpose(0, 3, 1, 2)):
            with net.create_extractor() as extractor:
                extractor.input("x0", library.Mat(image))
                rows.append(np.array(extractor.extract(last)[1]).reshape(-1))
        return np.stack(rows)

    return run


def keras_file(model: str) -> Path:
    """The ``.keras`` beside the ``.tflite``; raises CaseError where there is none."""
    path = shelf.load(model).path.with_suffix(".keras")
    if not path.is_file():
        raise CaseError(f"{path.name}: there is no Keras file beside the model")
    return path


def value_range(model: str) -> Callable[[UInt8Array], FloatArray]:
    """From bytes to what the float net was trained on, by the input quantisation of its int8 twin."""
    net = interpreter_class()[0](model_content=shelf.load(model).flatbuffer)
    scale, zero = net.get_input_details()[0]["quantization"]
    middle, step = np.float32(128 + zero), np.float32(scale)

    def to_float(crops: UInt8Array) -> FloatArray:
        return (crops.astype(np.float32) - middle) * step

    return to_float


def exported(model: str, suffix: str, write: Callable[[Path], None]) -> Path:
    """A converted file in the cache, written now if it is not there."""
    digest = hashlib.sha256(keras_file(model).read_bytes())
    digest.update(Path(__file__).with_name("layers.py").read_bytes())
    kept = cache() / f"peer-{digest.hexdigest()[:16]}{suffix}"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as part:
            write(Path(part) / kept.name)
            for other in Path(part).glob(f"{kept.name.removesuffix(suffix)}*.bin"):
                other.replace(kept.with_name(other.name))
            (Path(part) / kept.name).replace(kept)
    return kept


def mlperf(path: str, count: int, batch: int, runtime: str = "litert") -> Step:
    """MLPerf Tiny's image classification ResNet8, int8, 32x32x3: a net everybody has, on random bytes.

    Args:
        path: the file ``pretrainedResnet_quant.tflite``.
        count: images per step.
        batch: images per invoke.
        runtime: one of ``benchmarks.nets.RUNTIMES``.
    """
    run = interpreter(path, batch=batch, runtime=runtime)
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    done = StepResult(count)

    def step() -> StepResult:
        run(images)
        return done

    return step
