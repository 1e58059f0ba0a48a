"""How rooms hang together. A rule is a function that yields a line per place where it is broken."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSES = ("edge", "convert", "models", "benchmarks")
MAY_IMPORT = {
    "edge": {"edge"},
    "convert": {"convert", "edge"},
    "models": {"models", "convert", "edge"},
    "benchmarks": {"benchmarks", "convert", "edge"},
}
COMMAND_LINES = ("edge.cli", "convert.cli", "models.cli", "benchmarks.cli", "benchmarks.arm.cli")
HEAVY = {
    *("tensorflow", "keras", "tf_keras", "h5py", "flatbuffers", "onnx", "onnxruntime", "ncnn", "skimage", "scipy"),
    *("matplotlib", "picamera2", "libcamera", "cv2", "numpy", "tifffile", "rich", "fastjsonschema", "ai_edge_litert"),
    *("tflite_runtime", "importlib", "starlette", "uvicorn", "jinja2", "segno"),
    *("paho", "dask", "distributed", "fsspec", "pyarrow"),
}
"""Packages that take long to import, or are not there everywhere."""
MOST_LATE_IMPORTS = 195
"""In all four packages together."""

VIEWS = (
    "edge.outputs.annotate",
    "edge.outputs.coco",
    "edge.outputs.console",
    "edge.outputs.csv",
    "edge.outputs.jsonl",
    "edge.report",
)
"""Outputs: none imports another one, but for the shared drawing and counting named in ``SHARED_BY_VIEWS``."""

SHARED_BY_VIEWS = {
    ("edge.outputs.csv", "edge.outputs.jsonl"),  # field_counts and field_ms: one definition of a field's columns
    ("edge.report", "edge.outputs.annotate"),  # the boxes of a field are drawn in one way
    ("edge.report", "edge.outputs.jsonl"),  # field_ms and what JSON can hold
    ("edge.report", "edge.outputs.console"),  # clock, printable and the notice
}
"""What is still broken, a row each, as ``rule: place``; empty when all is done."""


class Module:
    """A module's imports: ``early`` when it is loaded, ``late`` inside functions; names of modules and packages."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.tree = ast.parse(self.source)
        self.early: list[str] = []
        self.late: list[list[str]] = []
        self._walk(self.tree, inside=False)

    def _walk(self, node: ast.AST, *, inside: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                names = [a.name for a in child.names]
                if isinstance(child, ast.ImportFrom):
                    names = [f"{child.module}.{name}" for name in names]
                if inside:
                    self.late.append(names)
                else:
                    self.early += names
            elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)):
                function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                self._walk(child, inside=inside or function)


@cache
def modules() -> Mapping[str, Module]:
    found = {}
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = Module(name, path.read_text())
    return found


