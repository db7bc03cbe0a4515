"""`image build`: the images that workspaces are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from wsmgr.cli.failure import USAGE, Failure
from wsmgr.cli.humane import size
from wsmgr.cli.options import Json
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.wiring import ImageReport, wiring_of


class RuntimeChoice(StrEnum):
    """Which images."""

    NODE = "node"
    PYTHON = "python"
    ALL = "all"


def build(
    context: typer.Context,
    runtime: Annotated[
        RuntimeChoice, typer.Option(help="Of which language: node (JavaScript), python, or all of them.")
    ] = RuntimeChoice.ALL,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="A base from a registry; without it, no registry is used.", show_default=False
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(
            "--version",
            metavar="VERSION",
            help="Which Node.js or Python goes in.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Build even when nothing has changed.")] = False,
    as_json: Json = False,
) -> None:
    """Build the images of workspaces. Progress goes to standard error."""
    if runtime is RuntimeChoice.ALL and (base is not None or version is not None):
        raise Failure("--base and --version are of one runtime: say which with --runtime node or python.", USAGE)
    wiring = wiring_of(context)
    settings, backend = wiring.settings(), wiring.backend()
    chosen = [RuntimeChoice.NODE, RuntimeChoice.PYTHON] if runtime is RuntimeChoice.ALL else [runtime]
    reports = [
        (one.value, backend.build_image(settings, runtime=one, base=base, version=version, force=force, progress=note))
        for one in chosen
    ]
    if as_json:
        images = [_described(name, report) for name, report in reports]
        print_json({"changed": any(report.changed for _, report in reports), "images": images})
        return
    for _, report in reports:
        done = "built" if report.changed else "was built before, and nothing has changed"
        say(f"{report.tag}  {report.id.removeprefix('sha256:')[:12]}  {size(report.size_bytes)}  {done}")


def _described(runtime: str, report: ImageReport) -> dict[str, object]:
    return {
        "runtime": runtime,
        "id": report.id,
        "tag": report.tag,
        "changed": report.changed,
        "sizeBytes": report.size_bytes,
    }
