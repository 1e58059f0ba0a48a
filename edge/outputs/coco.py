"""COCO detections: every cell of every kept field, streamed, so that memory stays bounded over thousands of fields.

Annotations go to the file as they come; images (a short line each) and categories follow at the end. The file
appears under its name only when it is complete.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge import installed_version
from edge.outputs import FieldEvent, ModelLine, SampleEvent
from edge.outputs.files import ReplacedFile, plain_errors
from edge.types import CELL, FieldResult


class Coco:
    """Writes COCO JSON to ``path``.

    Category ids: the model's classes from 1 in its order, then the ``not-...`` kinds.
    """

    def __init__(self, path: Path, labels: tuple[str, ...], model: ModelLine) -> None:
        self._file = ReplacedFile(path)
        self._labels = labels
        self._categories = {label: i for i, label in enumerate(labels, 1)}
        self._images: list[str] = []
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
                self._categories.setdefault(kind, len(self._categories) + 1)
        height, width = result.shape
        image = {"id": event.index, "file_name": event.name, "width": width, "height": height, "sample": event.sample}
        self._images.append(json.dumps(image))
        lines = [self._annotation(result, n) for n in range(len(result.cells))]
        if lines:
            glue = ",\n" if self._annotations else "\n"
            self._annotations += len(lines)
            self._write(glue + ",\n".join(lines))

    def sample(self, event: SampleEvent) -> None:
        """Samples stand in the images."""

    def close(self) -> None:
        """Write images and categories and give the file its name."""
        self._write('\n],\n"images": [\n' + ",\n".join(self._images) + '\n],\n"categories": ')
        categories = [
            {"id": i, "name": name, "supercategory": "cell" if i <= len(self._labels) else "set aside"}
            for name, i in self._categories.items()
        ]
        self._write(json.dumps(categories) + "}\n")
        self._file.close()

    def discard(self) -> None:
        """Remove what was written."""
        self._file.discard()

    def _annotation(self, result: FieldResult, n: int) -> str:
        x, y, w, h = map(int, result.cells.boxes[n])
        klass = int(result.classes[n])
        if klass >= 0:
            category, score = klass + 1, float(result.scores[n, klass])
        else:
            category = self._categories[result.cells.kinds[int(result.cells.kind[n])]]
            score = float(result.cells.confidence[n])
        return json.dumps(
            {
                "id": self._annotations + n + 1,
                "image_id": result.index,
                "category_id": category,
                "bbox": [x, y, w, h],
                "area": w * h,
                "iscrowd": 0,
                "score": round(score, 4),
                "scores": [round(float(s), 4) for s in result.scores[n]],
                "cell": f"{result.index}-{n}",
            }
        )

    def _write(self, text: str) -> None:
        with plain_errors(self._file.path):
            self._file.stream.write(text)
