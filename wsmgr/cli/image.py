"""`image build`: the image that workspaces are made of."""

from __future__ import annotations

from typing import Annotated

import typer

from wsmgr.cli.humane import size
from wsmgr.cli.options import Json
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.wiring import wiring_of


def build(
    context: typer.Context,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="A base from a registry; without it, no registry is used.", show_default=False
        ),
    ] = None,
    node_version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Which Node.js goes in.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Build it even when nothing has changed.")] = False,
    as_json: Json = False,
) -> None:
    """Build the workspace image. Progress goes to standard error."""
    wiring = wiring_of(context)
    report = wiring.backend().build_image(
        wiring.settings(), base=base, node_version=node_version, force=force, progress=note
    )
    if as_json:
        print_json(
            {"id": report.id, "tag": report.tag, "changed": report.changed, "sizeBytes": report.size_bytes},
        )
    else:
        done = "built" if report.changed else "was built before, and nothing has changed"
        say(f"{report.tag}  {report.id.removeprefix('sha256:')[:12]}  {size(report.size_bytes)}  {done}")
