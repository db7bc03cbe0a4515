"""`doctor`: what this host can enforce, with proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from wsmgr.cli.failure import OTHER
from wsmgr.cli.humane import plural, span
from wsmgr.cli.options import Json
from wsmgr.cli.output import Cell, level_cell, note, print_json, print_table, say
from wsmgr.cli.wiring import CapabilityLine, Wiring, wiring_of

if TYPE_CHECKING:
    from wsmgr.wire.capability import Capability
    from wsmgr.wire.health import EngineHealth


@dataclass(frozen=True, slots=True)
class Findings:
    """The matrix, who gave it, and the engine's health as the daemon sees it (None: no daemon was asked)."""

    lines: list[Capability]
    source: str
    engine: EngineHealth | None

    @property
    def complaints(self) -> list[str]:
        """One sentence for each thing that must hold and does not."""
        said = []
        if self.engine is not None and not self.engine.available:
            said.append(self.engine.reason or f"the engine of the isolation {self.engine.isolation} is not available.")
        weak = [line for line in self.lines if line.required and line.level != "enforced"]
        return said + [f"{line.name} is required and {line.level}. {line.mend or ''}".rstrip() for line in weak]


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Say what this host can enforce.

    And how that was seen, and how to mend the rest. Asks the daemon; when none runs, tries it itself. Exit code 0
    when everything that is required is enforced and the engine does its work, else 1.
    """
    found = _find(wiring_of(context))
    complaints = found.complaints
    if as_json:
        members = {"source": found.source, "engine": found.engine, "items": found.lines}
        print_json({"ok": not complaints, "complaints": complaints, **members})
    else:
        _print(found.lines)
    for complaint in complaints:
        note(f"wsmgr: {complaint}")
    if complaints:
        raise typer.Exit(OTHER)


def _find(wiring: Wiring) -> Findings:
    from wsmgr.client import DaemonUnreachable  # noqa: PLC0415  # httpx only when a call is made

    try:
        with wiring.client() as client:
            health = client.health()
            lines = client.capabilities().items
    except DaemonUnreachable as error:
        note(f"{error.sentence}\nThis host is tried without it; that takes some seconds.")
        settings = wiring.settings()
        tried = wiring.backend().probe(settings)
        return Findings([_on_wire(line, settings.isolation.value) for line in tried], "probe", None)
    note(f"The daemon at {client.target} (wsmgr {health.version}) is {health.status}, up {span(health.uptime)}.")
    return Findings(lines, "daemon", health.engine)


def _on_wire(line: CapabilityLine, isolation: str) -> Capability:
    from wsmgr.wire.capability import Capability  # noqa: PLC0415  # pydantic only when it is needed

    return Capability.model_validate(
        {
            "isolation": isolation,
            "name": line.name,
            "level": str(line.level),
            "evidence": line.evidence,
            "mend": line.mend,
            "required": bool(getattr(line, "required", False)),
        }
    )


def _print(lines: Sequence[Capability]) -> None:
    rows: list[tuple[str | Cell, ...]] = [
        (
            line.isolation or "-",
            f"{line.name} (required)" if line.required else line.name,
            level_cell(line.level),
            line.evidence,
        )
        for line in lines
    ]
    print_table(("ISOLATION", "CAPABILITY", "LEVEL", "EVIDENCE"), rows)
    # The isolation `none` has no sandbox on purpose: what it lacks is no gap of this host.
    counted = [line for line in lines if line.isolation != "none"]
    held = sum(line.level == "enforced" for line in counted)
    say()
    say(f"{held} of {plural(len(counted), 'capability', 'capabilities')} enforced.")
    for mend, mended in _mends(lines).items():
        say(f"To mend {', '.join(mended)}: {mend}")


def _mends(lines: Sequence[Capability]) -> dict[str, list[str]]:
    """What helps, each with all that it helps: the same step often mends several."""
    mends: dict[str, list[str]] = {}
    for line in lines:
        if line.mend is not None:
            mends.setdefault(line.mend, []).append(f"{line.isolation} {line.name}" if line.isolation else line.name)
    return mends
