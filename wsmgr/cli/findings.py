"""What validation found, printed as compilers do, so that editors can jump there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from wsmgr.cli.output import note

if TYPE_CHECKING:
    from wsmgr.client import ApiError


def note_findings(findings: Iterable[Mapping[str, object]], root: str = "") -> None:
    """One line each on standard error; `root` is put before the names of files."""
    for one in findings:
        note(line_of(one, root))


def line_of(finding: Mapping[str, object], root: str = "") -> str:
    """`file:line:column: severity: why [rule]`."""
    file = finding.get("file")
    place = f"{root}{file}:" if file else ""
    if finding.get("line"):
        place += f"{finding['line']}:{finding.get('column') or 1}:"
    rule = f" [{finding['rule']}]" if finding.get("rule") else ""
    return f"{place}{' ' if place else ''}{finding.get('severity', 'warning')}: {finding.get('message', '')}{rule}"


def findings_of(error: ApiError) -> list[Mapping[str, object]]:
    """Those that a refusal carries; none where it was refused for something else."""
    found = (error.problem.model_extra or {}).get("findings")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
