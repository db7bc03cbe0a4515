"""`plugin diff`: what is different between two versions of a plugin."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.options import Json, WorkspaceId
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.versions import SHORT, before_current, current, named
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.wire.plugin import PluginFile, PluginSource


def diff(
    context: typer.Context,
    workspace: WorkspaceId,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The plugin's name.", show_default=False)],
    old: Annotated[
        str | None,
        typer.Argument(
            metavar="V1",
            help="A version, or what it begins with; the one before the current one when left out.",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="V2", help="Another; the current one when left out.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is different between two versions, as a unified diff."""
    with wiring_of(context).client() as client:
        versions = client.plugin(workspace, slug).items
        ends = (
            before_current(versions, slug) if old is None else named(versions, slug, old),
            current(versions, slug) if new is None else named(versions, slug, new),
        )
        before, after = (client.plugin_source(workspace, slug, one) for one in ends)
    lines = list(_difference(before, after))
    if as_json:
        changed = sorted(name for name in {**_by_path(before), **_by_path(after)} if _changed(before, after, name))
        print_json({"from": before.version, "to": after.version, "changed": changed, "diff": "".join(lines)})
        return
    for line in lines:
        say(line.rstrip("\n"))
    if not lines:
        note("no difference")


def _difference(before: PluginSource, after: PluginSource) -> Iterator[str]:
    old, new = _by_path(before), _by_path(after)
    for name in sorted({**old, **new}):
        if not _changed(before, after, name):
            continue
        one, other = _lines(old.get(name)), _lines(new.get(name))
        sides = f"a/{name}" if name in old else "/dev/null", f"b/{name}" if name in new else "/dev/null"
        dates = before.version[:SHORT], after.version[:SHORT]
        if one is None or other is None:
            yield f"Binary files {sides[0]} and {sides[1]} differ\n"
        else:
            yield from _whole(difflib.unified_diff(one, other, *sides, *dates))


def _whole(lines: Iterator[str]) -> Iterator[str]:
    """A last line without an end of line is said to be one."""
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _by_path(source: PluginSource) -> dict[str, PluginFile]:
    return {file.path: file for file in source.files}


def _changed(before: PluginSource, after: PluginSource, name: str) -> bool:
    return _by_path(before).get(name) != _by_path(after).get(name)


def _lines(file: PluginFile | None) -> Sequence[str] | None:
    """None for what is no text."""
    if file is None:
        return []
    return None if file.text is None else file.text.splitlines(keepends=True)
