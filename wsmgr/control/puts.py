"""What is put as a version of a plugin, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from wsmgr.core.plugin import Language, PluginVersion
from wsmgr.core.policy import Finding, Severity
from wsmgr.ports.bundles import Format, Wishes


@dataclass(frozen=True, slots=True)
class Put:
    """What came of storing a version. `reloaded`: at least one live workspace loaded it, in `reload_ms`."""

    version: PluginVersion
    reloaded: bool
    warnings: tuple[Finding, ...]
    reload_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """An archive as it came, and what was said with it."""

    archive: bytes
    form: Format
    wishes: Wishes


NOT_TRIED = {
    language: Finding(
        "",
        0,
        0,
        "not-tried",
        f"No workspace of the owner that runs {name} is up: whether the code loads shows at the first call.",
        Severity.WARNING,
    )
    for language, name in ((Language.JAVASCRIPT, "JavaScript"), (Language.PYTHON, "Python"))
}
"""The warning where no runtime of its language has loaded it."""
