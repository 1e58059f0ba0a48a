"""The founding nets with random weights, each saved as its author saved it: ``python -m tests.convert.nets NAME FILE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from models.studies.founding.nets import build, save


def shaken(net: Any, seed: int = 0) -> Any:
    """The same net with weights that let every layer do something: kernels scaled by what reaches them, norms near one."""
    rng = np.random.default_rng(seed)
    for layer in net._flatten_layers():
        for weight in layer.weights if not hasattr(layer, "layers") else ():
            shape = tuple(weight.shape)
            if len(shape) > 1:
                fan = np.prod(shape[:-1]) if "depthwise" not in weight.path else np.prod(shape[:2])
                weight.assign(rng.normal(0, np.sqrt(1.5 / fan), shape))
            elif "gamma" in weight.name or "variance" in weight.name:
                weight.assign(rng.uniform(0.8, 1.2, shape))
            elif weight.dtype == "float32":
                weight.assign(rng.normal(0, 0.1, shape))
    return net


def main(name: str, path: Path) -> None:
    import keras

    tools: Any = keras.utils
    tools.set_random_seed(0)
    net = build(name)
    for weight in net.weights:
        if weight.name == "alpha":  # PReLU begins as ReLU, and the converter would fold its slopes away
            weight.assign(np.random.default_rng(0).normal(0, 0.2, weight.shape))
    save(net, path)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
