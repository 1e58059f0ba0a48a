"""What must never happen between rooms, and what must be written down."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import edge.errors
from edge.errors import EdgeError

ROOT = Path(__file__).parent.parent
_UPSTREAM = {
    "edge.sources",
    "edge.finders",
    "edge.classifier",
    "edge.analysis",
    "edge.workers",
    "edge.session",
    "edge.cli",
}
NEVER = {
    "edge": {"convert", "models", "benchmarks", "tests", "tensorflow", "keras", "scipy", "PIL"},
    "edge/sources": {"edge.finders", "edge.classifier", "edge.analysis", "edge.workers", "edge.outputs", "edge.cli"},
    "edge/camera": _UPSTREAM | {"edge.outputs", "edge.report", "edge.book", "edge.gate", "edge.control", "edge.serve"},
    "edge/virtual_slide": _UPSTREAM | {"edge.camera", "edge.outputs"},
    "edge/finders": {"edge.sources", "edge.analysis", "edge.workers", "edge.outputs", "edge.cli"},
    "edge/outputs": {"edge.sources", "edge.finders", "edge.cli", "edge.report"},
    "edge/report": _UPSTREAM,
    "edge/book": _UPSTREAM | {"edge.outputs", "edge.report"},
    "edge/control": _UPSTREAM | {"edge.sources"},
    "edge/service": {"edge.sources", "edge.finders", "edge.cli"},
    "edge/health": {
        *("edge.finders", "edge.analysis", "edge.workers", "edge.session"),
        *("edge.outputs", "edge.report", "edge.cli"),
    },
    "edge/serve": {
        *("edge.sources", "edge.finders", "edge.classifier", "edge.analysis", "edge.workers", "edge.session"),
        *("edge.outputs", "edge.cli", "edge.camera.link", "edge.camera.child", "edge.control.link"),
    },
    "edge/review": (_UPSTREAM - {"edge.sources"}) | {"edge.serve"},
    "edge/exchange": (_UPSTREAM - {"edge.sources"}) | {"edge.book", "edge.review", "edge.serve"},
    "edge/network": _UPSTREAM | {"edge.outputs", "edge.report", "edge.serve", "edge.archive"},
    "edge/archive": {
        "edge.outputs",
        "edge.report",
        "edge.book",
        "edge.serve",
        "edge.network",
        "edge.control",
        "edge.cli",
    },
    "edge/scope": {"edge.sources", "edge.finders", "edge.outputs", "edge.report", "edge.cli"},
    "edge/verdict": {"edge.report"},
    "convert": {"models", "benchmarks"},
    "benchmarks": {"tests"},
}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", NEVER)
def test_rooms_do_not_reach_through_walls(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        for name in imported(path):
            for banned in NEVER[room]:
                assert name != banned, f"{path} imports {name}"
                assert not name.startswith(f"{banned}."), f"{path} imports {name}"


@pytest.mark.parametrize(
    "module",
    [
        *("tensorflow", "keras", "picamera2", "paho", "starlette", "uvicorn", "jinja2", "segno"),
        *("dask", "distributed", "fsspec", "pyarrow"),
    ],
)
def test_heavy_and_hardware_modules_are_never_imported_at_module_level(module: str) -> None:
    for room in ("edge", "convert", "models", "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = imported_here(node)
                    assert not any(n.split(".")[0] == module for n in names), f"{path} imports {module}"


def imported_here(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def test_every_module_of_the_runner_imports_without_the_workshop() -> None:
    modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "edge").rglob("*.py")]
    wanted = [m.removesuffix(".__init__") for m in modules if not m.endswith("__main__")]
    code = (
        f"import sys, importlib; [importlib.import_module(m) for m in {wanted!r}]; print('tensorflow' in sys.modules)"
    )
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert got.stdout.strip() == "False", got.stderr


def test_exit_codes_in_the_code_and_in_the_docs_are_the_same() -> None:
    def table(text: str) -> dict[int, str]:
        rows = [line.split("|") for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
        return {int(row[1]): row[2].strip() for row in rows}

    docs = table((ROOT / "docs" / "outputs.md").read_text())
    assert docs == table(edge.errors.__doc__ or "")
    known = {cls.exit_code for cls in EdgeError.__subclasses__() if cls.__module__.startswith("edge.")}
    assert known <= set(docs)


def test_every_known_failure_says_cause_and_remedy() -> None:
    for cls in EdgeError.__subclasses__():
        if cls.__module__.startswith("edge."):
            assert (cls.__doc__ or "").count(".") >= 2, cls


def test_constraints_hold_versions_only() -> None:
    for path in (ROOT / "constraints").glob("*.txt"):
        for line in path.read_text().splitlines():
            if line and not line.startswith(("#", "-c ")):
                assert "==" in line, line
            assert "://" not in line


def test_the_runner_starts_from_any_folder(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    got = subprocess.run(
        [sys.executable, "-m", "edge", "models"], capture_output=True, text=True, cwd=tmp_path, env=env, check=False
    )
    assert got.returncode == 0, got.stderr
