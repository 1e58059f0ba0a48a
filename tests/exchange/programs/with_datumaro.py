"""Child process: read a folder of CVAT's COCO with datumaro and write it anew, as CVAT does."""

from __future__ import annotations

import json
import sys

import datumaro

given, out = sys.argv[1:]
dataset = datumaro.Dataset.import_from(given, "coco")
dataset.export(out, "coco", save_media=False)
kinds = sorted({str(one.type.name) for item in dataset for one in item.annotations})
pictures = sum(item.media is not None and item.media.data is not None for item in dataset)
sys.stdout.write(json.dumps({"items": len(dataset), "kinds": kinds, "pictures": pictures}) + "\n")