def module_of(name: str) -> str | None:
    """The module of ours that this import loads; None: it is not ours."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name or None


def ours(names: Iterable[str], but: str) -> set[str]:
    return {found for name in names if (found := module_of(name)) and found != but}


@cache
def graph() -> dict[str, set[str]]:
    """What each module imports of ours, sooner or later."""
    return {m.name: ours([*m.early, *(n for names in m.late for n in names)], m.name) for m in modules().values()}


def room(name: str) -> str:
    return ".".join(name.split(".")[:2])


def circles(arrows: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Strongly connected parts of more than one node (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(arrows.get(node, ())):
            if other not in order:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            part = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(part) > 1:
                yield sorted(part)

    for node in sorted(arrows):
        if node not in order:
            yield from visit(node)


def command_line(name: str) -> bool:
    return name.endswith("__main__") or any(name == one or name.startswith(f"{one}.") for one in COMMAND_LINES)


def module_circles() -> Iterator[str]:
    for part in circles(graph()):
        yield " <-> ".join(part)


def room_circles() -> Iterator[str]:
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, others in graph().items():
        arrows[room(name)] |= {room(other) for other in others} - {room(name)}
    for part in circles(arrows):
        yield " <-> ".join(part)


def arrows_back_up() -> Iterator[str]:
    for name, others in graph().items():
        for other in sorted(others):
            if other.split(".")[0] not in MAY_IMPORT[name.split(".")[0]]:
                yield f"{name} imports {other}"


def imported_command_lines() -> Iterator[str]:
    for name, others in graph().items():
        for other in sorted(others):
            if command_line(other) and not command_line(name):
                yield f"{name} imports {other}"


def view_of(name: str) -> str | None:
    return next((view for view in VIEWS if name == view or name.startswith(f"{view}.")), None)


def views_that_know_each_other() -> Iterator[str]:
    for name, others in graph().items():
        for other in sorted(others):
            pair = (view_of(name), view_of(other))
            if None not in pair and pair[0] != pair[1] and pair not in SHARED_BY_VIEWS:
                yield f"{name} imports {other}"


def class_names_with_two_meanings() -> Iterator[str]:
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules().values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module.name)
    for name, where in places.items():
        if len(where) > 1:
            yield name


@cache
def heavy_of(name: str) -> frozenset[str]:
    """Heavy packages that come with importing this module."""
    reached, todo = {name}, [name]
    while todo:
        one = todo.pop()
        more = ours(modules()[one].early, one) - reached
        reached |= more
        todo += more
    return frozenset({n.split(".")[0] for one in reached for n in modules()[one].early} & HEAVY)


def late_imports_without_need() -> Iterator[str]:
    for module in modules().values():
        if command_line(module.name):
            continue
        for names in module.late:
            brought = {n.split(".")[0] for n in names} & HEAVY
            for other in ours(names, module.name):
                brought |= heavy_of(other)
            if not brought - heavy_of(module.name):
                yield f"{module.name}: {names[0]}"


def too_many_late_imports() -> Iterator[str]:
    if sum(len(module.late) for module in modules().values()) > MOST_LATE_IMPORTS:
        yield f"more than {MOST_LATE_IMPORTS}"


def modules_with_unexplained_numbers() -> Iterator[str]:
    for module in modules().values():
        if any(unexplained(module)):
            yield module.name


RULES: dict[str, Callable[[], Iterator[str]]] = {
    "circle of modules": module_circles,
    "circle of rooms": room_circles,
    "arrow back up": arrows_back_up,
    "command line imported": imported_command_lines,
    "view knows another": views_that_know_each_other,
    "class name means two things": class_names_with_two_meanings,
    "late import of nothing heavy": late_imports_without_need,
    "late imports": too_many_late_imports,
    "number without a word": modules_with_unexplained_numbers,
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_house_is_kept(rule: str) -> None:
    assert list(RULES[rule]()) == []


def test_the_rules_notice_what_breaks_them() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == [["a", "b", "c"]]
    assert not list(circles({"a": {"b"}, "b": {"c"}, "d": {"a", "b"}}))
    numbers = {
        "A = 1": 1,
        "A = 1  # share": 0,
        "# share\nA = 1": 0,
        'A = 1\n"""A share."""': 0,
        "A = (1, -2.0)": 1,
        "A = True": 0,
    }
    for source, count in numbers.items():
        assert len(list(unexplained(Module("made.up", source)))) == count, source
    late = Module("made.up", "import a\nif TYPE_CHECKING:\n    import b\ndef f():\n    from c import d\n")
    assert (late.early, late.late) == (["a"], [["c.d"]])


def unexplained(module: Module) -> Iterator[str]:
    """Numbers given a name at module level with neither a comment nor a docstring."""
    lines = module.source.splitlines()
    body = module.tree.body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None or not _is_number(node.value):
            continue
        said = (
            isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
        )
        around = [*lines[node.lineno - 1 : node.end_lineno], lines[node.lineno - 2] if node.lineno > 1 else ""]
        above = bool(re.match(r"\s*#", around[-1]))
        if not said and not above and not any("#" in line for line in around[:-1]):
            yield f"{module.name}: {lines[node.lineno - 1]}"


def _is_number(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple | ast.List):
        return bool(value.elts) and all(_is_number(one) for one in value.elts)
    if isinstance(value, ast.UnaryOp):
        return _is_number(value.operand)
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    return (
        isinstance(value, ast.Constant) and isinstance(value.value, int | float) and not isinstance(value.value, bool)
    )
