"""COCO detections: every cell of every kept field, streamed, so that memory stays bounded over thousands of fields.

Annotations go to the file as they come; images (a short line each, kept in a second file until then) and categories follow at the
end. The file appears under its name only when it is complete.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from edge import installed_version, words
from edge.description import ModelLine
from edge.events import FieldEvent, SampleEvent
from edge.modelfile import Card
from edge.near import positive_scores
from edge.safe_file import ReplacedFile, plain_errors
from edge.types import CELL, FieldResult

_FINER = 4  # an outline through the middle of a mask's pixels would cut off half of each


class Coco:
    """Writes COCO JSON to ``path``.

    Category ids: the model's classes from 1 in its order, then the kinds that were set aside.

    Args:
        path: of the file.
        card: the classifier's, at the threshold of this run.
        model: the models' names and hash.
    """

    def __init__(self, path: Path, card: Card, model: ModelLine) -> None:
        self._file = ReplacedFile(path, tidy=True)
        self._card = card
        self._positive = card.positive_mask
        self._kinds: dict[str, int] = {}
        with plain_errors(path):  # images follow the annotations; until then they wait in a file without a name
            folder = self._file.path.parent
            self._images = tempfile.TemporaryFile("w+", encoding="ascii", dir=folder)  # noqa: SIM115 - closed at the end
        self._glue = ""
        self._samples: list[dict[str, object]] = []
        self._annotations = 0
        info = {
            "description": "Cells found by edge-run. For research and triage, not for diagnosis.",
            "version": installed_version(),
            "model": {"name": model.name, "sha256": model.sha256},
            "finder": model.finder,
        }
        self._write(f'{{"info": {json.dumps(info)},\n"annotations": [')

    def field(self, event: FieldEvent) -> None:
        """Write a kept field's cells; other fields are not in the file."""
        result = event.result
        if result is None or not event.kept:
            return
        for kind in result.cells.kinds:
            if kind != CELL:
                self._kinds.setdefault(kind, len(self._card.labels) + len(self._kinds) + 1)
        height, width = result.shape
        image = {"id": event.index, "file_name": event.name, "width": width, "height": height, "sample": event.sample}
        with plain_errors(self._file.path):
            self._images.write(self._glue + json.dumps(image))
        self._glue = ",\n"
        total = positive_scores(result.scores, self._positive)
        lines = [self._annotation(result, n, float(total[n])) for n in range(len(result.cells))]
        if lines:
            glue = ",\n" if self._annotations else "\n"
            self._annotations += len(lines)
            self._write(glue + ",\n".join(lines))

    def sample(self, event: SampleEvent) -> None:
        """What a sample looks like, for calibrating from this file; its cells stand with the images."""
        looks = event.appearance.values if event.appearance else {}
        self._samples.append({"name": event.tally.sample, "appearance": dict(looks)})

    def close(self) -> None:
        """Write images and categories and give the file its name."""
        self._write('\n],\n"images": [\n')
        with plain_errors(self._file.path):
            self._images.seek(0)
            shutil.copyfileobj(self._images, self._file.stream)
            self._images.close()
        self._write('\n],\n"categories": ')
        classes = [{"id": i, "name": name, "supercategory": CELL} for i, name in enumerate(self._card.labels, 1)]
        others = [
            {"id": i, "name": words.category(kind), "supercategory": words.SET_ASIDE, "kind": kind}
            for kind, i in self._kinds.items()
        ]
        self._write(json.dumps([*classes, *others]) + ',\n"samples": ' + json.dumps(self._samples) + "}\n")
        self._file.close()

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # a full disk fails here once more
            self._images.close()
        self._file.discard()

    def _annotation(self, result: FieldResult, n: int, total: float) -> str:
        x, y, w, h = map(int, result.cells.boxes[n])
        klass = int(result.classes[n])
        if klass >= 0:
            category, score = klass + 1, self._clearness(float(result.scores[n, klass]), total)
        else:
            category = self._kinds[result.cells.kinds[int(result.cells.kind[n])]]
            score = float(result.cells.confidence[n])
        outline, area = self._outline(result, n)
        return json.dumps(
            {
                "id": self._annotations + n + 1,
                "image_id": result.index,
                "category_id": category,
                "bbox": [x, y, w, h],
                "area": area,
                "segmentation": outline,
                "iscrowd": 0,
                "score": round(score, 4),
                "positive_score": round(total, 4) if self._positive.any() else None,
                "scores": [round(float(s), 4) for s in result.scores[n]],
                "cell": f"{result.index}-{n}",
            }
        )

    def _clearness(self, own: float, total: float) -> float:
        """How clearly a cell is in its category: 0.5 at the threshold, 1 at the end of the scale.

        A viewer that hides what scores below 0.5 hides neither a near miss nor a positive cell of a low threshold.
        """
        if not self._positive.any():
            return own
        threshold = self._card.threshold
        room = 1 - threshold if total >= threshold else threshold
        return 0.5 + 0.5 * min(abs(total - threshold) / room, 1.0) if room > 0 else 1.0

    def _outline(self, result: FieldResult, n: int) -> tuple[list[list[float]], int]:
        """Polygons x, y, x, y, ... within the image, and the area in pixels: of the finder's mask, where there is none of the box."""
        height, width = result.shape
        x, y, w, h = map(int, result.cells.boxes[n])
        masks = result.cells.masks
        contours = [] if masks is None else _contours(masks[n])
        if masks is None or not contours:
            return [
                _polygon(np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32), width, height)
            ], w * h
        side = max(w, h) * self._card.crop.margin
        corner = np.array([x + w / 2 - side / 2, y + h / 2 - side / 2], np.float32)
        polygons = [_polygon(corner + contour * side, width, height) for contour in contours]
        return polygons, round(float((masks[n] > 0).mean()) * side**2)

    def _write(self, text: str) -> None:
        with plain_errors(self._file.path):
            self._file.stream.write(text)


def _contours(mask: np.ndarray) -> list[np.ndarray]:
    """Outlines of a mask, uint8 [s, s], as shares of its side: float32 [m, 2] each, x and y."""
    finer = cv2.resize(mask, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_NEAREST)
    found, _ = cv2.findContours((finer > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [(c[:, 0].astype(np.float32) + 0.5) / len(finer) for c in found if len(c) > 2]


def _polygon(points: np.ndarray, width: int, height: int) -> list[float]:
    """float32 [m, 2] as a flat list, moved to the image's border where it lies beyond."""
    return [round(float(v), 1) for v in np.clip(points, 0, (width, height)).ravel()]
