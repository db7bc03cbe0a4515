"""Python by its own parser: where the code is none, and what of it the policy is about. Nothing is compiled or run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator

from wsmgr.adapters.validator.places import CLOSER_BYTES, Seen, column_of
from wsmgr.adapters.validator.rules import Patterns, patterns
from wsmgr.core.policy import SYNTAX

_CHAIN_MOST = 32
_IMPORTS = frozenset({"__import__", "importlib.import_module"})
_GETS_BY_NAME = frozenset({"attrgetter", "methodcaller", "__getattribute__", "__getattr__"})
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
    reading = _Reading(known, _Names(tree))
    met: set[tuple[int, int, str]] = set()
    for node in ast.walk(tree):
        for rule, what in reading.of(node):
            line = getattr(node, "lineno", 1)
            column = column_of(lines, line - 1, getattr(node, "col_offset", 0))
            if (line, column, rule) not in met:
                met.add((line, column, rule))
                yield Seen(line, column, rule, what)


class _Reading:
    """What one node of the tree has to do with rules."""

    def __init__(self, known: Patterns, names: _Names) -> None:
        self._known = known
        self._names = names
        self._path = names.path

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
            case ast.Subscript() if (key := _text(node.slice)) is not None:
                yield from self._attribute(key)
                yield from self._member(self._path(node))
            case ast.MatchClass():
                yield from self._attributes(node.kwd_attrs)
            case _:
                return

    def _call(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        path = self._path(node.func)
        if path in self._known.calls:
            yield self._known.calls[path], f"{path}()"
        texts = [_text(argument) for argument in node.args[:2]]
        if path in _IMPORTS and texts and texts[0]:
            yield from self._module(texts[0])
        if path.rpartition(".")[2] in _GETS_BY_NAME and texts and (name := texts[-1]):
            yield from self._attributes(name.split("."))
            yield from self._member(f"{path.rpartition('.')[0]}.{name}")
        if path in _BY_NAME and len(texts) == 2 and texts[1]:
            yield from self._attribute(texts[1])
            yield from self._member(f"{self._path(node.args[0])}.{texts[1]}")

    def _name(self, name: str) -> Iterator[tuple[str, str]]:
        for real in self._names.of(name):
            yield from self._member(real)

    def _member(self, path: str) -> Iterator[tuple[str, str]]:
        rule = self._known.member(path) if "." in path else self._known.names.get(path)
        if rule is not None:
            yield rule, path

    def _attributes(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        for name in names:
            yield from self._attribute(name)

    def _attribute(self, name: str) -> Iterator[tuple[str, str]]:
        if name in self._known.attributes:
            yield self._known.attributes[name], name

    def _module(self, name: str, *, exact: bool = False) -> Iterator[tuple[str, str]]:
        rule = self._known.modules.get(name) if exact else self._known.module(name)
        if rule is not None:
            yield rule, name


class _Names:
    """What names stand for, wherever in the file: `import os as o`, `from os import system as s`, `o = os`."""

    def __init__(self, tree: ast.AST) -> None:
        self._aliases: dict[str, str] = {}
        self._assigned: set[str] = set()
        self._modules: set[str] = set()
        self._whole: list[str] = []  # modules of which everything is a name here
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._modules |= {alias.name.partition(".")[0] for alias in node.names}
                self._aliases |= {alias.asname: alias.name for alias in node.names if alias.asname}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._whole += [f"{node.module}" for alias in node.names if alias.name == "*"]
                self._aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                self._assign(node)

    def of(self, name: str) -> Iterator[str]:
        """What a name may be: itself as well, unless it was imported under that name."""
        real = self._aliases.get(name, name)
        yield real
        if real != name and name in self._assigned:
            yield name
        yield from (f"{module}.{name}" for module in self._whole)

    def path(self, node: ast.expr) -> str:
        """`a.b.c`, also where it is written a.__dict__['b'].c; what begins it may be anything, which is `*`."""
        parts: list[str] = []
        while len(parts) < _CHAIN_MOST:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Subscript) and (owner := _owner(node.value)) is not None:
                parts.append(_text(node.slice) or "?")
                node = owner
            else:
                break
        parts.append(self._beginning(node))
        return ".".join(reversed(parts))

    def _beginning(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self._aliases.get(node.id, node.id)
        name: str | None = None
        if isinstance(node, ast.Call) and node.args and self._short(node.func) in _IMPORTS:
            name = _text(node.args[0])
        elif isinstance(node, ast.Subscript) and self._short(node.value) == "sys.modules":
            name = _text(node.slice)
        return name or "*"

    def _short(self, node: ast.expr) -> str:
        """`a` or `a.b`, and nothing of longer ones: chains of calls are walked once."""
        whole = node.value if isinstance(node, ast.Attribute) else node
        return self.path(node) if isinstance(whole, ast.Name) else "*"

    def _assign(self, node: ast.Assign) -> None:
        # For modules and what is in them alone: any other value may be another one each time.
        path = self.path(node.value)
        if path.partition(".")[0] not in self._modules and not isinstance(node.value, ast.Call | ast.Subscript):
            return
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id not in self._aliases and path not in {"*", target.id}:
                self._aliases[target.id] = path
                self._assigned.add(target.id)


def _owner(node: ast.expr) -> ast.expr | None:
    """Whose members a dictionary has: `x` of `x.__dict__` and of `vars(x)`."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars" and node.args:
        return node.args[0]
    return None


def _text(node: ast.expr, depth: int = 0) -> str | None:
    """A literal text, or such joined by +."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < _CHAIN_MOST:
        left, right = _text(node.left, depth + 1), _text(node.right, depth + 1)
        return None if left is None or right is None else left + right
    return None
