"""`serve` and `shutdown`: the daemon itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wsmgr.cli.wiring import wiring_of


def _absolute(path: Path | None) -> Path | None:
    """The daemon in the background has another working directory."""
    return None if path is None else path.absolute()


def serve(
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", help="Start it in the background and return.")] = False,
    socket: Annotated[
        Path | None, typer.Option(metavar="PATH", show_default=False, help="Where the API listens.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", show_default=False, help="A loopback address besides the socket; needs tokens."
        ),
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(metavar="PATH", show_default=False, help="Database, lock and log.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(metavar="URL", show_default=False, help="Another database than SQLite's file.")
    ] = None,
    isolation: Annotated[
        str | None, typer.Option(metavar="WORD", show_default=False, help="container, worker or none.")
    ] = None,
    image: Annotated[str | None, typer.Option(metavar="NAME", show_default=False, help="The workspace image.")] = None,
    fallback: Annotated[
        bool | None,
        typer.Option("--fallback/--no-fallback", show_default=False, help="A worker may stand in for a container."),
    ] = None,
    default_plan: Annotated[
        str | None, typer.Option(metavar="PLAN", show_default=False, help="The plan of owners who have none.")
    ] = None,
    podman_socket: Annotated[
        Path | None, typer.Option(metavar="PATH", show_default=False, help="A podman service that is run elsewhere.")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", show_default=False, help="debug, info, warning or error.")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", show_default=False, help="auto, console or json.")
    ] = None,
) -> None:
    """Run the daemon.

    What is not given comes from the environment (WSMGR_…, PLUGIN_ISOLATION, WORKSPACE_IMAGE), then from the settings
    file.
    """
    wiring = wiring_of(context)
    given = {
        "socket": _absolute(socket or wiring.socket),
        "listen": listen,
        "state_dir": _absolute(state_dir),
        "database_url": database_url,
        "isolation": isolation,
        "image": image,
        "fallback": fallback,
        "default_plan": default_plan,
        "podman_socket": _absolute(podman_socket),
        "log_level": log_level,
        "log_format": log_format,
    }
    settings = wiring.settings(**given)
    backend = wiring.backend()
    raise typer.Exit(backend.detach(settings) if detach else backend.serve(settings))


def shutdown(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the workspaces running, for an upgrade.")] = False,
    state_dir: Annotated[
        Path | None, typer.Option(metavar="PATH", show_default=False, help="The one that it was started with.")
    ] = None,
) -> None:
    """Stop the daemon, and with it the workspaces."""
    wiring = wiring_of(context)
    raise typer.Exit(wiring.backend().shutdown(wiring.settings(state_dir=_absolute(state_dir)), keep))
