"""`plugin new`, `check` and `run`: what an author does before anything is put. None of them asks a daemon."""

from __future__ import annotations

import shlex
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from wsmgr.cli.answer import show_answer
from wsmgr.cli.failure import OTHER, PLUGIN_FAILED, USAGE, Failure
from wsmgr.cli.files import PluginText, read_input, slug_of
from wsmgr.cli.findings import line_of, note_findings
from wsmgr.cli.humane import plural
from wsmgr.cli.options import InputFile, Json
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.putting import Entry, Source
from wsmgr.cli.sources import Archive, read_source
from wsmgr.cli.wiring import LocalSource, wiring_of


class NewLanguage(StrEnum):
    """What a skeleton can be in."""

    JS = "js"
    PYTHON = "python"


_FOLDERS = {NewLanguage.JS: "javascript", NewLanguage.PYTHON: "python"}

Plan = Annotated[
    str | None,
    typer.Option("--plan", metavar="PLAN", help="By whose policy and limits; else by those of no plan."),
]


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or empty.")],
    language: Annotated[NewLanguage, typer.Option("--language", help="What it is written in.")] = NewLanguage.JS,
    as_json: Json = False,
) -> None:
    """Begin a plugin: a folder with a plugin that works, an input, and declarations for editors."""
    slug_of(folder.resolve())
    skeleton = files("wsmgr") / "skeletons" / _FOLDERS[language]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Failure(f"{folder} is not empty, and nothing in it is written over.", USAGE)
        for part in sorted(skeleton.iterdir(), key=lambda one: one.name):
            # `.in` keeps this project's own tools from reading Python that is not a part of it.
            name = ".wsmgrignore" if part.name == "wsmgrignore" else part.name.removesuffix(".in")
            if part.is_file():
                (folder / name).write_bytes(part.read_bytes())
    except OSError as error:
        raise Failure(f"{folder} cannot be made: {error.strerror or error}.") from None
    if as_json:
        print_json({"folder": str(folder), "files": sorted(one.name for one in folder.iterdir())})
        return
    say(f"{folder}  made; next:")
    at, given = shlex.quote(str(folder)), shlex.quote(str(folder / "input.json"))
    say(f"  wsmgr plugin run {at} --input {given}")
    say(f"  wsmgr plugin put user:alice {at} --watch")


def check(
    context: typer.Context, source: Source, entry: Entry = None, plan: Plan = None, as_json: Json = False
) -> None:
    """Validate a plugin as the daemon would, without one and without running it."""
    wiring = wiring_of(context)
    findings = wiring.backend().check_plugin(wiring.settings(), _local(source, entry), plan)
    errors = sum(one["severity"] == "error" for one in findings)
    if as_json:
        print_json({"findings": list(findings), "errors": errors})
    else:
        root = f"{source}/" if source.is_dir() else ""
        for one in findings:
            say(line_of({**one, "file": source} if source.suffix in {".js", ".mjs", ".cjs", ".py"} else one, root))
        say(f"{source}  {plural(errors, 'error')}, {plural(len(findings) - errors, 'warning')}")
    if errors:
        raise typer.Exit(OTHER)


def run(
    context: typer.Context,
    source: Source,
    input_file: InputFile = None,
    text: Annotated[
        str | None, typer.Option("--json-input", metavar="JSON", help="The input, as a text.", show_default=False)
    ] = None,
    entry: Entry = None,
    plan: Plan = None,
    as_json: Json = False,
) -> None:
    """Run a plugin here, once, in the runtime that workspaces have.

    No daemon and no container: the runtime is a process of yours, in a sandbox where bubblewrap can make one. The
    output goes to standard output, the rest to standard error.
    """
    value = read_input(input_file, text)
    wiring = wiring_of(context)
    ran = wiring.backend().run_plugin(wiring.settings(), _local(source, entry), value, plan)
    note_findings(ran.findings, f"{source}/" if source.is_dir() else "")
    from wsmgr.wire.execute import ExecuteResponse  # noqa: PLC0415  # pydantic only when a call is made

    answer = ExecuteResponse.model_validate(ran.answer)
    note(f"local run in the {ran.runtime} runtime, {'sandboxed' if ran.sandboxed else 'WITHOUT a sandbox'}; no daemon")
    if as_json:
        print_json(answer)
    else:
        show_answer(answer)
    if not answer.success:
        raise typer.Exit(PLUGIN_FAILED)


def _local(path: Path, entry: str | None) -> LocalSource:
    found: PluginText | Archive = read_source(path)
    if isinstance(found, PluginText):
        return LocalSource(found.slug, found.language, found.code, None, None, None)
    return LocalSource(found.slug, None, None, found.data, found.media, entry)
