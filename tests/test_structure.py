"""How rooms hang together: no circles, no arrow back up, one meaning per class name, few late imports, no number without a word."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
    *("tflite_runtime", "importlib"),
}
"""Packages that take long to import, or are not there everywhere."""
MOST_LATE_IMPORTS = 150


class Module:
    """A module's imports: ``early`` when it is loaded, ``late`` inside functions; names of modules and packages."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.source = path.read_text()
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
            found[name] = Module(name, path)
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


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert list(circles(graph())) == []


def test_no_room_imports_itself_by_way_of_others() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, others in graph().items():
        arrows[room(name)] |= {room(other) for other in others} - {room(name)}
    assert list(circles(arrows)) == []


@pytest.mark.parametrize("house", HOUSES)
def test_a_house_imports_only_what_lies_below_it(house: str) -> None:
    back = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in sorted(others)
        if name.split(".")[0] == house and other.split(".")[0] not in MAY_IMPORT[house]
    ]
    assert back == []


def test_library_code_imports_no_command_line() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in sorted(others)
        if command_line(other) and not command_line(name) and room(name) != "benchmarks.arm"
    ]
    assert wrong == []


def test_no_class_name_means_two_things() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules().values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module.name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def loads_heavy(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Heavy packages that come with importing this module."""
    module = modules()[name]
    found = {n.split(".")[0] for n in module.early} & HEAVY
    for other in ours(module.early, name) - seen:
        found |= _heavy_of(other)
    return found


@cache
def _heavy_of(name: str) -> frozenset[str]:
    return frozenset(loads_heavy(name))


def test_what_is_imported_late_is_heavy() -> None:
    wrong = []
    for module in modules().values():
        own = _heavy_of(module.name)
        for names in module.late:
            brought = {n.split(".")[0] for n in names} & HEAVY
            for other in ours(names, module.name):
                brought |= _heavy_of(other)
            if not brought - own and not command_line(module.name):
                wrong.append(f"{module.name}: {names[0]}")
    assert wrong == []


def test_there_are_few_late_imports() -> None:
    late = Counter({module.name: len(module.late) for module in modules().values()})
    assert sum(late.values()) <= MOST_LATE_IMPORTS, late.most_common(25)


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


@pytest.mark.parametrize("house", HOUSES)
def test_every_number_with_a_name_has_a_word_beside_it(house: str) -> None:
    assert [line for m in modules().values() if m.name.split(".")[0] == house for line in unexplained(m)] == []
