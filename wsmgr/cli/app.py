"""The tree of commands. Each command stands in a file of its own kind; here they get their names and examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from wsmgr import __version__
from wsmgr.cli import (
    alerts,
    authoring,
    comparing,
    daemon,
    demo,
    doctor,
    events,
    execute,
    image,
    owners,
    plans,
    plugin_settings,
    plugins,
    putting,
    queued,
    records,
    secrets,
    tokens,
    tui,
    volumes,
    workspaces,
)
from wsmgr.cli.options import examples
from wsmgr.cli.wiring import wiring_of


def make_app() -> typer.Typer:
    """The whole command line."""
    app = _group("Workspaces in which untrusted plugins run, one for every user or organisation.")
    app.callback(epilog=examples("wsmgr serve --detach", "wsmgr demo hello.js", "wsmgr ls", "wsmgr doctor"))(_options)
    _add(app, "serve", daemon.serve, "wsmgr serve", "wsmgr serve --detach --isolation worker")
    _add(app, "shutdown", daemon.shutdown, "wsmgr shutdown", "wsmgr shutdown --keep")
    _add(
        app,
        "execute",
        execute.execute,
        "wsmgr execute markdown --user alice --input page.json",
        'wsmgr execute ./hello.js --user alice --json-input \'{"name": "Alice"}\'',
        "cat page.json | wsmgr execute markdown --user alice --org acme --input - --json",
        "wsmgr execute report --user alice --stream",
        "wsmgr execute report --user alice --async --wait",
    )
    _add(app, "cancel", queued.cancel, "wsmgr cancel job:7", "wsmgr cancel job:7 --json")
    _add(app, "demo", demo.demo, "wsmgr demo hello.js", "wsmgr demo markdown.js --input page.json --user alice")
    _add(app, "tui", tui.tui, "wsmgr tui", "wsmgr tui --read-only --no-mouse", "wsmgr tui --theme textual-light")
    _add(app, "top", tui.top, "wsmgr top", "wsmgr top --sort mem -n 20", "watch -n 2 wsmgr top --filter cpu>50")
    _add(app, "ls", workspaces.ls, "wsmgr ls", "wsmgr ls --json | jq -r '.[].id'")
    _add(app, "show", workspaces.show, "wsmgr show user:alice", "wsmgr show org:acme~reports --json")
    _add(app, "start", workspaces.start, "wsmgr start user:alice", "wsmgr start user:alice user:bob --wait 0")
    _add(app, "stop", workspaces.stop, "wsmgr stop user:alice", "wsmgr stop user:alice org:acme --wait 60")
    _add(app, "restart", workspaces.restart, "wsmgr restart user:alice", "wsmgr restart user:alice --json")
    _add(app, "pause", workspaces.pause, "wsmgr pause user:alice")
    _add(app, "resume", workspaces.resume, "wsmgr resume user:alice")
    _add(app, "recover", workspaces.recover, "wsmgr recover user:alice")
    _add(app, "rm", workspaces.rm, "wsmgr rm user:alice", "wsmgr rm --yes user:alice user:bob")
    _add(app, "logs", records.logs, "wsmgr logs user:alice", "wsmgr logs user:alice -n 500")
    _add(
        app, "executions", records.executions, "wsmgr executions user:alice", "wsmgr executions user:alice -n 5 --json"
    )
    _add(app, "events", events.events, "wsmgr events", "wsmgr events user:alice -n 50", "wsmgr events --follow --json")
    _add(app, "doctor", doctor.doctor, "wsmgr doctor", "wsmgr doctor --json > doctor.json")
    app.add_typer(_alerts(), name="alerts")
    app.add_typer(_plugins(), name="plugin")
    app.add_typer(_owners(), name="owner")
    app.add_typer(_plans(), name="plan")
    app.add_typer(_tokens(), name="token")
    app.add_typer(_volumes(), name="volume")
    app.add_typer(_secret_keys(), name="secrets")
    app.add_typer(_images(), name="image")
    return app


def narrow(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Keep only the command that the arguments name: typer reads the signatures of all that are there, which takes more
    time than most commands themselves. Where it is not plain which one it is, all stay."""
    name = _named(arguments)
    commands = [one for one in app.registered_commands if one.name == name]
    groups = [one for one in app.registered_groups if one.name == name]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups


