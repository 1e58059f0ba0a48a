"""MLPerf Tiny's ResNet8, our int8 file beside the published one: ``python -m tests.convert.mlperf``.

Its own images (CIFAR-10) are not here. Crops of real microscope fields and of single cells stand in for them: what is
compared is how closely each int8 file follows the float net, on the same inputs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.cells import CellSet
from convert.measure.scoring import latency, outputs
from convert.net.batch import feed
from convert.net.int8 import quantise
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.crops import crop_cells
from edge.modelfile import CropSpec, ModelFile
from edge.runtime import Net
from edge.sources.decode import decode_image

SHARED = Path(os.environ.get("EDGE_SHARED", Path(__file__).parents[3] / "shared"))
MODELS = SHARED / "models" / "mlperf_tiny"
CALIBRATE = 300


def crops() -> np.ndarray:
    """uint8 [n, 32, 32, 3]: tiles of whole images of micro-organisms, in a fixed random order."""
    found = []
    for path in sorted((SHARED / "data" / "micro_organisms").rglob("*.jp*g")):
        image = decode_image(path)
        height, width = image.shape[:2]
        boxes = [(x, y, 64, 64) for x in range(0, width - 63, 64) for y in range(0, height - 63, 64)]
        if boxes:
            found.append(crop_cells(image, np.array(boxes, np.int32), CropSpec()))
    every = np.concatenate(found)
    return np.asarray(every[np.random.default_rng(0).permutation(len(every))])


def cells(images: np.ndarray) -> CellSet:
    """The crops as cells of no class."""
    names = tuple(map(str, range(len(images))))
    return CellSet(images, np.zeros(len(images), np.int32), ("a",), np.array(names), names, grouped=False)


def measure() -> dict[str, Any]:
    """Sizes, agreement with the float net, microseconds per image."""
    images = crops()
    model = load_model(open_source(MODELS / "pretrainedResnet.h5"))
    calibration, check, values = cells(images[:CALIBRATE]), images[CALIBRATE:], RANGES["0..255"]
    static = device_model(model, 32, values, bare=True)
    ours = quantise(static, feed(calibration.images, values))
    theirs = (MODELS / "pretrainedResnet_quant.tflite").read_bytes()
    truth = outputs(model, check, values, "rgb").argmax(axis=1)
    report: dict[str, Any] = {"images": len(check), "float_parameters": int(model.count_params())}
    files = {"ours": ours, "published": theirs}
    speed = latency(files, "rgb", 32)
    for name, data in files.items():
        net = Net(ModelFile(data, None, "", Path(name)))
        raw = np.concatenate([net.run(check[i : i + 1])[0].reshape(1, -1) for i in range(len(check))])
        agreement = float((raw.argmax(axis=1) == truth).mean())
        report[name] = {"bytes": len(data), "agreement": agreement, "us": speed.us[name], "delegated": net.delegated()}
    return report


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
