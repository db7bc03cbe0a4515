"""Turns a plugin's source, or its files, into the function to call."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable

from workspace_runtime.child.describe import PluginShapeError
from workspace_runtime.child.names import remember, virtual

_HOW = (
    "The plugin defines no function `execute`: write `def execute(input, context): ...` or "
    "`async def execute(input, context): ...`."
)
_VENDORED = ("site-packages", "vendor")
_ASYNC = 0x80 | 0x200  # CO_COROUTINE, CO_ASYNC_GENERATOR
Function = Callable[[object, object], object]


def load_plugin(wanted: dict[str, str]) -> Function:
    """Whatever it raises is why the plugin does not load."""
    module = _from_files(wanted) if "folder" in wanted else _from_text(wanted["slug"], wanted["code"])
    found = getattr(module, "execute", None)
    if not callable(found):
        raise PluginShapeError(_HOW)
    function: Function = found
    return function


def is_async(function: Function) -> bool:
    """Whether it surely needs an event loop."""
    code = getattr(function, "__code__", None)
    return isinstance(code, types.CodeType) and bool(code.co_flags & _ASYNC)


class _Source:
    """Gives tracebacks the lines of a source that is in no file."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_source(self, _name: str) -> str:
        return self._code


def _from_text(slug: str, code: str) -> types.ModuleType:
    file = virtual(slug, "main.py")
    module = types.ModuleType("plugin")
    module.__file__ = file
    module.__loader__ = _Source(code)  # type: ignore[assignment]
    sys.modules["plugin"] = module
    exec(compile(code.removeprefix("\ufeff"), file, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def _from_files(wanted: dict[str, str]) -> types.ModuleType:
    folder, entry = wanted["folder"], wanted["entry"]
    remember(folder, wanted["slug"])
    sys.path[:0] = [folder, *(f"{folder}/{name}" for name in _VENDORED if os.path.isdir(f"{folder}/{name}"))]
    name = _module_name(folder, entry)
    if name is not None:
        import importlib  # noqa: PLC0415

        return importlib.import_module(name)
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    path = f"{folder}/{entry}"
    sys.path.insert(0, os.path.dirname(path))
    spec = spec_from_file_location("plugin", path)
    if spec is None or spec.loader is None:
        raise PluginShapeError(f"The entry {entry} is no Python file.")
    module = module_from_spec(spec)
    sys.modules["plugin"] = module
    spec.loader.exec_module(module)
    return module


def _module_name(folder: str, entry: str) -> str | None:
    """The dotted name of an entry inside packages, whose relative imports then work; None for any other."""
    parts = entry.removesuffix(".py").split("/")
    if len(parts) == 1 or not entry.endswith(".py") or not all(part.isidentifier() for part in parts):
        return None
    packages = ["/".join([folder, *parts[:end]]) for end in range(1, len(parts))]
    if not all(os.path.isfile(f"{package}/__init__.py") for package in packages):
        return None
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
