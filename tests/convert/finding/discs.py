"""Fields of dark discs, some with a dot, whose every box is known; and a tiny finder trained on them (needs TensorFlow)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

DISC = 20
STRIDE = 4


def draw(rng: np.random.Generator, width: int = 320, height: int = 240) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A field uint8 [h, w, 3] (RGB), boxes int32 [n, 4] and a name for each."""
    rgb = np.full((height, width, 3), 235, np.uint8)
    boxes, names = [], []
    for top in range(2, height - 26, 26):
        for left in range(2, width - 26, 26):
            if rng.random() < 0.25:
                continue
            x, y, side = left + int(rng.integers(4)), top + int(rng.integers(4)), int(rng.integers(18, 23))
            middle = (x + side // 2, y + side // 2)
            cv2.circle(rgb, middle, side // 2, (200, int(rng.integers(120, 150)), 150), -1, cv2.LINE_AA)
            dotted = rng.random() < 0.2
            if dotted:
                cv2.circle(rgb, middle, 3, (90, 40, 120), -1, cv2.LINE_AA)
            boxes.append([x, y, side, side])
            names.append("dotted" if dotted else "clear")
    noisy = rgb + rng.normal(0, 3, rgb.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), np.array(boxes, np.int32), names


def write(folder: Path, count: int) -> Path:
    """``count`` annotated fields as PNG and COCO JSON."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    images: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number in range(count):
        rgb, boxes, names = draw(rng)
        cv2.imwrite(str(folder / f"f{number:02}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        images.append({"id": number, "file_name": f"f{number:02}.png", "width": rgb.shape[1], "height": rgb.shape[0]})
        found += [
            {"id": len(found) + i, "image_id": number, "category_id": 1 + (name == "dotted"), "bbox": box.tolist()}
            for i, (box, name) in enumerate(zip(boxes, names, strict=True))
        ]
    categories = [{"id": 1, "name": "clear"}, {"id": 2, "name": "dotted"}]
    raw = {"images": images, "annotations": found, "categories": categories}
    (folder / "truth.json").write_text(json.dumps(raw))
    return folder


def targets(boxes: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heat [h, w, 1], offset and size [h, w, 3]: two values and a weight."""
    heat = np.zeros((height // STRIDE, width // STRIDE, 1), np.float32)
    offset = np.zeros((*heat.shape[:2], 3), np.float32)
    size = offset.copy()
    ys, xs = np.mgrid[: heat.shape[0], : heat.shape[1]]
    for x, y, w, h in boxes:
        column, row = (x + w / 2) / STRIDE - 0.5, (y + h / 2) / STRIDE - 0.5
        near = np.exp(-((xs - column) ** 2 + (ys - row) ** 2) / 2).astype(np.float32)
        heat[..., 0] = np.maximum(heat[..., 0], near)
        at = near > 0.5
        offset[at] = np.stack([column - xs[at], row - ys[at], np.ones(at.sum())], axis=1)
        size[at] = (w / DISC, h / DISC, 1)
    return heat, offset, size


def train(out: str, steps: int) -> None:
    """Save a net with outputs ``hm`` (logits), ``offset`` and ``wh``, an UpSampling2D and its scaling inside."""
    import keras
    from keras import layers as make

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    drawn = [draw(rng, 96, 96) for _ in range(64)]
    images = np.stack([rgb for rgb, _, _ in drawn]).astype(np.float32)
    heat, offset, size = (np.stack(one) for one in zip(*(targets(b, 96, 96) for _, b, _ in drawn), strict=True))
    inputs = make.Input((None, None, 3))
    x = make.Rescaling(1 / 127.5, -1)(inputs)
    for filters, stride in ((8, 2), (16, 2), (16, 1)):
        x = make.Conv2D(filters, 3, strides=stride, padding="same", activation="relu")(x)
    coarse = make.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    x = make.Concatenate()([x, make.UpSampling2D()(make.Conv2D(16, 3, padding="same", activation="relu")(coarse))])
    x = make.Conv2D(24, 3, padding="same", activation="relu")(x)
    outputs = [make.Conv2D(channels, 1, name=name)(x) for name, channels in (("wh", 2), ("hm", 1), ("offset", 2))]
    net = keras.Model(inputs, outputs)

    def boxes_loss(wanted: Any, given: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(wanted[..., :2] - given) * wanted[..., 2:]) * 10

    def heat_loss(wanted: Any, given: Any) -> Any:
        weight = 1 + 10 * wanted
        return keras.ops.mean(weight * keras.ops.binary_crossentropy(wanted, given, from_logits=True))

    net.compile(keras.optimizers.Adam(0.01), [boxes_loss, heat_loss, boxes_loss])
    net.fit(images, [size, heat, offset], epochs=steps, batch_size=16, verbose=0)
    net.save(out)


if __name__ == "__main__":
    train(sys.argv[1], int(sys.argv[2]))
