"""Real fields: ``edge recount`` of an archive counts what ``edge-run`` counts, cell by cell."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.archive.equality import by_edge_run, compare, recounted, settings

pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (DATA / "iml_fields").is_dir(), reason=f"no real fields in {DATA}"),
]


def test_real_fields_are_counted_as_edge_run_counts_them(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for name, number in (("iml_fields", 6), ("bbbc_fields", 3), ("chula_fields", 2), ("thick_fields", 2)):
        files = sorted((DATA / name / "images").iterdir())[:number]
        (archive / name).mkdir(parents=True)
        for file in files:
            shutil.copy(file, archive / name)
    broken = next((archive / "iml_fields").iterdir())
    broken.chmod(0o644)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    told = by_edge_run(archive, tmp_path)
    tables = recounted(archive, tmp_path / "a", settings(), limits=2, workers=2)
    assert compare(tables, told) > 1000
