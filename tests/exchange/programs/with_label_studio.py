"""Child process: hold tasks against the labelling interface, annotate as predicted, and export by Label Studio's converter."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

sys.modules["jsf"] = types.ModuleType("jsf")  # makes up sample data, which needs half of PyPI
sys.modules["jsf"].JSF = object  # type: ignore[attr-defined]

from label_studio_sdk.converter.converter import Converter, Format  # noqa: E402 - after what stands in
from label_studio_sdk.label_interface import LabelInterface  # noqa: E402 - as above

given, out = map(Path, sys.argv[1:])
config = (given / "config.xml").read_text()
tasks = json.loads((given / "tasks.json").read_text())
interface = LabelInterface(config)
interface.validate()
errors = [interface.validate_prediction(one, return_errors=True) for task in tasks for one in task["predictions"]]
for number, task in enumerate(tasks, 1):
    person = {"id": 7, "email": "reader@example.org"}
    result = task["predictions"][0]["result"]
    task |= {"id": number, "annotations": [{"id": number, "completed_by": person, "result": result}]}
(out / "in.json").write_text(json.dumps(tasks))
converter = Converter(config, project_dir=None, download_resources=False)
for name, form in (("json", Format.JSON), ("min", Format.JSON_MIN), ("coco", Format.COCO)):
    converter.convert(str(out / "in.json"), str(out / name), form, is_dir=False)
sys.stdout.write(json.dumps({"errors": errors}) + "\n")
