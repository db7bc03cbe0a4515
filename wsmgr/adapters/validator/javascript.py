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
_REQUIRES = frozenset({"require", "process.getBuiltinModule", "module.require", "require.resolve", "createRequire"})
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\r?\n|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_CHAIN_MOST = 32


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
        yield from _Reading(known, lines).all(root)


class _Reading:
    """One pass over what the rules may be about."""

    def __init__(self, known: Patterns, lines: list[bytes]) -> None:
        self._known = known
        self._lines = lines

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
        path = _path(function)
        if (function.type == "import" or path in _REQUIRES) and (module := _first(node)) is not None:
            yield from self._module(module)
        if path in self._known.calls:
            yield self._known.calls[path], f"{path}()"

    def _new(self, node: Node) -> Iterator[tuple[str, str]]:
        constructor = node.child_by_field_name("constructor")
        path = "" if constructor is None else _path(constructor)
        if path in self._known.calls:
            yield self._known.calls[path], f"new {path}()"

    def _member(self, node: Node) -> Iterator[tuple[str, str]]:
        path = _path(node)
        rule = self._known.member(path) if "." in path else None
        if rule is not None:
            yield rule, path

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
            path = f"{_identifier(value)}.{_identifier(key) if key is not None else ''}"
            rule = self._known.member(path)
            if rule is not None:
                yield rule, path

    def _module(self, name: str) -> Iterator[tuple[str, str]]:
        rule = self._known.module(name)
        if rule is not None:
            yield rule, name


def _path(node: Node) -> str:
    """`a.b.c`, also where it is written a['b'].c; what begins it may be anything."""
    parts: list[str] = []
    at: Node | None = node
    while at is not None and len(parts) < _CHAIN_MOST:
        if at.type == "member_expression":
            key = at.child_by_field_name("property")
            parts.append(_identifier(key) if key is not None else "")
        elif at.type == "subscript_expression":
            index = at.child_by_field_name("index")
            parts.append((_text(index) if index is not None else None) or "?")
        elif at.type == "parenthesized_expression":
            at = at.named_child(0)
            continue
        else:
            parts.append(_identifier(at) if at.type in {"identifier", "this"} else "*")
            break
        at = at.child_by_field_name("object")
    return ".".join(reversed(parts))


def _first(call: Node) -> str | None:
    arguments = call.child_by_field_name("arguments")
    first = None if arguments is None else arguments.named_child(0)
    return None if first is None else _text(first)


def _text(node: Node, depth: int = 0) -> str | None:
    """The text of a literal, of a template without holes, or of such joined by +."""
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
