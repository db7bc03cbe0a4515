"""JavaScript by tree-sitter: where the code is none, and what of it the policy is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from wsmgr.adapters.validator.places import CLOSER_BYTES, Seen, column_of
from wsmgr.adapters.validator.rules import Patterns, patterns
from wsmgr.core.policy import SYNTAX

_INTEREST = """
(call_expression) @call
(new_expression) @new
(member_expression) @member
(subscript_expression) @member
(import_statement) @import
(export_statement source: (string)) @import
(identifier) @name
(variable_declarator name: (object_pattern) value: (identifier)) @taking
"""
_NAMING = """
(variable_declarator name: (identifier) @name value: (_) @value)
(import_statement (import_clause (identifier) @name) source: (string) @module)
(import_statement (import_clause (namespace_import (identifier) @name)) source: (string) @module)
(import_statement (import_clause (named_imports (import_specifier name: (identifier) @part))) source: (string) @module)
(import_statement (import_clause (named_imports (import_specifier name: (identifier) @part alias: (identifier) @name)))
  source: (string) @module)
"""
_GLOBALS = frozenset({"globalThis", "global"})
_CALLED = "()"
_MAKES_REQUIRE = "module.createRequire"
_REFLECTING = frozenset({"Reflect.construct", "Reflect.apply"})
_REQUIRES = frozenset({"require", "process.getBuiltinModule", "module.require", "require.resolve"})
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\r?\n|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_CHAIN_MOST = 32
_CALLS_MOST = 2


def check(code: str) -> Iterator[Seen]:
    """What is seen in one file, in no order."""
    data = code.encode("utf-8", "replace")
    if data.startswith(b"#!"):
        # A first line for the shell is a comment to Node, and is kept, so that lines keep their numbers.
        data = b"//" + data[2:]
    root = Parser(_language()).parse(data).root_node
    lines = data.split(b"\n")
    if root.has_error:
        yield _syntax(root, lines)
        return
    known = patterns("javascript")
    # Short of a closer look: in large files, which people rarely write, only where one of the names is there.
    if len(data) <= CLOSER_BYTES or any(word in code for word in known.words):
        yield from _Reading(known, lines, _Names(root)).all(root)


class _Names:
    """What names stand for, wherever in the file: `const p = process`, `import m from 'module'`."""

    def __init__(self, root: Node) -> None:
        self._aliases: dict[str, str] = {}
        for _, found in QueryCursor(_naming()).matches(root):
            self._learn({kind: nodes[0] for kind, nodes in found.items()})

    def path(self, node: Node) -> str:
        """`a.b.c`, also where it is written a['b'].c, and without the global object before it; what begins it may be
        anything, which is `*`."""
        parts = _parts(node)
        name = parts[0].removesuffix(_CALLED)
        first = self._aliases.get(name, name)
        if parts[0].endswith(_CALLED) and first != _MAKES_REQUIRE:
            first = "*"
        parts = [*first.split("."), *parts[1:]]
        while len(parts) > 1 and parts[0] in _GLOBALS:
            parts = parts[1:]
        return ".".join(parts)

    def _learn(self, found: dict[str, Node]) -> None:
        name = found.get("name") or found["part"]
        if "value" in found:
            # Not a name for what only calls or makes something: that is another value each time.
            path = self.path(found["value"])
            if "*" not in path and path != _identifier(name):
                self._aliases[_identifier(name)] = path
        elif (module := _text(found["module"])) is not None:
            path = module.removeprefix("node:")
            self._aliases[_identifier(name)] = f"{path}.{_identifier(found['part'])}" if "part" in found else path


class _Reading:
    """One pass over what the rules may be about."""

    def __init__(self, known: Patterns, lines: list[bytes], names: _Names) -> None:
        self._known = known
        self._lines = lines
        self._path = names.path

    def all(self, root: Node) -> Iterator[Seen]:
        """Every hit, each place and rule once."""
        met: set[tuple[int, int, str]] = set()
        for kind, nodes in QueryCursor(_query()).captures(root).items():
            for node in nodes:
                for rule, what in getattr(self, f"_{kind}")(node):
                    line, column = node.start_point.row + 1, column_of(self._lines, *node.start_point)
                    if (line, column, rule) not in met:
                        met.add((line, column, rule))
                        yield Seen(line, column, rule, what)

    def _call(self, node: Node) -> Iterator[tuple[str, str]]:
        function = node.child_by_field_name("function")
        if function is None:
            return
        path = self._path(function)
        first = _first(node)
        text = None if first is None else _text(first)
        if text is not None and (function.type == "import" or _requires(path)):
            yield from self._module(text)
        if text is not None and path.endswith(".constructor"):
            # The constructor of any function makes one of a text.
            yield from self._made("Function", f"{path}()")
        if path in _REFLECTING and first is not None:
            yield from self._made(self._path(first), path)
        if path == "Reflect.get" and first is not None:
            yield from self._dotted(f"{self._path(first)}.{_text(first.next_named_sibling) or '?'}")
        yield from self._made(path, f"{path}()")
        if function.type == "identifier" and path != _identifier(function):
            yield from self._dotted(path)

    def _new(self, node: Node) -> Iterator[tuple[str, str]]:
        constructor = node.child_by_field_name("constructor")
        path = "" if constructor is None else self._path(constructor)
        yield from self._made(path, f"new {path}()")

    def _member(self, node: Node) -> Iterator[tuple[str, str]]:
        yield from self._dotted(self._path(node))

    def _dotted(self, path: str) -> Iterator[tuple[str, str]]:
        rule = self._known.member(path) if "." in path else self._known.names.get(path) or self._known.calls.get(path)
        if rule is not None:
            yield rule, path

    def _made(self, path: str, what: str) -> Iterator[tuple[str, str]]:
        if path in self._known.calls:
            yield self._known.calls[path], what

    def _import(self, node: Node) -> Iterator[tuple[str, str]]:
        source = node.child_by_field_name("source")
        if source is not None and (module := _text(source)) is not None:
            yield from self._module(module)

    def _name(self, node: Node) -> Iterator[tuple[str, str]]:
        name = _identifier(node)
        if name in self._known.names:
            yield self._known.names[name], name

    def _taking(self, node: Node) -> Iterator[tuple[str, str]]:
        """`const { binding } = process`."""
        pattern, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if pattern is None or value is None:
            return
        for part in pattern.named_children:
            key = part.child_by_field_name("key") if part.type == "pair_pattern" else part
            yield from self._dotted(f"{self._path(value)}.{_identifier(key) if key is not None else ''}")

    def _module(self, name: str) -> Iterator[tuple[str, str]]:
        rule = self._known.module(name)
        if rule is not None:
            yield rule, name


def _requires(path: str) -> bool:
    """Whether calling it loads a module by its name."""
    return path in _REQUIRES or path.startswith(_MAKES_REQUIRE) or path.endswith((".main.require", "._load"))


def _parts(node: Node, depth: int = 0) -> list[str]:
    parts: list[str] = []
    at: Node | None = node
    while at is not None and len(parts) < _CHAIN_MOST:
        if at.type == "member_expression":
            key = at.child_by_field_name("property")
            parts.append(_identifier(key) if key is not None else "")
        elif at.type == "subscript_expression":
            index = at.child_by_field_name("index")
            parts.append((_text(index) if index is not None else None) or "?")
        elif at.type in {"parenthesized_expression", "sequence_expression", "await_expression"}:
            at = at.named_children[-1] if at.named_children else None
            continue
        else:
            parts.append(_beginning(at, depth))
            break
        at = at.child_by_field_name("object")
    return list(reversed(parts)) or ["*"]


def _beginning(node: Node, depth: int) -> str:
    """What a path begins with: a name, or the module that a call loads. Of a chain of calls the last ones count."""
    if node.type in {"identifier", "this"}:
        return _identifier(node)
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    if function is None or depth == _CALLS_MOST:
        return "*"
    path = ".".join(_parts(function, depth + 1))
    if path == _MAKES_REQUIRE or (function.type == "identifier" and path not in _REQUIRES):
        return path + _CALLED
    first = _first(node)
    module = None if first is None else _text(first)
    loads = module is not None and (function.type == "import" or path in _REQUIRES)
    return str(module).removeprefix("node:") if loads else "*"


def _first(call: Node) -> Node | None:
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None and arguments.type == "arguments" else []
    return given[0] if given else None


def _text(node: Node | None, depth: int = 0) -> str | None:
    """The text of a literal, of a template without holes, or of such joined by +."""
    if node is None:
        return None
    if node.type == "binary_expression" and depth < _CHAIN_MOST:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None or operator.type != "+":
            return None
        one, other = _text(left, depth + 1), _text(right, depth + 1)
        return None if one is None or other is None else one + other
    if node.type not in {"string", "template_string"}:
        return None
    if any(child.type == "template_substitution" for child in node.named_children):
        return None
    return _plain(_source(node)[1:-1])


def _identifier(node: Node) -> str:
    return _plain(_source(node))


def _source(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _plain(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return _PLAIN.get(match[4], match[4]) if match[4] else ""
    number = int(code, 16)
    return chr(number) if number < 0x110000 else ""


def _syntax(root: Node, lines: list[bytes]) -> Seen:
    """The first place, in the order of the text, at which the code is none."""
    at = root
    while True:
        inner = next((child for child in at.children if child.has_error or child.is_error or child.is_missing), None)
        if inner is None:
            break
        at = inner
    if at.is_error and at.children:
        # It begins where the last thing began that made sense; what does not is at its end.
        at = at.children[-1]
    row, byte = at.start_point
    what = f"{at.type!r} is missing here" if at.is_missing else f"unexpected {_source(at).strip()[:40]!r}"
    return Seen(row + 1, column_of(lines, row, byte), SYNTAX, what)


@cache
def _language() -> Language:
    return Language(tree_sitter_javascript.language())


@cache
def _query() -> Query:
    return Query(_language(), _INTEREST)


@cache
def _naming() -> Query:
    return Query(_language(), _NAMING)