def _named(arguments: Sequence[str]) -> str | None:
    """The first word that is no option of `wsmgr` itself."""
    words = iter(arguments)
    for word in words:
        if word in {"--socket", "--url"}:
            next(words, None)
        elif not word.startswith("-"):
            return word
        elif word != "--debug" and not word.startswith(("--socket=", "--url=")):
            return None
    return None


def _plugins() -> typer.Typer:
    group = _group("An owner's plugins and their versions.")
    _add(
        group,
        "put",
        putting.put,
        "wsmgr plugin put user:alice hello.js",
        "wsmgr plugin put org:acme dist/index.js --slug markdown",
        "wsmgr plugin put user:alice ./markdown --watch",
        "wsmgr plugin put user:alice markdown-2.1.tar.gz --entry src/index.js",
    )
    _add(group, "new", authoring.new, "wsmgr plugin new hello", "wsmgr plugin new hello --language python")
    _add(group, "check", authoring.check, "wsmgr plugin check ./markdown", "wsmgr plugin check hello.js --json")
    _add(
        group,
        "run",
        authoring.run,
        "wsmgr plugin run ./markdown --input page.json",
        "wsmgr plugin run hello.js --json-input '{}' --plan PRO",
    )
    _add(
        group,
        "diff",
        comparing.diff,
        "wsmgr plugin diff user:alice markdown",
        "wsmgr plugin diff user:alice markdown 3f2a",
        "wsmgr plugin diff user:alice markdown 3f2a 77c0 --json",
    )
    _add(group, "ls", plugins.ls, "wsmgr plugin ls user:alice", "wsmgr plugin ls user:alice --json")
    _add(group, "show", plugins.show, "wsmgr plugin show user:alice markdown")
    _add(group, "rm", plugins.rm, "wsmgr plugin rm user:alice markdown", "wsmgr plugin rm --yes user:alice markdown")
    _add(
        group,
        "rollback",
        plugins.rollback,
        "wsmgr plugin rollback user:alice markdown",
        "wsmgr plugin rollback user:alice markdown --version 3f2a",
    )
    group.add_typer(_plugin_config(), name="config")
    group.add_typer(_plugin_secrets(), name="secret")
    group.callback(epilog=examples("wsmgr plugin put user:alice hello.js", "wsmgr plugin ls user:alice"))(_nothing)
    return group


def _plugin_config() -> typer.Typer:
    group = _group("The configuration of a plugin: a JSON object that it sees as context.config.")
    _add(group, "get", plugin_settings.get_config, "wsmgr plugin config get user:alice mailer")
    _add(
        group,
        "set",
        plugin_settings.set_config,
        "wsmgr plugin config set user:alice mailer --input config.json",
        'wsmgr plugin config set user:alice mailer --json-input \'{"from": "alice@example.org"}\'',
    )
    group.callback(epilog=examples("wsmgr plugin config get user:alice mailer"))(_nothing)
    return group


def _plugin_secrets() -> typer.Typer:
    group = _group("The secrets of a plugin, which it sees as context.secrets and nobody reads back.")
    _add(
        group,
        "set",
        plugin_settings.set_secret,
        "wsmgr plugin secret set user:alice mailer API_KEY < key.txt",
        "pass show mailer | wsmgr plugin secret set user:alice mailer API_KEY",
    )
    _add(group, "ls", plugin_settings.ls_secrets, "wsmgr plugin secret ls user:alice mailer")
    _add(
        group,
        "rm",
        plugin_settings.rm_secret,
        "wsmgr plugin secret rm user:alice mailer API_KEY",
        "wsmgr plugin secret rm --yes user:alice mailer API_KEY",
    )
    group.callback(epilog=examples("wsmgr plugin secret ls user:alice mailer"))(_nothing)
    return group


def _secret_keys() -> typer.Typer:
    group = _group("The keys that the secrets of all plugins are sealed with.")
    _add(group, "rotate", secrets.rotate, "wsmgr secrets rotate", "wsmgr secrets rotate --json")
    _add(group, "forget", secrets.forget, "wsmgr secrets forget", "wsmgr secrets forget --yes")
    group.callback(epilog=examples("wsmgr secrets rotate"))(_nothing)
    return group


