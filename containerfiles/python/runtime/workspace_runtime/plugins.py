"""Which version of each plugin is current. A version becomes current only once it has loaded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from workspace_runtime import files
from workspace_runtime.files import Bundle
from workspace_runtime.outcomes import LoadFailure

TYPE_CHECKING = False  # `typing` takes milliseconds to import, and is for checkers alone
if TYPE_CHECKING:
    from typing import Protocol

    from workspace_runtime.execution import Execution
    from workspace_runtime.worker import Worker

    class Loader(Protocol):
        """Of the pool, what is needed here."""

        def load(self, plugin: Plugin, loaded: Callable[[LoadFailure | None, float], None]) -> None: ...

        def retire(self, plugin: Plugin) -> None: ...


Answer = Callable[["Plugin | None", "LoadFailure | None", float], None]
"""Gets the version that is current now, or why the new one is not; and the milliseconds that it took to load."""


class Plugin:
    """One loaded version of a plugin, and what the pool keeps about it. `source` is what its processes are told:
    {slug, code} or {slug, folder, entry}, and `given`, what it is given beside its code; `holders` counts those that
    there are."""

    def __init__(self, slug: str, version: str, source: Mapping[str, object]) -> None:
        self.slug = slug
        self.version = version
        self.source = source
        self.retired = False  # no longer current
        self.idle: list[Worker] = []
        self.busy = 0  # processes that execute it
        self.behind: deque[Execution] = deque()  # calls that wait behind those
        self.pace_ms = 0.0  # how long its calls take lately
        self.answered_tick = 0  # when a process of it last answered
        self.holders = 0
        self.asynchronous = False  # it needs asyncio
        self.on_let_go: Callable[[], None] | None = None

    def let_go(self) -> None:
        """Tell once, when it is not current and no process holds it."""
        if self.retired and self.holders == 0 and self.on_let_go is not None:
            told, self.on_let_go = self.on_let_go, None
            told()


class Plugins:
    """Changes of one plugin happen one after the other."""

    def __init__(self, pool: Loader, root: str) -> None:
        self._pool = pool
        self._root = root
        self._current: dict[str, Plugin] = {}
        self._changing: dict[str, deque[Callable[[], None]]] = {}
        self._stored: dict[str, int] = {}  # folder → versions that use it

    def current(self, slug: str) -> Plugin | None:
        """The version that calls run."""
        return self._current.get(slug)

    def versions(self) -> dict[str, str]:
        """All of them."""
        return {slug: plugin.version for slug, plugin in self._current.items()}

    def put(
        self,
        slug: str,
        version: str,
        code: str | None,
        bundle: Bundle | None,
        given: Mapping[str, object],
        answer: Answer,
    ) -> None:
        """Load a version and make it current; one that does not load leaves the old one."""

        def change() -> None:
            old = self._current.get(slug)
            if old is not None and old.version == version:
                self._over(slug, lambda: answer(old, None, 0.0))
                return
            try:
                plugin = (
                    self._stored_bundle(slug, version, bundle) if bundle else Plugin(slug, version, _text(slug, code))
                )
            except LoadFailure as failure:
                told = failure
                self._over(slug, lambda: answer(None, told, 0.0))
                return
            plugin.source = {**plugin.source, "given": given}
            self._replace(plugin, answer)

        self._in_turn(slug, change)

    def reload(self, slug: str, answer: Answer) -> None:
        """Load what is stored once more, in a fresh process. Answers with neither when there is none."""

        def change() -> None:
            old = self._current.get(slug)
            if old is None:
                self._over(slug, lambda: answer(None, None, 0.0))
                return
            plugin = Plugin(slug, old.version, old.source)
            if "folder" in old.source:
                self._hold(plugin, str(old.source["folder"]))
            self._replace(plugin, answer)

        self._in_turn(slug, change)

    def remove(self, slug: str, answer: Callable[[bool], None]) -> None:
        """Forget a plugin; False when there was none."""

        def change() -> None:
            old = self._current.pop(slug, None)
            if old is not None:
                self._pool.retire(old)
            self._over(slug, lambda: answer(old is not None))

        self._in_turn(slug, change)

    def _replace(self, plugin: Plugin, answer: Answer) -> None:
        def loaded(failure: LoadFailure | None, load_ms: float) -> None:
            if failure is not None:
                self._pool.retire(plugin)
                self._over(plugin.slug, lambda: answer(None, failure, load_ms))
                return
            old = self._current.get(plugin.slug)
            self._current[plugin.slug] = plugin
            if old is not None:
                self._pool.retire(old)
            self._over(plugin.slug, lambda: answer(plugin, None, load_ms))

        self._pool.load(plugin, loaded)

    def _stored_bundle(self, slug: str, version: str, bundle: Bundle) -> Plugin:
        folder = files.folder_of(self._root, slug, version)
        if folder not in self._stored:
            bundle.write(folder)
        plugin = Plugin(slug, version, {"slug": slug, "folder": folder, "entry": bundle.entry})
        self._hold(plugin, folder)
        return plugin

    def _hold(self, plugin: Plugin, folder: str) -> None:
        self._stored[folder] = self._stored.get(folder, 0) + 1

        def let_go() -> None:
            self._stored[folder] -= 1
            if not self._stored[folder]:
                del self._stored[folder]
                files.remove(folder)

        plugin.on_let_go = let_go

    def _in_turn(self, slug: str, change: Callable[[], None]) -> None:
        waiting = self._changing.get(slug)
        if waiting is not None:
            waiting.append(change)
            return
        self._changing[slug] = deque()
        change()

    def _over(self, slug: str, tell: Callable[[], None]) -> None:
        tell()
        waiting = self._changing[slug]
        if waiting:
            waiting.popleft()()
        else:
            del self._changing[slug]


def _text(slug: str, code: str | None) -> Mapping[str, str]:
    return {"slug": slug, "code": code or ""}
