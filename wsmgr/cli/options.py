"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, alone, on standard output.")]
WorkspaceId = Annotated[
    str,
    typer.Argument(metavar="WORKSPACE", help="user:<id>, org:<id>, or one of these with ~<name>.", show_default=False),
]
WorkspaceIds = Annotated[
    list[str],
    typer.Argument(metavar="WORKSPACE…", help="user:<id>, org:<id>, or one of these with ~<name>.", show_default=False),
]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, max=300, help="How long to wait for it; 0 only asks for it."),
]
PluginFile = Annotated[Path, typer.Argument(metavar="FILE", help="A .js, .mjs, .cjs or .py file.", show_default=False)]
SlugOption = Annotated[
    str | None,
    typer.Option(
        "--slug", metavar="SLUG", help="The plugin's name; the file's name when left out.", show_default=False
    ),
]
InputFile = Annotated[
    str | None,
    typer.Option("--input", metavar="FILE", help="The input, a JSON file; - reads standard input.", show_default=False),
]


def examples(*lines: str) -> str:
    """The end of a command's help; kept line by line."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
