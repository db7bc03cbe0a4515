"""One workspace as these engines keep it: in memory, because its processes do not outlive the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wsmgr.adapters.worker.child import end
from wsmgr.adapters.worker.launcher import Launched, Launcher
from wsmgr.core.workspace import Created, Endpoint, Exited, Running, Spec


@dataclass(slots=True, eq=False)
class Run:
    """One run of a runtime, alive or ended. `instance` is unique."""

    launched: Launched
    instance: str
    started_at: datetime
    over: bool = False

    @classmethod
    async def begin(cls, launcher: Launcher, spec: Spec, instance: str) -> Run:
        """Launch. Raises EngineFailure."""
        return cls(await launcher.launch(spec, instance), instance, datetime.now(UTC))

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.launched.child.exit_code

    async def end(self, grace_s: float) -> None:
        """SIGTERM, SIGKILL, reap, tidy; again it does nothing. Raises EngineFailure when it cannot be ended."""
        if self.over:
            return
        await end(self.launched.child, self.launched.terminate, self.launched.kill, grace_s)
        if not self.over:  # two may have waited for the same end
            self.over = True
            self.launched.tidy()


@dataclass(slots=True, eq=False)
class Box:
    """A created workspace and its latest run."""

    spec: Spec
    handle: str
    run: Run | None = None

    def observed(self, uid: int) -> Created | Running | Exited:
        """Its state; `uid` is who listens behind its endpoint."""
        if self.run is None:
            return Created(self.handle, self.spec.digest)
        code = self.run.exit_code
        if code is not None:
            return Exited(self.handle, self.spec.digest, code, oom_killed=False)
        launched = self.run.launched
        endpoint = Endpoint(launched.pid, launched.socket, uid, self.run.instance, on_host=launched.on_host)
        return Running(self.handle, self.spec.digest, endpoint, self.run.started_at)