def _owners() -> typer.Typer:
    group = _group("What is chosen for users and organisations: plan, limits, isolation.")
    _add(group, "ls", owners.ls, "wsmgr owner ls", "wsmgr owner ls --json")
    _add(group, "show", owners.show, "wsmgr owner show user:alice", "wsmgr owner show org:acme --json")
    _add(
        group,
        "set",
        owners.put,
        "wsmgr owner set org:acme --plan PRO",
        "wsmgr owner set user:alice --limit memoryMb=300 --limit idleTimeoutSeconds=600",
        "wsmgr owner set user:alice --unset-limit memoryMb --isolation worker",
    )
    _add(group, "unset", owners.unset, "wsmgr owner unset user:alice", "wsmgr owner unset user:alice plan memoryMb")
    group.callback(epilog=examples("wsmgr owner ls", "wsmgr owner set org:acme --plan PRO"))(_nothing)
    return group


def _plans() -> typer.Typer:
    group = _group("The plans, and the file they come from.")
    _add(group, "ls", plans.ls, "wsmgr plan ls", "wsmgr plan ls --json")
    _add(group, "show", plans.show, "wsmgr plan show PRO", "wsmgr plan show PRO --json")
    _add(group, "default", plans.default, "wsmgr plan default > plans.yaml")
    _add(group, "check", plans.check, "wsmgr plan check plans.yaml", "wsmgr plan check")
    _add(group, "reload", plans.reload, "wsmgr plan reload")
    group.callback(epilog=examples("wsmgr plan ls", "wsmgr plan default > plans.yaml"))(_nothing)
    return group


def _tokens() -> typer.Typer:
    group = _group("Bearer tokens for the TCP address of the API.")
    _add(group, "create", tokens.create, "wsmgr token create platform", "wsmgr token create ops --role admin --json")
    _add(group, "ls", tokens.ls, "wsmgr token ls", "wsmgr token ls --json")
    _add(group, "rm", tokens.rm, "wsmgr token rm platform", "wsmgr token rm --yes platform")
    group.callback(epilog=examples("wsmgr token create platform", "wsmgr token ls"))(_nothing)
    return group


def _alerts() -> typer.Typer:
    group = _group("What an operator should know of now.")
    _add(group, "ack", alerts.ack, "wsmgr alerts ack 7", "wsmgr alerts ack 7 --json")
    group.callback(
        invoke_without_command=True,
        no_args_is_help=False,
        help="List the alerts that are open; `ack` says that you know of one.",
        epilog=examples("wsmgr alerts", "wsmgr alerts --all --json", "wsmgr alerts ack 7"),
    )(alerts.alerts)
    return group


def _volumes() -> typer.Typer:
    group = _group("The volumes that have the persistent data of workspaces.")
    _add(group, "ls", volumes.ls, "wsmgr volume ls", "wsmgr volume ls --json")
    _add(group, "rm", volumes.rm, "wsmgr volume rm v256-03", "wsmgr volume rm --yes v256-03 --json")
    group.callback(epilog=examples("wsmgr volume ls"))(_nothing)
    return group


def _images() -> typer.Typer:
    group = _group("The images that workspaces are made of.")
    _add(group, "build", image.build, "wsmgr image build", "wsmgr image build --runtime python --base python:3.12-slim")
    group.callback(epilog=examples("wsmgr image build"))(_nothing)
    return group


def _group(about: str) -> typer.Typer:
    # Without rich markup the help is plain text: it starts faster, and reads the same in a pipe.
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def _add(group: typer.Typer, name: str, command: Callable[..., None], *lines: str) -> None:
    group.command(name, epilog=examples(*lines), no_args_is_help=False)(command)


def _nothing() -> None:
    """A group has no work of its own."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"wsmgr {__version__}")
        raise typer.Exit


def _options(
    context: typer.Context,
    socket: Annotated[
        Path | None, typer.Option(help="The daemon's socket (WSMGR_SOCKET).", show_default=False, metavar="PATH")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The daemon's TCP address (WSMGR_URL); its token is in WSMGR_TOKEN.", show_default=False
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Workspaces in which untrusted plugins run, one for every user or organisation."""
    del version
    wiring = wiring_of(context)
    wiring.socket, wiring.url, wiring.debug = socket or wiring.socket, url or wiring.url, debug
