"""Python by its own parser: where the code is none, and what of it the policy is about. Nothing is compiled or run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping

from wsmgr.adapters.validator.places import CLOSER_BYTES, Seen, column_of
from wsmgr.adapters.validator.rules import Patterns, patterns
from wsmgr.core.policy import SYNTAX

_CHAIN_MOST = 32
_BY_NAME = frozenset({"getattr", "setattr", "delattr", "hasattr", "__import__"})


def check(code: str) -> Iterator[Seen]:
    """What is seen in one file, in no order. Raises RecursionError and MemoryError for code that is too deep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except SyntaxError as error:
        yield Seen(error.lineno or 1, max(1, error.offset or 1), SYNTAX, error.msg[:120])
        return
    except ValueError as error:
        # Null bytes, for one.
        yield Seen(1, 1, SYNTAX, str(error)[:120])
        return
    known = patterns("python")
    if len(code) > CLOSER_BYTES and not any(word.rpartition(".")[2] in code for word in known.words):
        return
    lines = code.encode("utf-8", "replace").split(b"\n")
    reading = _Reading(known, _aliases(tree))
    met: set[tuple[int, int, str]] = set()
    for node in ast.walk(tree):
        for rule, what in reading.of(node):
            line = getattr(node, "lineno", 1)
            column = column_of(lines, line - 1, getattr(node, "col_offset", 0))
            if (line, column, rule) not in met:
                met.add((line, column, rule))
                yield Seen(line, column, rule, what)


class _Reading:
    """What one node of the tree has to do with rules; `aliases` are names that stand for modules or parts of them."""

    def __init__(self, known: Patterns, aliases: Mapping[str, str]) -> None:
        self._known = known
        self._aliases = aliases

    def of(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        """Rules with what was seen."""
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from self._module(alias.name)
            case ast.ImportFrom() if not node.level:
                yield from self._module(node.module or "")
                for alias in node.names:
                    yield from self._module(f"{node.module}.{alias.name}", exact=True)
                    yield from self._member(f"{node.module}.{alias.name}")
            case ast.Attribute():
                yield from self._member(self._path(node))
            case ast.Name():
                yield from self._name(node.id)
            case ast.Call():
                yield from self._call(node)
            case ast.Subscript(slice=ast.Constant(value=str(key))):
                yield from self._attribute(key)
            case _:
                return

    def _call(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        path = self._path(node.func)
        if path in self._known.calls:
            yield self._known.calls[path], f"{path}()"
        texts = [_text(argument) for argument in node.args[:2]]
        if path in {"__import__", "importlib.import_module"} and texts and texts[0]:
            yield from self._module(texts[0])
        if path in _BY_NAME and len(texts) == 2 and texts[1]:
            yield from self._attribute(texts[1])
            yield from self._member(f"{self._path(node.args[0])}.{texts[1]}")

    def _name(self, name: str) -> Iterator[tuple[str, str]]:
        if name in self._known.names and name not in self._aliases:
            yield self._known.names[name], name
        real = self._aliases.get(name)
        if real is not None and real != name:
            yield from self._member(real)

    def _member(self, path: str) -> Iterator[tuple[str, str]]:
        rule = self._known.member(path) if "." in path else None
        if rule is not None:
            yield rule, path

    def _attribute(self, name: str) -> Iterator[tuple[str, str]]:
        if name in self._known.attributes:
            yield self._known.attributes[name], name

    def _module(self, name: str, *, exact: bool = False) -> Iterator[tuple[str, str]]:
        rule = self._known.modules.get(name) if exact else self._known.module(name)
        if rule is not None:
            yield rule, name

    def _path(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < _CHAIN_MOST:
            parts.append(node.attr)
            node = node.value
        parts.append(self._aliases.get(node.id, node.id) if isinstance(node, ast.Name) else "*")
        return ".".join(reversed(parts))


def _aliases(tree: ast.AST) -> dict[str, str]:
    """`import os as o` and `from os import system as s`: what o and s stand for, wherever in the file."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _text(node: ast.expr, depth: int = 0) -> str | None:
    """A literal text, or such joined by +."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < _CHAIN_MOST:
        left, right = _text(node.left, depth + 1), _text(node.right, depth + 1)
        return None if left is None or right is None else left + right
    return None
