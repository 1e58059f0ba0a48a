"""Side by side: the same cells and fields through what a user would otherwise write or take. docs/peers.md has the table.

``workloads`` gives the cases to the harness; what needs a package that is not installed (extra ``peers``) is left out there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.nets import RUNTIMES, short
from benchmarks.places import SHARED
from benchmarks.workload import Workload
from edge import shelf
from edge.classifier import BATCH

__all__ = ["COUNT", "FEW", "OURS", "classify_cases", "find_cases", "reference_cases", "workloads"]

COUNT = 8 * BATCH
"""Cells per step: full batches, about as many as a field or two hold."""

FEW = 32
"""Cells per step of a peer that takes milliseconds per cell."""

OURS = "edge"
"""What our own cases are called."""

REFERENCE_VARIABLE = "EDGE_MLPERF"
"""Environment variable: the folder with MLPerf Tiny's ``pretrainedResnet_quant.tflite``."""

_CELLS, _FIELDS = "benchmarks.peers.cells", "benchmarks.peers.fields"
_LITERT, _TFLITE = (RUNTIMES["litert"],), (RUNTIMES["tflite"],)
_ONNX = ("onnxruntime", "onnx", "keras")


def workloads(model: Path | str = shelf.CLASSIFIER, cells: int = COUNT, fields: Path | None = None) -> list[Workload]:
    """All cases.

    Args:
        model: classifier: name on the shelf, or path of a ``.tflite`` (the Keras file beside it, if any).
        cells: crops per step of the classify cases.
        fields: folder of images that cells and fields are taken from; None for virtual fields.
    """
    folder = str(fields.resolve()) if fields else ""
    return [*classify_cases(str(model), cells, folder), *find_cases(folder), *reference_cases(cells)]


def classify_cases(model: str, cells: int, fields: str) -> list[Workload]:
    """Crops to classes; ours first. In the group of the model's own cases, so that a report sets them beside each other."""
    group, common = f"net/{short(model)}", {"model": model, "fields": fields}

    def case(name: str, needs: tuple[str, ...], net: str, count: int = cells, **options: Any) -> Workload:
        parameters = {**common, "net": net, "count": count, **options}
        return Workload(f"peers/classify/{name}", group, "cell", f"{_CELLS}:classify", parameters, needs)

    return [
        Workload(f"peers/classify/{OURS}", group, "cell", f"{_CELLS}:ours", {**common, "count": cells}),
        case(f"litert/b{BATCH}/t1", _LITERT, "interpreter", batch=BATCH),
        case("litert/b1/t1, one invoke per cell", _LITERT, "interpreter", batch=1),
        case(f"litert/b{BATCH}/t4", _LITERT, "interpreter", batch=BATCH, threads=4),
        case("litert/b1/t4, one invoke per cell", _LITERT, "interpreter", batch=1, threads=4),
        case(f"tflite-runtime/b{BATCH}/t1", _TFLITE, "interpreter", batch=BATCH, runtime="tflite"),
        case(f"onnxruntime int8/b{BATCH}/t1", _ONNX, "onnx", batch=BATCH, int8=True, fields=fields),
        case(f"onnxruntime float/b{BATCH}/t1", _ONNX, "onnx", batch=BATCH, int8=False),
        case("ncnn float/b1/t1", ("ncnn", "keras"), "ncnn"),
        case(f"keras predict float/b{BATCH}", ("keras",), "keras_predict", batch=BATCH),
        case("keras predict float/b1", ("keras",), "keras_predict", count=FEW, batch=1),
    ]


def find_cases(fields: str) -> list[Workload]:
    """Pixels to boxes and crops; ours first. And decoding the same files."""

    def case(name: str, needs: tuple[str, ...] = (), **parameters: Any) -> Workload:
        return Workload(
            f"peers/find/{name}", "find+crop", "field", f"{_FIELDS}:find", {"fields": fields, **parameters}, needs
        )

    def decoding(name: str, reduced: int) -> Workload:
        parameters: dict[str, Any] = {"fields": fields, "reduced": reduced}
        return Workload(f"peers/decode/{name}", "decode", "field", f"{_FIELDS}:decode", parameters)

    return [
        case(f"{OURS} learned", how="edge", finder="learned"),
        case(f"{OURS} classical", how="edge", finder="classical"),
        case("scikit-image watershed", ("skimage", "scipy"), how="scikit_image"),
        decoding("jpeg full", 1),
        decoding("jpeg half", 2),
    ]


def reference_cases(cells: int) -> list[Workload]:
    """MLPerf Tiny's ResNet8, where its file is: a net that others publish figures of."""
    own = os.environ.get(REFERENCE_VARIABLE)
    beside = SHARED / "models" / "mlperf_tiny"
    path = (Path(own) if own else beside) / "pretrainedResnet_quant.tflite"
    if not path.is_file():
        return []
    return [
        Workload(
            f"peers/reference/mlperf tiny resnet8/{name}/b{batch}/t1",
            "reference/mlperf tiny resnet8",
            "cell",
            "benchmarks.peers.nets:mlperf",
            {"path": str(path), "count": cells, "batch": batch, "runtime": name},
            (package,),
        )
        for name, package in RUNTIMES.items()
        for batch in (BATCH, 1)
    ]
