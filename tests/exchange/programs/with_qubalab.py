"""Child process: read objects with QuPath's own Python package, check their form, and write them anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from qubalab.objects import ImageFeature, geojson_features_from_string

given, out = map(Path, sys.argv[1:])
told, wrong = [], []
for file in sorted(given.glob("*.geojson")):
    features = [ImageFeature.create_from_feature(one) for one in geojson_features_from_string(file.read_text())]
    wrong += [one.errors() for one in features if not one.is_valid]
    told += [
        [str(f.object_type.name), f.name, f.classification and f.classification.names[0], f.measurements]
        for f in features
    ]
    (out / file.name).write_text(json.dumps({"type": "FeatureCollection", "features": features}))
sys.stdout.write(json.dumps({"objects": told, "wrong": wrong}) + "\n")
