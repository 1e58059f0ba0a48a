"""Devices as ``edge`` tells them, read by Home Assistant's own schemas: ``with_home_assistant.py FILE``.

FILE: JSON, a list of payloads. Prints a list for each: what is wrong with each component, or its values as Home Assistant has them.

2024.3.3 is the last one for Python 3.11, and takes one message per entity. Later ones take one per device, give device, origin and
availability to each of its components, and read them by the same schemas; so does this script.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import types
from collections.abc import Mapping, MutableSequence, Sequence
from pathlib import Path
from typing import Any

ABSENT = {"aiohttp_zlib_ng"}
"""Packages that Home Assistant imports and these schemas have no need of."""


class Absent(types.ModuleType):
    """One of them: every name in it is a class."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: MutableSequence[str] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})


class Absences(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds such packages after all others were asked."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in ABSENT:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return Absent(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def read(device: Mapping[str, Any]) -> dict[str, Any]:
    """What Home Assistant makes of the components of one device."""
    from homeassistant.components.mqtt import binary_sensor, sensor

    invalid = importlib.import_module("voluptuous").Invalid

    schemas = {"sensor": sensor.DISCOVERY_SCHEMA, "binary_sensor": binary_sensor.DISCOVERY_SCHEMA}
    shared = {name: value for name, value in device.items() if name != "components"}
    found: dict[str, Any] = {}
    for key, component in device["components"].items():
        values = {**shared, **component}
        try:
            told = schemas[values.pop("platform")](values)
            found[key] = {name: str(value) for name, value in told.items()}
        except invalid as error:
            found[key] = f"refused: {error}"
    return found


if __name__ == "__main__":
    sys.meta_path.append(Absences())
    print(json.dumps([read(one) for one in json.loads(Path(sys.argv[1]).read_text())]))  # noqa: T201
