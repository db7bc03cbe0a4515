"""The runtimes that the contract holds for, as a table: a second language joins LAUNCHERS and SOURCES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contract.runtime.launch import LAUNCHERS, Launcher, Process
from tests.contract.runtime.subject import Runtime

StartRuntime = Callable[..., Runtime]


@pytest.fixture(params=sorted(LAUNCHERS), scope="session")
def launcher(request: pytest.FixtureRequest) -> Launcher:
    """Each runtime in turn."""
    return LAUNCHERS[str(request.param)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket may have 107 bytes only."""
    with TemporaryDirectory(prefix="rt-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def start(launcher: Launcher, folder: Path) -> Iterator[StartRuntime]:
    """Starts runtimes with settings of the test's own: `start(WSMGR_CONCURRENCY="1")`."""
    started: list[Runtime] = []

    def starter(**environment: str) -> Runtime:
        place = folder / str(len(started))
        place.mkdir()
        process = Process(launcher, place, {"LISTEN": str(place / "api.sock"), **environment})
        try:
            runtime = Runtime(launcher, process, environment.get("WSMGR_TOKEN"))
        except BaseException:
            process.end()
            raise
        started.append(runtime)
        return runtime

    yield starter
    for runtime in started:
        runtime.close()


@pytest.fixture(scope="session")
def kept() -> Iterator[Callable[[Launcher], Runtime]]:
    """One runtime for each language that many tests use one after the other, as a real one is used. Not a fixture for
    each launcher: modules have launchers of their own, and pytest would hand on the runtime of another one."""
    with ExitStack() as stack:
        known: dict[str, Runtime] = {}

        def of(launcher: Launcher) -> Runtime:
            if launcher.language not in known:
                name = stack.enter_context(TemporaryDirectory(prefix="rt-", dir="/tmp"))
                runtime = Runtime(launcher, Process(launcher, Path(name), {"LISTEN": f"{name}/api.sock"}))
                stack.callback(runtime.close)
                known[launcher.language] = runtime
            return known[launcher.language]

        yield of


@pytest.fixture
def shared(launcher: Launcher, kept: Callable[[Launcher], Runtime]) -> Iterator[Runtime]:
    """The common runtime, for tests that leave it as fit as they found it; that is checked after each."""
    runtime = kept(launcher)
    yield runtime
    runtime.idle()
    assert runtime.health()["status"] == "healthy"


@pytest.fixture
def runtime(start: StartRuntime) -> Runtime:
    """A runtime with default settings on a unix socket."""
    return start()
