"""`demo`: one plugin cold and then warm, and what to type next."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.failure import PLUGIN_FAILED
from wsmgr.cli.files import PluginText, read_input, read_plugin
from wsmgr.cli.humane import milliseconds
from wsmgr.cli.options import InputFile, Json, PluginFile, SlugOption
from wsmgr.cli.output import note, print_fields, print_json, say
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client, Target
    from wsmgr.wire.execute import ExecuteResponse

_STOP_S = 30.0
_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What was seen: round trips as this program measured them, in milliseconds, and the answers."""

    cold_ms: float
    warm_ms: list[float]
    cold: ExecuteResponse
    last: ExecuteResponse


def demo(
    context: typer.Context,
    plugin: PluginFile,
    input_file: InputFile = None,
    user: Annotated[str, typer.Option("--user", metavar="ID", help="For whom it runs.")] = "demo",
    slug: SlugOption = None,
    calls: Annotated[int, typer.Option(min=1, max=1000, help="How many warm calls.")] = 10,
    as_json: Json = False,
) -> None:
    """Try a plugin: cold, then warm.

    Stores it for a sample user, stops that user's workspace, executes the plugin until it is warm, and says what was
    seen and what to type next.
    """
    text = read_plugin(plugin, slug)
    value = read_input(input_file, None)
    with wiring_of(context).client() as client:
        shown = _try(client, user, text, value, calls)
    answer = shown.last
    if as_json:
        print_json(
            {
                "coldMs": shown.cold_ms,
                "warmMs": shown.warm_ms,
                "cold": shown.cold,
                "last": answer,
                "target": str(client.target),
            }
        )
    else:
        _print(shown, user, text.slug, input_file, client.target)
    if not answer.success:
        raise typer.Exit(PLUGIN_FAILED)


def _try(client: Client, user: str, text: PluginText, value: object, calls: int) -> Shown:
    workspace = f"user:{user}"
    note(f"Stopping {workspace}, so that the first call starts it …")
    client.put_workspace(workspace, "STOPPED")
    client.stop(workspace, wait=_STOP_S)
    note(f"Storing the plugin {text.slug} …")
    client.put_plugin(workspace, text.slug, language=text.language, code=text.code)
    note("Executing it cold …")
    cold_ms, cold = _timed(client, user, text.slug, value)
    if not cold.success:
        return Shown(cold_ms, [], cold, cold)
    note(f"Executing it warm, {calls} times …")
    warm = [_timed(client, user, text.slug, value) for _ in range(calls)]
    failed = [answer for _, answer in warm if not answer.success]
    return Shown(cold_ms, [took for took, _ in warm], cold, failed[0] if failed else warm[-1][1])


def _timed(client: Client, user: str, slug: str, value: object) -> tuple[float, ExecuteResponse]:
    begin = time.perf_counter()
    answer = client.execute(user, slug, value)
    return (time.perf_counter() - begin) * 1000, answer


def _print(shown: Shown, user: str, slug: str, input_file: str | None, target: Target) -> None:
    answer = shown.last
    if answer.error is not None:
        say(f"The plugin failed: {answer.error.type}: {answer.error.message}")
    else:
        text = json.dumps(answer.output, indent=2, ensure_ascii=False)
        say(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… ({len(text)} characters in all)")
    started = f"started in {milliseconds(shown.cold.start_ms)}" if shown.cold.cold_start else "it was running already"
    isolation = f"{answer.isolation}, degraded" if answer.degraded else f"{answer.isolation}, not degraded"
    say()
    print_fields(
        [
            ("cold", f"{milliseconds(shown.cold_ms)} ({started})"),
            ("warm", _warm(shown.warm_ms)),
            ("isolation", isolation),
            ("version", answer.plugin_version[:12]),
            ("daemon", str(target)),
        ]
    )
    given = "" if input_file is None or input_file == "-" else f" --input {shlex.quote(input_file)}"
    say()
    say("What to type next:")
    program = _program()
    for line in (
        f"execute {slug} --user {shlex.quote(user)}{given}",
        "ls",
        f"show {shlex.quote(f'user:{user}')}",
        f"executions {shlex.quote(f'user:{user}')}",
        "doctor",
    ):
        say(f"  {program} {line}")


def _program() -> str:
    """How to call this program again: a user's own installation is not on `PATH`."""
    name = Path(sys.argv[0]).name
    return name if shutil.which(name) is not None else shlex.quote(sys.argv[0])


def _warm(took: list[float]) -> str:
    if not took:
        return "-"
    from statistics import median  # noqa: PLC0415  # with fractions and decimals, for which no other command waits

    return f"{milliseconds(median(took))} (median of {len(took)}, best {milliseconds(min(took))})"
