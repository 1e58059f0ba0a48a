"""The user's own file of custom classes, given with ``--trust-code``: which names it defines, and running it."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from pathlib import Path
from typing import Any

from convert.errors import SourceError

MAX_CODE_BYTES = 2 * 2**20  # no file of layer classes comes near


def names_in(path: Path | None) -> frozenset[str]:
    """Classes and functions that the file defines at its top level, found by parsing, not by running it."""
    if path is None:
        return frozenset()
    defined = ast.ClassDef | ast.FunctionDef
    return frozenset(node.name for node in _tree(path).body if isinstance(node, defined))


def load(path: Path | None) -> dict[str, Any]:
    """Run the file and return its classes and functions by name. Only inside the child process."""
    if path is None:
        return {}
    names = names_in(path)
    module = types.ModuleType("trusted_code")
    module.__file__ = str(path)
    sys.modules["trusted_code"] = module  # registering a Keras class looks its module up
    try:
        exec(compile(_tree(path), str(path), "exec"), module.__dict__)  # noqa: S102 - the user asked for just this
    except Exception as error:
        raise SourceError(f"{path}: the trusted file fails: {type(error).__name__}: {error}") from error
    found = {name: getattr(module, name, None) for name in names}
    return {name: value for name, value in found.items() if inspect.isclass(value) or inspect.isfunction(value)}


def _tree(path: Path) -> ast.Module:
    try:
        if path.stat().st_size > MAX_CODE_BYTES:
            raise SourceError(f"{path}: too large for a file of layer classes")
        return ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(f"{path}: the trusted file cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError, RecursionError) as error:
        raise SourceError(f"{path}: the trusted file is no valid Python: {error}") from error
