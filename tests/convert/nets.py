"""The founding nets with random weights, each saved as its author saved it: ``python -m tests.convert.nets NAME FILE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from models.studies.founding.nets import build, save


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
