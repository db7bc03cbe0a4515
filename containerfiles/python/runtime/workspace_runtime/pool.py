"""Who runs when: at most `concurrency` executions at once, the others wait in order of arrival. Processes that are done
stay warm (crew.py) for the next call of the same plugin version.

A call of a plugin that answers within a few milliseconds is not worth a second process: it waits behind the one that is
at work on the same plugin. As soon as that lets STALLED_TICKS of the guard pass without an answer, what waits behind it
goes to other processes. (Ticks and not milliseconds: where a CPU quota freezes everything, nothing has stalled.)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from workspace_runtime import outcomes
from workspace_runtime.crew import Crew
from workspace_runtime.execution import Execution
from workspace_runtime.guard import Guard
from workspace_runtime.outcomes import Error, LoadFailure
from workspace_runtime.plugins import Plugin
from workspace_runtime.settings import Settings
from workspace_runtime.spawner import CannotSpawn
from workspace_runtime.worker import Worker

_LOADS_AT_ONCE = 2
_QUICK_MS = 3.0
_STALLED_TICKS = 2
_LOAD_GRACE_TICKS = 20  # one that loads has not stalled: others would have to load as well

Loaded = Callable[[LoadFailure | None, float], None]


class Pool:
    """Owns the executions under way."""

    def __init__(self, settings: Settings, guard: Guard, crew: Crew) -> None:
        self._settings = settings
        self._guard = guard
        self._crew = crew
        self._running: dict[Worker, Execution] = {}
        self._by_id: dict[str, Execution] = {}
        self._queue: deque[Execution] = deque()
        self._crowded: set[Plugin] = set()
        self._order = 0
        self._tick = 0
        self._loads: deque[Callable[[], None]] = deque()
        self._loading = 0
        self._pumping = False
        self._when_idle: list[Callable[[], None]] = []
        self.executions = 0  # ended ones, since start
        self.draining = False
        guard.each_tick = self._unstall

    @property
    def inflight(self) -> int:
        """Executions under way, those that wait included."""
        return len(self._by_id)

    @property
    def queued(self) -> int:
        """Those that wait."""
        return len(self._by_id) - len(self._running)

    def submit(self, execution: Execution) -> bool:
        """Take an execution; False when its id is already under way."""
        if execution.id in self._by_id:
            return False
        self._by_id[execution.id] = execution
        self._order += 1
        execution.order = self._order
        plugin = execution.plugin
        if plugin.busy > 0 and plugin.pace_ms < _QUICK_MS:
            plugin.behind.append(execution)
            self._crowded.add(plugin)
        else:
            self._start_or_queue(execution)
        return True

    def cancel(self, name: str) -> bool:
        """End an execution, running or waiting; False when there is none of that id."""
        execution = self._by_id.get(name)
        if execution is None:
            return False
        if execution.worker is not None:
            execution.worker.cancel()
        else:
            self._refuse(execution, outcomes.cancelled())
        return True

    def load(self, plugin: Plugin, loaded: Loaded) -> None:
        """Load a plugin version in a fresh process and keep that warm. `loaded` gets why not, and the milliseconds."""
        if self._loading < _LOADS_AT_ONCE:
            self._load_now(plugin, loaded)
        else:
            self._loads.append(lambda: self._load_now(plugin, loaded))

    def retire(self, plugin: Plugin) -> None:
        """A version that is no longer current: idle processes go now, busy ones when they are done."""
        plugin.retired = True
        for worker in list(plugin.idle):
            worker.retire()
        plugin.let_go()

    def drain(self, done: Callable[[], None]) -> None:
        """Refuse new executions from now on; `done` is called when those under way have ended."""
        self.draining = True
        if self._by_id:
            self._when_idle.append(done)
        else:
            done()

    def cancel_all(self) -> None:
        """End every execution."""
        for name in list(self._by_id):
            self.cancel(name)

    # What workers tell.

    def settled(self, worker: Worker, execution: Execution) -> None:
        """Its execution has ended."""
        plugin = worker.plugin
        plugin.pace_ms += (execution.duration_ms - plugin.pace_ms) / 8
        plugin.answered_tick = self._tick
        self._guard.unwatch(worker)
        self._leave(worker)
        if not worker.fit:
            worker.retire()
        elif not self._run_next_behind(worker, plugin):
            if plugin.retired:
                worker.retire()
            else:
                self._crew.rest(worker)
        self._finished(execution)

    def ended(self, worker: Worker) -> None:
        """No longer used, whoever ended it."""
        self._crew.ended(worker)

    # Inside.

    def _start_or_queue(self, execution: Execution) -> None:
        if len(self._running) < self._settings.concurrency:
            self._start(execution)
        else:
            self._queue.append(execution)

    def _enter(self, worker: Worker, execution: Execution) -> None:
        self._running[worker] = execution
        execution.worker = worker
        plugin = execution.plugin
        plugin.busy += 1
        if plugin.busy == 1:
            plugin.answered_tick = self._tick

    def _leave(self, worker: Worker) -> None:
        """It is no longer at work. With nobody left to wait behind, those who did go the ordinary way."""
        del self._running[worker]
        worker.plugin.busy -= 1
        if worker.plugin.busy == 0 and not worker.fit:
            self._to_queue(worker.plugin)

    def _run_next_behind(self, worker: Worker, plugin: Plugin) -> bool:
        """Give a process the next call that waits behind it, unless one in the queue came earlier."""
        while plugin.behind and plugin.behind[0].settled:
            plugin.behind.popleft()
        if not plugin.behind:
            self._crowded.discard(plugin)
            return False
        if self._queue and self._queue[0].order < plugin.behind[0].order:
            self._to_queue(plugin)
            return False
        execution = plugin.behind.popleft()
        self._enter(worker, execution)
        self._guard.watch(worker)
        worker.run(execution)
        return True

    def _to_queue(self, plugin: Plugin) -> None:
        self._crowded.discard(plugin)
        self._queue.extend(execution for execution in plugin.behind if not execution.settled)
        plugin.behind.clear()

    def _unstall(self) -> None:
        self._tick += 1
        for plugin in list(self._crowded):
            if self._tick - plugin.answered_tick >= _STALLED_TICKS:
                self._to_queue(plugin)
        self._pump()

    def _start(self, execution: Execution) -> None:
        plugin = execution.plugin
        warm = self._crew.take(plugin)
        if warm is not None:
            self._enter(warm, execution)
            warm.run(execution)
            return
        try:
            worker = self._crew.spawn(plugin, self)
        except CannotSpawn as error:
            self._refuse(execution, outcomes.crashed(f"no process could be started for it: {error}."))
            return
        self._enter(worker, execution)
        if plugin.busy == 1:
            plugin.answered_tick = self._tick + _LOAD_GRACE_TICKS
        worker.load(self._settings.load_timeout_ms, lambda failure: self._loaded_for(worker, execution, failure))

    def _loaded_for(self, worker: Worker, execution: Execution, failure: LoadFailure | None) -> None:
        """A cold call: the load had its own deadline, the execution's clock starts now."""
        if failure is None:
            execution.plugin.answered_tick = self._tick
            worker.run(execution)
            return
        self._leave(worker)
        self._refuse(execution, failure.outcome)

    def _load_now(self, plugin: Plugin, loaded: Loaded) -> None:
        self._loading += 1
        before = time.monotonic()

        def done(failure: LoadFailure | None) -> None:
            self._loading -= 1
            if failure is None:
                self._crew.rest(worker)
            if self._loads:
                self._loads.popleft()()
            loaded(failure, round((time.monotonic() - before) * 1000, 3))

        try:
            worker = self._crew.spawn(plugin, self)
        except CannotSpawn as error:
            self._loading -= 1
            loaded(LoadFailure(f"No process could be started to load the plugin in: {error}."), 0.0)
            return
        worker.load(self._settings.load_timeout_ms, done)

    def _refuse(self, execution: Execution, error: Error) -> None:
        """End an execution that no process runs."""
        execution.settle(b"null", error, b"", False, 0.0)
        self._finished(execution)

    def _finished(self, execution: Execution) -> None:
        self.executions += 1
        del self._by_id[execution.id]
        self._pump()
        if not self._by_id:
            waiting, self._when_idle = self._when_idle, []
            for done in waiting:
                done()

    def _pump(self) -> None:
        if self._pumping:
            return  # whoever does it already goes on; otherwise calls that cannot start would nest without end
        self._pumping = True
        while self._queue and len(self._running) < self._settings.concurrency:
            execution = self._queue.popleft()
            if not execution.settled:
                self._start(execution)
        self._pumping = False
