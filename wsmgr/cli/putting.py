"""`plugin put`: a file, a folder or an archive becomes a version; with --watch again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.failure import OTHER, USAGE, Failure
from wsmgr.cli.files import PluginText
from wsmgr.cli.findings import findings_of, note_findings
from wsmgr.cli.humane import milliseconds, plural
from wsmgr.cli.options import Json, SlugOption, WorkspaceId
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.progress import Putting, putting
from wsmgr.cli.sources import Archive, read_source
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.wire.plugin import PluginResult

Changes = Callable[[Path], Iterator[object]]

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE", help="A .js, .mjs, .cjs or .py file, a folder, a .tar.gz or a .zip.", show_default=False
    ),
]
Entry = Annotated[
    str | None,
    typer.Option("--entry", metavar="FILE", help="The file of a bundle that is loaded.", show_default=False),
]


def put(
    context: typer.Context,
    workspace: WorkspaceId,
    source: Source,
    slug: SlugOption = None,
    entry: Entry = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Put it again whenever a file is saved, until Ctrl-C.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Store a file, a folder or an archive as a plugin.

    It is checked first; then it becomes the current version, and a running workspace serves it at once. A folder is
    packed without what .wsmgrignore names. What is refused leaves the old version as it was.
    """
    if watch and as_json:
        raise Failure("--watch and --json exclude each other.", USAGE)
    wiring = wiring_of(context)
    with wiring.client() as client:
        if watch:
            _watch(client, workspace, source, slug, entry, wiring.changes)
            return
        result = _once(client, workspace, source, slug, entry, silent=as_json)
    if as_json:
        print_json(result)
    else:
        print_result(result)


def print_result(result: PluginResult) -> None:
    """One line for a version that was taken."""
    took = f" (reloaded in {milliseconds(result.reload_ms)})" if result.reload_ms is not None else ""
    served = (
        f"a running workspace serves it now{took}" if result.reloaded else "the next call brings it to the workspace"
    )
    say(f"{result.slug}  {result.version[:12]}  {served}")


def _once(
    client: Client, workspace: str, path: Path, slug: str | None, entry: str | None, *, silent: bool = False
) -> PluginResult:
    """Put it once; warnings and errors go to standard error as they are known. `silent`: without progress."""
    from wsmgr.client import ApiError  # noqa: PLC0415  # httpx only when a call is made

    found: PluginText | Archive | None = None
    try:
        with putting(silent=silent) as progress:
            found = read_source(path, slug, progress.packing)
            result = _send(client, workspace, found, entry, progress)
    except ApiError as error:
        findings = findings_of(error)
        if not findings or found is None:
            raise
        note_findings(_named(findings, found, path), _root(found, path))
        refused = sum(one.get("severity") == "error" for one in findings)
        raise Failure(f"{path} is refused: {plural(refused, 'error')}; the version before stays.", OTHER) from None
    note_findings(_named([one.model_dump(by_alias=True) for one in result.warnings], found, path), _root(found, path))
    return result


def _root(found: PluginText | Archive, path: Path) -> str:
    return f"{path}/" if path.is_dir() else "" if isinstance(found, Archive) else f"{path.parent}/"


def _send(
    client: Client, workspace: str, found: PluginText | Archive, entry: str | None, progress: Putting
) -> PluginResult:
    if isinstance(found, PluginText):
        return client.put_plugin(workspace, found.slug, language=found.language, code=found.code)
    total = len(found.data)
    return client.put_bundle(
        workspace,
        found.slug,
        archive=found.data,
        media=found.media,
        entry=entry,
        sent=lambda done: progress.sending(done, total),
    )


def _named(
    findings: Sequence[Mapping[str, object]], found: PluginText | Archive, path: Path
) -> Sequence[Mapping[str, object]]:
    """A single file has a name of its own on disk."""
    if isinstance(found, Archive):
        return findings
    return [{**one, "file": path.name} if one.get("file") else one for one in findings]


def _watch(client: Client, workspace: str, path: Path, slug: str | None, entry: str | None, changes: Changes) -> None:
    """Put now and after each change; what is refused is said, and the watch goes on."""
    _attempt(client, workspace, path, slug, entry)
    note(f"watching {path}; Ctrl-C ends it")
    try:
        for _ in changes(path):
            _attempt(client, workspace, path, slug, entry)
    except KeyboardInterrupt:
        note("no longer watching")


def _attempt(client: Client, workspace: str, path: Path, slug: str | None, entry: str | None) -> None:
    from wsmgr.client import ClientError  # noqa: PLC0415  # httpx only when a call is made

    before = time.monotonic()
    at = datetime.now().astimezone().strftime("%H:%M:%S")
    try:
        result = _once(client, workspace, path, slug, entry)
    except (Failure, ClientError) as error:
        note(f"{at}  {error.sentence}")
        return
    loaded = f", loaded in {milliseconds(result.reload_ms)}" if result.reload_ms is not None else ""
    say(f"{at}  {result.slug} {result.version[:12]}  in {milliseconds((time.monotonic() - before) * 1000)}{loaded}")
    # At once, also into a pipe.
    sys.stdout.flush()
