"""Child process: hold an archive against EcoTaxa's rules, as pyecotaxa knows them, and tell its rows."""

from __future__ import annotations

import json
import sys

from pyecotaxa.archive import Archive

archive = Archive(sys.argv[1])
archive.validate()
((_, table),) = archive.iter_tsv()
columns = [
    "object_id",
    "object_annotation_category",
    "object_annotation_status",
    "img_file_name",
    "object_x",
    "object_width",
]
for name in table["img_file_name"]:
    with archive.open(name) as stream:
        if not stream.read(8).startswith(b"\x89PNG"):
            raise SystemExit(f"{name} is no PNG")
sys.stdout.write(json.dumps(table[columns].astype(str).values.tolist()) + "\n")
