"""The host in four lines: the machine, its memory and disk, the engine, and the images that workspaces are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tui.model import format as say
from tui.model.cell import Cell
from tui.model.facts import Fact
from tui.model.row import Row, heat
from wsmgr.wire.capability import Capability
from wsmgr.wire.fleet import FleetHost
from wsmgr.wire.host import Host

_WARM_DISK, _HOT_DISK = 0.80, 0.95


def machine(host: Host) -> list[Fact]:
    """What kind of machine it is."""
    load = " ".join(f"{value:.2f}" for value in host.load_average) or say.NOTHING
    return [
        Fact(0, (Cell(say.printable(host.hostname), "id"),)),
        Fact(2, (Cell(f"Linux {say.printable(host.kernel)}", "dim"),)),
        Fact(1, (Cell(f"{say.plural(host.cpus, 'CPU')} "), Cell(f"at {say.percent(host.cpu_percent)}", "dim"))),
        Fact(1, (Cell(f"load {load}", "dim"),)),
        Fact(3, (Cell(f"cgroups {host.cgroups or say.NOTHING}", "dim"),)),
    ]


def room(host: Host, line: FleetHost | None) -> list[Fact]:
    """Memory and disk: what there is, and what is left."""
    used_mb = host.memory_mb - host.memory_available_mb
    share = used_mb / max(host.memory_mb, 1)
    words = f"{say.mebibytes(used_mb)} of {say.mebibytes(host.memory_mb)}"
    facts = [Fact(0, (Cell("memory ", "dim"), Cell(f"{say.bar(share, 8)} {words}", heat(share))))]
    if line is not None and line.memory_budget_mb:
        held = f"{say.mebibytes(line.memory_held_mb)} of {say.mebibytes(line.memory_budget_mb)}"
        part = line.memory_held_mb / line.memory_budget_mb
        facts.append(Fact(1, (Cell("promised to workspaces ", "dim"), Cell(held, heat(part)))))
    if line is not None and line.disk_used_bytes is not None and line.disk_total_bytes:
        full = line.disk_used_bytes / line.disk_total_bytes
        style = "hot" if full >= _HOT_DISK else "warm" if full >= _WARM_DISK else ""
        words = f"{say.size(line.disk_used_bytes)} of {say.size(line.disk_total_bytes)}"
        free = Cell(f", {say.mebibytes(host.disk_free_mb)} free", "dim")
        facts.append(Fact(0, (Cell("disk ", "dim"), Cell(f"{say.bar(full, 8)} {words}", style), free)))
    return facts


def engine(host: Host, line: FleetHost | None, matrix: Iterable[Capability]) -> list[Fact]:
    """Whether it works, and what it says of itself; until it has, what the matrix says."""
    away = None if line is None else line.engine_away
    state = Cell("✔ works", "ok") if away is None else Cell(f"✖ away: {say.printable(away)}", "bad")
    versions = [one for one in (host.engine_version, host.oci_runtime) if one]
    told = ", ".join(versions) or next((one.evidence for one in matrix if one.name == "engine"), "")
    facts = [Fact(0, (Cell("engine ", "dim"), Cell(f"{host.engine or say.NOTHING} ", "id"), state))]
    if told:
        facts.append(Fact(1, (Cell(say.printable(told), "dim"),)))
    if line is not None:
        facts.append(Fact(2, (Cell(f"daemon {line.daemon_version}", "dim"),)))
    return facts


def images(rows: Iterable[Row]) -> list[Fact]:
    """What workspaces are made of, and how many of each."""
    sources = [row.source for row in rows if row.source is not None]
    made = Counter((one.image, one.runtime or "") for one in sources if one.image is not None)
    if not made:
        return [Fact(0, (Cell("images ", "dim"), Cell("no workspace is made of one", "dim")))]
    return [
        Fact(number, (
            Cell("" if number else "images ", "dim"), Cell(say.printable(image or ""), "id"),
            Cell(f" {say.printable(runtime)}, {say.plural(count, 'workspace')}", "dim"),
        ))
        for number, ((image, runtime), count) in enumerate(made.most_common())
    ]  # fmt: skip
