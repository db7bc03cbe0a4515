"""What stands in for `wsmgr.bootstrap` in the tests of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.client import canned
from wsmgr.bootstrap.offline import check_plans, default_plans
from wsmgr.cli.wiring import CapabilityLine, ImageReport, LocalSource, TokenLine
from wsmgr.core.capability import Capability, Level
from wsmgr.core.errors import Conflict
from wsmgr.ports.store import Token
from wsmgr.settings import Settings


@dataclass(frozen=True)
class Report:
    """What building an image did."""

    id: str
    tag: str
    changed: bool
    size_bytes: int


@dataclass(frozen=True)
class Ran:
    """What a run without a daemon came to."""

    answer: Mapping[str, object]
    findings: Sequence[Mapping[str, object]]
    runtime: str
    sandboxed: bool


@dataclass
class FakeBackend:
    """Notes each call with its settings; `code` is the exit code that serving and stopping return."""

    calls: list[tuple[str, Settings, tuple[object, ...]]] = field(default_factory=list)
    code: int = 0
    findings: list[dict[str, object]] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    matrix: list[Capability] = field(
        default_factory=lambda: [Capability("memory limit", Level.BEST_EFFORT, "seen", "Use cgroups v2.")]
    )

    def serve(self, settings: Settings) -> int:
        """Note it."""
        self.calls.append(("serve", settings, ()))
        return self.code

    def detach(self, settings: Settings) -> int:
        """Note it."""
        self.calls.append(("detach", settings, ()))
        return self.code

    def shutdown(self, settings: Settings, keep: bool) -> int:
        """Note it."""
        self.calls.append(("shutdown", settings, (keep,)))
        return self.code

    def build_image(
        self,
        settings: Settings,
        *,
        runtime: str,
        base: str | None,
        version: str | None,
        force: bool,
        progress: Callable[[str], None],
    ) -> ImageReport:
        """Report two lines of progress."""
        self.calls.append(("build_image", settings, (runtime, base, version, force)))
        progress("base made")
        progress("image made")
        tag = settings.image if runtime == "node" else settings.python_image
        return Report("sha256:" + "cd" * 32, tag, force, 106 * 1024 * 1024)

    def create_token(self, settings: Settings, name: str, role: str) -> str:
        """Refuse a name that is taken, as the store does."""
        self.calls.append(("create_token", settings, (name, role)))
        if name in self.tokens:
            raise Conflict(f"There is a token {name} already.")
        self.tokens[name] = Token(name, role, datetime(2026, 11, 23, tzinfo=UTC))
        return "s3cret"

    def check_plugin(self, settings: Settings, source: LocalSource, plan: str | None) -> Sequence[Mapping[str, object]]:
        """Find what `findings` says."""
        self.calls.append(("check_plugin", settings, (source, plan)))
        return self.findings

    def run_plugin(self, settings: Settings, source: LocalSource, value: object, plan: str | None) -> Ran:
        """Answer what it was given."""
        self.calls.append(("run_plugin", settings, (source, plan)))
        answer = {**canned.executed(value).model_dump(by_alias=True), "success": self.code == 0}
        return Ran(answer, self.findings, "node", sandboxed=False)

    def list_tokens(self, settings: Settings) -> Sequence[TokenLine]:
        """Those that were made."""
        del settings
        return list(self.tokens.values())

    def delete_token(self, settings: Settings, name: str) -> bool:
        """Whether it was there."""
        del settings
        return self.tokens.pop(name, None) is not None

    def forget_secrets(self, settings: Settings) -> int:
        """Note it; there were three."""
        self.calls.append(("forget_secrets", settings, ()))
        return 3

    def check_plans(self, settings: Settings, file: Path | None) -> tuple[str, Sequence[str]]:
        """As the real one, which needs no daemon."""
        return check_plans(settings, file)

    def default_plans(self) -> str:
        """As the real one."""
        return default_plans()

    def probe(self, settings: Settings) -> Sequence[CapabilityLine]:
        """The matrix that a test wants."""
        self.calls.append(("probe", settings, ()))
        return self.matrix
